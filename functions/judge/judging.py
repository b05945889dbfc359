"""A look with its clients: the record is read, the look made, evidence published, and what follows is done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from contracts.appspec import ALL_AT_ONCE, app_spec, description
from contracts.judging import ASK_SECONDS, EVIDENCE, QUESTION, Shift, question_key, record_key
from contracts.release import Release, parse_release
from functions.judge import bake
from functions.judge.bins import Pair
from functions.judge.looking import Seen, look, suffices, weights
from functions.judge.record import Record, begin, parse, render
from functions.judge.reports import Source
from functions.shared.log import log
from functions.shared.store import read_if_there, read_verified


@dataclass(frozen=True)
class Clients:
    """boto3 clients, and what the environment says."""

    s3: Any
    codedeploy: Any
    cloudwatch: Any
    environment: Mapping[str, str]

    @classmethod
    def of(cls, session: Any, environment: Mapping[str, str]) -> Clients:
        """`session` makes clients as boto3 does."""
        s3, codedeploy, cloudwatch = map(session.client, ("s3", "codedeploy", "cloudwatch"))
        return cls(s3, codedeploy, cloudwatch, environment)

    @property
    def source(self) -> Source:
        """Where the versions' reports are."""
        names = ("METRIC_NAMESPACE", "SERVICE", "FUNCTION_NAME", "ALIAS")
        return Source(self.cloudwatch, *(self.environment[name] for name in names))


def judge(clients: Clients, shift: Shift, alias: Mapping[str, object], now: float) -> bool:
    """One look; whether it was the last one."""
    minutes = int(clients.environment["BAKE_MINUTES"])
    known = _read(clients, shift) or _begin(clients, shift, now, minutes)
    if known.over:
        return True
    status = clients.codedeploy.get_deployment(deploymentId=shift.deployment)["deploymentInfo"]["status"]
    found = look(known, Seen(now, weights(alias, shift.new), status), clients.source, minutes)
    if found.verdict and not known.verdict:
        _say(found.verdict.outcome == "fail", found.verdict.sentence, shift)
    asked = _question(clients, shift) if _open(found) else None
    if asked:
        found = _answer(clients, shift, found, asked, now)
    _publish(clients, shift, found, asked is not None)
    if found.baked and found.baked.outcome == "fail":
        _return(clients, shift, found.baked.sentence)
    if found.over:
        _say(bool(found.baked and found.baked.outcome == "fail"), found.over, shift)
    # Last: a look that failed on the way is made again.
    _write(clients, found)
    return bool(found.over)


# --- the record ------------------------------------------------------------------------------------------------------


def _read(clients: Clients, shift: Shift) -> Record | None:
    text = read_if_there(clients.s3, clients.environment["CAPTURE_BUCKET"], record_key(shift.deployment))
    return parse(text) if text else None


def _begin(clients: Clients, shift: Shift, now: float, minutes: int) -> Record:
    text = read_verified(clients.s3, shift.manifest, shift.sha256, "the deployment")
    pair, unpaired = pair_of(parse_release(text), shift) if shift.judged else (None, "")
    bounds = {}
    if minutes:
        bounds = {event: bake.bound(*seen) for event, seen in clients.source.week(shift.old, now).items()}
    return begin(
        shift.deployment, shift.release, shift.former, (shift.old, shift.new), now, shift.judged, pair, unpaired, bounds
    )


def pair_of(release: Release, shift: Shift) -> tuple[Pair | None, str]:
    """What the evaluation knows of both models' predictions, or why nothing can be said of them."""
    if not release.pair:
        return None, "the evaluation compared with no champion"
    if release.pair.release != shift.former:
        return None, f"the evaluation compared with {release.pair.release}, and {shift.former or 'another'} serves"
    table = release.pair.table
    if table is None or release.distribution is None:
        return None, "the evaluation did not measure where both models' predictions lie"
    if table.edges != shift.edges:
        return None, f"release {shift.former} counts its predictions by other bins than the evaluation took"
    return Pair(table.rows), ""


def _write(clients: Clients, record: Record) -> None:
    environment = clients.environment
    clients.s3.put_object(
        Bucket=environment["CAPTURE_BUCKET"], Key=record_key(record.deployment), Body=render(record).encode(),
        ContentType="application/json", ServerSideEncryption="aws:kms", SSEKMSKeyId=environment["KEY_ARN"],
    )  # fmt: skip


# --- what follows ----------------------------------------------------------------------------------------------------


def _publish(clients: Clients, shift: Shift, record: Record, asked: bool) -> None:
    service = [{"Name": "Service", "Value": clients.environment["SERVICE"]}]
    version = [*service, {"Name": "Version", "Value": shift.new}]
    data = [{"MetricName": EVIDENCE, "Dimensions": version, "Value": suffices(record), "StorageResolution": 1}]
    if asked:
        data.append({"MetricName": QUESTION, "Dimensions": service, "Value": 1.0})
    clients.cloudwatch.put_metric_data(Namespace=clients.environment["METRIC_NAMESPACE"], MetricData=data)


def _say(fails: bool, sentence: str, shift: Shift) -> None:
    """In the log, where the update finds the reason."""
    log("ERROR" if fails else "INFO", sentence, deployment=shift.deployment, release=shift.release)


def _open(record: Record) -> bool:
    """Whether a person may have been asked, and the deployment waits for the answer."""
    return bool(record.verdict and record.verdict.outcome == "inconclusive" and not record.bake and not record.over)


def _answer(clients: Clients, shift: Shift, record: Record, hook: str, now: float) -> Record:
    """Where a person was asked and says nothing for so long, config has the second word."""
    if record.answered:
        return record
    if record.asked is None:
        return replace(record, asked=now)
    if now - record.asked < ASK_SECONDS:
        return record
    accepted = clients.environment["ON_SILENCE"] == "accept"
    status = "Succeeded" if accepted else "Failed"
    try:
        clients.codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=shift.deployment, lifecycleEventHookExecutionId=hook, status=status
        )
    except ClientError as error:
        # Somebody has answered.
        if error.response["Error"]["Code"] != "LifecycleEventAlreadyCompletedException":
            raise
    else:
        follows = "the release stays" if accepted else "traffic goes back"
        _say(not accepted, f"nobody has answered for {ASK_SECONDS // 60} minutes: {follows}", shift)
    return replace(record, answered=True)


def _question(clients: Clients, shift: Shift) -> str | None:
    """The hook's execution that waits for an answer."""
    text = read_if_there(clients.s3, clients.environment["CAPTURE_BUCKET"], question_key(shift.deployment))
    return str(json.loads(text)["hook"]) if text else None


def _return(clients: Clients, shift: Shift, sentence: str) -> None:
    """Traffic goes back to the former version, all at once: what it answered a moment ago, it answers now."""
    environment = clients.environment
    content = app_spec(environment["FUNCTION_NAME"], environment["ALIAS"], shift.new, shift.old)
    clients.codedeploy.create_deployment(
        applicationName=environment["APPLICATION"],
        deploymentGroupName=environment["GROUP"],
        deploymentConfigName=ALL_AT_ONCE,
        description=description(shift.former, shift.new, shift.old, sentence),
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
        # They watch the version that traffic is taken from.
        overrideAlarmConfiguration={"enabled": False, "alarms": []},
    )
