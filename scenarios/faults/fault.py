"""What a fault is: how it is injected, what was observed, what is expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from scenarios.faults.outcome import Outcome, named
from scenarios.faults.world import World


@dataclass(frozen=True)
class Expected:
    """What must be observed. In stage and error, `{production}` stands for production's name, see `Fault.at`.

    error: a regular expression that is searched in the sentence.
    serving: `old` (the release that served before) or `new` (the one that was under way).
    bound: most live requests that may fail, as weight times time to alarm times rate; without one, none may.
    """

    stage: str
    error: str
    serving: str = "old"
    bound: Callable[[World], float] | None = None

    def at(self, production: str, first: str = "") -> Expected:
        """The same, of a project whose production and first environment have these names."""
        return replace(self, stage=named(self.stage, production, first), error=named(self.error, production))


@dataclass(frozen=True)
class Fault:
    """One row of the matrix. `name` is kebab-case; `inject` leaves tidying up to `World.restore`.

    denies: what the fault takes from a role on purpose, as the role's name without the project's and an IAM action.
    alternates: it deploys whichever of the world's two good releases does not serve, and leaves that one serving.
    """

    name: str
    title: str
    inject: Callable[[World], Outcome]
    expected: Expected
    denies: tuple[str, str] | None = None
    alternates: bool = False

    def at(self, production: str, first: str = "") -> Fault:
        """The same, of a project whose production and first environment have these names."""
        denies = (named(self.denies[0], production), self.denies[1]) if self.denies else None
        return replace(self, expected=self.expected.at(production, first), denies=denies)
