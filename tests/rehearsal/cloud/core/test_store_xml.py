"""XML comes out as xmltodict writes it."""

import random
from typing import Any

import pytest
import xmltodict  # type: ignore[import-untyped]

from rehearsal.cloud.core import store_xml

DOCUMENTS: tuple[dict[str, Any], ...] = (
    {"A": {}},
    {"A": None},
    {"A": ""},
    {"A": "a & b < c > d \" ' \n"},
    {"A": True},
    {"A": {"B": False, "C": 1.5, "D": None, "E": ""}},
    {"A": {"@xmlns": "https://x/\"&'", "@xmlns:xsi": "y", "B": "1"}},
    {"A": {"@xmlns": "x", "#text": "t"}},
    {"A": {"#text": None}},
    {"A": {"#text": 3, "B": ["x", {"C": "y"}, None, 5], "Empty": []}},
    {"A": {"B": [[], "x"]}},
    {"A": {"B": ("x", "y")}},
    {"A": {"B": b"bytes", "@n": 1}},
    {"A": {"#comment": "left out", "B": "1"}},
    {"A": ["only"]},
)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_text_is_xmltodicts(document: dict[str, Any], short: bool, full: bool) -> None:
    options = {"full_document": full, "short_empty_elements": short, "pretty": False}
    assert store_xml.unparse(document, **options) == xmltodict.unparse(document, **options)


def test_text_is_xmltodicts_for_whatever_is_nested() -> None:
    draw = random.Random(1)

    def value(depth: int) -> Any:
        kinds = ["text", "none", "number", "flag"] + ["dict", "list"] * 2 * (depth < 4)
        kind = draw.choice(kinds)
        if kind == "dict":
            names = [f"N{number}" for number in range(draw.randrange(4))] + ["@a"] * draw.randrange(2)
            return {name: "v" if name == "@a" else value(depth + 1) for name in names}
        if kind == "list":
            return [item for item in (value(depth + 1) for _ in range(draw.randrange(3))) if not isinstance(item, list)]
        return {"text": draw.choice(["", "<&>", "plain"]), "none": None, "number": 7, "flag": True}[kind]

    for _ in range(500):
        document = {"Root": {"Child": value(0)}}
        for short in (True, False):
            options = {"full_document": True, "short_empty_elements": short}
            assert store_xml.unparse(document, **options) == xmltodict.unparse(document, **options)


@pytest.mark.parametrize("document", [{}, {"A": "1", "B": "2"}, {"A B": "1"}, {"A": {"<": "1"}}, {"A": ["1", "2"]}])
def test_what_xmltodict_refuses_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        xmltodict.unparse(document)
    with pytest.raises(ValueError, match=r"."):
        store_xml.unparse(document)


def test_pretty_text_is_left_to_xmltodict() -> None:
    assert store_xml.unparse({"A": {"B": "1"}}, pretty=True) == xmltodict.unparse({"A": {"B": "1"}}, pretty=True)
