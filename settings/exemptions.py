"""What the project asks of the policy pack: exemptions, one finding each. A table, like sections.

Whether a rule exists, and whether an end is still to come, the pack says itself: it may be newer or older than these.
"""

import datetime
from dataclasses import dataclass
from typing import Annotated, Any

from settings.keys import Key, Section
from settings.kinds import ListOf, Text

_LINE = r"(?=.*\S)[^\x00-\x1f\x7f]"
_DAY_OF_YEAR = (
    r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_YEAR = r"([02468][048]|[13579][26])"
_MIDNIGHT = " 00:00:00 +0000 UTC"
"""What the engine makes of a day without quotes, which YAML reads as a moment (pulumi 3.259)."""


@dataclass(frozen=True)
class Day(Text):
    """A day that the calendar of this century has, with or without quotes in YAML.

    The pattern knows the calendar: an editor that reads the schema refuses what `./glidepath check` refuses.
    """

    words: str = "a day like 2027-03-31"
    pattern: str = rf"20([0-9]{{2}}-{_DAY_OF_YEAR}|{_LEAP_YEAR}-02-29)"

    def convert(self, value: Any) -> str:
        given = value.isoformat() if type(value) is datetime.date else value
        day = super().convert(given.removesuffix(_MIDNIGHT) if isinstance(given, str) else given)
        return datetime.date.fromisoformat(day).isoformat()


@dataclass(frozen=True)
class Exemption:
    """One finding of the policy pack that is accepted for a time. It stands in the change that needs it."""

    rule: Annotated[
        str,
        Key(Text("a rule's name, like wildcard-type", r"[a-z]+(-[a-z]+)*"), "the rule; policies/RULES.md lists them"),
    ]
    resource: Annotated[
        str,
        Key(
            # A finding tells an exemption by its name: no resource may go on with another's words.
            Text("the name or URN of one resource, without spaces, * and ?", r"[^*? \x00-\x1f\x7f]{1,500}"),
            "the resource, as the finding names it",
        ),
    ]
    where: Annotated[
        str,
        Key(
            Text("one line of at most 200 characters", rf"{_LINE}{{1,200}}"),
            "one place in it, as the finding names it; without it, all of the rule's findings there",
            "",
        ),
    ]
    reason: Annotated[
        str, Key(Text("one line of at most 200 characters", rf"{_LINE}{{1,200}}"), "why, for reviewer and approver")
    ]
    until: Annotated[str, Key(Day(), "the last day, within a year; after it the exemption is a finding itself")]


@dataclass(frozen=True)
class Policies:
    """What the policy pack is told beside its rules ([the policy pack](policies.md#exemptions))."""

    exemptions: Annotated[
        tuple[Exemption, ...], Key(ListOf(Section(Exemption), "objects"), "findings that are accepted for a time", ())
    ]
