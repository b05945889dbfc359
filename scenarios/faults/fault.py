"""What a fault is: how it is injected, what was observed, what is expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.faults.world import World

NONE = "-"
"""The stage of an outcome where nothing was stopped."""


@dataclass(frozen=True)
class Outcome:
    """What was observed.

    stage: which stage stopped it (Source … DeployProd), or `-` where all went on.
    error: the one sentence a person reads; empty where there was none.
    serving: the release that serves production in the end.
    requests, failed: live requests while the fault was there, and how many of them got no prediction.
    """

    stage: str
    error: str
    serving: str
    requests: int
    failed: int


@dataclass(frozen=True)
class Expected:
    """What must be observed.

    error: a regular expression that is searched in the sentence.
    serving: `old` (the release that served before) or `new` (the one that was under way).
    bound: most live requests that may fail, as weight times time to alarm times rate; without one, none may.
    """

    stage: str
    error: str
    serving: str = "old"
    bound: Callable[[World], float] | None = None


@dataclass(frozen=True)
class Fault:
    """One row of the matrix. `name` is kebab-case; `inject` leaves tidying up to `World.restore`.

    denies: what the fault takes from a role on purpose, as the role's name without the project's and an IAM action.
    """

    name: str
    title: str
    inject: Callable[[World], Outcome]
    expected: Expected
    denies: tuple[str, str] | None = None
