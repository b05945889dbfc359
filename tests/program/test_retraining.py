"""What the program makes of `glidepath:retrain`, in each stack."""

import json
from typing import Any

import pytest

from tests.program.harness import Run, run


def function(ran: Run) -> dict[str, Any]:
    (found,) = (item for item in ran.of("aws:lambda/function:Function") if item.name == "retrain")
    return found.inputs


def test_the_function_is_told_what_config_says() -> None:
    told = function(run("delivery"))["environment"]["variables"]
    assert told == {
        "NAME": "glidepath",
        "ENVIRONMENTS": "dev,prod",
        "COUNTED": "prod",
        "ENABLED": "true",
        "COOLDOWN_MINUTES": "1440",
        "RUNS": "4",
        "PERIOD_DAYS": "30",
        "DATA_BUCKET": "glidepath-data-111111111111-eu-west-1",
        "DATA_FOLDER": "collected/",
        "DATA_DAYS": "0",
        "ARTIFACTS_BUCKET": "glidepath-artifacts-111111111111-eu-west-1",
    }
    wanted = {"enabled": False, "environments": ["dev", "prod"], "data": {"take": "joined", "days": 3}}
    changed = function(run("delivery", retrain=wanted))["environment"]["variables"]
    assert (changed["ENABLED"], changed["COUNTED"], changed["DATA_DAYS"]) == ("false", "dev,prod", "3")


@pytest.mark.parametrize("schedule", ["", "cron(0 6 ? * MON *)"])
def test_a_schedule_asks_the_same_function_under_a_role_of_its_own(schedule: str) -> None:
    ran = run("delivery", retrain={"schedule": schedule} if schedule else {})
    found = ran.of("aws:scheduler/schedule:Schedule")
    roles = [role.inputs["name"] for role in ran.of("aws:iam/role:Role")]
    assert ("glidepath-delivery-retrain-schedule" in roles) == bool(schedule)
    assert [item.inputs["scheduleExpression"] for item in found] == ([schedule] if schedule else [])
    for item in found:
        asked = json.loads(item.inputs["target"]["input"])
        assert asked == {
            "schedule": "retrain",
            "time": "<aws.scheduler.scheduled-time>",
            "id": "<aws.scheduler.execution-id>",
        }


def test_every_environment_has_a_rule_on_the_bus_and_two_of_its_own() -> None:
    rules = {rule.inputs["name"]: rule.inputs for rule in run("delivery").of("aws:cloudwatch/eventRule:EventRule")}
    assert {name for name, rule in rules.items() if rule.get("eventBusName") == "glidepath-retrain"} == {
        "glidepath-retrain-dev",
        "glidepath-retrain-prod",
    }
    ran = run("prod")
    names = {rule.inputs["name"] for rule in ran.of("aws:cloudwatch/eventRule:EventRule")}
    assert names == {"glidepath-prod-drift-alarm", "glidepath-prod-drift-lasting"}
    for target in ran.of("aws:cloudwatch/eventTarget:EventTarget"):
        assert target.inputs["arn"] == "arn:aws:events:eu-west-1:111111111111:event-bus/glidepath-retrain"
        assert target.inputs["roleArn"]
