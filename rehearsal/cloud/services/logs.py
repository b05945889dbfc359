"""CloudWatch Logs: moto keeps the events; embedded metrics in them become data points."""

import contextlib
import json
import time
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, operation


@operation("logs", "PutLogEvents")
def put_log_events(call: Call) -> dict[str, Any]:
    """Store the events, and record what is written in the embedded metric format."""
    answer = call.forward()
    for event in call.params["logEvents"]:
        _embedded(call.cloud, call.account, call.region, event["message"])
    return answer


def append(cloud: Cloud, account: str, region: str, group: str, stream: str, messages: list[str]) -> None:
    """Write messages as an AWS service does: group and stream are created where missing."""
    events = [{"timestamp": int(time.time() * 1000), "message": message} for message in messages if message]
    if not events:
        return
    target = {"logGroupName": group, "logStreamName": stream}
    try:
        cloud.store_call("logs", "PutLogEvents", account, region, {**target, "logEvents": events})
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        _create(cloud, account, region, group, stream)
        cloud.store_call("logs", "PutLogEvents", account, region, {**target, "logEvents": events})
    for message in messages:
        _embedded(cloud, account, region, message)


def _create(cloud: Cloud, account: str, region: str, group: str, stream: str) -> None:
    for name, params in (
        ("CreateLogGroup", {"logGroupName": group}),
        ("CreateLogStream", {"logGroupName": group, "logStreamName": stream}),
    ):
        with contextlib.suppress(AwsError):
            cloud.store_call("logs", name, account, region, params)


def _embedded(cloud: Cloud, account: str, region: str, message: str) -> None:
    if '"_aws"' not in message:
        return
    # A runtime may put its own words before the document.
    start = message.find("{")
    try:
        document = json.loads(message[start:])
        directives = document["_aws"]["CloudWatchMetrics"]
        stamp = document["_aws"]["Timestamp"] / 1000
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for metric in directive.get("Metrics", []):
            values = document.get(metric["Name"])
            for names in directive.get("Dimensions") or [[]]:
                dimensions = {name: str(document[name]) for name in names if name in document}
                for value in values if isinstance(values, list) else [values]:
                    if isinstance(value, int | float) and len(dimensions) == len(names):
                        cloud.put_metric(
                            account, region, directive["Namespace"], metric["Name"], dimensions, value,
                            metric.get("Unit", "None"), stamp,
                        )  # fmt: skip
