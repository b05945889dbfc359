"""The words in which the tables say what a value must be: each makes a test that answers why a value is refused.

Messages follow terraform-plugin-sdk (helper/validation) and the provider's internal/verify, so that what is read in a
rehearsal is what AWS's provider says.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]
# The members of an enum, by botocore's name for the service and the shape.
Enums = Callable[[str, str], Collection[str]]
# (terraform's name of the property, value, enums) -> the reason of a refusal.
Test = Callable[[str, Any, Enums], str | None]
Relation = Callable[[Values], list[tuple[str, str]]]

# internal/verify/validate.go: accountIDRegexp, partitionRegexp, regionRegexp.
_ACCOUNT = re.compile(r"(aws|aws-managed|third-party|aws-marketplace|\d{12}|cw.{10})")
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")


@dataclass(frozen=True)
class Rules:
    """The rules of one type: its source, tests by property path, and what holds between properties."""

    source: str
    tests: Mapping[str, Test] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()


def between(low: float, high: float) -> Test:
    """validation.IntBetween, FloatBetween."""

    def test(name: str, value: Any, _: Enums) -> str | None:
        number = _number(value)
        if number is None or low <= number <= high:
            return None
        return f"expected {name} to be in the range ({low:g} - {high:.0f}), got {_plain(value)}"

    return test


def at_least(low: float) -> Test:
    """validation.IntAtLeast."""

    def test(name: str, value: Any, _: Enums) -> str | None:
        number = _number(value)
        return (
            None
            if number is None or number >= low
            else f"expected {name} to be at least ({low:g}), got {_plain(value)}"
        )

    return test


def length(low: int, high: int) -> Test:
    """validation.StringLenBetween."""

    def test(name: str, value: Any, _: Enums) -> str | None:
        if not isinstance(value, str) or low <= len(value) <= high:
            return None
        return f"expected length of {name} to be in the range ({low} - {high}), got {_plain(value)}"

    return test


def one_of(*words: str | float) -> Test:
    """validation.StringInSlice, IntInSlice, enum.Validate."""

    def test(name: str, value: Any, _: Enums) -> str | None:
        return None if value in words else _not_among(name, value, words)

    return test


def enum(service: str, shape: str) -> Test:
    """enum.Validate of the provider's SDK for Go. botocore's models are made from the same ones, so the list is that
    of the installed botocore: a little newer or older than the provider's."""

    def test(name: str, value: Any, enums: Enums) -> str | None:
        words = enums(service, shape)
        return None if value in words else _not_among(name, value, words)

    return test


def _not_among(name: str, value: Any, words: Collection[Any]) -> str:
    shown = " ".join(json.dumps(word) for word in list(words)[:40])
    more = f" and {len(words) - 40} more" if len(words) > 40 else ""
    return f"expected {name} to be one of [{shown}{more}], got {_plain(value)}"


def pattern(expression: str, words: str) -> Test:
    """validation.StringMatch: the whole value must match."""

    def test(name: str, value: Any, _: Enums) -> str | None:
        if not isinstance(value, str) or _compiled(expression).fullmatch(value):
            return None
        return f"invalid value for {name} ({words}), got {_plain(value)}"

    return test


@functools.cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def arn(name: str, value: Any, _: Enums) -> str | None:
    """verify.ValidARN: an empty string passes."""
    if not isinstance(value, str) or not value:
        return None
    parts = value.split(":", 5)
    wrong = _wrong_arn(parts)
    return f'"{name}" ({value}) is an invalid ARN: {wrong}' if wrong else None


def _wrong_arn(parts: list[str]) -> str:
    if parts[0] != "arn":
        return "arn: invalid prefix"
    if len(parts) < 6:
        return "arn: not enough sections"
    _, partition, _, region, account, resource = parts
    if not _PARTITION.fullmatch(partition):
        return f"invalid partition value (expecting to match regular expression: {_PARTITION.pattern})"
    if region and not _REGION.fullmatch(region):
        return f"invalid region value (expecting to match regular expression: {_REGION.pattern})"
    if account and not _ACCOUNT.fullmatch(account):
        return f"invalid account ID value (expecting to match regular expression: {_ACCOUNT.pattern})"
    return "" if resource else "missing resource value"


def account_id(name: str, value: Any, _: Enums) -> str | None:
    """verify.ValidAccountID."""
    if not isinstance(value, str) or not value or re.fullmatch(r"\d{12}", value):
        return None
    return f"{name} must be an account ID of 12 digits, got {_plain(value)}"


def json_text(name: str, value: Any, _: Enums) -> str | None:
    """validation.StringIsJSON."""
    wrong = _json_error(value)
    return f'"{name}" contains an invalid JSON: {wrong}' if wrong else None


def iam_policy(name: str, value: Any, _: Enums) -> str | None:
    """verify.ValidIAMPolicyJSON: an object; never empty."""
    if not isinstance(value, str):
        return None
    if not value.strip():
        return f'"{name}" is an empty string, which is not a valid JSON value'
    if not value.lstrip().startswith("{"):
        return f'"{name}" contains an invalid JSON policy: contents are not an object, got {_plain(value)}'
    wrong = _json_error(value)
    return f'"{name}" contains an invalid JSON policy: {wrong}' if wrong else None


def _json_error(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    try:
        json.loads(value)
    except ValueError as error:
        return str(error)
    return ""


def items(low: int, high: int, each: Test | None = None) -> Test:
    """MinItems and MaxItems of a list, and what each member must be."""

    def test(name: str, value: Any, enums: Enums) -> str | None:
        if not isinstance(value, list):
            return None
        if len(value) < low:
            return (
                f"not enough list items: {name} requires {low} item minimum, but config has only {len(value)} declared"
            )
        if len(value) > high:
            return f"too many list items: {name} supports {high} item maximum, but config has {len(value)} declared"
        return next((why for item in value if each and _known(item) and (why := each(name, item, enums))), None)

    return test


def both(*tests: Test) -> Test:
    """validation.All."""

    def test(name: str, value: Any, enums: Enums) -> str | None:
        return next((why for one in tests if (why := one(name, value, enums))), None)

    return test


def conflict(*names: str) -> Relation:
    """ConflictsWith: the first of these properties excludes each of the others."""

    def relation(given: Values) -> list[tuple[str, str]]:
        there = [name for name in names if given.get(name) not in (None, "", [], {})]
        if names[0] not in there or len(there) < 2:
            return []
        return [(names[0], f'"{snake(names[0])}": conflicts with {snake(there[1])}')]

    return relation


def at_least_one(*names: str) -> Relation:
    """AtLeastOneOf, or RequiredWith's like in a CustomizeDiff."""

    def relation(given: Values) -> list[tuple[str, str]]:
        if any(given.get(name) is not None for name in names):
            return []
        return [(names[0], f"one of `{','.join(map(snake, names))}` must be specified")]

    return relation


def snake(name: str) -> str:
    """Terraform's name of a property."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _known(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, dict, list))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return value if isinstance(value, (int, float)) else None


def _plain(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."
