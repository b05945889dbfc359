"""What a report holds. All of it is plain text that is ready to be read; nothing here knows of the engine."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum


class Danger(IntEnum):
    """How bad a line is, the worst first. The order of a report's first section."""

    LOST = 1
    """Data, a key or what serves is deleted."""
    SERVING = 2
    """Serving endpoint, alias, API or capture changes."""
    POWER = 3
    """Rights to change rights, or rights for everybody."""
    RIGHTS = 4
    """More rights."""
    WATCHING = 5
    """What watches over a release becomes less."""
    VIOLATION = 6
    """A policy refuses it."""
    GONE = 7
    """Something else is deleted or replaced."""
    FEWER = 8
    """Fewer rights: something may stop working."""
    CHANGE = 9
    """Created or changed."""
    FOLLOWS = 10
    """Only follows from another change."""


@dataclass(frozen=True)
class Line:
    """One line of the report. `rank` orders lines of the same danger."""

    danger: Danger
    text: str
    rank: int = 0

    @property
    def order(self) -> tuple[int, int, str]:
        """What lines are sorted by."""
        return self.danger, self.rank, self.text


@dataclass(frozen=True)
class Change:
    """What happens to one resource.

    op: create, delete, replace or update. forced: sentences that say which property forces a replacement, and what
    that property follows from. differences: `path: old → new`. waiting: the base would do it as well.
    """

    op: str
    type: str
    kind: str
    name: str
    urn: str
    danger: Danger
    headline: str = ""
    forced: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    waiting: bool = False


@dataclass(frozen=True)
class Place:
    """Resources of a sentence about rights: those that match all patterns and none of `without`.

    beyond: patterns within it that are no news. but: patterns within it that stay denied.
    """

    patterns: tuple[str, ...]
    without: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


@dataclass(frozen=True)
class Capability:
    """One sentence of the IAM diff. `gained` separates what is new from what is gone.

    owner: whose it is, like ``role `prod-predict` ``. actions: complete, in AWS's spelling. conditions: words. People
    read `text`; the rest is for programs.
    """

    danger: Danger
    text: str
    owner: str
    gained: bool
    actions: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Violation:
    """A policy's finding. `level` is mandatory or advisory; `new` is false where the base has it too."""

    policy: str
    level: str
    resource: str
    message: str
    new: bool


@dataclass(frozen=True)
class Exempted:
    """An exemption from policies that is in force. `new`: whether the base has none like it; None without a base.

    `where` is empty where it is for all of the rule's findings in the resource.
    """

    rule: str
    resource: str
    where: str
    reason: str
    until: str
    new: bool | None


@dataclass(frozen=True)
class ServiceCost:
    """US dollars a month of one service, before and after."""

    service: str
    before: float
    after: float
    items: tuple[str, ...] = ()
    """How the figure comes about, a line per resource."""

    @property
    def delta(self) -> float:
        """Dollars more a month."""
        return self.after - self.before


@dataclass(frozen=True)
class Cost:
    """The monthly bill by the price table, with all it rests on.

    missing: a line for each thing that has no known price; it counts in neither sum.
    """

    region: str
    dated: str
    services: tuple[ServiceCost, ...] = ()
    assumptions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def before(self) -> float:
        """Dollars a month before the update."""
        return sum(service.before for service in self.services)

    @property
    def after(self) -> float:
        """Dollars a month after it."""
        return sum(service.after for service in self.services)

    @property
    def delta(self) -> float:
        """Dollars more a month."""
        return self.after - self.before


@dataclass(frozen=True)
class Report:
    """A preview, ready to be rendered.

    base: the reference that the head was compared with; empty where it was compared with what is there now.
    first: the lines that a reviewer must see, most dangerous first.
    """

    stack: str
    base: str
    destroy: bool
    changes: Sequence[Change]
    capabilities: Sequence[Capability]
    violations: Sequence[Violation]
    cost: Cost
    outputs: Sequence[str]
    first: Sequence[Line] = field(default_factory=tuple)
    taken_back: Sequence[str] = ()
    """What the base would do and the head does not."""
    exempted: Sequence[Exempted] = ()
    shift: str = ""
    """What the shift can see of the environment's requests; empty where nothing is shifted, or nobody has looked."""

    @property
    def own(self) -> list[Change]:
        """The changes that are this head's alone."""
        return [change for change in self.changes if not change.waiting]

    @property
    def waiting(self) -> list[Change]:
        """The changes that the base would make as well."""
        return [change for change in self.changes if change.waiting]

    @property
    def refused(self) -> bool:
        """Whether a mandatory policy stops the update."""
        return any(violation.level == "mandatory" for violation in self.violations)

    @property
    def exit_code(self) -> int:
        """0: this head changes nothing; 2: it changes something; 3: a policy refuses it."""
        if self.refused:
            return 3
        return 2 if self.own or self.taken_back or self.capabilities or self.outputs else 0
