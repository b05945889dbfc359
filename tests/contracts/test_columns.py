"""Columns as config declares them."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.columns import Column, parse_column, parse_columns, sql_name
from contracts.dataset import parse_dataset
from contracts.fields import FieldError
from contracts.format import parse_format
from contracts.timestamps import parse_layout, parse_moment
from tests.functions.reading import document


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("total", "total"), ("Total", "Total"), ("Total Amount", "total_amount"), ("größe", "grosse"), ("1st", "c_1st"),
        ("order", "c_order"), ("ORDER", "c_order"), ("trip-id", "trip_id"), ("Distance [km]", "distance_km"),
        ("日本", "c_"),
        ("is", "c_is"), ("row", "c_row"), ("Update", "c_update"), ("a" * 80, "a" * 60), ("élan vital", "elan_vital"),
    ],
)  # fmt: skip
def test_any_name_has_one_that_sql_can_have(header: str, name: str) -> None:
    assert sql_name(header) == name


def test_a_type_alone_is_the_short_form() -> None:
    assert parse_column("total", "number", "x") == Column("total", "total", "number")
    assert parse_column("note", "string", "x") == Column("note", "note", "text", nullable=True)
    assert parse_column("total", {"type": "number"}, "x") == parse_column("total", "number", "x")


def test_everything_that_can_be_declared() -> None:
    given = {"type": "integer", "as": "seats", "nullable": True, "maxNullShare": 0.1, "min": 1, "max": 9,
             "unit": "people", "allowed": [1, 2], "unique": True}  # fmt: skip
    assert parse_column("Seats taken", given, "x") == Column(
        "seats", "Seats taken", "integer", True, 1.0, 9.0, ("1", "2"), "", True, "people", 0.1
    )
    when = parse_column("at", {"type": "timestamp", "zone": "Europe/Berlin", "format": "dd.MM.yyyy HH:mm"}, "x")
    assert when.zone == "Europe/Berlin"
    assert when.layout is not None
    assert dict(when.layout.places) == {"dd": 1, "MM": 4, "yyyy": 7, "HH": 12, "mm": 15}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("float", "x: 'float' must be one of number, integer, timestamp, boolean, category, text, string"),
        ({"type": "number", "zone": "UTC"}, "x.zone: is for timestamps, not for number"),
        ({"type": "number", "pattern": "a"}, "x.pattern: is for category and text, not for number"),
        ({"type": "number", "allowed": ["1"]}, "x.allowed: is for integer, category and text, not for number"),
        ({"type": "integer", "allowed": ["1) OR (1=1"]}, r"x.allowed: '1\) OR \(1=1' must be a whole number"),
        ({"type": "text", "min": 1}, "x.min: is for numbers and timestamps, not for text"),
        ({"type": "text", "pattern": "("}, r"x.pattern: '\(' is not a regular expression"),
        (
            {"type": "text", "pattern": "(?=a)"},
            r"x.pattern: .* has '\(\?=', which engines read differently, or not at all",
        ),
        ({"type": "text", "pattern": "a++"}, r"x.pattern: .* has '\+\+'"),
        ({"type": "text", "pattern": "[[:alpha:]]"}, r"x.pattern: .* has '\[\['"),
        ({"type": "text", "pattern": "[a&&b]"}, "x.pattern: .* has '&&'"),
        ({"type": "text", "pattern": "a{,3}"}, "x.pattern: .* has '{,'"),
        ({"type": "text", "pattern": r"a\Z"}, r"x.pattern: .* has '\\\\Z'"),
        ({"type": "timestamp", "zone": "localtime"}, "x.zone: 'localtime' must be UTC or a time zone"),
        ({"type": "timestamp", "min": "2019-03-23 20:00", "max": "2019-03-23T10:00"}, "x.min: .* is above max"),
        ({"type": "number", "min": 2, "max": 1}, "x.min: 2.0 is above max, 1.0"),
        ({"type": "timestamp", "min": "yesterday"}, "x.min: 'yesterday' must be a time in UTC like .*, or now"),
        ({"type": "timestamp", "zone": "Mars/Base"}, "x.zone: 'Mars/Base' is not a time zone like Europe/Berlin"),
        ({"type": "timestamp", "format": "dd.MM.yy"}, "x.format: 'dd.MM.yy' must be made of yyyy, MM, dd"),
        ({"type": "timestamp", "format": "yyyy-MM"}, "x.format: 'yyyy-MM' lacks dd"),
        ({"type": "timestamp", "format": "yyyy-MM-dd ss"}, "x.format: .* lacks mm"),
        ({"type": "timestamp", "format": "yyyy-MM-dd'T'HH"}, 'x.format: .* has "\'" between its parts'),
        ({"type": "number", "nullable": "yes"}, "x.nullable: must be true or false"),
        ({"type": "number", "nullable": False, "maxNullShare": 0.1}, "x.maxNullShare: contradicts nullable: false"),
        ({"type": "number", "maxNullShare": 2}, "x.maxNullShare: must be a share from 0 to 1, not 2"),
        ({"type": "number", "as": "order"}, "x.as: 'order' is a word of SQL: take another"),
        ({"type": "number", "least": 1}, "x.least: is not known here"),
    ],
)
def test_refuses(given: Any, reason: str) -> None:
    with pytest.raises(FieldError, match=f"^{reason}"):
        parse_column("a", given, "x")


def test_two_columns_have_two_names() -> None:
    with pytest.raises(FieldError, match="is total_amount in SQL, as 'Total Amount' is: give one of them another name"):
        parse_columns({"Total Amount": "number", "total_amount": "number"}, "columns")
    with pytest.raises(FieldError, match=r"is (total|Total) in SQL"):
        parse_columns({"Total": "number", "total": "number"}, "columns")


@pytest.mark.parametrize("header", ["", " a", "a ", "a\nb", "\x00"])
def test_no_header_has_spaces_around_it_or_control_characters(header: str) -> None:
    with pytest.raises(FieldError):
        parse_column(header, "number", "x")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rules": [{"name": "a", "sql": "SELECT 1"}]}, r"rules\[0\].sql: has 'SELECT': write one condition"),
        ({"rules": [{"name": "a", "sql": "  "}]}, "must be a condition"),
        ({"rules": [{"name": "a", "sql": "(TABLE lots) > 'z'"}]}, "has 'TABLE'"),
        ({"rules": [{"name": "a", "sql": "EXISTS (FROM lots)"}]}, "has 'EXISTS'"),
        ({"rules": [{"name": "a", "sql": "DAYOFWEEK(pickup) <> 1"}]}, "of what Spark and DuckDB read alike"),
        ({"rules": [{"name": "a", "sql": "CAST(total AS INT) > 1"}]}, "has 'AS INT'"),
        ({"rules": [{"name": "a", "sql": "LOG(total) > 1"}]}, "has 'LOG'"),
        ({"rules": [{"name": "a", "sql": "total > 1; x"}]}, "has ';'"),
        ({"rules": [{"name": "a", "sql": "total > 1 -- x"}]}, "has '--'"),
        ({"rules": [{"name": "a", "sql": 'total > "1"'}]}, "has '\"'"),
        ({"rules": [{"name": "a", "sql": "note = 'a\\b'"}]}, r"has '\\\\'"),
        ({"rules": [{"name": "a", "sql": "1=1) OR (1=1"}]}, "leaves a quote or a bracket open"),
        ({"rules": [{"name": "a", "sql": "note = 'a"}]}, "leaves a quote or a bracket open"),
        ({"rules": [{"name": "a", "sql": "total > 1"}, {"name": "a", "sql": "total > 2"}]}, "have one name twice"),
        ({"maxBadShare": 1}, "maxBadShare: must be a share from 0 to less than 1, not 1"),
        ({"leakage": "maybe"}, "'maybe' must be accept or refuse"),
        ({"columns": {"Draw": "text"}}, "may not name 'Draw': features.sql finds each row's lot under it"),
        ({"columns": {"__x": "text"}}, "may not name '__x'"),
        ({"features": ["Split"]}, "may not be called 'Split'"),
        ({"features": ["a", "A"]}, "name a twice, since SQL does not tell capitals apart"),
        ({"features": ["TOTAL"]}, "contain the target 'total'"),
    ],
)
def test_a_dataset_that_cannot_be_read_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(FieldError, match=reason):
        parse_dataset(document(**changes))


def test_a_rule_may_name_what_its_texts_may_not() -> None:
    sql = "note <> 'select -- (' AND EXTRACT(HOUR FROM pickup) < 24"
    dataset = parse_dataset(document(columns={"note": "text"}, rules=[{"name": "a", "sql": sql}]))
    assert dataset.rules[0].sql == sql


def test_a_format_is_read() -> None:
    found = parse_format({"separator": "tab", "decimal": ",", "thousands": ".", "nulls": [" NA "]}, "format")
    assert (found.separator, found.decimal, found.thousands, found.nulls) == ("\t", ",", ".", ("na",))
    for given, reason in (
        ({"separator": ":"}, "must be one of ',', ';', '|', 'tab'"),
        ({"thousands": ".", "decimal": "."}, "as the decimal sign is"),
        ({"lineBreaks": "no"}, "must be true or false"),
        ({"quote": "x"}, "is not known here"),
    ):
        with pytest.raises(FieldError, match=reason):
            parse_format(given, "format")


def test_moments_and_layouts() -> None:
    assert parse_moment("2019-02-30") is None
    assert parse_moment("2019-03-23T20:21:09.5") is not None
    assert parse_moment("2019-03-23 20:21:09+02:00") is None
    assert parse_layout("yyyyMMddTHHmmss").pattern.startswith("[1-9][0-9]{3}")
