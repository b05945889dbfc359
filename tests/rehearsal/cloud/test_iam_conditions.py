"""Condition operators one by one, at their edges, and the laws that bind them to each other."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.policy_language.conditions import parse_conditions


def holds(operator: str, wanted: Any, context: Mapping[str, tuple[str, ...]], key: str = "a:Key") -> bool:
    (clause,) = parse_conditions({operator: {key: wanted}}, variables=True)
    return clause.holds(context)


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("stringequals", "a", "a", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "a*", "a*", True),
        ("StringEqualsIgnoreCase", "straße", "STRASSE", True),
        ("StringLike", "a?c*", "abcd", True),
        ("StringLike", "a?c", "ac", False),
        ("StringLike", "A*", "abc", False),
        ("StringLike", "*", "", True),
        ("StringLike", "a${*}", "a*", True),
        ("StringLike", "a${*}", "ab", False),
        ("StringNotLike", "a*", "abc", False),
        ("ArnLike", "arn:aws:iam::*:role/x*", "arn:aws:iam::1:role/xy", True),
        ("ArnEquals", "arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", True),
        ("ArnLike", "arn:aws:*:role/x", "arn:aws:iam::1:role/x", False),
        ("ArnLike", "arn:aws:iam::1:*", "arn:aws:iam::1:a:b/c", True),
        ("ArnLike", "arn:aws:iam::1:role/x", "x", False),
        ("StringLike", "arn:aws:*:role/x", "arn:aws:iam::1:role/x", True),
        ("NumericEquals", "5", "5.0", True),
        ("NumericEquals", 5, "5", True),
        ("NumericLessThan", "5", "-1e3", True),
        ("NumericLessThan", "5", "5", False),
        ("NumericLessThanEquals", "5", "5", True),
        ("NumericGreaterThan", "5", "five", False),
        ("NumericGreaterThan", "5", "NaN", False),
        ("NumericLessThan", "5", "Infinity", False),
        ("NumericEquals", "1000", "1_000", False),
        ("NumericNotEquals", "5", "6", True),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", True),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+02:00", False),
        ("DateEquals", "2026", "2026-01-01T00:00:00Z", True),
        ("DateEquals", "2026-02", "2026-02-01", True),
        ("DateLessThan", "1767225600", "2025-12-31T23:59:59Z", True),
        ("DateLessThan", "2026-01-01", "yesterday", False),
        ("DateLessThan", "2026-01-01", "NaN", False),
        ("Bool", "true", "TRUE", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "?", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.1", "10.0.0.1", True),
        ("IpAddress", "10.0.0.1", "10.0.0.2", False),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "2001:db8::/32", "10.0.0.1", False),
        ("NotIpAddress", "10.0.0.0/8", "11.0.0.1", True),
    ],
)
def test_one_value(operator: str, wanted: Any, actual: str, expected: bool) -> None:
    assert holds(operator, wanted, {"a:key": (actual,)}) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAllValues:StringNotEquals", True),
        ("ForAnyValue:StringEqualsIfExists", True),
        ("ArnLike", False),
        ("ArnNotLike", True),
        ("NumericLessThan", False),
        ("NumericNotEquals", True),
        ("DateLessThan", False),
        ("Bool", False),
        ("BoolIfExists", True),
        ("IpAddress", False),
        ("NotIpAddress", True),
        ("BinaryEquals", False),
    ],
)
@pytest.mark.parametrize("context", [{}, {"a:key": ()}, {"a:keys": ("x",)}], ids=["none", "empty", "another"])
def test_a_key_that_is_missing(operator: str, expected: bool, context: Mapping[str, tuple[str, ...]]) -> None:
    assert holds(operator, "x", context) is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ("a", "b"), True),
        ("ForAllValues:StringEquals", ["a"], ("a", "b"), False),
        ("ForAnyValue:StringEquals", ["a"], ("a", "b"), True),
        ("ForAnyValue:StringEquals", ["c"], ("a", "b"), False),
        ("ForAllValues:StringNotEquals", ["a"], ("b", "c"), True),
        ("ForAllValues:StringNotEquals", ["a"], ("a", "c"), False),
        ("ForAnyValue:StringNotEquals", ["a"], ("a", "c"), True),
        ("ForAnyValue:StringNotEquals", ["a", "c"], ("a", "c"), False),
        ("StringNotEquals", ["a", "b"], ("c",), True),
        ("StringNotEquals", ["a", "b"], ("b",), False),
        ("forallvalues:stringlike", ["a*"], ("ab", "ac"), True),
    ],
)
def test_many_values(operator: str, wanted: list[str], actual: tuple[str, ...], expected: bool) -> None:
    assert holds(operator, wanted, {"a:key": actual}) is expected


@pytest.mark.parametrize(
    ("wanted", "present", "expected"),
    [("true", False, True), ("true", True, False), ("false", True, True), ("false", False, False), (True, False, True)],
)
def test_null(wanted: Any, present: bool, expected: bool) -> None:
    assert holds("Null", wanted, {"a:key": ("x",)} if present else {}) is expected


@pytest.mark.parametrize(
    ("wanted", "context", "expected"),
    [
        ("${aws:username}", {"aws:username": ("me",), "a:key": ("me",)}, True),
        ("${AWS:UserName}", {"aws:username": ("me",), "a:key": ("me",)}, True),
        ("${aws:username}", {"a:key": ("me",)}, False),
        ("${aws:username, 'nobody'}", {"a:key": ("nobody",)}, True),
        ("${aws:username, 'nobody'}", {"aws:username": ("me",), "a:key": ("nobody",)}, False),
        ("${aws:username}", {"aws:username": ("*",), "a:key": ("me",)}, False),
        ("x-${aws:username}-*", {"aws:username": ("m*",), "a:key": ("x-m*-1",)}, True),
    ],
)
def test_variables(wanted: str, context: Mapping[str, tuple[str, ...]], expected: bool) -> None:
    assert holds("StringLike", wanted, context) is expected


def test_variables_are_plain_text_in_old_documents() -> None:
    (clause,) = parse_conditions({"StringEquals": {"a:key": "${aws:username}"}}, variables=False)
    assert clause.holds({"a:key": ("${aws:username}",), "aws:username": ("me",)})


NAMES = st.sampled_from(
    ["StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnLike", "NumericEquals", "DateEquals", "IpAddress"]
)
NEGATED = {
    "StringEquals": "StringNotEquals",
    "StringLike": "StringNotLike",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "ArnLike": "ArnNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
}
VALUE = st.sampled_from(
    ["a", "A", "a*", "5", "5.0", "2026", "10.0.0.1", "10.0.0.0/8", "arn:aws:s3:::a", "arn:aws:s3:::*", ""]
)
VALUES = st.lists(VALUE, min_size=1, max_size=3)
ACTUAL = st.lists(VALUE, max_size=3).map(tuple)


@given(NAMES, VALUES, VALUE)
def test_a_negated_operator_is_the_opposite_for_one_value(name: str, wanted: list[str], actual: str) -> None:
    context = {"a:key": (actual,)}
    assert holds(NEGATED[name], wanted, context) is not holds(name, wanted, context)


@given(NAMES, VALUES, ACTUAL)
def test_for_any_of_one_is_not_for_all_of_its_opposite(name: str, wanted: list[str], actual: tuple[str, ...]) -> None:
    context = {"a:key": actual}
    assert holds(f"ForAnyValue:{name}", wanted, context) is not holds(f"ForAllValues:{NEGATED[name]}", wanted, context)


@given(NAMES, VALUES, ACTUAL, st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]))
def test_if_exists_is_the_operator_or_a_missing_key(
    name: str, wanted: list[str], actual: tuple[str, ...], quantifier: str
) -> None:
    context = {"a:key": actual}
    expected = not actual or holds(f"{quantifier}{name}", wanted, context)
    assert holds(f"{quantifier}{name}IfExists", wanted, context) is expected


@given(NAMES, VALUES, VALUES, ACTUAL)
def test_more_wanted_values_never_close(name: str, some: list[str], more: list[str], actual: tuple[str, ...]) -> None:
    context = {"a:key": actual}
    assert not holds(name, some, context) or holds(name, [*some, *more], context)


@given(NAMES, VALUES, ACTUAL, st.text("aAkK:eEyY", min_size=1, max_size=6))
def test_keys_and_operators_know_no_case(name: str, wanted: list[str], actual: tuple[str, ...], key: str) -> None:
    context = {key.lower(): actual}
    assert holds(name.upper(), wanted, context, key.upper()) is holds(name, wanted, context, key)
