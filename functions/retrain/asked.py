"""What asks for a retraining: a drift alarm, drift that persists, or the schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.monitoring import SOURCE, drift_alarms

_LONGEST = 300


@dataclass(frozen=True)
class Asked:
    """One event. `env` is empty for the schedule, and where no environment is known by the alarm's name."""

    event: str
    reason: str
    env: str
    why: str


def parse_event(event: Mapping[str, Any], name: str, environments: Sequence[str]) -> Asked:
    """An event of EventBridge or of the schedule, in our words. Raises ValueError for one of another kind."""
    if event.get("schedule"):
        return Asked(event["id"], "schedule", "", f"the schedule, at {event['time']}")
    detail = event.get("detail", {})
    if event.get("source") == "aws.cloudwatch" and detail.get("state", {}).get("value") == "ALARM":
        env, feature = _of_alarm(detail["alarmName"], name, environments)
        return Asked(event["id"], "drift", env, f"{feature} has drifted in {env or '?'}: alarm {detail['alarmName']}")
    if event.get("source") == SOURCE:
        features = ", ".join(map(str, detail["features"]))
        hour = detail["window"]["start"]
        text = f"{features} drifted in {detail['env']} from {hour} on, as {detail['report']} says"
        return Asked(event["id"], "drift", str(detail["env"]), text[:_LONGEST])
    raise ValueError(f"an event of {event.get('source')!r} asks for nothing here: correct the rule that sends it")


def _of_alarm(alarm: str, name: str, environments: Sequence[str]) -> tuple[str, str]:
    for env in environments:
        begin = drift_alarms(f"{name}-{env}")
        if alarm.startswith(begin):
            return env, alarm.removeprefix(begin)
    return "", alarm
