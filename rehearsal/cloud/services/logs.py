"""CloudWatch Logs: moto keeps the events; embedded metrics in them become data points."""

import contextlib
import json
import time
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, LogLines, Place, Principal, Sample, operation


@operation("logs", "PutLogEvents")
def put_log_events(call: Call) -> dict[str, Any]:
    """Store the events, and record what is written in the embedded metric format."""
    answer = call.forward()
    for event in call.params["logEvents"]:
        _embedded(call.cloud, call.place, event["message"])
    return answer


def append(cloud: Cloud, place: Place, lines: LogLines) -> None:
    """Write messages as an AWS service does: group and stream are created where missing."""
    params = _put(lines)
    if not params["logEvents"]:
        return
    try:
        cloud.store_call("logs", "PutLogEvents", place.account, place.region, params)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        _create_group(cloud, place, lines)
        with contextlib.suppress(AwsError):
            cloud.store_call("logs", "CreateLogStream", place.account, place.region, _stream(lines))
        cloud.store_call("logs", "PutLogEvents", place.account, place.region, params)
    for message in lines.messages:
        _embedded(cloud, place, message)


def append_as(cloud: Cloud, principal: Principal, place: Place, lines: LogLines) -> None:
    """Write messages under a role that a service has taken. Raises AwsError where the role may not.

    The role creates the stream; a missing group is there as the service's own.
    """
    params = _put(lines)
    if not params["logEvents"]:
        return
    groups = cloud.backend("logs", place.account, place.region).groups
    if lines.group not in groups or lines.stream not in groups[lines.group].streams:
        _create_group(cloud, place, lines)
        cloud.perform(principal, place, "logs", "CreateLogStream", _stream(lines))
    cloud.perform(principal, place, "logs", "PutLogEvents", params)


def _put(lines: LogLines) -> dict[str, Any]:
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in lines.messages if message]
    return {**_stream(lines), "logEvents": events}


def _stream(lines: LogLines) -> dict[str, Any]:
    return {"logGroupName": lines.group, "logStreamName": lines.stream}


def _create_group(cloud: Cloud, place: Place, lines: LogLines) -> None:
    with contextlib.suppress(AwsError):
        cloud.store_call("logs", "CreateLogGroup", place.account, place.region, {"logGroupName": lines.group})


def _embedded(cloud: Cloud, place: Place, message: str) -> None:
    if '"_aws"' not in message:
        return
    # A runtime may put its own words before the document.
    start = message.find("{")
    try:
        document = json.loads(message[start:])
        directives = document["_aws"]["CloudWatchMetrics"]
        stamp = document["_aws"]["Timestamp"] / 1000
        resolutions = [_resolution(metric) for directive in directives for metric in directive.get("Metrics", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    if not all(resolutions):
        # No valid document: here none of its metrics counts. AWS counts it in EMFValidationErrors of AWS/Logs.
        return
    for directive in directives:
        for metric in directive.get("Metrics", []):
            values = document.get(metric["Name"])
            for names in directive.get("Dimensions") or [[]]:
                dimensions = {name: str(document[name]) for name in names if name in document}
                for value in values if isinstance(values, list) else [values]:
                    if isinstance(value, int | float) and len(dimensions) == len(names):
                        unit = metric.get("Unit", "None")
                        sample = Sample(
                            directive["Namespace"], metric["Name"], dimensions, value, unit, stamp, _resolution(metric)
                        )
                        cloud.put_metric(place, sample)


def _resolution(metric: dict[str, Any]) -> int:
    """In seconds; 0 for one that is not allowed.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    found = metric.get("StorageResolution", 60)
    return found if type(found) is int and found in (1, 60) else 0
