"""EventBridge: rules, kept by moto, are matched, fired by the clock, and delivered for real."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends

from rehearsal.cloud.core import registry
from rehearsal.cloud.core.api import (
    AwsError,
    Call,
    Cloud,
    Event,
    LogLines,
    Place,
    Sample,
    for_service,
    inventory,
    on_start,
    operation,
    target,
)
from rehearsal.cloud.core.trouble import tell
from rehearsal.cloud.services.events import buses, cron, inputs, patterns
from rehearsal.cloud.services.events.grammar import PatternError

SERVICE = "events.amazonaws.com"


# --- operations ------------------------------------------------------------------------------------------------------


@operation("events", "PutRule")
def put_rule(call: Call) -> dict[str, Any]:
    """Refuse patterns and schedules that could never fire."""
    pattern, schedule = call.params.get("EventPattern"), call.params.get("ScheduleExpression")
    if not pattern and not schedule:
        raise AwsError("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if pattern:
        _check_pattern(pattern)
    if schedule:
        try:
            cron.parse(schedule)
        except ValueError as error:
            raise AwsError("ValidationException", f"Parameter ScheduleExpression is not valid. {error}") from error
        if call.params.get("EventBusName", "default").rpartition("/")[2] != "default":
            raise AwsError("ValidationException", "ScheduleExpression is supported only on the default event bus.")
    return call.forward()


@operation("events", "PutTargets")
def put_targets(call: Call) -> dict[str, Any]:
    """Refuse targets that nobody here delivers to."""
    for entry in call.params["Targets"]:
        kind = _kind(entry["Arn"])
        if kind not in registry.targets:
            raise AwsError("NotImplemented", f"the rehearsal does not deliver events to {kind!r} ({entry['Arn']})", 501)
        if entry.get("RoleArn") and call.cloud.accounts.role(entry["RoleArn"]) is None:
            raise AwsError(
                "ValidationException", f"Provided role '{entry['RoleArn']}' cannot be assumed by principal '{SERVICE}'."
            )
    return call.forward()


@operation("events", "TestEventPattern")
def test_event_pattern(call: Call) -> dict[str, Any]:
    try:
        event = json.loads(call.params["Event"])
    except ValueError as error:
        raise AwsError("ValidationException", f"Parameter Event is not valid. {error}") from error
    return {"Result": patterns.matches(_check_pattern(call.params["EventPattern"]), event)}


@operation("events", "PutEvents")
def put_events(call: Call) -> dict[str, Any]:
    """Events of a caller; the source `aws.…` belongs to AWS's own services."""
    entries = [_put_entry(call, entry) for entry in call.params["Entries"]]
    return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}


def _put_entry(call: Call, entry: dict[str, Any]) -> dict[str, Any]:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            text = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": text}
    if entry["Source"].startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    account, region, bus = _locate(call, entry.get("EventBusName") or "default")
    given = Event(entry["Source"], entry["DetailType"], detail, entry.get("Resources") or [])
    event = _document(call.place, given)
    if entry.get("Time"):
        event["time"] = _stamp(entry["Time"])
    dispatch(call.cloud, Place(account, region), bus, event)
    return {"EventId": event["id"]}


def _locate(call: Call, bus: str) -> tuple[str, str, str]:
    if not bus.startswith("arn:"):
        return call.account, call.region, bus
    _, _, _, region, account, name = bus.split(":", 5)
    name = name.removeprefix("event-bus/")
    if account != call.account:
        buses.require_permission(call.cloud, account, region, name, call.principal)
    return account, region, name


def _check_pattern(text: str) -> dict[str, Any]:
    try:
        return patterns.compiled(text)
    except PatternError as error:
        raise AwsError("InvalidEventPatternException", str(error)) from error


# --- events ----------------------------------------------------------------------------------------------------------


def emit(cloud: Cloud, place: Place, event: Event) -> None:
    """An event of an AWS service, on the default bus."""
    dispatch(cloud, place, "default", _document(place, event))


def _document(place: Place, event: Event) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": event.detail_type,
        "source": event.source,
        "account": place.account,
        "time": _stamp(datetime.now(UTC)),
        "region": place.region,
        "resources": list(event.resources),
        "detail": json.loads(json.dumps(event.detail, default=str)),
    }


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def dispatch(cloud: Cloud, place: Place, bus: str, event: dict[str, Any], *, forwarded: bool = False) -> None:
    """Match an event against the rules of a bus, and deliver it on threads of their own.

    One that another bus has `forwarded` goes to no third one: "EventBridge can't route events received from a sender
    event bus to a third event bus" (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html).
    """
    known = cloud.backend("events", place.account, place.region).event_buses
    if bus not in known:
        return
    for rule in list(known[bus].rules.values()):
        if rule.managed_by:
            # A service's own: what it waits for, it asks for itself.
            continue
        pattern = rule.event_pattern.dump() if rule.event_pattern else None
        if pattern and rule.state.startswith("ENABLED") and _matches(rule, pattern, event):
            _fire(cloud, place, rule, event, forwarded)


def _matches(rule: Any, pattern: str, event: dict[str, Any]) -> bool:
    """A rule whose pattern cannot be read (kept by an older gateway) harms no other rule."""
    try:
        return patterns.matches(patterns.compiled(pattern), event)
    except PatternError as error:
        tell(f"rule {rule.arn} matches nothing: {error}")
        return False


def _fire(cloud: Cloud, place: Place, rule: Any, event: dict[str, Any], forwarded: bool = False) -> None:
    for entry in list(rule.targets):
        if forwarded and _kind(entry["Arn"]) == "events":
            continue
        target_ = {**entry, "RuleArn": rule.arn}
        cloud.background(_deliver, cloud, place, rule.name, target_, event, name=f"rule-{rule.name}")


def _deliver(cloud: Cloud, place: Place, rule_name: str, entry: dict[str, Any], event: dict[str, Any]) -> None:
    dimensions = {"RuleName": rule_name}
    try:
        payload = inputs.target_input(entry, event)
        registry.targets[_kind(entry["Arn"])](cloud, place, entry, payload)
    except Exception as error:  # noqa: BLE001  whatever a target raises, the others get the event
        cloud.put_metric(place, Sample("AWS/Events", "FailedInvocations", dimensions, 1, "Count"))
        # EventBridge tells nobody but the dead-letter queue; a rehearsal that kept silent could not be understood.
        tell(f"rule {entry['RuleArn']} could not deliver to {entry['Arn']}: {error}")
        queue = (entry.get("DeadLetterConfig") or {}).get("Arn")
        if queue:
            _send_message(cloud, place, entry, queue, json.dumps(event))
        return
    cloud.put_metric(place, Sample("AWS/Events", "Invocations", dimensions, 1, "Count"))


def _kind(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""


@target("events")
def to_bus(cloud: Cloud, place: Place, entry: dict[str, Any], payload: Any) -> None:
    """Another bus, as the target's role."""
    _, _, _, region, account, name = entry["Arn"].split(":", 5)
    buses.require(cloud, place, entry)
    dispatch(cloud, Place(account, region), name.removeprefix("event-bus/"), payload, forwarded=True)


# --- targets ---------------------------------------------------------------------------------------------------------


@target("sqs")
def to_queue(cloud: Cloud, place: Place, entry: dict[str, Any], payload: Any) -> None:
    """The queue's policy must let EventBridge send for this rule."""
    group = (entry.get("SqsParameters") or {}).get("MessageGroupId")
    _send_message(cloud, place, entry, entry["Arn"], inputs.text_of(payload), group)


def _send_message(
    cloud: Cloud, place: Place, entry: dict[str, Any], queue_arn: str, body: str, group: str | None = None
) -> None:
    _, _, _, region, account, name = queue_arn.split(":")
    params = {"QueueUrl": f"{cloud.url}/{account}/{name}", "MessageBody": body}
    if group:
        params["MessageGroupId"] = group
    principal = for_service(SERVICE, place.account, entry["RuleArn"])
    cloud.perform(principal, Place(account, region), "sqs", "SendMessage", params)


@target("sns")
def to_topic(cloud: Cloud, place: Place, entry: dict[str, Any], payload: Any) -> None:
    """The topic's policy must let EventBridge publish for this rule."""
    _, _, _, region, account, _ = entry["Arn"].split(":", 5)
    principal = for_service(SERVICE, place.account, entry["RuleArn"])
    params = {"TopicArn": entry["Arn"], "Message": inputs.text_of(payload)}
    cloud.perform(principal, Place(account, region), "sns", "Publish", params)


@target("logs")
def to_log_group(cloud: Cloud, place: Place, entry: dict[str, Any], payload: Any) -> None:
    """A line for each event; the group is taken from the target's ARN."""
    group = entry["Arn"].split(":log-group:")[1].removesuffix(":*")
    cloud.log(place, LogLines(group, str(uuid.uuid4()), [inputs.text_of(payload)]))


# --- schedules -------------------------------------------------------------------------------------------------------


@on_start
def start_schedules(cloud: Cloud) -> None:
    cloud.background(_run_schedules, cloud, name="schedules")


def _run_schedules(cloud: Cloud) -> None:
    due: dict[tuple[str, str], datetime | None] = {}
    pause = min(1.0, max(0.02, cloud.clock.scaled(60) / 4))
    while cloud.clock.pause(pause):
        now = cloud.clock.aws_now()
        alive = set()
        for account, region, rule in _scheduled_rules():
            key = (rule.arn, rule.scheduled_expression)
            alive.add(key)
            schedule = cron.parse(rule.scheduled_expression)
            if key not in due:
                due[key] = schedule.after(now)
            moment = due[key]
            if moment is None or moment > now:
                continue
            # A clock that was held up fires once, not once for every beat missed.
            due[key] = schedule.after(now)
            place = Place(account, region)
            _fire(cloud, place, rule, _document(place, Event("aws.events", "Scheduled Event", {}, [rule.arn])))
        due = {key: moment for key, moment in due.items() if key in alive}


def _scheduled_rules() -> list[tuple[str, str, Any]]:
    return [
        (account, region, rule)
        for account, region, backend in list(events_backends.iter_backends())
        for bus in list(backend.event_buses.values())  # type: ignore[attr-defined]
        for rule in list(bus.rules.values())
        if rule.scheduled_expression and rule.state.startswith("ENABLED")
    ]


@inventory("events")
def live(cloud: Cloud, account: str) -> list[str]:
    """Rules, but those that services keep, and buses other than the default one."""
    found = []
    for owner, _, backend in list(events_backends.iter_backends()):
        if owner != account:
            continue
        for bus in backend.event_buses.values():  # type: ignore[attr-defined]
            found += [rule.arn for rule in bus.rules.values() if not rule.managed_by]
            if bus.name != "default":
                found.append(bus.arn)
    return found
