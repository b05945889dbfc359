"""Every role of the project against everything that an attacker would try: exactly what attempts.yaml lists passes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
import yaml

from contracts.names import DELIVERY, Names
from tests.security.attempt import Attempt
from tests.security.principals import Principal, Project, passing

LIST = Path(__file__).with_name("attempts.yaml")
THREE = {"delivery": "310000000001", "dev": "310000000002", "prod": "310000000003"}
ONE = dict.fromkeys(THREE, "310000000001")
WORLDS = {"three accounts": THREE, "one account": ONE}


@dataclass(frozen=True)
class Entry:
    """What may pass, and why."""

    principal: str
    action: str
    of: str
    what: str
    reason: str
    passes: int
    one_account: bool = False

    def covers(self, who: Principal, attempt: Attempt, whose: str, alone: bool) -> bool:
        stack = who.stack if who.stack == DELIVERY else "env"
        return (
            (alone or not self.one_account)
            and self.of == whose
            and fnmatchcase(f"{stack}/{who.purpose}", self.principal)
            and fnmatchcase(attempt.action, self.action)
            and fnmatchcase(attempt.what, self.what)
        )


ENTRIES = [Entry(**each) for each in yaml.safe_load(LIST.read_text(encoding="utf-8"))]


def whose(names: Names, who: Principal, attempt: Attempt) -> Iterator[str]:
    """The words of the list for whose something is, as a role sees it."""
    if attempt.owner == who.stack:
        yield "own"
    elif attempt.owner in names.environments:
        yield "other" if who.stack in names.environments else "environment"
        if re.search(rf"-{re.escape(attempt.owner)}$", who.purpose):
            yield "named"
    else:
        yield attempt.owner


@cache
def passed(world: str) -> tuple[int, list[tuple[Principal, Attempt]]]:
    """How many attempts, and those that pass."""
    project = Project(Names("ml", "eu-west-1", WORLDS[world]))
    tried = _by_action([*project.attempts, *_on_a_neighbour(world)])
    distinct = {(who.name, who.identity.text): who for who in project.principals()}
    found = [(who, attempt) for who in distinct.values() for attempt in passing(project, who, tried)]
    return sum(map(len, tried.values())), found


def _on_a_neighbour(world: str) -> list[Attempt]:
    """Another project in the same accounts, whose name begins with this one's: settings/limits.py refuses `ml-dev`."""
    other = Project(Names("ml-dev2", "eu-west-1", WORLDS[world]))
    return [replace(attempt, owner="neighbour") for attempt in other.attempts if _names(attempt, "ml-dev2")]


def _names(attempt: Attempt, project: str) -> bool:
    """Whether a resource is one project's by its name or by its tags."""
    tags = [value for key, value in attempt.context.items() if key.startswith("aws:resourcetag/")]
    return project in attempt.resource or any(project in each for value in tags for each in value)


def _by_action(attempts: Iterable[Attempt]) -> Mapping[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.action, []).append(attempt)
    return found


@pytest.mark.parametrize("world", WORLDS)
def test_exactly_what_is_listed_passes(world: str) -> None:
    count, found = passed(world)
    assert count >= 4000
    names = Names("ml", "eu-west-1", WORLDS[world])
    strange = [
        f"{who.name} may {attempt.action} on {attempt.owner}'s {attempt.what} ({attempt.resource})"
        for who, attempt in found
        if not _entries(names, who, attempt)
    ]
    assert strange == []


def _entries(names: Names, who: Principal, attempt: Attempt) -> list[Entry]:
    alone = len(set(names.accounts.values())) == 1
    words = list(whose(names, who, attempt))
    return [entry for entry in ENTRIES for word in words if entry.covers(who, attempt, word, alone)]


def test_every_entry_lets_pass_what_it_says() -> None:
    """A list with entries that nothing uses, or that allow more than was read, hides what it allows tomorrow."""
    used: Counter[Entry] = Counter()
    for world, accounts in WORLDS.items():
        names = Names("ml", "eu-west-1", accounts)
        for who, attempt in passed(world)[1]:
            used.update(_entries(names, who, attempt))
    assert {entry: entry.passes for entry in ENTRIES} == {entry: used[entry] for entry in ENTRIES}
    assert all(entry.passes for entry in ENTRIES)


def test_every_entry_has_a_reason() -> None:
    assert [entry for entry in ENTRIES if len(entry.reason.split()) < 3] == []
