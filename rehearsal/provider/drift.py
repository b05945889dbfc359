"""What a read makes of the inputs: those of a thing that was found, and those that no longer hold."""

from __future__ import annotations

from typing import Any

from rehearsal.provider import differ
from rehearsal.provider.resource import ResourceType, Values
from rehearsal.provider.values import reveal


def imported(kind: ResourceType, outputs: Values) -> Values:
    """The inputs that describe a thing found in AWS."""
    inputs = kind.schema.inputs
    return {
        key: value
        for key, value in outputs.items()
        if key in inputs
        and key not in kind.write_only
        and not differ.is_zero(value)
        and not differ.same(kind.defaults.get(key), value, kind.semantics, key)
        and (key not in kind.schema.computed or kind.forces_replacement(key) or key == "tags")
    }


def drifted(kind: ResourceType, given: Values, state: Values, observed: Values) -> Values:
    """The program's inputs, with AWS's values where they no longer hold."""
    result: Values = {}
    for key, prop in kind.schema.inputs.items():
        if key in kind.write_only or key == "region":
            result[key] = given.get(key)
            continue
        was = reveal(given.get(key))
        now, recorded = observed.get(key), state.get(key)
        if was is not None:
            held = differ.overlay(was, recorded, now, kind.semantics, key)
            result[key] = given[key] if differ.same(was, held, kind.semantics, key) else held
        elif now is not None and _strayed(kind, key, prop, recorded, now, bool(state)):
            result[key] = now
    return {key: value for key, value in result.items() if value is not None}


def _strayed(kind: ResourceType, key: str, prop: Any, recorded: Any, now: Any, has_state: bool) -> bool:
    """Whether a property the program does not set was changed by someone."""
    if key in kind.schema.computed and key != "tags":
        return False
    if differ.same(kind.defaults.get(key), now, kind.semantics, key):
        return False
    return has_state and not differ.same(recorded, now, kind.semantics, key)
