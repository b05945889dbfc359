"""One deployment from the release to its end, and what came of it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from bench.on_road.callers import Answer, Callers
from bench.on_road.world import AFTER, BEFORE, BUCKET, NAME, World
from contracts.appspec import ACTIVE, app_spec, description
from contracts.errors import UserError
from contracts.judging import record_key
from contracts.names import LIVE, PREDICT
from functions.judge.counts import close
from functions.judge.record import Record, parse
from functions.shared.store import read_if_there

_PATIENCE_SECONDS = 1800.0
_LOOK_SECONDS = 0.1
_ACTIVATED = re.compile(r"Activated alarms: <(.*)>")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Outcome:
    """Of one shift.

    `stopped`: what took traffic back, alarms or the hook after traffic; empty where nothing did. `said`: the judge's
    verdict with its `sentence`, empty where it gave none. `minutes`: of AWS's time, from the first step until the
    deployment had succeeded or all traffic was back. `requests` and `failed`: of the new version. `compared`: requests
    of both versions that the judge counted. `seconds`: real ones of the whole.
    """

    stopped: str
    said: str
    sentence: str
    minutes: float
    requests: int
    failed: int
    compared: int
    seconds: float


def play(world: World, callers: Callers, failing: float) -> Outcome:
    """Publish a release that fails such a share of its requests, and shift to it under live traffic.

    Raises UserError where the shift does not end, or is ended by what is no judgement.
    """
    began = time.monotonic()
    old, new = world.serving(), world.publish(failing)
    _await(world.quiet, "all alarms are quiet")
    deploy = world.client("codedeploy")
    content = app_spec(PREDICT, LIVE, old, new, BEFORE, AFTER)
    deployment = deploy.create_deployment(
        applicationName=NAME,
        deploymentGroupName=PREDICT,
        description=description(new, old, new),
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
    )["deploymentId"]
    info = _ended(deploy, deployment)
    stopped = stopping(info)
    last = _ended(deploy, info["rollbackInfo"]["rollbackDeploymentId"]) if stopped else info
    seen = callers.seen()
    failed = seen[Answer(new, False)]
    record = _await(lambda: _done(world, deployment), "the judge is done")
    return Outcome(
        stopped,
        record.verdict.outcome if record.verdict else "",
        record.verdict.sentence if record.verdict else "",
        _minutes(world, _moved(deploy, deployment), last["completeTime"]),
        seen[Answer(new, True)] + failed,
        failed,
        _compared(record),
        time.monotonic() - began,
    )


def stopping(info: dict[str, Any]) -> str:
    """What stopped a deployment, of its description; empty where it succeeded. Raises UserError for anything else."""
    if info["status"] == "Succeeded":
        return ""
    error = info.get("errorInformation") or {}
    code, message = error.get("code", ""), error.get("message", "")
    alarms = _ACTIVATED.search(message)
    if code == "ALARM_ACTIVE" and alarms:
        return alarms[1]
    if code == "HOOK_EXECUTION_FAILURE" and "AfterAllowTraffic" in message and "reported" in message:
        return AFTER
    raise UserError(f"the deployment was ended by what is no judgement ({code}: {message})")


def _ended(deploy: Any, deployment: str) -> dict[str, Any]:
    def info() -> dict[str, Any] | None:
        found: dict[str, Any] = deploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        return None if found["status"] in ACTIVE else found

    return _await(info, f"deployment {deployment} has ended")


def _moved(deploy: Any, deployment: str) -> datetime:
    """When the first step was made."""
    (target,) = deploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
    found = deploy.get_deployment_target(deploymentId=deployment, targetId=target)["deploymentTarget"]["lambdaTarget"]
    begun: datetime = next(
        event["startTime"] for event in found["lifecycleEvents"] if event["lifecycleEventName"] == "AllowTraffic"
    )
    return begun


def _minutes(world: World, start: datetime, end: datetime) -> float:
    begun, ended = (world.cloud.clock.seconds_at(moment.timestamp()) for moment in (start, end))
    return (ended - begun) / 60


def _compared(record: Record) -> int:
    return round(sum(block.requests for block in close(record.requests).blocks))


def _done(world: World, deployment: str) -> Record | None:
    text = read_if_there(world.client("s3"), BUCKET, record_key(deployment))
    record = parse(text) if text else None
    return record if record and record.over else None


def _await(read: Callable[[], _T | None], wanted: str) -> _T:
    """The first value that is something. Raises UserError where there is none in time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        value = read()
        if value:
            return value
        if time.monotonic() > deadline:
            raise UserError(f"it is not so after {_PATIENCE_SECONDS:.0f} s that {wanted}")
        time.sleep(_LOOK_SECONDS)
