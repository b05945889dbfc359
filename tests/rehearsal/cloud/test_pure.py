"""The gateway's pure logic: patterns, schedules, alarms, metric math, policies."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from rehearsal.cloud.policy_language import trust
from rehearsal.cloud.services.cloudwatch import alarm_state as alarms
from rehearsal.cloud.services.cloudwatch import metric_math as metricmath
from rehearsal.cloud.services.cloudwatch.series import Sample, statistic
from rehearsal.cloud.services.events import cron, patterns
from rehearsal.cloud.wire.types import Principal

EVENT = {
    "source": "aws.s3",
    "detail": {"key": "data/a.csv", "size": 10, "tags": ["x", "y"], "flag": True, "none": None, "ip": "10.0.0.7"},
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.s3", "b"]}, True),
        ({"source": ["aws"]}, False),
        ({"detail": {"key": [{"prefix": "data/"}]}}, True),
        ({"detail": {"key": [{"suffix": ".CSV"}]}}, False),
        ({"detail": {"key": [{"suffix": {"equals-ignore-case": ".CSV"}}]}}, True),
        ({"detail": {"key": [{"anything-but": ["data/a.csv"]}]}}, False),
        ({"detail": {"key": [{"anything-but": {"prefix": "raw/"}}]}}, True),
        ({"detail": {"key": [{"wildcard": "data/*.csv"}]}}, True),
        ({"detail": {"key": [{"wildcard": "*.parquet"}]}}, False),
        ({"detail": {"key": [{"equals-ignore-case": "DATA/A.CSV"}]}}, True),
        ({"detail": {"size": [{"numeric": [">", 5, "<=", 10]}]}}, True),
        ({"detail": {"size": [{"numeric": ["=", 11]}]}}, False),
        ({"detail": {"tags": ["y"]}}, True),
        ({"detail": {"missing": [{"exists": False}]}}, True),
        ({"detail": {"key": [{"exists": False}]}}, False),
        ({"detail": {"flag": [True]}}, True),
        ({"detail": {"flag": [1]}}, False),
        ({"detail": {"none": [None]}}, True),
        ({"detail": {"ip": [{"cidr": "10.0.0.0/24"}]}}, True),
        ({"$or": [{"source": ["none"]}, {"detail": {"size": [10]}}]}, True),
    ],
)
def test_pattern(pattern: dict[str, Any], expected: bool) -> None:
    patterns.compiled(json.dumps(pattern))
    assert patterns.matches(pattern, EVENT) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(5 minutes)", "2026-11-21T10:12"),
        ("cron(0 * * * ? *)", "2026-11-21T11:00"),
        ("cron(0/15 8-17 ? * MON-FRI *)", "2026-11-23T08:00"),
        ("cron(30 6 1 * ? *)", "2026-12-01T06:30"),
        ("cron(0 0 L * ? *)", "2026-11-30T00:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-12-07T09:00"),
    ],
)
def test_schedule(expression: str, expected: str) -> None:
    moment = cron.parse(expression).after(datetime(2026, 11, 21, 10, 7, tzinfo=UTC))
    assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "expression", ["rate(0 minutes)", "rate(1 hours)", "cron(* * * * *)", "cron(61 * * * ? *)", "x"]
)
def test_bad_schedule(expression: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cron.parse(expression)


@pytest.mark.parametrize(
    ("points", "missing", "expected"),
    [
        ([None, None, 9, 1, 9], "missing", "ALARM"),
        ([None, None, 9, 1, 1], "missing", "OK"),
        ([None, None, None, None, None], "missing", "INSUFFICIENT_DATA"),
        ([None, None, None, None, None], "notBreaching", "OK"),
        ([None, None, None, None, None], "breaching", "ALARM"),
        ([None, None, None, None, None], "ignore", None),
        ([9, 9, None, None, 1], "notBreaching", "ALARM"),
        ([None, None, None, 9, 9], "missing", "ALARM"),
        ([None, None, None, None, 9], "notBreaching", "OK"),
    ],
)
def test_two_of_three(points: list[float | None], missing: str, expected: str | None) -> None:
    assert alarms.evaluate(points, 3, 2, "GreaterThanThreshold", 5, missing).state == expected


def test_only_periods_with_data_are_told_of() -> None:
    """Of 8,640 periods each look would take seconds otherwise, and AWS's minute with it."""
    told: list[int] = []

    def moment(place: int) -> str:
        told.append(place)
        return f"at {place}"

    points = [None] * 8000 + [7.0, None, 9.0] + [None] * 639
    found = alarms.evaluate(points, 8640, 1, "GreaterThanThreshold", 5, "notBreaching", moment)
    assert told == [8000, 8002]
    assert "[7.0 (at 8000), 9.0 (at 8002)]" in found.reason


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("a b") AND NOT OK(c)', True),
        ("OK(c) OR (ALARM(x) AND TRUE)", False),
        ("NOT (INSUFFICIENT_DATA(x) AND FALSE)", True),
        ('ALARM("arn:aws:cloudwatch:eu-west-1:1:alarm:a b")', True),
    ],
)
def test_composite_rule(rule: str, expected: bool) -> None:
    assert alarms.parse_rule(rule).holds({"a b": "ALARM", "c": "ALARM"}) is expected


@pytest.mark.parametrize("rule", ["", "ALARM(a) ALARM(b)", "AND ALARM(a)", "(ALARM(a)", "ALRM(a)"])
def test_bad_composite_rule(rule: str) -> None:
    with pytest.raises(ValueError, match="AlarmRule"):
        alarms.parse_rule(rule)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a / b * 100", {0: 50, 1: 0, 2: 200}),  # what one of two series lacks is 0
        ("b / a", {0: 2, 2: 0.5}),
        ("a >= b", {0: 0, 1: 0, 2: 1}),
        ("a * 5", {0: 5, 2: 20}),
        ("(a > 0) && (b > 2)", {0: 0, 1: 0, 2: 0}),
        ("(a > 0) || (b > 2)", {0: 1, 1: 1, 2: 1}),
        ("IF(b > 2, a, b)", {0: 2, 1: 0, 2: 2}),  # of the series that is taken where the condition holds as well
        ("IF(b > 2, 1, a)", {0: 1, 1: 1, 2: 4}),
        ("IF(b < 3, b, a)", {0: 2, 2: 2}),
        ("IF(1 > 0 && 1 > 2, a, b)", {0: 2, 1: 3, 2: 2}),
        ("FILL(a, 0)", {0: 1, 1: 0, 2: 4}),
        ("IF(FILL(a, 0) > 1, 1, 0)", {0: 0, 1: 0, 2: 1}),
        ("SUM(METRICS())", {0: 3, 1: 3, 2: 6}),
        ("MAX([a, b])", {0: 2, 1: 3, 2: 4}),
        ("a / (b - 2)", {1: 0}),
        ("b > 1 AND b < 3", {0: 1, 1: 0, 2: 1}),
        ("AVG(b) ^ 2", {0: 49 / 9, 1: 49 / 9, 2: 49 / 9}),
        ("LOG(a)", {0: 0, 2: 2 * math.log(2)}),
        ("LOG10(b * 5) + LOG(a - 1)", {0: 1, 1: math.log10(15), 2: 1 + math.log(3)}),
        ("a * LOG(1)", {0: 0, 2: 0}),
    ],
)
def test_metric_math(expression: str, expected: dict[int, float]) -> None:
    series = {"a": {0: 1.0, 2: 4.0}, "b": {0: 2.0, 1: 3.0, 2: 2.0}}
    result = metricmath.evaluate(metricmath.parse(expression), series, series, range(3))
    assert result == pytest.approx(expected)


def test_trimmed_mean_and_missing_percentile() -> None:
    samples = [Sample(0, 1, n, n, n, "None") for n in range(1, 11)]
    assert statistic("tm90", samples) == pytest.approx(5)
    assert statistic("p50", samples) == pytest.approx(5.5)
    assert statistic("p99", [Sample(0, 5, 10, 1, 3, "None")]) is None
    with pytest.raises(ValueError, match="XYZ"):
        statistic("XYZ", samples)


@pytest.mark.parametrize(
    ("name", "expected"), [("TC(3:)", 14), ("TC(:3)", 6), ("TC(2.5:4)", 4), ("TC(99:)", 0), ("TC(0:99)", 20)]
)
def test_a_trimmed_count_has_its_upper_boundary(name: str, expected: int) -> None:
    samples = [Sample(0, 2, 2 * n, n, n, "None") for n in range(1, 11)]
    assert statistic(name, samples) == expected
    assert statistic(name, [Sample(0, 5, 10, 1, 3, "None")]) is None


@pytest.mark.parametrize("name", ["TC(:)", "TC(3)", "TC(10%:)", "TC(-1:)"])
def test_other_trimmed_counts_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no statistic that the rehearsal computes"):
        statistic(name, [Sample(0, 1, 1, 1, 1, "None")])


def test_policy_deny_wins_and_conditions_bind() -> None:
    allow = {"Effect": "Allow", "Principal": {"Service": "a.amazonaws.com"}, "Action": "sts:AssumeRole"}
    service = Principal("a.amazonaws.com", "1", "service")
    assert trust.allows({"Statement": allow}, service, {})
    assert not trust.allows({"Statement": [allow, {**allow, "Effect": "Deny"}]}, service, {})
    bound = {**allow, "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::x-*"}}}
    assert trust.allows({"Statement": bound}, service, {"aws:SourceArn": "arn:aws:s3:::x-1"})
    assert not trust.allows({"Statement": bound}, service, {"aws:SourceArn": "arn:aws:s3:::y-1"})
    assert not trust.allows({"Statement": bound}, service, {})
    assert not trust.allows({"Statement": {**allow, "Action": "sts:TagSession"}}, service, {})
