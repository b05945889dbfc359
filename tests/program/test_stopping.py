"""Which alarms stop a shift, and how long its steps are."""

from typing import Any

import pytest

from tests.functions import samples
from tests.program.harness import Store, address, manifest, one, run

PAIR = {**samples.manifest()["pair"], "release": manifest(1)["id"]}
"""What the evaluation of a release knows of the one that serves."""


def stopping(pair: Any = PAIR, **deployment: Any) -> set[str]:
    """Alarms that stop the shift of a release with such a pair."""
    store = Store()
    store.put(1)
    store.point("prod", 1)
    store.put(2, pair=pair, distribution=samples.manifest()["distribution"])
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


@pytest.mark.parametrize(
    "pair", [None, {**PAIR, "release": "20260101-00000000"}, {key: PAIR[key] for key in PAIR if key != "table"}]
)
def test_where_nobody_can_judge_the_predictions_their_distribution_stops_a_shift(pair: Any) -> None:
    """No champion was asked, another one than serves, or before both models' bins were counted."""
    assert "prediction-shift" in stopping(pair)


def test_a_release_that_serves_keeps_the_alarms_of_its_own_shift() -> None:
    store = Store()
    store.put(1, pair={**PAIR, "release": "20260101-00000000"}, distribution=samples.manifest()["distribution"])
    store.point("prod", 1)
    group = one(run("prod", store).of("aws:codedeploy/deploymentGroup:DeploymentGroup"))
    assert "glidepath-prod-prediction-shift" not in group["alarmConfiguration"]["alarms"]


def test_a_canary_is_extended_by_a_longer_step() -> None:
    ran = run("prod", _served(), deployment={"kind": "canary", "percentage": 5, "minutes": 20, "extend": 30})
    routing = one(ran.of("aws:codedeploy/deploymentConfig:DeploymentConfig"))["trafficRoutingConfig"]
    assert routing == {"type": "TimeBasedCanary", "timeBasedCanary": {"percentage": 5, "interval": 50}}


def _served() -> Store:
    store = Store()
    store.put(1)
    store.point("prod", 1)
    return store
