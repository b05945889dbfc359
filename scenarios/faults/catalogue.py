"""All faults there are: every module of this package may have some in its `FAULTS`."""

import difflib
import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from contracts.errors import UserError
from scenarios.faults.fault import Fault

_USAGE = 2


@cache
def faults() -> tuple[Fault, ...]:
    """Every fault, in the order of modules and of their tuples. Names are unique."""
    found: list[Fault] = []
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        found += getattr(importlib.import_module(f"{__package__}.{module.name}"), "FAULTS", ())
    names = [fault.name for fault in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"two faults have the name {twice[0]}"
    return tuple(found)


def denied_on_purpose(production: str) -> frozenset[tuple[str, str]]:
    """What faults take from roles: the role's name without the project's, and the action."""
    return frozenset(found for fault in faults() if (found := fault.at(production).denies))


def choose(names: Sequence[str]) -> tuple[Fault, ...]:
    """The faults of these names in the catalogue's order, each once; without names all.

    Raises UserError for a name that is none, with those that come near.
    """
    known = {fault.name: fault for fault in faults()}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}?" if near else "./glidepath faults --list shows all."
            raise UserError(f"there is no fault {name!r}. {hint}", code=_USAGE)
    return tuple(fault for fault in known.values() if not names or fault.name in names)
