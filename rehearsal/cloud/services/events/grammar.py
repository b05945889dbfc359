"""Which event patterns EventBridge takes.

Operators and operands: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html. What
the page does not word is refused as https://github.com/aws/event-ruler, which EventBridge runs, refuses it.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_SIGNS = ("=", "<", "<=", ">", ">=")
_BOUND = 5_000_000_000
# So many wildcards before one and the same character are not compiled: the states of a match grow with each.
_WILDCARDS_BEFORE_ONE_CHARACTER = 4


class PatternError(ValueError):
    """A pattern that is none, worded as EventBridge words it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Event pattern is not valid. Reason: {reason}")


def parse(text: str) -> dict[str, Any]:
    """A pattern as `patterns.matches` takes it: names joined by dots are nested objects. Raises PatternError."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PatternError(f"Invalid JSON: {error}") from error
    if not isinstance(pattern, dict) or not pattern:
        raise PatternError("Filter is not an object")
    _check_node(pattern, "")
    return _nested(pattern)


def _nested(node: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": …}` is `{"a": {"b": …}}`."""
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$or":
            made[key] = [_nested(alternative) for alternative in value]
            continue
        *parents, last = key.split(".")
        place = made
        for parent in parents:
            inner = place.setdefault(parent, {})
            place = inner if isinstance(inner, dict) else place.setdefault(parent + ".", {})
        found = _nested(value) if isinstance(value, dict) else value
        both = isinstance(found, dict) and isinstance(place.get(last), dict)
        place[last] = {**place[last], **found} if both else found
    return made


def _check_node(node: Mapping[str, Any], path: str) -> None:
    for key, value in node.items():
        where = f"{path}.{key}" if path else key
        if key == "$or":
            _check_alternatives(value, where)
        elif isinstance(value, dict):
            if not value:
                raise PatternError("Empty objects are not allowed")
            _check_node(value, where)
        elif not isinstance(value, list):
            raise PatternError(f'"{key}" must be an object or an array')
        elif not value:
            raise PatternError("Empty arrays are not allowed")
        else:
            for rule in value:
                _check_rule(rule)


def _check_alternatives(value: Any, where: str) -> None:
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(item, dict) and item for item in value):
        raise PatternError(f'"{where}" must be an array of two objects or more')
    for alternative in value:
        _check_node(alternative, where)


def _check_rule(rule: Any) -> None:
    if isinstance(rule, list):
        raise PatternError("Match value must be String, number, true, false, or null")
    if not isinstance(rule, dict):
        return
    if not rule:
        raise PatternError("Empty objects are not allowed")
    for operator, operand in rule.items():
        check = _OPERANDS.get(operator)
        if check is None:
            raise PatternError(f"Unrecognized match type {operator}")
        check(operand)
    if len(rule) > 1:
        raise PatternError("Only one key allowed in match expression")


def _text(operand: Any, operator: str) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{operator} match pattern must be a string")
    return operand


def _edge(operator: str) -> Callable[[Any], None]:
    """Of `prefix` and `suffix`: a text, or one whose case does not matter."""

    def check(operand: Any) -> None:
        if isinstance(operand, dict) and list(operand) == ["equals-ignore-case"]:
            operand = operand["equals-ignore-case"]
        _text(operand, operator)

    return check


def _wildcard(operand: Any) -> None:
    text = _text(operand, "wildcard")
    position = 0
    following: list[str] = []
    while position < len(text):
        if text[position] == "\\":
            if text[position + 1 : position + 2] not in ("*", "\\"):
                raise PatternError(f"Invalid escape character at pos {position}")
            position += 1
        elif text[position] == "*":
            if text[position + 1 : position + 2] == "*":
                raise PatternError(f"Consecutive wildcard characters at pos {position}")
            following.append(text[position + 1 : position + 2])
        position += 1
    if any(following.count(each) > _WILDCARDS_BEFORE_ONE_CHARACTER for each in set(following)):
        raise PatternError(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences "
            "after a wildcard character"
        )


def _cidr(operand: Any) -> None:
    text = _text(operand, "prefix")
    address, *mask = text.split("/")
    if len(mask) != 1:
        raise PatternError("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"-?\d+", mask[0]):
        raise PatternError("Malformed CIDR, mask bits must be an integer")
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        raise PatternError(f"Nonstandard IP address: {address}") from None
    if not 0 <= int(mask[0]) <= known.max_prefixlen:
        raise PatternError(f"Malformed CIDR, mask bits must be between 0 and {known.max_prefixlen}")


def _number(value: Any, sign: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PatternError(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    if not -_BOUND <= value <= _BOUND:
        raise PatternError("Value must be between -5.0E9 and 5.0E9, inclusive")
    return float(value)


def _numeric(operand: Any) -> None:
    """One comparison, or a lower and an upper bound."""
    if not isinstance(operand, list):
        raise PatternError("Value of numeric must be an array.")
    if not operand or operand[0] not in _SIGNS:
        raise PatternError(f"Unrecognized numeric range operator: {operand[0] if operand else ''}")
    first = _number(operand[1] if len(operand) > 1 else None, operand[0])
    if len(operand) <= 2:
        return
    if operand[0] not in (">", ">=") or operand[2] not in ("<", "<="):
        raise PatternError(f"Bad numeric range operator: {operand[2]}")
    if _number(operand[3] if len(operand) > 3 else None, operand[2]) <= first:
        raise PatternError("Bottom must be less than top")
    if len(operand) > 4:
        raise PatternError("Too many terms in numeric range expression")


def _anything_but(operand: Any) -> None:
    """A value, values, or one operator on texts."""
    if isinstance(operand, dict):
        _anything_but_operator(operand)
        return
    if isinstance(operand, list):
        if not operand:
            raise PatternError("Empty arrays are not allowed")
        if any(isinstance(value, bool | dict | list) or value is None for value in operand):
            raise PatternError("Inside anything but list, start|null|boolean is not supported.")
        if len({isinstance(value, str) for value in operand}) > 1:
            raise PatternError("Inside anything but list, either all values are number or string, mixed type is not "
                               "supported")  # fmt: skip
        return
    if isinstance(operand, bool) or not isinstance(operand, str | int | float):
        raise PatternError("Value of anything-but must be an array or single string/number value.")


def _anything_but_operator(operand: Mapping[str, Any]) -> None:
    if len(operand) != 1:
        raise PatternError("Only one key allowed in match expression")
    ((operator, inner),) = operand.items()
    if operator not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        raise PatternError(f"Unsupported anything-but pattern: {operator}")
    if isinstance(inner, dict) or inner == []:
        raise PatternError("Value of anything-but must be an array or single string/number value.")
    texts = inner if isinstance(inner, list) else [inner]
    for text in texts:
        if operator == "wildcard":
            _wildcard(text)
        elif operator == "equals-ignore-case":
            if not isinstance(text, str):
                raise PatternError(
                    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
                )
        elif not _text(text, "prefix/suffix"):
            raise PatternError("Null prefix/suffix not allowed")


def _exists(operand: Any) -> None:
    if not isinstance(operand, bool):
        raise PatternError("exists match pattern must be either true or false.")


def _ignore_case(operand: Any) -> None:
    _text(operand, "equals-ignore-case")


_OPERANDS: dict[str, Callable[[Any], None]] = {
    "prefix": _edge("prefix"),
    "suffix": _edge("suffix"),
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "cidr": _cidr,
    "numeric": _numeric,
    "anything-but": _anything_but,
    "exists": _exists,
}
