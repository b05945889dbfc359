"""Event buses, with what moto leaves out of its answers: descriptions and times.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EventBus.html
"""

from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import Call, operation

_STARTED = datetime.now(UTC)


@operation("events", "CreateEventBus")
def create(call: Call) -> dict[str, Any]:
    answer = call.forward()
    bus = _buses(call)[call.params["Name"]]
    bus.created = bus.modified = datetime.now(UTC)
    members = ("Description", "KmsKeyIdentifier", "DeadLetterConfig")
    return answer | {name: call.params[name] for name in members if call.params.get(name)}


@operation("events", "UpdateEventBus")
def update(call: Call) -> dict[str, Any]:
    answer = call.forward()
    _buses(call)[call.params.get("Name") or "default"].modified = datetime.now(UTC)
    return answer


@operation("events", "DescribeEventBus")
def describe(call: Call) -> dict[str, Any]:
    return _completed(call, call.forward())


@operation("events", "ListEventBuses")
def list_buses(call: Call) -> dict[str, Any]:
    answer = call.forward()
    return answer | {"EventBuses": [_completed(call, bus) for bus in answer.get("EventBuses", ())]}


def _completed(call: Call, shown: dict[str, Any]) -> dict[str, Any]:
    bus = _buses(call)[shown["Name"]]
    shown["CreationTime"] = getattr(bus, "created", _STARTED)
    shown["LastModifiedTime"] = getattr(bus, "modified", _STARTED)
    description = getattr(bus, "description", None)
    return shown | ({"Description": description} if description else {})


def _buses(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = call.cloud.backend("events", call.account, call.region).event_buses
    return found
