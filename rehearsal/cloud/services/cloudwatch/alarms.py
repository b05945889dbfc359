"""Operations on CloudWatch alarms."""

import time
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.services.cloudwatch import alarm_state as alarms
from rehearsal.cloud.services.cloudwatch.alarm_records import alarms_of, change, lock, queries_of, remember
from rehearsal.cloud.services.cloudwatch.alarm_state import INSUFFICIENT
from rehearsal.cloud.services.cloudwatch.operations import invalid, period_of, series_of, statistic_of
from rehearsal.cloud.services.cloudwatch.series import Metrics, Span


@operation("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(call: Call) -> dict[str, Any]:
    params = call.params
    if params["ComparisonOperator"] not in alarms.COMPARISONS:
        raise AwsError("NotImplemented", f"the rehearsal does not evaluate {params['ComparisonOperator']}", 501)
    if params.get("Threshold") is None:
        raise invalid("Threshold must be specified", "ValidationError")
    if params.get("DatapointsToAlarm", 1) > params["EvaluationPeriods"]:
        raise invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods", "ValidationError")
    queries = queries_of(params)
    period_of(queries)
    # Evaluated once with no data: a wrong expression is refused now, not found out by an alarm that never fires.
    series_of(Metrics(), queries, Span(0, 60), range(1))
    for name in [params.get("ExtendedStatistic"), *[q["MetricStat"]["Stat"] for q in queries if q.get("MetricStat")]]:
        if name:
            statistic_of(name, [])
    _put(call, params, "MetricAlarm")
    return {}


@operation("cloudwatch", "PutCompositeAlarm")
def put_composite_alarm(call: Call) -> dict[str, Any]:
    try:
        rule = alarms.parse_rule(call.params["AlarmRule"])
    except ValueError as error:
        raise invalid(str(error), "ValidationError") from error
    known = alarms_of(call.cloud, call.account, call.region)
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
    with lock:
        state = alarms_of(call.cloud, call.account, call.region)
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
        remember(state[name], "ConfigurationUpdate", f'Alarm "{name}" {verb}', {"type": "Update" if old else "Create"})


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(call: Call) -> dict[str, Any]:
    params = call.params
    kinds = params.get("AlarmTypes") or ["MetricAlarm"]
    found: dict[str, list[dict[str, Any]]] = {"MetricAlarms": [], "CompositeAlarms": []}
    with lock:
        for name, alarm in sorted(alarms_of(call.cloud, call.account, call.region).items()):
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


@operation("cloudwatch", "DescribeAlarmsForMetric")
def describe_alarms_for_metric(call: Call) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmsForMetric.html"""
    params = call.params
    wanted = {item["Name"]: item["Value"] for item in params.get("Dimensions") or ()}
    found = []
    with lock:
        for _, alarm in sorted(alarms_of(call.cloud, call.account, call.region).items()):
            definition = alarm["definition"]
            own = {item["Name"]: item["Value"] for item in definition.get("Dimensions") or ()}
            names = ("MetricName", "Namespace")
            if any(definition.get(name) != params[name] for name in names) or own != wanted:
                continue
            narrower = ("Statistic", "ExtendedStatistic", "Period", "Unit")
            if all(params.get(name) in (None, definition.get(name)) for name in narrower):
                found.append(_described(alarm))
    return {"MetricAlarms": found}


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


@operation("cloudwatch", "DescribeAlarmHistory")
def describe_alarm_history(call: Call) -> dict[str, Any]:
    params = call.params
    since, until = (_aware(params.get(name)) for name in ("StartDate", "EndDate"))
    with lock:
        items = [
            item
            for name, alarm in alarms_of(call.cloud, call.account, call.region).items()
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
    state = alarms_of(call.cloud, call.account, call.region)
    with lock:
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
    with lock:
        known = any(alarm["arn"] == arn for alarm in alarms_of(call.cloud, call.account, call.region).values())
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
    with lock:
        alarm = alarms_of(call.cloud, call.account, call.region).get(call.params["AlarmName"])
    if alarm is None:
        raise AwsError("ResourceNotFound", f"Alarm {call.params['AlarmName']} does not exist", 404)
    change(call.cloud, call.account, call.region, alarm, call.params["StateValue"], call.params["StateReason"], {})
    return {}


@operation("cloudwatch", "EnableAlarmActions", "DisableAlarmActions")
def switch_actions(call: Call) -> dict[str, Any]:
    with lock:
        for name in call.params["AlarmNames"]:
            alarm = alarms_of(call.cloud, call.account, call.region).get(name)
            if alarm:
                alarm["definition"]["ActionsEnabled"] = call.operation == "EnableAlarmActions"
    return {}
