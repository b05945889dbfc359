"""Which alarms stop a shift, and how long its steps are."""

from typing import Any

from tests.functions import samples
from tests.program.harness import Store, address, one, run


def stopping(**deployment: Any) -> set[str]:
    """Alarms that stop the shift of a release whose evaluation knows how it differs from the one before."""
    store = Store()
    store.put(1)
    store.point("prod", 1)
    store.put(2, pair=samples.manifest()["pair"])
    given = {"deployment": deployment} if deployment else {}
    ran = run("prod", store, release=address(2), **given)
    group = one(ran.of("aws:codedeploy/deploymentGroup:DeploymentGroup"))
    made = {alarm.inputs["name"] for alarm in ran.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
    assert {"glidepath-prod-prediction-shift", "glidepath-prod-model-latency"} < made
    return {name.removeprefix("glidepath-prod-") for name in group["alarmConfiguration"]["alarms"]}


def test_what_the_judge_knows_better_does_not_stop_a_shift() -> None:
    limits = {"model-errors", "latency", "function-errors", "silence", "endpoint-errors"}
    assert stopping() == {"evidence", *limits}
    # Nobody judges what goes all at once: there is no evidence, and the distribution alone speaks for the predictions.
    assert stopping(kind="all-at-once") == {"prediction-shift", *limits}


def test_a_canary_is_extended_by_a_longer_step() -> None:
    ran = run("prod", _served(), deployment={"kind": "canary", "percentage": 5, "minutes": 20, "extend": 30})
    routing = one(ran.of("aws:codedeploy/deploymentConfig:DeploymentConfig"))["trafficRoutingConfig"]
    assert routing == {"type": "TimeBasedCanary", "timeBasedCanary": {"percentage": 5, "interval": 50}}


def _served() -> Store:
    store = Store()
    store.put(1)
    store.point("prod", 1)
    return store
