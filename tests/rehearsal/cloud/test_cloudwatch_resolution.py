"""Metrics by the second: what is stored, what periods below a minute give, and the alarms on them."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.api import LogLines, Place
from rehearsal.cloud.core.clock import Clock
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services.cloudwatch.operations import metrics_of
from rehearsal.cloud.services.cloudwatch.series import SHORT_SECONDS, Metrics, Sample, Span, key_of
from rehearsal.cloud.services.cloudwatch.windows import asked
from tests.rehearsal.cloud.sagemaker_world import wait

REGION = "eu-west-1"
KEY = key_of("N", "M", {})


def of(*samples: tuple[float, int]) -> Metrics:
    """A metric of samples, each with its time stamp and its resolution."""
    found = Metrics()
    for stamp, resolution in samples:
        found.add(KEY, Sample(stamp, 1, 1, 1, 1, "Count", resolution))
    return found


def query(period: int, name: str = "M", key: str = "q") -> dict[str, Any]:
    stat = {"Metric": {"Namespace": "N", "MetricName": name}, "Period": period, "Stat": "Sum"}
    return {"Id": key, "MetricStat": stat}


# --- what is stored ----------------------------------------------------------------------------------------------


def test_standard_resolution_has_data_in_one_short_period_of_each_minute() -> None:
    metrics = of((61, 60), (75, 60), (119, 60), (75, 1))
    found = metrics.buckets(KEY, Span(60, 120, 60), 10, None)
    assert {number: len(samples) for number, samples in found.items()} == {0: 3, 1: 1}
    # The first of its periods is not asked for: nothing is left of what is stored there.
    assert {number: len(each) for number, each in metrics.buckets(KEY, Span(70, 120, 60), 10, None).items()} == {1: 1}
    assert {number: len(each) for number, each in metrics.buckets(KEY, Span(60, 120, 60), 60, None).items()} == {0: 4}


def test_short_periods_are_kept_for_three_hours() -> None:
    now = 10.0 * SHORT_SECONDS
    metrics = of((now - SHORT_SECONDS - 1, 1), (now - SHORT_SECONDS + 1, 1))
    assert sum(map(len, metrics.buckets(KEY, Span(0, now, now=now), 10, None).values())) == 1
    assert sum(map(len, metrics.buckets(KEY, Span(0, now, now=now), 60, None).values())) == 2


@pytest.mark.parametrize("resolution", [2, 5, 30, 61])
def test_another_resolution_is_refused(cloud: Cloud, account: str, resolution: int) -> None:
    datum = {"MetricName": "M", "Value": 1.0, "StorageResolution": resolution}
    with pytest.raises(ClientError, match="StorageResolution"):
        cloud.client("cloudwatch", account, REGION).put_metric_data(Namespace="N", MetricData=[datum])


def embedded(cloud: Cloud, account: str, **metric: Any) -> list[Sample]:
    """What is stored of a line of metrics."""
    directive = {"Namespace": "N", "Dimensions": [[]], "Metrics": [{"Name": "M", "Unit": "Count", **metric}]}
    document = {"_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]}, "M": 1}
    cloud.log(Place(account, REGION), LogLines("/g", "s", [json.dumps(document)]))
    found = metrics_of(cloud, account, REGION).buckets(KEY, Span(0, time.time() + 60), 86400, None)
    return [sample for samples in found.values() for sample in samples]


def test_embedded_metrics_have_the_resolution_that_they_name(cloud: Cloud, account: str) -> None:
    assert [sample.resolution for sample in embedded(cloud, account)] == [60]
    assert [sample.resolution for sample in embedded(cloud, account, StorageResolution=1)] == [60, 1]
    assert [sample.resolution for sample in embedded(cloud, account, StorageResolution=60)] == [60, 1, 60]


@pytest.mark.parametrize("resolution", [0, 10, "1", True, 1.0, None])
def test_a_line_with_another_resolution_is_no_metric(cloud: Cloud, account: str, resolution: Any) -> None:
    assert embedded(cloud, account, StorageResolution=resolution) == []


# --- reading -----------------------------------------------------------------------------------------------------


def test_published_metrics_can_be_read_by_ten_seconds(cloud: Cloud, account: str) -> None:
    watch = cloud.client("cloudwatch", account, REGION)
    # In the past, so that all of it is asked for by real time; and away from a minute's first period.
    minute = time.time() // 60 * 60 - 120
    data = [
        {"MetricName": name, "Value": 1.0, "Timestamp": minute + second, "StorageResolution": resolution}
        for name, resolution in (("fine", 1), ("coarse", 60))
        for second in (25, 28, 47)
    ]
    watch.put_metric_data(Namespace="N", MetricData=data)
    queries = [query(10, "fine", "fine"), query(10, "coarse", "coarse"), query(60, "fine", "minutes")]
    answer = watch.get_metric_data(
        MetricDataQueries=queries, StartTime=minute, EndTime=minute + 60, ScanBy="TimestampAscending"
    )
    found = {
        result["Id"]: dict(
            zip([moment.timestamp() - minute for moment in result["Timestamps"]], result["Values"], strict=True)
        )
        for result in answer["MetricDataResults"]
    }
    assert found == {"fine": {20: 2, 40: 1}, "coarse": {0: 3}, "minutes": {0: 3}}
    points = watch.get_metric_statistics(
        Namespace="N", MetricName="fine", Period=10, Statistics=["Sum"], StartTime=minute + 27, EndTime=minute + 60
    )["Datapoints"]
    # The start is rounded down to the period's.
    assert {point["Timestamp"].timestamp() - minute: point["Sum"] for point in points} == {20: 2, 40: 1}


@pytest.mark.parametrize("period", [2, 15, 45, 61, 90])
def test_other_periods_are_refused(cloud: Cloud, account: str, period: int) -> None:
    watch = cloud.client("cloudwatch", account, REGION)
    window = {"StartTime": time.time() - 600, "EndTime": time.time()}
    requests: list[Callable[[], Any]] = [
        lambda: watch.get_metric_data(MetricDataQueries=[query(period)], **window),
        lambda: watch.get_metric_data(
            MetricDataQueries=[query(60), {"Id": "e", "Expression": "q", "Period": period}], **window
        ),
        lambda: watch.get_metric_statistics(Namespace="N", MetricName="M", Period=period, Statistics=["Sum"], **window),
    ]
    for asks in requests:
        with pytest.raises(ClientError, match="Period must be 1, 5, 10, 20, 30 or a multiple of 60") as caught:
            asks()
        assert caught.value.response["Error"]["Code"] == "ValidationError"


# --- calendars ---------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    """Its calendar is a day ahead of real time."""
    found = Clock(1.0)
    found.continue_at(datetime.now(UTC) + timedelta(days=1))
    return found


def request(begins: float, ends: float) -> dict[str, Any]:
    """A request for a window, in seconds from now."""
    now = datetime.now(UTC)
    return {"StartTime": now + timedelta(seconds=begins), "EndTime": now + timedelta(seconds=ends)}


@pytest.mark.parametrize(
    ("begins", "ends", "shortest", "ahead"),
    [
        (-3600, 0, 10, False),
        (-3600, 3, 10, False),
        (-3600, 60, 60, False),
        (-86400, 86400, 86400, False),
        (-3600, 60, 10, True),
        (60, 120, 60, True),
        (60, 120, 10, True),
    ],
)
def test_which_calendar_is_meant(clock: Clock, begins: float, ends: float, shortest: float, ahead: bool) -> None:
    span = asked(clock, request(begins, ends), 60, shortest)
    assert abs(span.at(time.time()) - time.time() - (86400 if ahead else 0)) < 60
    assert abs(span.now - time.time() - (86400 if ahead else 0)) < 60


def test_a_window_of_awss_calendar_has_what_was_stamped_in_it(cloud: Cloud, account: str) -> None:
    watch = cloud.client("cloudwatch", account, REGION)
    wait(lambda: cloud.clock.aws_now() > datetime.now(UTC) + timedelta(seconds=120), bool)
    datum = {"MetricName": "M", "Value": 1.0, "StorageResolution": 1}
    before = cloud.clock.aws_now()
    watch.put_metric_data(Namespace="N", MetricData=[datum])
    after = cloud.clock.aws_now()
    window = {"StartTime": before - timedelta(seconds=70), "EndTime": after + timedelta(seconds=60)}
    (result,) = watch.get_metric_data(MetricDataQueries=[query(10)], **window)["MetricDataResults"]
    assert result["Values"] == [1.0]
    assert before - timedelta(seconds=10) <= result["Timestamps"][0] <= after
    (point,) = watch.get_metric_statistics(Namespace="N", MetricName="M", Period=60, Statistics=["Sum"], **window)[
        "Datapoints"
    ]
    assert before - timedelta(seconds=60) <= point["Timestamp"] <= after
    later = {"StartTime": after + timedelta(seconds=60), "EndTime": after + timedelta(seconds=120)}
    assert watch.get_metric_data(MetricDataQueries=[query(10)], **later)["MetricDataResults"][0]["Values"] == []


# --- alarms ------------------------------------------------------------------------------------------------------


def alarm(cloud: Cloud, account: str, **changes: Any) -> None:
    given = {
        "AlarmName": "a", "Namespace": "N", "MetricName": "M", "Statistic": "Maximum", "Period": 10,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching", **changes,
    }  # fmt: skip
    cloud.client("cloudwatch", account, REGION).put_metric_alarm(**given)


def changes_of(cloud: Cloud, account: str) -> list[str]:
    watch = cloud.client("cloudwatch", account, REGION)
    items = watch.describe_alarm_history(AlarmName="a", HistoryItemType="StateUpdate", ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    return [item["HistorySummary"].rpartition(" to ")[2] for item in items]


@pytest.mark.parametrize("second", [2, 25, 57])
@pytest.mark.parametrize("more", [{"EvaluationPeriods": 6, "DatapointsToAlarm": 1}, {"Period": 30}, {}])
def test_one_short_period_of_a_minute_is_enough(cloud: Cloud, account: str, second: int, more: dict[str, Any]) -> None:
    alarm(cloud, account, **more)
    wait(lambda: changes_of(cloud, account), bool)
    clock = cloud.clock
    # A time stamp in a minute that is still to come: whatever the machine does, the alarm looks after it.
    stamp = clock.real_at(clock.seconds()) + clock.scaled(180 + second)
    metrics_of(cloud, account, REGION).add(KEY, Sample(stamp, 1, 1, 1, 1, "None", 1))
    assert wait(lambda: changes_of(cloud, account), lambda found: len(found) > 2) == ["OK", "ALARM", "OK"]


def test_an_alarm_of_ten_seconds_sees_a_standard_metric_once_a_minute(cloud: Cloud, account: str) -> None:
    alarm(cloud, account, EvaluationPeriods=2, DatapointsToAlarm=2)
    wait(lambda: changes_of(cloud, account), bool)
    clock = cloud.clock
    begins = clock.real_at(clock.seconds()) + clock.scaled(180)
    for second in range(0, 60, 5):
        sample = Sample(begins + clock.scaled(second), 1, 1, 1, 1, "None", 60)
        metrics_of(cloud, account, REGION).add(KEY, sample)
    clock.sleep(420)
    assert changes_of(cloud, account) == ["OK"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"Period": 5}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 1}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 45}, "Period must be .*10, 20, 30 or a multiple of 60"),
        ({"EvaluationPeriods": 8641}, "EvaluationPeriods . Period must be <= 86400"),
        ({"EvaluationPeriods": 2881, "Period": 30}, "EvaluationPeriods . Period must be <= 86400"),
        ({"EvaluationPeriods": 169, "Period": 3600}, "EvaluationPeriods . Period must be <= 604800"),
    ],
)  # fmt: skip
def test_what_no_alarm_may_be(cloud: Cloud, account: str, given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        alarm(cloud, account, **given)
    periods = {"EvaluationPeriods": 1, **given}
    stat = query(given.get("Period", 10))["MetricStat"]
    with pytest.raises(ClientError, match=reason):
        cloud.client("cloudwatch", account, REGION).put_metric_alarm(
            AlarmName="a", Metrics=[{"Id": "m", "MetricStat": stat}], Threshold=1.0,
            EvaluationPeriods=periods["EvaluationPeriods"], ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip


def test_an_alarm_may_look_at_a_whole_day_of_ten_seconds(cloud: Cloud, account: str) -> None:
    alarm(cloud, account, EvaluationPeriods=8640)
