"""Alarms, evaluated for real with each minute of AWS's that has ended."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from rehearsal.cloud.core.api import Cloud, inventory, on_start
from rehearsal.cloud.core.trouble import tell
from rehearsal.cloud.services.cloudwatch import alarm_state as alarms
from rehearsal.cloud.services.cloudwatch.alarm_records import change, lock, queries_of, stamp, told
from rehearsal.cloud.services.cloudwatch.operations import metrics_of, period_of, series_of
from rehearsal.cloud.services.cloudwatch.series import Span


@on_start
def start_evaluation(cloud: Cloud) -> None:
    cloud.clock.after_minute(partial(_evaluate_all, cloud))


def _evaluate_all(cloud: Cloud) -> None:
    for account, region, state in cloud.stores("cloudwatch-alarms"):
        with lock:
            items = sorted(state.values(), key=lambda alarm: alarm["kind"] == "CompositeAlarm")
        for alarm in items:
            try:
                _evaluate(cloud, account, region, alarm, state)
            except Exception as error:  # noqa: BLE001  one alarm must not stop the others
                tell(f"alarm {alarm['arn']} cannot be evaluated: {error}")


def _evaluate(cloud: Cloud, account: str, region: str, alarm: dict[str, Any], state: dict[Any, Any]) -> None:
    definition = alarm["definition"]
    if alarm["kind"] == "CompositeAlarm":
        with lock:
            states = {name: other["state"] for name, other in state.items()}
        holds = alarms.parse_rule(definition["AlarmRule"]).holds(states)
        wanted = alarms.ALARM if holds else alarms.OK
        reason = f"{alarm['arn']} transitioned to {wanted}: the rule {definition['AlarmRule']} is {holds}"
        change(cloud, account, region, alarm, wanted, reason, {"triggeringAlarms": _triggering(definition, state)})
        return
    verdict = _judge(cloud, account, region, alarm)
    if verdict is not None and verdict.state is not None:
        data = _reason_data(cloud, definition, verdict)
        change(cloud, account, region, alarm, verdict.state, verdict.reason, data)


def _triggering(definition: dict[str, Any], state: dict[Any, Any]) -> list[dict[str, Any]]:
    """The alarms that a composite one looks at, with their states."""
    names = sorted(alarms.parse_rule(definition["AlarmRule"]).alarms)
    return [
        {
            "arn": state[name]["arn"],
            "state": {"value": state[name]["state"], "timestamp": told(state[name])["timestamp"]},
        }
        for name in names
        if name in state
    ]


def _reason_data(cloud: Cloud, definition: dict[str, Any], verdict: alarms.Verdict) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""
    now = datetime.now(UTC)
    data: dict[str, Any] = {"version": "1.0", "queryDate": stamp(now)}
    if "MetricName" in definition:
        span = timedelta(seconds=definition["Period"] * definition["EvaluationPeriods"])
        data |= {"startDate": stamp(now - span), "period": definition["Period"]}
        if definition.get("Unit"):
            data["unit"] = definition["Unit"]
        if definition.get("Statistic"):
            data["statistic"] = definition["Statistic"]
    points = list(verdict.datapoints)
    return data | {"recentDatapoints": points, "threshold": definition["Threshold"]}


def _judge(cloud: Cloud, account: str, region: str, alarm: dict[str, Any]) -> alarms.Verdict | None:
    definition = alarm["definition"]
    queries = queries_of(definition)
    width = period_of(queries)
    end = cloud.clock.ended
    if cloud.clock.seconds_at(alarm["since"]) >= end:
        return None
    # Looked at every minute: of an alarm whose period is longer, the periods end with the minute that has just ended.
    # One whose period is shorter AWS looks at several times in that minute: it stands as the worst of these looks.
    looks = [end - early * width for early in reversed(range(max(round(60 / width), 1)))]
    verdicts = [_look(cloud, account, region, definition, queries, moment) for moment in looks]
    return next((verdict for verdict in verdicts if verdict.state == alarms.ALARM), verdicts[-1])


def _look(
    cloud: Cloud, account: str, region: str, definition: dict[str, Any], queries: list[dict[str, Any]], end: float
) -> alarms.Verdict:
    """What it says of the periods up to `end`, in AWS seconds."""
    width, periods = period_of(queries), definition["EvaluationPeriods"]
    window = range(-periods - alarms.EXTRA_PERIODS, 0)
    metrics = metrics_of(cloud, account, region)
    start = end + window.start * width
    span = Span(start, end, end, cloud.clock.seconds_at, cloud.clock.real_at(start), end)
    series = series_of(metrics, queries, span, window)
    returned = next(query["Id"] for query in queries if query.get("ReturnData", True))
    points = [series[returned].get(number) for number in window]
    return alarms.evaluate(
        points,
        periods,
        definition.get("DatapointsToAlarm") or periods,
        definition["ComparisonOperator"],
        definition["Threshold"],
        definition.get("TreatMissingData") or "missing",
        lambda place: _told_moment(cloud, end + window[place] * width),
    )


def _told_moment(cloud: Cloud, seconds: float) -> str:
    return datetime.fromtimestamp(cloud.clock.real_at(seconds), UTC).strftime("%d/%m/%y %H:%M:%S")


@inventory("cloudwatch")
def live(cloud: Cloud, account: str) -> list[str]:
    """Alarms; dashboards are moto's."""
    with lock:
        return [
            a["arn"]
            for owner, _, state in cloud.stores("cloudwatch-alarms")
            if owner == account
            for a in state.values()
        ]
