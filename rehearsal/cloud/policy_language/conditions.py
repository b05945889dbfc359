"""Condition blocks: every operator of IAM, its quantifiers and `IfExists`."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rehearsal.cloud.policy_language.template import Context, Template, template

Matcher = Callable[[str, Template, Context], bool]


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_MISSING = {4: "-01-01", 7: "-01"}
"""A year, or a year and month, stand for their first day."""


class PolicyError(ValueError):
    """A policy document that IAM would not accept."""


@dataclass(frozen=True)
class Clause:
    """One operator with one key. `negated` operators hold where no value matches."""

    operator: str
    key: str
    name: str
    """The key as it is written; `key` is in lower case."""
    values: tuple[Template, ...]
    matches: Matcher
    negated: bool
    quantifier: str
    """`all`, `any`, or empty."""
    if_exists: bool

    def holds(self, context: Context) -> bool:
        actual = context.get(self.key)
        if self.operator == "null":
            absent = not actual
            return any((value.literal.lower() == "true") == absent for value in self.values)
        if not actual:
            return self._holds_without_key()
        if self.quantifier == "all":
            return all(self._accepts(value, context) for value in actual)
        if self.quantifier == "any" or not self.negated:
            return any(self._accepts(value, context) for value in actual)
        return all(self._accepts(value, context) for value in actual)

    def _holds_without_key(self) -> bool:
        if self.if_exists or self.quantifier == "all":
            return True
        return self.negated and self.quantifier != "any"

    def _accepts(self, actual: str, context: Context) -> bool:
        return any(self.matches(actual, value, context) for value in self.values) != self.negated


def parse_conditions(block: Any, *, variables: bool) -> tuple[Clause, ...]:
    """The clauses of a Condition element, all of which must hold. Raises PolicyError."""
    if block is None:
        return ()
    if not isinstance(block, Mapping):
        raise PolicyError("Condition must be an object")
    return tuple(
        _clause(str(operator), str(key), values, variables)
        for operator, keys in block.items()
        for key, values in _pairs(operator, keys)
    )


def _pairs(operator: Any, keys: Any) -> Iterable[tuple[Any, Any]]:
    if not isinstance(keys, Mapping):
        raise PolicyError(f"Condition {operator} must be an object of keys")
    return keys.items()


def _clause(operator: str, key: str, values: Any, variables: bool) -> Clause:
    quantifier, name = _quantifier(operator)
    if_exists = name.lower().endswith("ifexists")
    name = name[: -len("IfExists")] if if_exists else name
    found = _OPERATORS.get(name.lower())
    if found is None or (name.lower() == "null" and if_exists):
        raise PolicyError(f"unknown condition operator {operator}")
    matches, negated = found
    with_variables = variables and name.lower().startswith(("string", "arn"))
    listed = values if isinstance(values, list) else [values]
    templates = tuple(template(_text(value), variables=with_variables) for value in listed)
    return Clause(name.lower(), key.lower(), key, templates, matches, negated, quantifier, if_exists)


def _quantifier(operator: str) -> tuple[str, str]:
    prefix, colon, rest = operator.partition(":")
    if not colon:
        return "", operator
    quantifier = {"forallvalues": "all", "foranyvalue": "any"}.get(prefix.lower())
    if quantifier is None:
        raise PolicyError(f"unknown condition operator {operator}")
    return quantifier, rest


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise PolicyError(f"a condition value must be text, a number or a boolean, not {value!r}")


# --- comparisons -----------------------------------------------------------------------------------------------------


def _string_equals(actual: str, wanted: Template, context: Context) -> bool:
    return wanted.equals(actual, context)


def _string_equals_ignore_case(actual: str, wanted: Template, context: Context) -> bool:
    return wanted.equals(actual, context, fold=True)


def _string_like(actual: str, wanted: Template, context: Context) -> bool:
    return wanted.like(actual, context)


def _arn_like(actual: str, wanted: Template, context: Context) -> bool:
    return wanted.arn_like(actual, context)


def _bool(actual: str, wanted: Template, context: Context) -> bool:
    return actual.lower() == wanted.literal.lower()


def _binary(actual: str, wanted: Template, context: Context) -> bool:
    try:
        return base64.b64decode(actual, validate=True) == base64.b64decode(wanted.literal, validate=True)
    except binascii.Error:
        return False


def _ip(actual: str, wanted: Template, context: Context) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted.literal, strict=False)
    except ValueError:
        return False


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> datetime | None:
    number = _number(text)
    try:
        if number is not None and len(text) > 4:
            return datetime.fromtimestamp(float(number), UTC)
        found = datetime.fromisoformat(text + _MISSING.get(len(text), ""))
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _ordered(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Matcher:
    def matches(actual: str, wanted: Template, context: Context) -> bool:
        left, right = read(actual), read(wanted.literal)
        return left is not None and right is not None and compare(left, right)

    return matches


_OPERATORS: dict[str, tuple[Matcher, bool]] = {
    "stringequals": (_string_equals, False),
    "stringnotequals": (_string_equals, True),
    "stringequalsignorecase": (_string_equals_ignore_case, False),
    "stringnotequalsignorecase": (_string_equals_ignore_case, True),
    "stringlike": (_string_like, False),
    "stringnotlike": (_string_like, True),
    "arnequals": (_arn_like, False),
    "arnlike": (_arn_like, False),
    "arnnotequals": (_arn_like, True),
    "arnnotlike": (_arn_like, True),
    "bool": (_bool, False),
    "binaryequals": (_binary, False),
    "ipaddress": (_ip, False),
    "notipaddress": (_ip, True),
    "null": (_bool, False),
}
for _kind, _read in (("numeric", _number), ("date", _date)):
    _OPERATORS |= {
        f"{_kind}equals": (_ordered(_read, lambda a, b: a == b), False),
        f"{_kind}notequals": (_ordered(_read, lambda a, b: a == b), True),
        f"{_kind}lessthan": (_ordered(_read, lambda a, b: a < b), False),
        f"{_kind}lessthanequals": (_ordered(_read, lambda a, b: a <= b), False),
        f"{_kind}greaterthan": (_ordered(_read, lambda a, b: a > b), False),
        f"{_kind}greaterthanequals": (_ordered(_read, lambda a, b: a >= b), False),
    }
