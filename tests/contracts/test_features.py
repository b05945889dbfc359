"""Features as callers know them, and their columns."""

import json
from typing import Any

import pytest

from contracts.encoding import encodings, unknown
from contracts.features import Feature, columns_of, names_of, parse_feature, parse_inputs, render_inputs, special
from contracts.fields import FieldError

PAYMENT = Feature("payment", True, ("cash", "Credit Card", "größe"), "one_hot")
GRADE = Feature("grade", False, ("low", "high"), "ordinal")
GAPPY = Feature("age", True)
ALL = (Feature("distance"), PAYMENT, GRADE, GAPPY)


@pytest.mark.parametrize("feature", ALL)
def test_what_a_manifest_has_is_read_again(feature: Feature) -> None:
    assert parse_feature(json.loads(json.dumps(feature.document())), "f") == feature


def test_a_category_has_a_column_for_each_value_or_one() -> None:
    assert columns_of(ALL) == ("distance", "payment_cash", "payment_Credit_Card", "payment_gr__e", "grade", "age")
    assert special(ALL) == ALL
    assert special((Feature("a"), Feature("b"))) == ()


def test_one_hot_is_meant_where_no_encoding_is_named() -> None:
    assert parse_feature({"name": "a", "categories": ["x", "y"]}, "f").encoding == "one_hot"


def test_the_functions_variable_gives_each_place_again() -> None:
    inputs = parse_inputs(render_inputs(ALL))
    assert [(one.name, one.place, one.width, one.nullable) for one in inputs] == [
        ("payment", 1, 3, True), ("grade", 4, 1, False), ("age", 5, 1, True),
    ]  # fmt: skip
    assert inputs[0].codes == {"cash": 0, "Credit Card": 1, "größe": 2}
    assert names_of(columns_of(ALL), inputs) == ["distance", "payment", "grade", "age"]
    assert render_inputs((Feature("a"),)) == ""
    assert parse_inputs(None) == ()


def test_sql_makes_the_columns() -> None:
    assert encodings((GRADE,)) == ["CASE CAST(grade AS STRING) WHEN 'low' THEN 0 WHEN 'high' THEN 1 END"]
    assert encodings((Feature("p", False, ("it's", "b"), "one_hot"),))[0] == (
        "CASE WHEN CAST(p AS STRING) = CONCAT('it', CHR(39), 's') THEN 1 ELSE 0 END"
    )
    assert unknown((GAPPY, GRADE)) == {"grade": "CAST(grade AS STRING) NOT IN ('low', 'high')"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name": "a", "categories": ["x"]}, "has 1 categories; 2 to 100 are taken"),
        ({"name": "a", "categories": ["x", "x"]}, "names the category 'x' more than once"),
        ({"name": "a", "categories": ["a b", "a-b"]}, "which would all be the column a_a_b: rename them"),
        ({"name": "a", "categories": ["Yes", "yes"]}, "has the categories 'Yes', 'yes', which would all be the column"),
        ({"name": "a", "categories": ["1", "x"], "encoding": "ordinal"}, "has the category '1', which a CSV request"),
        ({"name": "a", "categories": ["x", " "]}, r"categories\[1\]: must be a text that is not empty"),
        ({"name": "a", "categories": ["x", "a\nb"]}, "without control characters"),
        ({"name": "a", "categories": []}, "categories: must not be empty: 2 to 100 are taken"),
        ({"name": "a", "categories": ["1,5", "x"]}, "'1,5' has a comma or a quote, which a request in CSV"),
        ({"name": "p" * 40, "categories": ["x" * 30, "y"]}, "longer than 64 characters: give it or the category less"),
        ({"name": "a", "encoding": "ordinal"}, "has an encoding and no categories: name them"),
        ({"name": "a", "encoding": "hash", "categories": ["x", "y"]}, "'hash' must be one_hot or ordinal"),
        ({"name": "a", "nullable": "yes"}, "must be true or false"),
        ({"name": "a", "nulable": True}, "nulable: is not known here"),
        ({"name": "1a"}, "must be a name of letters"),
        (7, "must be a name of letters"),
    ],
)
def test_what_cannot_be_is_refused(given: Any, reason: str) -> None:
    with pytest.raises(FieldError, match=reason):
        parse_feature(given, "dataset.features[0]")
