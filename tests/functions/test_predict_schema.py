"""Requests with what is missing, and with categories by their names."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from contracts.features import Feature, columns_of, parse_inputs, render_inputs
from contracts.former import Former, parse_former, render_former
from functions.predict.request import CallerError, read_request
from functions.predict.schema import Schema
from functions.predict.served import Served, difference, read
from rehearsal.cloud.containers.xgboost_serve import _rows
from tests.functions.samples import instances, proxy_event

FEATURES = (
    Feature("distance"),
    Feature("age", nullable=True),
    Feature("payment", False, ("cash", "credit card", "voucher"), "one_hot"),
    Feature("grade", True, ("low", "high"), "ordinal"),
    Feature("tariff", True, ("day", "night"), "one_hot"),
)
SCHEMA = Schema(columns_of(FEATURES), parse_inputs(render_inputs(FEATURES)))
GOOD: dict[str, Any] = {"distance": 2.5, "age": 30, "payment": "credit card", "grade": "high", "tariff": "day"}


def numbers(event: dict[str, Any], schema: Schema = SCHEMA) -> list[float | None]:
    (line,) = read_request(event, schema).csv.split("\n")
    return [float(cell) if cell else None for cell in line.split(",")]


def refused(event: dict[str, Any]) -> CallerError:
    with pytest.raises(CallerError) as caught:
        read_request(event, SCHEMA)
    return caught.value


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, [2.5, 30, 0, 1, 0, 1, 1, 0]),
        ({"age": None}, [2.5, None, 0, 1, 0, 1, 1, 0]),
        ({"grade": None, "tariff": None}, [2.5, 30, 0, 1, 0, None, 0, 0]),
        ({"grade": 0}, [2.5, 30, 0, 1, 0, 0, 1, 0]),
        ({"payment": "voucher", "grade": "low", "tariff": "night"}, [2.5, 30, 0, 0, 1, 0, 0, 1]),
    ],
)
def test_each_value_becomes_its_columns(change: dict[str, Any], asked: list[float | None]) -> None:
    given = {**GOOD, **change}
    assert numbers(proxy_event(instances(dict(reversed(given.items()))))) == asked
    cells = ("" if value is None else str(value) for value in given.values())
    assert numbers(proxy_event(",".join(cells), "text/csv")) == asked


def test_columns_themselves_are_taken_too() -> None:
    asked = dict(zip(SCHEMA.columns, [2.5, None, 0, 1, 0, None, 0, 0], strict=True))
    assert numbers(proxy_event(instances(asked))) == [*asked.values()]
    cells = ("" if value is None else str(value) for value in asked.values())
    assert numbers(proxy_event(",".join(cells), "text/csv")) == [*asked.values()]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distance": None}, "instances[0].distance must be a number, not null."),
        ({"age": "x"}, 'instances[0].age must be a number, or null, not "x".'),
        ({"payment": None}, "instances[0].payment must be one of cash, credit card, voucher, not null."),
        ({"payment": "Cash"}, 'instances[0].payment must be one of cash, credit card, voucher, not "Cash".'),
        ({"payment": 1}, "instances[0].payment must be one of cash, credit card, voucher, not 1."),
        ({"payment": True}, "instances[0].payment must be one of cash, credit card, voucher, not true."),
        ({"payment": ["cash"]}, 'instances[0].payment must be one of cash, credit card, voucher, not ["cash"].'),
        ({"grade": 2}, "instances[0].grade must be one of low, high, or null, not 2."),
        ({"grade": 0.5}, "instances[0].grade must be one of low, high, or null, not 0.5."),
        ({"grade": True}, "instances[0].grade must be one of low, high, or null, not true."),
    ],
)
def test_what_a_feature_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    error = refused(proxy_event(instances({**GOOD, **change})))
    assert (error.status, error.code, error.message) == (400, "invalid_value", message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (",30,cash,low,day", 'Line 1: distance must be a finite number, not "".'),
        ("1, ,cash,low,day", 'Line 1: age must be a finite number, not " ".'),
        ("1,30,,low,day", "Line 1: payment must be one of cash, credit card, voucher, not null."),
        ("1,30,bitcoin,low,day", 'Line 1: payment must be one of cash, credit card, voucher, not "bitcoin".'),
        ("1,30,cash,nan,day", "Line 1: grade must be one of low, high, or null, not NaN."),
        ("1,30,cash,low", "Line 1 has 4 values, not 5. Expected in order, without a header: distance, age, payment,"),
    ],
)
def test_what_a_cell_cannot_be_is_refused(line: str, message: str) -> None:
    error = refused(proxy_event(line, "text/csv"))
    assert error.status == 400
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    "change",
    [
        {"payment_cash": 7.3},
        {"payment_cash": 1},
        {"payment_credit_card": 0},
        {"tariff_day": 1, "tariff_night": 1},
        {"grade": 9.5},
        {"grade": -1},
    ],
)
def test_columns_that_stand_for_no_category_are_refused(change: dict[str, float]) -> None:
    columns = dict(zip(SCHEMA.columns, [2.5, 30, 0, 1, 0, 1, 0, 0], strict=True))
    assert numbers(proxy_event(instances(columns))) == [*columns.values()]
    for event in (
        proxy_event(instances({**columns, **change})),
        proxy_event(",".join(map(str, {**columns, **change}.values())), "text/csv"),
    ):
        error = refused(event)
        assert (error.status, error.code) == (400, "invalid_value")
        assert "must be" in error.message


def test_a_line_of_another_release_is_handed_on_and_not_taken_for_columns() -> None:
    now = (Feature("x"), Feature("pay", False, ("cash", "card"), "one_hot"))
    before = [Feature(name) for name in ("x", "hour", "weekday")]
    mine = Served("new", "2", Schema(columns_of(now), parse_inputs(render_inputs(now))), [], {})
    theirs = Served("old", "1", Schema(columns_of(before)), [], {})
    assert read(proxy_event("7,14,3", "text/csv"), mine, theirs)[0] is theirs


@pytest.mark.parametrize("cell", ["1_0", "\u0661"])
def test_a_place_is_written_as_numbers_are(cell: str) -> None:
    assert refused(proxy_event(f"1,30,cash,{cell},day", "text/csv")).code == "invalid_value"


def test_names_are_told_as_callers_know_them() -> None:
    error = refused(proxy_event(instances({**GOOD, "fare": 1})))
    assert error.message.endswith("has unknown fare. Expected exactly: distance, age, payment, grade, tariff.")
    both = refused(proxy_event(instances({**GOOD, "payment_cash": 1})))
    assert both.code == "invalid_features"


@pytest.mark.parametrize("missing", list(itertools.product([True, False], repeat=4)))
def test_the_container_reads_each_pattern_of_gaps(missing: tuple[bool, ...]) -> None:
    """It guesses the separator by the first line, in which nothing may be but commas."""
    features = tuple(Feature(f"f{number}", nullable=True) for number in range(4))
    schema = Schema(columns_of(features), parse_inputs(render_inputs(features)))
    row = {f"f{number}": None if gone else number * 1.5 for number, gone in enumerate(missing)}
    csv = read_request(proxy_event(instances(row)), schema).csv
    (found,) = _rows(csv.encode(), "text/csv")
    assert [value != value for value in found] == list(missing)


def test_a_request_that_suits_the_former_release_alone_is_its() -> None:
    now = (Feature("distance"), Feature("age"))
    before = (Feature("distance"), Feature("age", nullable=True))
    former = Former("20261120-00000000", "3", "e", columns_of(before), {}, (), render_inputs(before))
    again = parse_former(render_former(former, columns_of(now)), columns_of(now))
    assert again == former
    mine = Served("new", "20261121-00000000", Schema(columns_of(now)), [], {})
    theirs = Served("e", former.release, Schema(former.features, parse_inputs(former.inputs)), [], {})
    event = proxy_event(instances({"distance": 1, "age": None}))
    assert read(event, mine, theirs)[0] is theirs
    assert read(proxy_event(instances({"distance": 1, "age": 2})), mine, theirs)[0] is mine
    served, error = read(proxy_event(instances({"distance": "x", "age": 2})), mine, theirs)
    assert served is mine
    assert isinstance(error, CallerError)
    assert "takes other values (null, or categories)" in difference(mine, theirs)


def test_the_variable_is_small() -> None:
    assert len(json.dumps(render_inputs(FEATURES))) < 220
