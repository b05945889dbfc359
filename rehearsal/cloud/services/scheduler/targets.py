"""Templated targets: what a schedule calls, as its role."""

import json
from collections.abc import Callable
from typing import Any

from rehearsal.cloud.core.api import Cloud, Place, Principal

Deliver = Callable[[Cloud, Principal, Place, dict[str, Any], str], None]


def kind(arn: str) -> str:
    """The service of a target's ARN; universal targets (`arn:aws:scheduler:::aws-sdk:…`) are `scheduler`."""
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""


def _function(cloud: Cloud, session: Principal, place: Place, target: dict[str, Any], text: str) -> None:
    params = {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": text.encode()}
    cloud.perform(session, place, "lambda", "Invoke", params)


def _machine(cloud: Cloud, session: Principal, place: Place, target: dict[str, Any], text: str) -> None:
    params = {"stateMachineArn": target["Arn"], "input": text}
    cloud.perform(session, place, "stepfunctions", "StartExecution", params)


def _queue(cloud: Cloud, session: Principal, place: Place, target: dict[str, Any], text: str) -> None:
    name = target["Arn"].rpartition(":")[2]
    params = {"QueueUrl": f"{cloud.url}/{place.account}/{name}", "MessageBody": text}
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    cloud.perform(session, place, "sqs", "SendMessage", {**params, **({"MessageGroupId": group} if group else {})})


def _topic(cloud: Cloud, session: Principal, place: Place, target: dict[str, Any], text: str) -> None:
    cloud.perform(session, place, "sns", "Publish", {"TopicArn": target["Arn"], "Message": text})


def _bus(cloud: Cloud, session: Principal, place: Place, target: dict[str, Any], text: str) -> None:
    given = target["EventBridgeParameters"]
    entry = {
        "EventBusName": target["Arn"], "Source": given["Source"], "DetailType": given["DetailType"], "Detail": text,
    }  # fmt: skip
    cloud.perform(session, place, "events", "PutEvents", {"Entries": [entry]})


def _pipeline(cloud: Cloud, session: Principal, place: Place, target: dict[str, Any], text: str) -> None:
    cloud.perform(session, place, "codepipeline", "StartPipelineExecution", {"name": target["Arn"].rpartition(":")[2]})


KINDS: dict[str, Deliver] = {
    "lambda": _function,
    "states": _machine,
    "sqs": _queue,
    "sns": _topic,
    "events": _bus,
    "codepipeline": _pipeline,
}
"""By the service in the target's ARN. No other target is executed here."""


def deliver(cloud: Cloud, session: Principal, target: dict[str, Any], text: str) -> None:
    """Call the target. Raises what its service answers."""
    _, _, _, region, account, *_ = target["Arn"].split(":")
    KINDS[kind(target["Arn"])](cloud, session, Place(account, region), target, text)


def filled(text: str, attributes: dict[str, str]) -> str:
    """An input with its context attributes replaced, inside of strings too: they are plain text to the scheduler."""
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def default_input(attributes: dict[str, str]) -> str:
    """What a target without an input receives."""
    return json.dumps({"schedule-arn": attributes["schedule-arn"], "scheduled-time": attributes["scheduled-time"]})
