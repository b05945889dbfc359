"""CloudWatch alarms, evaluated for real on the scaled clock."""

import json
import math
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Event, Place, for_service, inventory, on_start, operation
from rehearsal.cloud.services.cloudwatch import alarm_state as alarms
from rehearsal.cloud.services.cloudwatch.alarm_state import INSUFFICIENT
from rehearsal.cloud.services.cloudwatch.operations import invalid, metrics_of, period_of, series_of, statistic_of
from rehearsal.cloud.services.cloudwatch.series import Metrics

SERVICE = "cloudwatch.amazonaws.com"
_MINUTE = 60
_MOST_METRICS = _MOST_EXPRESSIONS = 10
_lock = threading.RLock()


def _alarms(cloud: Cloud, account: str, region: str) -> dict[Any, Any]:
    return cloud.store("cloudwatch-alarms", account, region)


@operation("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(call: Call) -> dict[str, Any]:
    params = call.params
    if params["ComparisonOperator"] not in alarms.COMPARISONS:
        raise AwsError("NotImplemented", f"the rehearsal does not evaluate {params['ComparisonOperator']}", 501)
    if params.get("Threshold") is None:
        raise invalid("Threshold must be specified", "ValidationError")
    if params.get("DatapointsToAlarm", 1) > params["EvaluationPeriods"]:
        raise invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods", "ValidationError")
    queries = _queries(params)
    period_of(queries)
    # Evaluated once with no data: a wrong expression is refused now, not found out by an alarm that never fires.
    series_of(Metrics(), queries, lambda period: period, 0, 60, range(1))
    for name in [params.get("ExtendedStatistic"), *[q["MetricStat"]["Stat"] for q in queries if q.get("MetricStat")]]:
        if name:
            statistic_of(name, [])
    _put(call, params, "MetricAlarm")
    return {}


def _queries(params: dict[str, Any]) -> list[dict[str, Any]]:
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


@operation("cloudwatch", "PutCompositeAlarm")
def put_composite_alarm(call: Call) -> dict[str, Any]:
    try:
        rule = alarms.parse_rule(call.params["AlarmRule"])
    except ValueError as error:
        raise invalid(str(error), "ValidationError") from error
    known = _alarms(call.cloud, call.account, call.region)
    missing = sorted(name for name in rule.alarms if name not in known)
    if missing:
        raise invalid(f"AlarmRule refers to alarms that do not exist: {', '.join(missing)}", "ValidationError")
    _put(call, call.params, "CompositeAlarm")
    return {}


def _put(call: Call, params: dict[str, Any], kind: str) -> None:
    name = params["AlarmName"]
    now = datetime.now(UTC)
    definition = {key: value for key, value in params.items() if key != "Tags" and value is not None}
    definition.setdefault("ActionsEnabled", True)
    for actions in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        definition.setdefault(actions, [])
    if kind == "MetricAlarm" and "Metrics" not in definition:
        definition.setdefault("Dimensions", [])
    with _lock:
        state = _alarms(call.cloud, call.account, call.region)
        old = state.get(name)
        state[name] = {
            "kind": kind,
            "definition": definition,
            "arn": f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}",
            "state": old["state"] if old else INSUFFICIENT,
            "reason": old["reason"] if old else "Unchecked: Initial alarm creation",
            "data": old["data"] if old else "",
            "updated": old["updated"] if old else now,
            "configured": now,
            "since": time.time(),
            "history": old["history"] if old else [],
        }
        if params.get("Tags") and not old:
            # An update leaves the tags alone.
            call.cloud.backend("cloudwatch", call.account, call.region).tagger.tag_resource(
                state[name]["arn"], params["Tags"]
            )
        verb = "updated" if old else "created"
        _remember(state[name], "ConfigurationUpdate", f'Alarm "{name}" {verb}', {"type": "Update" if old else "Create"})


def _remember(alarm: dict[str, Any], kind: str, summary: str, data: dict[str, Any]) -> None:
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


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(call: Call) -> dict[str, Any]:
    params = call.params
    kinds = params.get("AlarmTypes") or ["MetricAlarm"]
    found: dict[str, list[dict[str, Any]]] = {"MetricAlarms": [], "CompositeAlarms": []}
    with _lock:
        for name, alarm in sorted(_alarms(call.cloud, call.account, call.region).items()):
            if params.get("AlarmNames") and name not in params["AlarmNames"]:
                continue
            if not name.startswith(params.get("AlarmNamePrefix") or ""):
                continue
            if params.get("StateValue", alarm["state"]) != alarm["state"] or alarm["kind"] not in kinds:
                continue
            actions = alarm["definition"]["AlarmActions"]
            prefix = params.get("ActionPrefix")
            if prefix and not any(action.startswith(prefix) for action in actions):
                continue
            found[f"{alarm['kind']}s"].append(_described(alarm))
    return found


def _described(alarm: dict[str, Any]) -> dict[str, Any]:
    return {
        **alarm["definition"],
        "AlarmArn": alarm["arn"],
        "AlarmConfigurationUpdatedTimestamp": alarm["configured"],
        "StateValue": alarm["state"],
        "StateReason": alarm["reason"],
        "StateReasonData": alarm["data"] or None,
        "StateUpdatedTimestamp": alarm["updated"],
        "StateTransitionedTimestamp": alarm["updated"],
    }


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


@operation("cloudwatch", "DescribeAlarmHistory")
def describe_alarm_history(call: Call) -> dict[str, Any]:
    params = call.params
    since, until = (_aware(params.get(name)) for name in ("StartDate", "EndDate"))
    with _lock:
        items = [
            item
            for name, alarm in _alarms(call.cloud, call.account, call.region).items()
            if params.get("AlarmName") in (None, name)
            for item in alarm["history"]
            if params.get("HistoryItemType") in (None, item["HistoryItemType"])
            and (since is None or item["Timestamp"] >= since)
            and (until is None or item["Timestamp"] <= until)
        ]
    newest_first = params.get("ScanBy") != "TimestampAscending"
    items.sort(key=lambda item: item["Timestamp"], reverse=newest_first)
    return {"AlarmHistoryItems": items[: params.get("MaxRecords") or 100]}


@operation("cloudwatch", "DeleteAlarms")
def delete_alarms(call: Call) -> dict[str, Any]:
    state = _alarms(call.cloud, call.account, call.region)
    with _lock:
        missing = [name for name in call.params["AlarmNames"] if name not in state]
        if missing:
            raise AwsError("ResourceNotFound", f"Alarms do not exist: {', '.join(missing)}", 404)
        for name, alarm in state.items():
            if alarm["kind"] != "CompositeAlarm" or name in call.params["AlarmNames"]:
                continue
            used = alarms.parse_rule(alarm["definition"]["AlarmRule"]).alarms & set(call.params["AlarmNames"])
            if used:
                raise invalid(
                    f"Cannot delete {', '.join(sorted(used))}: composite alarm {name} depends on it.", "ValidationError"
                )
        for name in call.params["AlarmNames"]:
            arn = state.pop(name)["arn"]
            call.cloud.backend("cloudwatch", call.account, call.region).tagger.delete_all_tags_for_resource(arn)
    return {}


@operation("cloudwatch", "TagResource", "UntagResource")
def change_tags(call: Call) -> dict[str, Any]:
    """Tags of alarms, kept by moto's tagger."""
    arn = call.params["ResourceARN"]
    with _lock:
        known = any(alarm["arn"] == arn for alarm in _alarms(call.cloud, call.account, call.region).values())
    if not known:
        raise AwsError("ResourceNotFoundException", f"{arn} does not exist", 404)
    tagger = call.cloud.backend("cloudwatch", call.account, call.region).tagger
    if call.operation == "TagResource":
        tagger.tag_resource(arn, call.params["Tags"])
    else:
        tagger.untag_resource_using_names(arn, call.params["TagKeys"])
    return {}


@operation("cloudwatch", "SetAlarmState")
def set_alarm_state(call: Call) -> dict[str, Any]:
    with _lock:
        alarm = _alarms(call.cloud, call.account, call.region).get(call.params["AlarmName"])
    if alarm is None:
        raise AwsError("ResourceNotFound", f"Alarm {call.params['AlarmName']} does not exist", 404)
    _change(call.cloud, call.account, call.region, alarm, call.params["StateValue"], call.params["StateReason"], {})
    return {}


@operation("cloudwatch", "EnableAlarmActions", "DisableAlarmActions")
def switch_actions(call: Call) -> dict[str, Any]:
    with _lock:
        for name in call.params["AlarmNames"]:
            alarm = _alarms(call.cloud, call.account, call.region).get(name)
            if alarm:
                alarm["definition"]["ActionsEnabled"] = call.operation == "EnableAlarmActions"
    return {}


# --- evaluation ------------------------------------------------------------------------------------------------------


@on_start
def start_evaluation(cloud: Cloud) -> None:
    cloud.background(_evaluate_forever, cloud, name="alarms")


def _evaluate_forever(cloud: Cloud) -> None:
    pause = min(1.0, max(0.05, cloud.clock.scaled(60) / 5))
    while cloud.clock.pause(pause):
        for account, region, state in cloud.stores("cloudwatch-alarms"):
            with _lock:
                items = sorted(state.values(), key=lambda alarm: alarm["kind"] == "CompositeAlarm")
            for alarm in items:
                try:
                    _evaluate(cloud, account, region, alarm, state)
                except Exception as error:  # noqa: BLE001  one alarm must not stop the others
                    print(f"alarm {alarm['arn']} cannot be evaluated: {error}", file=sys.stderr, flush=True)


def _evaluate(cloud: Cloud, account: str, region: str, alarm: dict[str, Any], state: dict[Any, Any]) -> None:
    definition = alarm["definition"]
    if alarm["kind"] == "CompositeAlarm":
        with _lock:
            states = {name: other["state"] for name, other in state.items()}
        holds = alarms.parse_rule(definition["AlarmRule"]).holds(states)
        wanted = alarms.ALARM if holds else alarms.OK
        reason = f"{alarm['arn']} transitioned to {wanted}: the rule {definition['AlarmRule']} is {holds}"
        _change(cloud, account, region, alarm, wanted, reason, {"states": states})
        return
    verdict = _judge(cloud, account, region, alarm)
    if verdict is not None and verdict.state is not None:
        data = {"version": "1.0", "recentDatapoints": list(verdict.datapoints), "threshold": definition["Threshold"]}
        _change(cloud, account, region, alarm, verdict.state, verdict.reason, data)


def _judge(cloud: Cloud, account: str, region: str, alarm: dict[str, Any]) -> alarms.Verdict | None:
    definition = alarm["definition"]
    queries = _queries(definition)
    width = cloud.clock.scaled(period_of(queries))
    periods = definition["EvaluationPeriods"]
    # Looked at every minute: of an alarm whose period is longer, the periods end with the minute that has just ended.
    step = min(width, cloud.clock.scaled(_MINUTE))
    end = math.floor(time.time() / step) * step
    if alarm["since"] > end:
        return None
    window = range(-periods - alarms.EXTRA_PERIODS, 0)
    metrics = metrics_of(cloud, account, region)
    start = end + window.start * width
    series = series_of(metrics, queries, cloud.clock.scaled, start, end, window, origin=end)
    returned = next(query["Id"] for query in queries if query.get("ReturnData", True))
    points = [series[returned].get(number) for number in window]
    return alarms.evaluate(
        points,
        periods,
        definition.get("DatapointsToAlarm") or periods,
        definition["ComparisonOperator"],
        definition["Threshold"],
        definition.get("TreatMissingData") or "missing",
    )


def _change(
    cloud: Cloud, account: str, region: str, alarm: dict[str, Any], value: str, reason: str, data: dict[str, Any]
) -> None:
    with _lock:
        before = alarm["state"]
        if before == value:
            return
        old = {"value": before, "reason": alarm["reason"], "timestamp": alarm["updated"].isoformat()}
        alarm |= {"state": value, "reason": reason, "data": json.dumps(data), "updated": datetime.now(UTC)}
        new = {
            "value": value,
            "reason": reason,
            "timestamp": alarm["updated"].isoformat(),
            "reasonData": json.dumps(data),
        }
        name = alarm["definition"]["AlarmName"]
        history = {"version": "1.0", "oldState": _historic(old), "newState": _historic(new)}
        _remember(alarm, "StateUpdate", f"Alarm updated from {before} to {value}", history)
    detail = {"alarmName": name, "state": new, "previousState": old, "configuration": _configuration(alarm)}
    event = Event("aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm["arn"]])
    cloud.put_event(Place(account, region), event)
    if alarm["definition"]["ActionsEnabled"]:
        key = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(value, "InsufficientDataActions")
        for action in alarm["definition"][key]:
            cloud.background(_act, cloud, account, region, alarm, action, old, new, name="alarm-action")


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
    shown = [
        {
            "id": query["Id"],
            "expression": query.get("Expression"),
            "metricStat": query.get("MetricStat"),
            "returnData": query.get("ReturnData", True),
        }
        for query in _queries(definition)
    ]
    return {"description": definition.get("AlarmDescription", ""), "metrics": shown}


def _act(
    cloud: Cloud,
    account: str,
    region: str,
    alarm: dict[str, Any],
    action: str,
    old: dict[str, Any],
    new: dict[str, Any],
) -> None:

    definition = alarm["definition"]
    name = definition["AlarmName"]
    message = {
        "AlarmName": name,
        "AlarmDescription": definition.get("AlarmDescription"),
        "AWSAccountId": account,
        "NewStateValue": new["value"],
        "NewStateReason": new["reason"],
        "StateChangeTime": new["timestamp"],
        "Region": region,
        "AlarmArn": alarm["arn"],
        "OldStateValue": old["value"],
        "Trigger": {key: value for key, value in definition.items() if key not in ("AlarmName", "AlarmDescription")},
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
    with _lock:
        _remember(alarm, "Action", outcome, {"stateUpdate": new["value"]})


@inventory("cloudwatch")
def live(cloud: Cloud, account: str) -> list[str]:
    """Alarms; dashboards are moto's."""
    with _lock:
        return [
            a["arn"]
            for owner, _, state in cloud.stores("cloudwatch-alarms")
            if owner == account
            for a in state.values()
        ]
