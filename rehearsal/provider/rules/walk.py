"""Applies a type's rules to inputs: only to what is known, and without printing what is secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rehearsal.provider.rules.vocabulary import Enums, Rules, Values, snake
from rehearsal.provider.values import UNKNOWN, Secret, reveal


def broken(rules: Rules, inputs: Values, enums: Enums) -> list[tuple[str, str]]:
    """What the provider would refuse, as (property path, reason)."""
    failures: list[tuple[str, str]] = []
    for path, test in rules.tests.items():
        parts = path.split(".")
        name = snake(parts[-1])
        for at, value, secret in _values(inputs, parts, "", False):
            why = test(name, value, enums)
            if why:
                failures.append((at, f"{name} does not fit (its value is secret)" if secret else why))
    if rules.relations:
        plain = reveal(inputs)
        failures += [failure for relation in rules.relations for failure in relation(plain)]
    return failures


def _values(node: Any, parts: list[str], at: str, secret: bool) -> Iterator[tuple[str, Any, bool]]:
    """The values at a path, with the index of each member of a list on the way."""
    if isinstance(node, Secret):
        node, secret = node.value, True
    if node is None or node is UNKNOWN:
        return
    if not parts:
        yield at, node, secret
    elif isinstance(node, list):
        for i, item in enumerate(node):
            yield from _values(item, parts, f"{at}[{i}]", secret)
    elif isinstance(node, dict):
        yield from _values(node.get(parts[0]), parts[1:], f"{at}.{parts[0]}" if at else parts[0], secret)
