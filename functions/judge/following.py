"""What the judge does by itself: it answers a question that nobody has answered, and takes a bad release back."""

from __future__ import annotations

import json
from dataclasses import replace

from botocore.exceptions import ClientError

from contracts.appspec import taking_back
from contracts.judging import ASK_SECONDS, Shift, question_key
from functions.judge.clients import Clients, say
from functions.judge.looking import Seen
from functions.judge.record import Record
from functions.shared.store import read_if_there

RETRY_SECONDS = 120
"""A return that has not moved the alias by then is tried again."""
_ANSWERED = ("LifecycleEventAlreadyCompletedException", "DeploymentDoesNotExistException")


def question(clients: Clients, shift: Shift) -> str | None:
    """The hook's execution that waits for an answer."""
    text = read_if_there(clients.s3, clients.bucket, question_key(shift.deployment))
    return str(json.loads(text)["hook"]) if text else None


def answer(clients: Clients, shift: Shift, record: Record, hook: str, now: float) -> Record:
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
        if error.response["Error"]["Code"] not in _ANSWERED:
            raise
    else:
        follows = "the release stays" if accepted else "traffic goes back"
        say(not accepted, f"nobody has answered for {ASK_SECONDS // 60} minutes: {follows}", shift)
    return replace(record, answered=True)


def take_back(clients: Clients, shift: Shift, record: Record, seen: Seen) -> Record:
    """Traffic goes back to the former version, all at once: what it answered a moment ago, it answers now.

    Over once the alias is there; until then each look sees to it. Where the former version's endpoint is gone, traffic
    stays: a model that errs answers more than none.
    """
    sentence = record.baked.sentence if record.baked else ""
    if seen.weight == 0:
        return replace(record, over=sentence)
    if seen.weight < 1 or (record.returned is not None and seen.now - record.returned < RETRY_SECONDS):
        return record
    if not _answers(clients, shift.endpoint):
        return replace(record, over=f"{sentence} Traffic stays: the former version's endpoint is gone.")
    application, group, function = (clients.environment[name] for name in ("APPLICATION", "GROUP", "FUNCTION_NAME"))
    back = taking_back(application, group, function, shift.former, shift.new, shift.old, sentence)
    clients.codedeploy.create_deployment(**back)
    return replace(record, returned=seen.now)


def _answers(clients: Clients, endpoint: str) -> bool:
    if not endpoint:
        return True  # a version that this program did not make: nobody knows what it asks
    try:
        status = clients.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    except ClientError as error:
        # "Could not find endpoint": SageMaker has no code of its own for it.
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return False
    return str(status) in ("InService", "Updating", "SystemUpdating")
