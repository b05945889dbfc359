"""Minutes of two variants: what is asked of CloudWatch, and what is made of its answers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.errors import UserError
from functions.judge.counts import Counts
from functions.judge.record import FAILED, SLOW
from operate.minutes import Contest, contest_of, minutes

DAY = 86_400.0
START = 1_800_000_030.0
CONTEST = Contest("e-1", START, "7", "Glidepath", "taxi-prod", 800.0)
FIRST = 1_800_000_060.0
"""The first whole minute."""

Sums = dict[tuple[str, str], dict[float, float]]


class Watch:
    """CloudWatch with values by metric and variant; a page for each query."""

    def __init__(self, values: Sums, status: str = "Complete") -> None:
        self.values, self.asked, self.status = values, list[dict[str, Any]](), status

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        number = int(request.get("NextToken") or 0)
        query = request["MetricDataQueries"][number]
        metric = query["MetricStat"]["Metric"]
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        name = "slow" if query["MetricStat"]["Stat"] == "TC(800000:)" else metric["MetricName"]
        found = self.values.get((name, dimensions.get("VariantName") or dimensions["Variant"]), {})
        moments = [datetime.fromtimestamp(at, UTC) for at in reversed(found)]
        result = {"Id": query["Id"], "Timestamps": moments, "Values": [*reversed(found.values())]}
        answer: dict[str, Any] = {"MetricDataResults": [result | {"StatusCode": self.status}]}
        last = number + 1 == len(request["MetricDataQueries"])
        return answer if last else answer | {"NextToken": str(number + 1)}


def test_failed_is_what_the_endpoint_reports_and_what_could_not_be_used() -> None:
    watch = Watch({
        ("Invocations", "live"): {FIRST: 30, FIRST + 60: 20},
        ("Invocation5XXErrors", "live"): {FIRST: 1, FIRST + 60: 0},
        ("Invocations", "b"): {FIRST: 9},
        ("Invocation4XXErrors", "b"): {FIRST: 2},
        ("Invocation5XXErrors", "b"): {FIRST: 3},
        ("ModelErrors", "b"): {FIRST: 1},
        ("slow", "b"): {FIRST: 4},
    })  # fmt: skip
    found, hours = minutes(watch, CONTEST, "b", "live", START + 3 * 3600)
    assert found == {
        FAILED: (Counts(30, 1, 9, 6), Counts(20, 0, 0, 0)),
        SLOW: (Counts(30, 0, 9, 4), Counts(20, 0, 0, 0)),
    }
    assert hours == pytest.approx(3, abs=0.1)


def test_one_version_is_asked_for_by_whole_minutes_that_are_three_minutes_old() -> None:
    watch = Watch({})
    minutes(watch, CONTEST, "b", "live", FIRST + 400)
    (request, *_) = watch.asked
    assert request["StartTime"].timestamp() == FIRST
    assert request["EndTime"].timestamp() == FIRST + 180
    stats = [query["MetricStat"] for query in request["MetricDataQueries"]]
    assert {stat["Period"] for stat in stats} == {60}
    own = [
        {each["Name"]: each["Value"] for each in stat["Metric"]["Dimensions"]}
        for stat in stats
        if stat["Metric"]["Namespace"] == "Glidepath"
    ]
    assert own == [{"Service": "taxi-prod", "Version": "7", "Variant": name} for name in ("b", "live")]


@pytest.mark.parametrize(("age", "period"), [(14.9, 60), (15.1, 300), (62, 300), (64, 3600), (500, 3600)])
def test_an_old_test_is_compared_from_its_start_by_the_periods_that_are_kept(age: float, period: int) -> None:
    watch = Watch({})
    minutes(watch, CONTEST, "b", "live", START + age * DAY)
    (request, *_) = watch.asked
    assert {query["MetricStat"]["Period"] for query in request["MetricDataQueries"]} == {period}
    assert 0 <= request["StartTime"].timestamp() - START < period


def test_nothing_is_asked_while_nothing_is_old_enough() -> None:
    watch = Watch({})
    assert minutes(watch, CONTEST, "b", "live", START + 100) == ({FAILED: (), SLOW: ()}, 0)
    assert watch.asked == []


def test_a_contest_is_that_of_the_version_that_serves() -> None:
    variables = {"ENDPOINT_NAME": "e-1", "METRIC_NAMESPACE": "Glidepath", "SERVICE": "taxi-prod", "LATENCY_MS": "800"}
    moment = datetime.fromtimestamp(START, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    function = {"Version": "7", "LastModified": moment, "Environment": {"Variables": variables}}
    assert contest_of(function) == CONTEST
    del variables["LATENCY_MS"]
    without = contest_of(function)
    assert without.latency_ms is None
    assert set(minutes(Watch({}), without, "b", "live", START + 9999)[0]) == {FAILED}


def test_a_part_of_the_counts_decides_nothing() -> None:
    """A variant whose failures are the part that is missing would be promoted."""
    watch = Watch({("Invocations", "live"): {FIRST: 30}, ("Invocations", "b"): {FIRST: 9}}, "PartialData")
    with pytest.raises(UserError, match=r"answered in part \(PartialData\)"):
        minutes(watch, CONTEST, "b", "live", START + 3 * 3600)
