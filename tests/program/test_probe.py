"""The probe in the program: where it is, what it is told, and who hears of it."""

from typing import Any

from tests.program.harness import Run, Store, address, manifest, run


def _probe(stack: str, **changes: Any) -> tuple[Run, list[dict[str, Any]]]:
    store = Store()
    store.put(1)
    ran = run(stack, store, release=address(1), **changes)
    return ran, [f.inputs for f in ran.of("aws:lambda/function:Function") if f.inputs["name"].endswith("-probe")]


def test_production_is_asked_by_itself() -> None:
    ran, (function,) = _probe("prod")
    variables = function["environment"]["variables"]
    assert variables["RELEASE_ID"] == manifest(1)["id"]
    assert variables["GOLDEN_URI"] == manifest(1)["golden"]
    assert (variables["FUNCTION_NAME"], variables["ALIAS"]) == ("glidepath-prod-predict", "live")
    assert "API_KEY" not in variables
    rules = {rule.inputs["name"]: rule.inputs for rule in ran.of("aws:cloudwatch/eventRule:EventRule")}
    assert rules["glidepath-prod-probe"]["scheduleExpression"] == "rate(5 minutes)"
    alarms = {alarm.inputs["name"]: alarm.inputs for alarm in ran.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
    alarm = alarms["glidepath-prod-probe"]
    assert (alarm["dimensions"], alarm["metricName"]) == ({"FunctionName": "glidepath-prod-probe"}, "Errors")
    assert (alarm["period"], alarm["evaluationPeriods"]) == (300, 2)
    assert alarm["alarmActions"] == alarm["okActions"] == alarms["glidepath-prod-api-errors"]["alarmActions"]
    (group,) = ran.of("aws:codedeploy/deploymentGroup:DeploymentGroup")
    assert "glidepath-prod-probe" not in group.inputs["alarmConfiguration"]["alarms"]
    (composite,) = ran.of("aws:cloudwatch/compositeAlarm:CompositeAlarm")
    assert "probe" not in composite.inputs["alarmRule"]


def test_it_follows_only_after_the_record() -> None:
    kinds = [(resource.type, resource.name) for resource in _probe("prod")[0].resources]
    recorded = kinds.index(("aws:ssm/parameter:Parameter", "release"))
    assert kinds.index(("aws:lambda/function:Function", "glidepath-prod-probe")) > recorded


def test_it_is_asked_for_by_environment() -> None:
    assert not _probe("dev")[1]
    assert _probe("dev", probe={"enabled": True})[1]
    ran, found = _probe("prod", probe={"enabled": False})
    assert not found
    assert not [role for role in ran.of("aws:iam/role:Role") if role.inputs["name"].endswith("-probe")]


def test_it_has_the_key_that_callers_need() -> None:
    _, (function,) = _probe("prod", api={"key": True}, probe={"minutes": 1})
    assert "API_KEY" in function["environment"]["variables"]
