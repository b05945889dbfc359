"""Which alarms stop a shift, and how long its steps are."""

from typing import Any

import pytest

from tests.functions import samples
from tests.program.harness import Run, Store, address, manifest, one, run

PAIR = {**samples.manifest()["pair"], "release": manifest(1)["id"]}
"""What the evaluation of a release knows of the one that serves."""


def shifts(pair: Any = PAIR, **deployment: Any) -> tuple[set[str], list[str]]:
    """Alarms of the deployment group, and those that the shift of a release with such a pair leaves aside."""
    store = Store()
    store.put(1)
    store.point("prod", 1)
    store.put(2, pair=pair, distribution=samples.manifest()["distribution"])
    given = {"deployment": deployment} if deployment else {}
    ran = run("prod", store, release=address(2), **given)
    made = {alarm.inputs["name"] for alarm in ran.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
    assert {"glidepath-prod-prediction-shift", "glidepath-prod-model-latency"} < made
    return _group(ran), _unwatched(ran)


def _group(ran: Run) -> set[str]:
    group = one(ran.of("aws:codedeploy/deploymentGroup:DeploymentGroup"))
    return {name.removeprefix("glidepath-prod-") for name in group["alarmConfiguration"]["alarms"]}


def _unwatched(ran: Run) -> list[str]:
    shift = one(ran.of("pulumi-python:dynamic/glidepath:TrafficShift"))
    return [name.removeprefix("glidepath-prod-") for name in shift["unwatched"]]


LIMITS = {"model-errors", "latency", "function-errors", "silence", "endpoint-errors", "prediction-shift"}


def test_what_the_judge_knows_better_does_not_stop_a_shift() -> None:
    assert shifts() == ({"evidence", *LIMITS}, ["prediction-shift"])
    # Nobody judges what goes all at once: there is no evidence, and the distribution alone speaks for the predictions.
    assert shifts(kind="all-at-once") == (LIMITS, [])


@pytest.mark.parametrize(
    "pair", [None, {**PAIR, "release": "20260101-00000000"}, {key: PAIR[key] for key in PAIR if key != "table"}]
)
def test_where_nobody_can_judge_the_predictions_their_distribution_stops_a_shift(pair: Any) -> None:
    """No champion was asked, another one than serves, or before both models' bins were counted."""
    assert shifts(pair)[1] == []


@pytest.mark.parametrize("champion", [PAIR["release"], "20260101-00000000"])
def test_the_group_watches_the_same_before_and_after_a_release_is_recorded(champion: str) -> None:
    """Else the update after a release would change something."""
    store = Store()
    store.put(1)
    store.put(2, pair={**PAIR, "release": champion}, distribution=samples.manifest()["distribution"])
    store.point("prod", 1)
    shifting = _group(run("prod", store, release=address(2)))
    store.point("prod", 2)
    assert _group(run("prod", store)) == shifting


def test_a_canary_is_extended_by_a_longer_step() -> None:
    ran = run("prod", _served(), deployment={"kind": "canary", "percentage": 5, "minutes": 20, "extend": 30})
    routing = one(ran.of("aws:codedeploy/deploymentConfig:DeploymentConfig"))["trafficRoutingConfig"]
    assert routing == {"type": "TimeBasedCanary", "timeBasedCanary": {"percentage": 5, "interval": 50}}


def _served() -> Store:
    store = Store()
    store.put(1)
    store.point("prod", 1)
    return store
