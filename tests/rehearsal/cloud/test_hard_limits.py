"""The hard limits as alarms, evaluated on samples by the rehearsal: the rule that was simulated (functions/judge)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.health import Watched, alarms
from functions.judge import limits
from rehearsal.cloud.services.cloudwatch.alarm_state import EXTRA_PERIODS, OK, evaluate
from rehearsal.cloud.services.cloudwatch.operations import series_of
from rehearsal.cloud.services.cloudwatch.series import Metrics, Sample, Span, key_of
from settings import Limits, parse
from tests.rehearsal.cloud.test_health import to_query
from tests.settings.configs import config

LIMITS = parse("live1", config("live1")).alarms.limits
WATCHED = Watched("shop", "shop-predict", "live", "7", "shop-1", ["live"], "shop", "live")
EXECUTED = {"FunctionName": "shop-predict", "Resource": "shop-predict:live"}
COMPARED = {
    "model-errors": ("Glidepath", "ModelErrors", "Requests", {"Service": "shop"}, {"Version": "7"}),
    "latency": ("Glidepath", "JudgedSlow", "Judged", {"Service": "shop"}, {"Version": "7"}),
    "function-errors": ("AWS/Lambda", "Errors", "Invocations", EXECUTED, {"ExecutedVersion": "7"}),
}
"""Alarm → namespace, events, requests, dimensions of both versions together, and those that tell the new one."""
MINUTE = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (max(pair), min(pair)))
"""Requests, and how many of them are events."""
Minute = tuple[int, int]


def counted(metrics: Metrics, namespace: str, name: str, dimensions: dict[str, str], number: int) -> None:
    """As it is published: nothing without a request, and 0 for each one that is none of the events."""
    if number >= 0:
        metrics.add(key_of(namespace, name, dimensions), Sample(30, 1, number, number, number, "Count"))


def published(purpose: str, old: Minute, new: Minute, together: bool = True) -> Metrics:
    """A minute of both versions. `together`: whether their sums are published, and not the new version's alone."""
    namespace, events, requests, both, own = COMPARED[purpose]
    metrics = Metrics()
    for name, place in ((requests, 0), (events, 1)):
        if new[0]:
            counted(metrics, namespace, name, both | own, new[place])
        if together and old[0] + new[0]:
            counted(metrics, namespace, name, both, old[place] + new[place])
    return metrics


def state(arguments: dict[str, Any], metrics: Metrics) -> str | None:
    """Of an alarm that has just begun to look, at the end of the minute."""
    queries = [to_query(query) for query in arguments["metric_queries"]]
    window = range(-arguments["evaluation_periods"] - EXTRA_PERIODS + 1, 1)
    series = series_of(metrics, queries, Span(window.start * 60, 60), window)
    (watched,) = [query["Id"] for query in queries if query["ReturnData"]]
    points = [series[watched].get(number) for number in window]
    periods, treated = arguments["evaluation_periods"], arguments["treat_missing_data"]
    return evaluate(points, periods, periods, arguments["comparison_operator"], arguments["threshold"], treated).state


def alarmed(purpose: str, metrics: Metrics, given: Limits = LIMITS, watched: Watched = WATCHED) -> bool:
    return state(dict(alarms(watched, given, [], [1.0], judged=True)[purpose].arguments), metrics) != OK


def test_the_defaults_are_what_was_simulated() -> None:
    counts = (LIMITS.model_errors, LIMITS.function_errors, LIMITS.endpoint_errors, LIMITS.slow_requests)
    assert {*counts} == {limits.EVENTS}
    assert (LIMITS.share / 100, LIMITS.times, LIMITS.period_minutes) == (limits.SHARE, limits.TIMES, 1)


@pytest.mark.parametrize("purpose", COMPARED)
@given(old=MINUTE, new=MINUTE)
def test_an_alarm_is_the_rule_that_was_simulated(purpose: str, old: Minute, new: Minute) -> None:
    assert alarmed(purpose, published(purpose, old, new)) == limits.reached(*old, *new)


@given(old=MINUTE, new=MINUTE)
def test_what_is_counted_of_the_new_version_alone_is_compared_with_nothing(old: Minute, new: Minute) -> None:
    """So are slow requests where no function publishes them for the service as a whole, or has not yet."""
    assert alarmed("latency", published("latency", old, new, together=False)) == limits.reached(0, 0, *new)


@given(each=st.lists(MINUTE, min_size=1, max_size=10))
def test_the_worst_variant_of_any_number_reaches_the_limit(each: list[Minute]) -> None:
    names = [f"v{number}" for number in range(len(each))]
    metrics = Metrics()
    for name, (requests, events) in zip(names, each, strict=True):
        if requests:
            dimensions = {"EndpointName": "shop-1", "VariantName": name}
            counted(metrics, "AWS/SageMaker", "Invocations", dimensions, requests)
            counted(metrics, "AWS/SageMaker", "Invocation5XXErrors", dimensions, events)
    watched = replace(WATCHED, variants=names)
    purposes = [purpose for purpose in alarms(watched, LIMITS, [], [1.0]) if purpose.startswith("endpoint-errors")]
    assert len(purposes) == (len(each) + 4) // 5
    found = any(alarmed(purpose, metrics, watched=watched) for purpose in purposes)
    assert found == any(limits.reached(0, 0, *minute) for minute in each)


@pytest.mark.parametrize(
    ("old", "new", "reached"),
    [
        ((90, 0), (10, 3), True),
        ((90, 0), (10, 2), False),  # too few
        ((90, 0), (11, 3), False),  # too small a share: that is for the evidence
        ((90, 27), (10, 5), False),  # what befalls both versions is not the new one's fault
        ((90, 27), (10, 6), True),
        ((0, 0), (100, 30), True),  # at full traffic, or where the old version was not asked
        ((100, 100), (0, 0), False),
        ((0, 0), (0, 0), False),
    ],
)
def test_where_the_limit_is(old: Minute, new: Minute, reached: bool) -> None:
    assert {alarmed(purpose, published(purpose, old, new)) for purpose in COMPARED} == {reached}


def test_each_number_of_the_rule_is_config() -> None:
    old, new = (50, 10), (50, 15)
    assert not alarmed("model-errors", published("model-errors", old, new))
    assert alarmed("model-errors", published("model-errors", old, new), replace(LIMITS, times=1.5))
    assert alarmed("model-errors", published("model-errors", (50, 40), new), replace(LIMITS, times=0.0))
    assert not alarmed("model-errors", published("model-errors", old, new), replace(LIMITS, times=1.5, share=31.0))
    assert not alarmed("model-errors", published("model-errors", old, new), replace(LIMITS, times=1.5, model_errors=16))
    one = replace(LIMITS, model_errors=1, share=0.01)
    assert alarmed("model-errors", published("model-errors", (0, 0), (1000, 1)), one), "the rule before"
