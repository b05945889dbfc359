"""What is kept of alarms, and what a change of their state brings about."""

import functools
import json
import threading
from datetime import UTC, datetime
from typing import Any

import botocore.session

from rehearsal.cloud.core.api import AwsError, Cloud, Event, Place, for_service
from rehearsal.cloud.services.cloudwatch.operations import invalid

SERVICE = "cloudwatch.amazonaws.com"
_MOST_METRICS = _MOST_EXPRESSIONS = 10
lock = threading.RLock()


def alarms_of(cloud: Cloud, account: str, region: str) -> dict[Any, Any]:
    """Alarms by name: kind, definition, state, history."""
    return cloud.store("cloudwatch-alarms", account, region)


def queries_of(params: dict[str, Any]) -> list[dict[str, Any]]:
    """What an alarm looks at, as metric data queries. Raises ValidationError."""
    if params.get("Metrics"):
        expressions = sum(bool(query.get("Expression")) for query in params["Metrics"])
        if expressions > _MOST_EXPRESSIONS or len(params["Metrics"]) - expressions > _MOST_METRICS:
            raise invalid("An alarm takes at most 10 metrics and 10 expressions", "ValidationError")
        if sum(bool(query.get("ReturnData", True)) for query in params["Metrics"]) != 1:
            raise invalid("Exactly one of the Metrics must have ReturnData set to true", "ValidationError")
        queries: list[dict[str, Any]] = params["Metrics"]
        return queries
    stat = params.get("Statistic") or params.get("ExtendedStatistic")
    for name, value in (
        ("MetricName", params.get("MetricName")),
        ("Namespace", params.get("Namespace")),
        ("Period", params.get("Period")),
        ("Statistic", stat),
    ):
        if not value:
            raise invalid(f"The parameter {name} is required for an alarm on one metric", "ValidationError")
    metric = {
        "Namespace": params["Namespace"],
        "MetricName": params["MetricName"],
        "Dimensions": params.get("Dimensions") or [],
    }
    entry = {"Metric": metric, "Period": params["Period"], "Stat": stat}
    if params.get("Unit"):
        entry["Unit"] = params["Unit"]
    return [{"Id": "m", "MetricStat": entry, "ReturnData": True}]


def remember(alarm: dict[str, Any], kind: str, summary: str, data: dict[str, Any]) -> None:
    """Add an item to the alarm's history."""
    alarm["history"].append(
        {
            "AlarmName": alarm["definition"]["AlarmName"],
            "AlarmType": alarm["kind"],
            "Timestamp": datetime.now(UTC),
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(data, default=str),
        }
    )


def change(
    cloud: Cloud, account: str, region: str, alarm: dict[str, Any], value: str, reason: str, data: dict[str, Any]
) -> None:
    """Bring an alarm into a state, with event, history and actions; nothing happens where it is in it."""
    with lock:
        before = alarm["state"]
        if before == value:
            return
        old = told(alarm)
        alarm |= {"state": value, "reason": reason, "data": json.dumps(data), "updated": datetime.now(UTC)}
        new = told(alarm)
        name = alarm["definition"]["AlarmName"]
        history = {"version": "1.0", "oldState": _historic(old), "newState": _historic(new)}
        remember(alarm, "StateUpdate", f"Alarm updated from {before} to {value}", history)
    detail = {"alarmName": name, "state": new, "previousState": old, "configuration": _configuration(alarm)}
    event = Event("aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm["arn"]])
    cloud.put_event(Place(account, region), event)
    if alarm["definition"]["ActionsEnabled"]:
        key = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(value, "InsufficientDataActions")
        for action in alarm["definition"][key]:
            cloud.background(_act, cloud, account, region, alarm, action, old, new, name="alarm-action")


def told(alarm: dict[str, Any]) -> dict[str, str]:
    """An alarm's state, as events and mails word it."""
    found = {
        "value": alarm["state"],
        "reason": alarm["reason"],
        "timestamp": stamp(alarm["updated"]),
    }
    return found | ({"reasonData": alarm["data"]} if alarm["data"] else {})


def stamp(moment: datetime) -> str:
    """A moment as CloudWatch writes it in texts."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"


def _historic(state: dict[str, str]) -> dict[str, Any]:
    """A state as the history words it: other names than in the event."""
    found: dict[str, Any] = {"stateValue": state["value"], "stateReason": state["reason"]}
    if "reasonData" in state:
        found["stateReasonData"] = json.loads(state["reasonData"])
    return found


def _configuration(alarm: dict[str, Any]) -> dict[str, Any]:
    definition = alarm["definition"]
    if alarm["kind"] == "CompositeAlarm":
        return {"alarmRule": definition["AlarmRule"], "description": definition.get("AlarmDescription", "")}
    shown = [_query(query) for query in queries_of(definition)]
    return {"description": definition.get("AlarmDescription", ""), "metrics": shown}


def _query(query: dict[str, Any]) -> dict[str, Any]:
    """A metric or an expression as in the examples of
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html: in other words, and
    with dimensions as an object, than the API has them.
    """
    shown: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    shown |= {name.lower(): query[name] for name in ("Expression", "Label") if query.get(name)}
    given = query.get("MetricStat")
    if given:
        metric = given["Metric"]
        dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
        shown["metricStat"] = {
            "metric": {"namespace": metric["Namespace"], "name": metric["MetricName"], "dimensions": dimensions},
            "period": given["Period"],
            "stat": given["Stat"],
        }
    return shown


def _act(
    cloud: Cloud,
    account: str,
    region: str,
    alarm: dict[str, Any],
    action: str,
    old: dict[str, Any],
    new: dict[str, Any],
) -> None:
    """Tell a topic, under the service principal; the history keeps how that went."""
    definition = alarm["definition"]
    name = definition["AlarmName"]
    message = {
        "AlarmName": name,
        "AlarmDescription": definition.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm["configured"]),
        "NewStateValue": new["value"],
        "NewStateReason": new["reason"],
        "StateChangeTime": new["timestamp"],
        "Region": _region_name(region),
        "AlarmArn": alarm["arn"],
        "OldStateValue": old["value"],
        "OKActions": definition["OKActions"],
        "AlarmActions": definition["AlarmActions"],
        "InsufficientDataActions": definition["InsufficientDataActions"],
        "ActionExecutedAfterMuteWindow": False,
        **_trigger(alarm),
    }
    try:
        if action.split(":")[2] != "sns":
            raise AwsError("NotImplemented", f"the rehearsal does not run the alarm action {action}", 501)
        subject = f'{new["value"]}: "{name}" in {region}'
        _, _, _, topic_region, owner, _ = action.split(":", 5)
        params = {"TopicArn": action, "Message": json.dumps(message, default=str), "Subject": subject[:99]}
        principal = for_service(SERVICE, account, alarm["arn"])
        cloud.perform(principal, Place(owner, topic_region), "sns", "Publish", params)
        outcome = f"Successfully executed action {action}"
    except AwsError as error:
        outcome = f"Failed to execute action {action}. Received error: {error.message}"
    with lock:
        remember(alarm, "Action", outcome, {"stateUpdate": new["value"]})


def _region_name(region: str) -> str:
    """`Europe (Ireland)`: mails name regions so."""
    return _regions().get(region, region)


@functools.cache
def _regions() -> dict[str, str]:
    loader = botocore.session.get_session().get_component("data_loader")
    partitions = loader.load_data("endpoints")["partitions"]
    return {name: item["description"] for part in partitions for name, item in part["regions"].items()}


def _trigger(alarm: dict[str, Any]) -> dict[str, Any]:
    """What an alarm on a metric looks at, as its messages word it; a composite alarm tells its rule."""
    definition = alarm["definition"]
    if alarm["kind"] == "CompositeAlarm":
        return {"AlarmRule": definition["AlarmRule"]}
    trigger: dict[str, Any] = {
        "Period": definition.get("Period"),
        "EvaluationPeriods": definition["EvaluationPeriods"],
        "ComparisonOperator": definition["ComparisonOperator"],
        "Threshold": definition["Threshold"],
        "TreatMissingData": definition.get("TreatMissingData") or "",
        "EvaluateLowSampleCountPercentile": definition.get("EvaluateLowSampleCountPercentile") or "",
    }
    if definition.get("DatapointsToAlarm"):
        trigger["DatapointsToAlarm"] = definition["DatapointsToAlarm"]
    if definition.get("Metrics"):
        return {"Trigger": trigger | {"Metrics": definition["Metrics"]}}
    statistic = definition.get("Statistic")
    kind = {"StatisticType": "Statistic", "Statistic": statistic.upper()} if statistic else {
        "StatisticType": "ExtendedStatistic", "ExtendedStatistic": definition.get("ExtendedStatistic"),
    }  # fmt: skip
    dimensions = [{"value": item["Value"], "name": item["Name"]} for item in definition.get("Dimensions") or ()]
    metric = {"MetricName": definition["MetricName"], "Namespace": definition["Namespace"]}
    return {"Trigger": metric | kind | {"Unit": definition.get("Unit"), "Dimensions": dimensions} | trigger}
