"""What watches an environment: monitors, and who hears of alarms."""

import json
from typing import Any
from unittest import mock

import pytest

from tests.program.harness import Store, address, one, run, run_shape, variables


def test_model_monitor_runs_on_the_hour_where_it_is_asked_for() -> None:
    store = Store()
    store.put(1)
    ran = run("prod", store, release=address(1), monitor={"by": "sagemaker", "schedule": "cron(40 3 ? * * *)"})
    assert not ran.of("aws:scheduler/schedule:Schedule")
    config = one(ran.of("aws:sagemaker/monitoringSchedule:MonitoringSchedule"))["monitoringScheduleConfig"]
    assert config["scheduleConfig"] == {"scheduleExpression": "cron(0 3 ? * * *)"}
    names = {function.inputs["name"] for function in ran.of("aws:lambda/function:Function")}
    assert "glidepath-prod-monitor" not in names


def test_our_own_monitor_asks_by_the_time_that_was_meant() -> None:
    ran = run_shape("prod first")
    schedule = one(ran.of("aws:scheduler/schedule:Schedule"))
    assert schedule["scheduleExpression"] == "cron(15 * ? * * *)"
    assert json.loads(schedule["target"]["input"]) == {"scheduled": "<aws.scheduler.scheduled-time>"}
    rules = {rule.inputs["name"]: rule.inputs for rule in ran.of("aws:cloudwatch/eventRule:EventRule")}
    pattern = json.loads(rules["glidepath-prod-monitor"]["eventPattern"])
    assert pattern["detail"]["ProcessingJobName"] == [{"prefix": "glidepath-prod-monitor-"}]
    given = variables(ran, "monitor")
    assert given["CONSTRAINTS_URI"].endswith("/release/constraints.json")
    assert (given["STATISTICS_SHA256"], given["CONSTRAINTS_SHA256"]) == ("02" * 32, "03" * 32)
    assert "sagemaker-xgboost:3.2-0" in given["IMAGE_URI"]


@pytest.mark.parametrize(
    ("stack", "alarms", "told"),
    [("prod", None, 1), ("prod", {"mails": []}, 0), ("prod", {"mails": ["a@example.com"]}, 0), ("dev", None, 0)],
)
def test_production_is_warned_where_nobody_hears_of_its_alarms(
    stack: str, alarms: dict[str, Any] | None, told: int
) -> None:
    with mock.patch("pulumi.log.warn") as warn:
        run(stack, alarms=alarms)
    said = [str(call.args[0]) for call in warn.call_args_list if "hears of an alarm" in str(call.args[0])]
    assert len(said) == told
    assert all("subscribe to the topic glidepath-prod-alarms yourself" in line for line in said)


def test_model_monitors_analyzer_is_asked_for_the_metrics_that_the_drift_alarm_judges() -> None:
    store = Store()
    ran = run("prod", store, release=store.put(1), monitor={"by": "sagemaker"})
    (definition,) = ran.of("aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition")
    environment = definition.inputs["dataQualityAppSpecification"]["environment"]
    assert environment == {"publish_cloudwatch_metrics": "Enabled"}
