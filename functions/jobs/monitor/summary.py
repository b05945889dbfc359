"""What people read of an analysis, and what the next step decides by: `summary.txt` and `summary.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TOLD = 5


@dataclass(frozen=True)
class Asked:
    """Which hour of which release was looked at, and by which measure. `start` and `end` as `2026-11-21T03:00:00Z`."""

    service: str
    release: str
    endpoint: str
    start: str
    end: str
    least: int
    limit: float


@dataclass(frozen=True)
class Seen:
    """What was found. `judged` is false where there were too few records."""

    records: int
    judged: bool
    bad: int = 0
    reasons: Sequence[str] = ()
    distances: Mapping[str, float] = field(default_factory=dict)
    violations: Sequence[Mapping[str, str]] = ()


def document(asked: Asked, seen: Seen) -> dict[str, Any]:
    """The content of summary.json."""
    drifted = [name for name, distance in seen.distances.items() if seen.judged and distance > asked.limit]
    return {
        "schema": 1,
        "service": asked.service,
        "release": asked.release,
        "endpoint": asked.endpoint,
        "window": {"start": asked.start, "end": asked.end},
        "records": seen.records,
        "bad_lines": seen.bad,
        "judged": seen.judged,
        "drift": dict(seen.distances),
        "drifted": drifted,
        "violations": len(seen.violations),
        "sentence": sentence(asked, seen, drifted),
    }


def sentence(asked: Asked, seen: Seen, drifted: Sequence[str]) -> str:
    """In words."""
    hour = f"{asked.start[:10]} {asked.start[11:16]} to {asked.end[11:16]} UTC"
    head = f"{asked.service}, {hour}, release {asked.release}: "
    tail = f" {_count(seen.bad, 'line')} could not be used ({'; '.join(seen.reasons[:_TOLD])})." if seen.bad else ""
    if not seen.judged:
        found = _count(seen.records, "record") if seen.records else "no record"
        return f"{head}not enough records: {found} of at least {asked.least}; nothing is judged.{tail}"
    return f"{head}{_count(seen.records, 'record')}. {_drift(asked, seen, drifted)}{_others(seen)}{tail}"


def _drift(asked: Asked, seen: Seen, drifted: Sequence[str]) -> str:
    if not drifted:
        return f"No column is further than {asked.limit:g} from the baseline."
    farthest = sorted(drifted, key=lambda name: -seen.distances[name])
    told = ", ".join(f"{name} ({seen.distances[name]:.2f})" for name in farthest[:_TOLD])
    more = f" and {len(farthest) - _TOLD} more" if len(farthest) > _TOLD else ""
    return f"Drifted from the baseline by more than {asked.limit:g}: {told}{more}."


def _others(seen: Seen) -> str:
    broken = [item for item in seen.violations if item["constraint_check_type"] != "baseline_drift_check"]
    if not broken:
        return ""
    told = ", ".join(f"{item['feature_name']} ({item['constraint_check_type']})" for item in broken[:_TOLD])
    more = f" and {len(broken) - _TOLD} more" if len(broken) > _TOLD else ""
    return f" Broken constraints: {told}{more}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
