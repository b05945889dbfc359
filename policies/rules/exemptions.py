"""Exemptions: one finding each, with a reason and an end date."""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .model import Finding, Resource

SCHEMA: dict[str, Any] = {
    "type": "array",
    "default": [],
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["rule", "resource", "reason", "until"],
        "properties": {
            "rule": {"type": "string"},
            "resource": {"type": "string", "description": "Name or URN of one resource, no wildcards."},
            "where": {"type": "string", "description": "One place as the message names it; all if left out."},
            "reason": {"type": "string"},
            "until": {"type": "string", "description": "Last day, YYYY-MM-DD, within a year."},
        },
    },
}


_YEAR = datetime.timedelta(days=366)


@dataclass(frozen=True)
class Exemption:
    """One exemption; `fault` says why it does not hold."""

    rule: str
    resource: str
    where: str
    reason: str
    until: str
    fault: str = ""

    def matches(self, rule: str, resource: Resource | None, finding: Finding) -> bool:
        """Whether it names a finding."""
        urn = finding.urn or (resource.urn if resource else "")
        name = urn.rpartition("::")[2] or (resource.name if resource else "")
        if self.rule != rule or (self.where and not _whole(self.where, finding.where)):
            return False
        return self.resource in (name, urn)

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"{self.rule} of {self.resource}{place}"


def _whole(part: str, place: str) -> bool:
    """Whether a place has a part, and not the beginning of another: statement 1 is not in statement 12."""
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", place) is not None


def read(entries: Sequence[Mapping[str, Any]], rules: set[str], today: datetime.date) -> list[Exemption]:
    """Exemptions of a config, each with its fault if it has one."""
    return [_read(entry, rules, today) for entry in entries]


def _read(entry: Mapping[str, Any], rules: set[str], today: datetime.date) -> Exemption:
    names = ("rule", "resource", "where", "reason", "until")
    rule, resource, where, reason, until = (str(entry.get(name) or "").strip() for name in names)
    return Exemption(rule, resource, where, reason, until, _fault(rule, resource, reason, until, rules, today))


def _fault(rule: str, resource: str, reason: str, until: str, rules: set[str], today: datetime.date) -> str:
    if rule not in rules:
        return f"names no rule of this policy: {rule!r}"
    if not resource:
        return "names no resource"
    if re.search("[*?]", resource):
        return "names more than one resource: give the name or URN of each its own exemption"
    return term(reason, until, today)


def term(reason: str, until: str, today: datetime.date) -> str:
    """What is wrong with a reason and an end; empty where both hold."""
    if not reason:
        return "has no reason"
    try:
        end = datetime.date.fromisoformat(until)
    except ValueError:
        return f"has no end date: until is {until!r}, give it as YYYY-MM-DD"
    if end > today + _YEAR:
        return f"ends later than in a year: until is {until}, {(today + _YEAR).isoformat()} at most"
    return f"expired on {until}" if end < today else ""
