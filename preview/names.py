"""Readable names in the place of ids that AWS or Pulumi's auto-naming made up.

A key's id, an API's id and the name of a release's endpoint differ from one account to the next, and the name of what
is yet to be made from one preview to the next. In a report the logical name stands in their place, in angle quotes,
with `new` before it where the thing is yet to be made.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from preview.plan import UNKNOWN, Plan, Resource, Step

NEW = "‹new "
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_API_ID = re.compile(r"[a-z0-9]{10}")
_NAMES = ("name", "bucket", "statementId", "keyId", "id")
_MADE = ("create", "replace", "import")


@dataclass(frozen=True)
class Names:
    """What is written in the place of what. `words` maps an id to its readable form."""

    words: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        longest_first = sorted(self.words, key=lambda word: (-len(word), word))
        return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def of(self, value: Any) -> Any:
        """The value with readable names, in texts at any depth (keys of objects stay)."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {key: self.of(each) for key, each in value.items()}
        return [self.of(each) for each in value] if isinstance(value, list) else value

    def _text(self, text: str) -> str:
        pattern = self._pattern
        if pattern is None or text == UNKNOWN:
            return text
        return pattern.sub(lambda found: self.words[found[0]], text)


def names_of(*plans: Plan) -> Names:
    """The readable names for everything in these plans of one stack."""
    words: dict[str, str] = {}
    for plan in plans:
        for step in plan.steps:
            words |= dict(_made(step))
    for plan in plans:
        for step in plan.steps:
            words |= dict(_there(step.old))
    return Names(words)


def _made(step: Step) -> Iterable[tuple[str, str]]:
    """Names that are invented for what is to be made: another one in every preview."""
    if step.op not in _MADE or step.new is None:
        return
    kept = set(map(str, step.old.known.values())) if step.old and step.op != "replace" else set()
    for key in step.new.inputs.get("__defaults") or ():
        value = step.new.inputs.get(key)
        if isinstance(value, str) and value not in kept and _auto_named(value, step.name):
            yield value, f"{NEW}{step.name}›"


def _there(resource: Resource | None) -> Iterable[tuple[str, str]]:
    if resource is None or not resource.custom:
        return
    candidates = [resource.id, *(resource.known.get(key) for key in _NAMES)]
    for value in candidates:
        if isinstance(value, str) and _made_up(value, resource):
            yield value, f"‹{resource.name}›"


def _made_up(value: str, resource: Resource) -> bool:
    if _UUID.fullmatch(value) or _auto_named(value, resource.name):
        return True
    return resource.type.startswith("aws:apigateway/") and _API_ID.fullmatch(value) is not None


def _auto_named(value: str, logical: str) -> bool:
    """Pulumi's auto-naming: the logical name, possibly cut, and seven hex digits."""
    stem, dash, digits = value.rpartition("-")
    return bool(dash and stem and re.fullmatch(r"[0-9a-f]{7}", digits)) and logical.lower().startswith(stem.lower())
