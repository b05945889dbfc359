"""AWS's actions: what a pattern reaches, what each action does, and on which resources it can be scoped."""

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_TABLE = Path(__file__).resolve().parent / "data" / "actions.json"
_WILD = frozenset("*?")
_TELLING = 3
"""So many letters (or digits) within a name tell something."""
_TOUCHING = frozenset("PTWD")
# The table lists a resource type, but the operation's reference wants the permission on `*`: with a narrower one,
# composite alarms can be neither made nor seen.
_ON_EVERYTHING = frozenset({("cloudwatch", "putcompositealarm"), ("cloudwatch", "describealarms")})


@dataclass(frozen=True, slots=True, eq=False)  # there is one object per action: comparing identities is quick
class Action:
    """One action of AWS. `traits`: P(ermissions), T(ags), W(rites), R(eads), L(ists), D(ata is read)."""

    service: str
    name: str
    traits: str
    types: tuple[str, ...]
    """Formats of the resources it can be scoped to, `@` for a variable; empty where AWS offers none."""
    scoped: bool
    touches: bool
    """Whether it writes, changes permissions or tags, or reads what customers store."""

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"


@cache
def _table() -> dict[str, dict[str, object]]:
    services: dict[str, dict[str, object]] = json.loads(_TABLE.read_text(encoding="utf-8"))["services"]
    return services


@cache
def dated() -> str:
    """Version and date of the table."""
    head = json.loads(_TABLE.read_text(encoding="utf-8"))
    return f"{head['source']} {head['version']} ({head['updated']})"


@cache
def of_service(service: str) -> tuple[Action, ...]:
    """All actions of a service, by its prefix in lower case; none where AWS has no such service."""
    entry = _table().get(service)
    if entry is None:
        return ()
    types: list[str] = entry["types"]  # type: ignore[assignment]
    actions: dict[str, str] = entry["actions"]  # type: ignore[assignment]
    found = []
    for name, traits in actions.items():
        letters, *numbers = traits.split(" ")
        formats = tuple(types[int(number)] for number in numbers if number != "-")
        scoped = bool(numbers) and (service, name.lower()) not in _ON_EVERYTHING
        found.append(Action(service, name, letters, formats, scoped, not _TOUCHING.isdisjoint(letters)))
    return tuple(found)


@cache
def touching(service: str) -> tuple[Action, ...]:
    """A service's actions that touch something and can be scoped."""
    return tuple(action for action in of_service(service) if action.touches and action.scoped)


def services() -> list[str]:
    """Prefixes of all services."""
    return list(_table())


def is_wild(pattern: str) -> bool:
    """Whether a pattern has wildcards."""
    return not _WILD.isdisjoint(pattern)


def loosen(pattern: str) -> str:
    """A pattern without words that nearly every name has: `role/*-*` and `*e*` say no more than `role/*` and `*`."""
    return "".join(_loose(each) for each in re.split(r"([/:])", pattern))


def _loose(segment: str) -> str:
    if segment == "?":
        return segment  # no id of AWS's is one character, nor is a name that anybody would choose
    free = segment[:1] in _WILD and segment[-1:] in _WILD
    return "*" if free and sum(letter.isalnum() for letter in segment) < _TELLING else segment


def split(pattern: str) -> tuple[str, str]:
    """Service and name of an action pattern, in lower case. `*` alone stands for every service."""
    service, colon, name = pattern.strip().lower().partition(":")
    if colon:
        return service, name
    return ("", service) if service.strip("*?") else ("*", service)


@lru_cache(maxsize=4096)
def regex(pattern: str) -> re.Pattern[str]:
    """IAM's wildcards as a regular expression over the whole text: `*` any run, `?` any one character."""
    pieces = re.split(r"([*?])", re.sub(r"\*+", "*", pattern))
    return re.compile("".join({"*": ".*", "?": "."}.get(piece, re.escape(piece)) for piece in pieces), re.DOTALL)


@lru_cache(maxsize=4096)
def wide(pattern: str) -> bool:
    """Whether a pattern means every action: of AWS, or of a service, in whatever spelling (`*`, `S3:*`, `s3:?*`)."""
    service, name = split(pattern)
    if not is_wild(name):
        return False
    if not name.strip("*?"):
        return "*" in name
    found = of_service(service) if not is_wild(service) else ()
    # Some letter that every name has, as in `sqs:*e*`, is no restriction.
    return len(found) > 3 and all(regex(name).fullmatch(action.name.lower()) for action in found)


@lru_cache(maxsize=4096)
def reach(pattern: str) -> tuple[Action, ...]:
    """The actions that a pattern reaches."""
    service, name = split(pattern)
    if not is_wild(service):
        candidates: tuple[Action, ...] = of_service(service)
    else:
        matching = regex(service)
        candidates = tuple(action for each in services() if matching.fullmatch(each) for action in of_service(each))
    if not is_wild(name):
        return tuple(action for action in candidates if action.name.lower() == name)
    matches = regex(name).fullmatch
    return tuple(action for action in candidates if matches(action.name.lower()))
