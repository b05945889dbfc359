"""Does an event match a pattern? Pure functions over patterns as `grammar.parse` makes them."""

import functools
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from rehearsal.cloud.services.events.grammar import parse

_MISSING = object()


@functools.lru_cache(maxsize=512)
def compiled(text: str) -> dict[str, Any]:
    """A pattern parsed, once for all events. Raises PatternError."""
    return parse(text)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Does an event match a pattern?"""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(alternative, event) for alternative in wanted):
                return False
        elif not _matches_field(wanted, _field(event, key)):
            return False
    return True


def _field(event: Mapping[str, Any], key: str) -> Any:
    """What stands below a name: an event may have joined it with the next by a dot, as a pattern may."""
    if key in event:
        return event[key]
    below = {name[len(key) + 1 :]: value for name, value in event.items() if name.startswith(f"{key}.")}
    return below or _MISSING


def _matches_field(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, Mapping):
        # An array of objects matches when one of them does.
        candidates = actual if isinstance(actual, list) else [{} if actual is _MISSING else actual]
        return any(isinstance(item, Mapping) and matches(wanted, item) for item in candidates)
    values = actual if isinstance(actual, list) else [actual]
    return any(_matches_one(rule, value) for rule in wanted for value in (values or [_MISSING]))


def _matches_one(rule: Any, value: Any) -> bool:
    if not isinstance(rule, Mapping):
        return value is not _MISSING and _same(rule, value)
    ((operator, operand),) = rule.items()
    if operator == "exists":
        # "Exists matching only works on leaf nodes."
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
        return (value is not _MISSING and not isinstance(value, Mapping)) == bool(operand)
    if value is _MISSING:
        return False
    return bool(_OPERATORS[operator](operand, value))


def _same(rule: Any, value: Any) -> bool:
    if isinstance(rule, bool) or isinstance(value, bool) or rule is None or value is None:
        return rule is value
    return bool(rule == value)


def _prefix(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.lower().startswith(str(operand["equals-ignore-case"]).lower())
    return isinstance(value, str) and value.startswith(operand)


def _suffix(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.lower().endswith(str(operand["equals-ignore-case"]).lower())
    return isinstance(value, str) and value.endswith(operand)


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        ((operator, inner),) = operand.items()
        options = inner if isinstance(inner, list) else [inner]
        return not any(_OPERATORS[operator](option, value) for option in options)
    options = operand if isinstance(operand, list) else [operand]
    return not any(_same(option, value) for option in options)


def _numeric(operand: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    comparisons = {
        "=": lambda a, b: a == b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    return all(comparisons[operand[i]](value, operand[i + 1]) for i in range(0, len(operand), 2))


def _wildcard(operand: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    parts = [part.replace("\\*", "*").replace("\\\\", "\\") for part in re.split(r"(?<!\\)\*", operand)]
    return re.fullmatch(".*".join(map(re.escape, parts)), value, re.DOTALL) is not None


def _cidr(operand: str, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


def _equals_ignore_case(operand: str, value: Any) -> bool:
    return isinstance(value, str) and value.lower() == operand.lower()


_OPERATORS = {
    "prefix": _prefix,
    "suffix": _suffix,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "wildcard": _wildcard,
    "cidr": _cidr,
    "equals-ignore-case": _equals_ignore_case,
}
