"""What an unhealthy release is: the alarms as documents, and what CloudWatch's arithmetic makes of them."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.dashboard import dashboard
from definitions.health import Watched, alarms, rule, stability_index
from rehearsal.cloud.services.cloudwatch import metric_math as metricmath
from settings import Limits
from settings.rules import MOST_VARIANTS

LIMITS = Limits(
    model_errors=1, function_errors=2, endpoint_errors=3, slow_requests=4, share=25, times=1.5, latency_ms=1000,
    model_latency_ms=800, api_errors=5, api_latency_ms=3000, prediction_shift=0.25, prediction_rows=100,
    prediction_minutes=10, silent_invocations=10, period_minutes=2, periods=3,
)  # fmt: skip
WATCHED = Watched("shop-prod", "shop-prod-predict", "live", "7", "shop-prod-1", ["live"], "shop-prod", "live")
EDGES, SHARES = [1.0, 2.0, 3.0, 4.0], [0.2] * 5


def found() -> dict[str, Any]:
    return {purpose: alarm.arguments for purpose, alarm in alarms(WATCHED, LIMITS, EDGES, SHARES).items()}


def compute(expressions: list[tuple[str, str]], values: dict[str, float | None]) -> float | None:
    """The last expression over one period; a value of None is a metric without data."""
    series = {name: {} if value is None else {0: value} for name, value in values.items()}
    for name, text in expressions:
        series[name] = metricmath.evaluate(metricmath.parse(text), series, series, range(1))
    return series[expressions[-1][0]].get(0)


def index(counts: Sequence[float], shares: Sequence[float], least: int) -> float:
    answer = compute(stability_index(shares, least), {f"bin{number}": count for number, count in enumerate(counts)})
    assert answer is not None
    return answer


def silent(invocations: float | None, requests: float | None) -> float | None:
    queries = found()["silence"]["metric_queries"]
    (expression,) = [query["expression"] for query in queries if "expression" in query]
    return compute([("silent", expression)], {"invocations": invocations, "requests": requests})


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ([20, 20, 20, 20, 20], 0, 1e-9),
        ([24, 17, 21, 18, 20], 0, 0.05),  # chance
        ([100, 0, 0, 0, 0], 4, 5),  # one value for everything
        ([0, 0, 0, 0, 100], 4, 5),
        ([5, 10, 15, 30, 40], 0.25, 1),  # shifted upwards
        ([99, 0, 0, 0, 0], 0, 0),  # too few rows to say anything
    ],
)
def test_the_index_distinguishes_a_shift_from_chance(counts: list[int], low: float, high: float) -> None:
    assert low <= index(counts, SHARES, 100) <= high


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 99)), min_size=2, max_size=9),
)
def test_the_index_is_the_population_stability_index(bins: list[tuple[int, int]]) -> None:
    counts, weights = zip(*bins, strict=True)
    shares = [round(weight / sum(weights), 6) for weight in weights]
    rows = sum(counts) + len(counts) / 2
    live = [(count + 0.5) / rows for count in counts]
    wanted = sum((a - b) * math.log(a / b) for a, b in zip(live, shares, strict=True))
    assert index(counts, shares, 0) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(
    ("invocations", "requests", "share"),
    [
        (100, 100, 0.0),
        (100, 97, 0.03),
        (100, None, 1.0),  # the handler's metrics are gone
        (9, None, 0.0),  # too few to say
        (None, None, None),  # nobody asks: no data, which does not breach
        (None, 5, None),  # golden records, replayed before traffic
        (100, 120, -0.2),
    ],
)
def test_silence_is_being_asked_and_saying_nothing(
    invocations: float | None, requests: float | None, share: float | None
) -> None:
    assert silent(invocations, requests) == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize(
    ("invocations", "requests", "handed", "share"),
    [
        (100, 10, 90, 0.0),  # most callers still send the former schema
        (100, None, 100, 0.0),
        (100, 10, None, 0.9),  # nothing was handed on, and little reported
        (100, None, None, 1.0),
    ],
)
def test_what_is_handed_on_to_the_former_release_is_no_silence(
    invocations: float, requests: float | None, handed: float | None, share: float
) -> None:
    queries = alarms(dataclasses.replace(WATCHED, handing=True), LIMITS, EDGES, SHARES)["silence"].arguments[
        "metric_queries"
    ]
    measured = {query["id"]: query["metric"] for query in queries if "metric" in query}
    assert measured["handed"] == {**measured["requests"], "metric_name": "HandedOn"}
    (expression,) = [query["expression"] for query in queries if "expression" in query]
    values = {"invocations": invocations, "requests": requests, "handed": handed}
    assert compute([("silent", expression)], values) == pytest.approx(share)


def test_no_callers_mistake_is_watched() -> None:
    """4xx never count against a release: neither the handler's, nor the endpoint's, nor the API's."""
    text = str(found())
    assert "CallerErrors" not in text
    assert "4XX" not in text


def test_every_alarm_says_what_missing_data_means() -> None:
    assert {alarm["treat_missing_data"] for alarm in found().values()} == {"notBreaching"}
    assert {alarm["comparison_operator"] for alarm in found().values()} == {"GreaterThanOrEqualToThreshold"}


@pytest.mark.parametrize("judged", [False, True])
def test_what_watches_the_api_as_a_whole_or_one_request_of_a_hundred_does_not_stop_a_shift(judged: bool) -> None:
    made = alarms(WATCHED, LIMITS, EDGES, SHARES, judged=judged)
    stops = {purpose for purpose, alarm in made.items() if alarm.stops}
    assert made.keys() - stops == {"api-errors", "api-latency", "model-latency"}
    assert ("evidence" in stops) is judged


def test_the_judges_evidence_stops_a_shift_within_a_look() -> None:
    alarm = alarms(WATCHED, LIMITS, EDGES, SHARES, judged=True)["evidence"].arguments
    assert alarm == {
        "namespace": "Glidepath",
        "metric_name": "Evidence",
        "dimensions": {"Service": "shop-prod", "Version": "7"},
        "statistic": "Maximum",
        "threshold": 1,
        "comparison_operator": "GreaterThanOrEqualToThreshold",
        "period": 10,
        "evaluation_periods": 6,
        "datapoints_to_alarm": 1,
        "treat_missing_data": "notBreaching",
    }
    assert "evidence" not in found()


def test_thresholds_periods_and_dimensions() -> None:
    alarm = found()
    variant = {"EndpointName": "shop-prod-1", "VariantName": "live"}
    api = {"ApiName": "shop-prod", "Stage": "live"}
    wanted = {
        "model-latency": ("AWS/SageMaker", "ModelLatency", variant, 800_000, "p99"),
        "api-errors": ("AWS/ApiGateway", "5XXError", api, 5, "Sum"),
        "api-latency": ("AWS/ApiGateway", "Latency", api, 3000, "p99"),
    }
    for purpose, (namespace, metric, dimensions, threshold, statistic) in wanted.items():
        given_ = alarm[purpose]
        assert (given_["namespace"], given_["metric_name"], given_["dimensions"]) == (namespace, metric, dimensions)
        assert (given_["threshold"], given_["period"], given_["evaluation_periods"]) == (threshold, 120, 3)
        assert statistic in (given_.get("statistic"), given_.get("extended_statistic"))
    for purpose in ("model-errors", "latency", "function-errors", "endpoint-errors"):
        given_ = alarm[purpose]
        assert (given_["threshold"], given_["evaluation_periods"]) == (25, 3)
        queries = [query["metric"] for query in given_["metric_queries"] if "metric" in query]
        assert {(query["period"], query["stat"]) for query in queries} == {(120, "Sum")}
    assert (alarm["silence"]["threshold"], alarm["silence"]["evaluation_periods"]) == (0.5, 2)
    assert (alarm["prediction-shift"]["threshold"], alarm["prediction-shift"]["evaluation_periods"]) == (0.25, 1)
    periods = {query["metric"]["period"] for query in alarm["prediction-shift"]["metric_queries"] if "metric" in query}
    assert periods == {600}


def test_an_alarm_stays_within_cloudwatchs_limits() -> None:
    """And a deployment group within CodeDeploy's, with as many variants as SageMaker lets an endpoint have."""
    names = [str(number).rjust(55, "v") for number in range(MOST_VARIANTS)]
    wide = dataclasses.replace(WATCHED, variants=names, handing=True)
    made = alarms(wide, LIMITS, list(range(1, 9)), [1 / 9] * 9, judged=True)
    for alarm in made.values():
        queries = alarm.arguments.get("metric_queries", [])
        assert sum("metric" in query for query in queries) <= 10
        assert sum("expression" in query for query in queries) <= 10
        assert sum(query["return_data"] for query in queries) == (1 if queries else 0)
        # pulumi-aws refuses longer ones (internal/service/cloudwatch/metric_alarm.go).
        assert all(len(query.get("expression", "")) <= 1024 for query in queries)
    assert sum(alarm.stops for alarm in made.values()) <= 10
    dimensions = str([made[name].arguments for name in ("endpoint-errors", "endpoint-errors-2")])
    assert all(name in dimensions for name in names)


def test_without_a_distribution_there_is_no_alarm_on_it() -> None:
    assert "prediction-shift" not in alarms(WATCHED, LIMITS, [], [1.0])


def test_the_worst_variant_of_an_ab_test_speaks_for_its_endpoint() -> None:
    several = dataclasses.replace(WATCHED, variants=["live", "b", "c"])
    made = alarms(several, LIMITS, EDGES, SHARES)
    one, all_ = found()["model-latency"], made["model-latency"].arguments
    *each, worst = all_["metric_queries"]
    assert [query["metric"]["dimensions"]["VariantName"] for query in each] == ["live", "b", "c"]
    assert {(query["metric"]["metric_name"], query["metric"]["stat"]) for query in each} == {("ModelLatency", "p99")}
    assert all_["threshold"] == one["threshold"]
    # Nobody asked the second one in this period.
    values = {"variant0": 2.0, "variant1": None, "variant2": 7.0}
    assert compute([("worst", worst["expression"])], values) == 7.0
    assert compute([("worst", worst["expression"])], dict.fromkeys(values)) is None
    assert len([alarm for alarm in made.values() if alarm.stops]) <= 10, "CodeDeploy watches ten alarms at most"


def test_the_dashboard_shows_variants_and_shadow_side_by_side() -> None:
    def names(**changes: Any) -> dict[str, list[str]]:
        board = dashboard("eu-west-1", dataclasses.replace(WATCHED, **changes), [], [], 100)
        return {
            widget["properties"]["title"]: [metric[5] for metric in widget["properties"]["metrics"]]
            for widget in board["widgets"]
            if "VariantName" in str(widget)
        }

    latency = "Variants: p99 of the model's time (µs)"
    assert names() == {"Endpoint": ["live", "live"]}
    assert names(variants=["live", "b"]) == {"Endpoint": ["live", "b", "live", "b"], latency: ["live", "b"]}
    assert names(shadow="dark")[latency] == ["live", "dark"]
    board = dashboard("eu-west-1", dataclasses.replace(WATCHED, variants=["live", "b"]), [], [], 100)
    (shown,) = [w["properties"]["metrics"] for w in board["widgets"] if "predictions" in w["properties"]["title"]]
    assert [entry[6:8] for entry in shown] == [["Variant", "live"], ["Variant", "b"]]


def test_the_rule_can_be_read_by_a_person() -> None:
    assert rule(["a-latency", "a-silence"]) == 'ALARM("a-latency") OR ALARM("a-silence")'


def test_the_dashboard_shows_the_index_of_the_serving_version() -> None:
    board = dashboard("eu-west-1", WATCHED, ["arn"], SHARES, 100)
    titles = [widget["properties"]["title"] for widget in board["widgets"]]
    assert titles[-2:] == ["Prediction shift (stability index)", "Alarms"]
    shown = [entry[-1]["id"] for entry in board["widgets"][-2]["properties"]["metrics"] if entry[-1]["visible"]]
    assert shown == ["psi"]
    places = [(widget["x"], widget["y"]) for widget in board["widgets"]]
    assert len(set(places)) == len(places)
    assert len(dashboard("eu-west-1", WATCHED, [], [], 100)["widgets"]) == len(board["widgets"]) - 1
