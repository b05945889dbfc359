"""The bill: what is counted, with which price, and what is said where there is none."""

from typing import Any

import pytest

from preview.cost.estimate import estimate
from preview.cost.prices import Prices, source
from preview.model import Cost
from preview.plan import UNKNOWN, Resource
from tests.preview.world import resources

CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
TARGET = "aws:appautoscaling/target:Target"


def endpoint(type: str = "ml.m5.large", count: int = 2, **more: Any) -> tuple[str, str, dict[str, Any]]:
    variant = {"variantName": "live", "instanceType": type, "initialInstanceCount": count}
    return CONFIGURATION, "prod", {"productionVariants": [variant], **more}


def cost(*given: Any, region: str = "eu-west-1") -> Cost:
    return estimate({}, resources(*given), region)


def test_instances_run_all_hours_of_a_month() -> None:
    found = cost(endpoint())
    assert found.after == pytest.approx(2 * 730 * 0.128)
    assert found.services[0].items == ("variant `live`: 2 × ml.m5.large: $186.88",)


@pytest.mark.parametrize("place", ["endpoint/x/variant/live", UNKNOWN])
def test_autoscaling_counts_with_its_fewest_instances(place: str) -> None:
    target = (TARGET, "prod", {"resourceId": place, "minCapacity": 3, "maxCapacity": 10})
    assert cost(endpoint(), target).after == pytest.approx(3 * 730 * 0.128)


def test_autoscaling_of_another_variant_changes_nothing() -> None:
    target = (TARGET, "prod", {"resourceId": "endpoint/x/variant/other", "minCapacity": 3})
    assert cost(endpoint(), target).after == pytest.approx(2 * 730 * 0.128)


def test_a_shadow_costs_as_well() -> None:
    shadow = {"variantName": "shadow", "instanceType": "ml.m5.xlarge", "initialInstanceCount": 1}
    found = cost(endpoint(shadowProductionVariants=[shadow]))
    assert found.after == pytest.approx(730 * (2 * 0.128 + 0.257))


def test_regions_have_prices_of_their_own() -> None:
    assert cost(endpoint(), region="us-east-1").after == pytest.approx(2 * 730 * 0.115)


def test_an_unknown_type_is_named_and_never_counted_as_zero() -> None:
    found = cost(endpoint("ml.x9.huge"))
    assert found.missing == ("no price known for `ml.x9.huge` in eu-west-1",)
    assert found.services == ()


def test_an_unknown_region_is_named() -> None:
    found = cost(endpoint(), region="mars-north-1")
    assert found.missing == ("no price known for anything in mars-north-1: the table has eu-west-1, us-east-1",)


def test_a_serverless_variant_has_no_known_price() -> None:
    variant = {"variantName": "live", "serverlessConfig": {"maxConcurrency": 1}}
    found = cost((CONFIGURATION, "prod", {"productionVariants": [variant]}))
    assert found.missing == ("no price known for `serverless variant` in eu-west-1",)


def test_a_resource_that_nobody_priced_is_named() -> None:
    found = estimate({}, {"u": Resource("a::b::c::db", "aws:rds/instance:Instance", "", {})}, "eu-west-1")
    assert found.missing == ("no price known for aws:rds/instance:Instance `db`",)


def test_what_goes_is_taken_off() -> None:
    found = estimate(resources(endpoint()), {}, "eu-west-1")
    assert found.delta == pytest.approx(-186.88)
    assert found.services[0].items == ("no longer variant `live`: 2 × ml.m5.large: $186.88",)


@pytest.mark.parametrize(
    ("schedule", "runs"), [("cron(0 * ? * * *)", 730), ("cron(0 */2 ? * * *)", 365), ("cron(0 4 ? * * *)", 730 / 24)]
)
def test_monitoring_runs_as_often_as_its_schedule_says(schedule: str, runs: float) -> None:
    config = {"scheduleConfig": {"scheduleExpression": schedule}}
    found = cost(
        ("aws:sagemaker/monitoringSchedule:MonitoringSchedule", "m", {"monitoringScheduleConfig": config}),
        (
            "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",
            "m",
            {"jobResources": {"clusterConfig": {"instanceType": "ml.m5.large", "instanceCount": 1}}},
        ),
    )
    assert found.after == pytest.approx(runs / 6 * 0.128)


def test_our_own_monitoring_costs_what_its_function_starts() -> None:
    variables = {"INSTANCE_TYPE": "ml.m5.large"}
    found = cost(
        ("aws:scheduler/schedule:Schedule", "m", {"scheduleExpression": "cron(15 */2 ? * * *)"}),
        ("aws:lambda/function:Function", "m", {"environment": {"variables": variables}}),
        ("aws:lambda/function:Function", "other", {}),
    )
    assert found.after == pytest.approx(365 / 6 * 0.128)


def test_captures_cost_by_share_and_by_how_long_they_lie() -> None:
    rule = {"filter": {"prefix": "capture/"}, "expiration": {"days": 30.4}}
    lifecycle = ("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "b", {"rules": [rule]})
    capture = {"enableCapture": True, "initialSamplingPercentage": 50}
    storage = {each.service: each.after for each in cost(endpoint(dataCaptureConfig=capture), lifecycle).services}["S3"]
    files = 730 * 60 / 1000 * 0.005
    assert storage == pytest.approx(1.0 * 30 / 30.4 * 0.023 + files)


@pytest.mark.parametrize(
    ("inputs", "price"),
    [
        ({"period": 60}, 0.1),
        ({"period": 10}, 0.3),
        ({"metricQueries": [{"expression": "a / b"}, *2 * [{"metric": {"period": 60}}]]}, 0.2),
        ({"metricQueries": [{"metric": {"period": 10}}]}, 0.3),
        ({"metricQueries": [{"metric": UNKNOWN}]}, 0.1),
        ({"period": UNKNOWN}, 0.1),
    ],
)  # fmt: skip
def test_alarms_cost_by_metric_and_those_of_ten_seconds_three_times_as_much(
    inputs: dict[str, Any], price: float
) -> None:
    assert cost(("aws:cloudwatch/metricAlarm:MetricAlarm", "a", inputs)).after == pytest.approx(price)


def test_every_region_has_the_same_prices_and_every_price_a_source() -> None:
    sides = [Prices("eu-west-1"), Prices("us-east-1")]
    for prices in sides:
        for what in (
            "api-million",
            "lambda-million",
            "alarm",
            "fast-alarm",
            "dashboard",
            "metric",
            "log-gb",
            "key",
            "storage-gb",
        ):
            assert (prices.price(what) or 0) > 0
        assert prices.missing == set()
        assert all(source(name) for name in prices.sources)
