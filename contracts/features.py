"""What a model is asked with: features as callers know them, and the columns that stand for them in the model's matrix.

A number is one column. A category is text to callers and to features.sql, and becomes columns by its encoding:
`one_hot` gives one of 0 and 1 for each category, `ordinal` one with the category's place. XGBoost knows missing values
(https://xgboost.readthedocs.io/en/stable/faq.html), so any of them may be declared nullable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.fields import FieldError, Fields, describe, name

ONE_HOT, ORDINAL = ENCODINGS = ("one_hot", "ordinal")
FEWEST, MOST_CATEGORIES = 2, 100
"""Of one feature. All names together must fit into a function's variables besides (settings/limits.py)."""
_LONGEST = 64
"""Of a name (contracts/fields.py)."""
VARIABLE = "INPUTS"
"""Name of the predict function's variable that has what its features' names do not tell."""


class Feature(NamedTuple):
    """One feature: its name, whether it may be NULL, and of a category what it may be, and how it becomes numbers."""

    name: str
    nullable: bool = False
    categories: tuple[str, ...] = ()
    encoding: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is a number that is always there."""
        return not self.nullable and not self.categories

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns in the model's matrix."""
        if self.encoding != ONE_HOT:
            return (self.name,)
        return tuple(f"{self.name}_{_fit(category)}" for category in self.categories)

    def document(self) -> str | dict[str, Any]:
        """As config and manifests have it: the name alone of a plain one."""
        if self.plain:
            return self.name
        document: dict[str, Any] = {"name": self.name}
        if self.nullable:
            document["nullable"] = True
        if self.categories:
            document |= {"categories": list(self.categories), "encoding": self.encoding}
        return document


class Input(NamedTuple):
    """A feature that is no plain one, at its place in the matrix: `width` columns from `place` on.

    `codes`: category → its place; empty of a number.
    """

    name: str
    place: int
    width: int
    nullable: bool
    codes: Mapping[str, int]


def parse_feature(value: object, path: str) -> Feature:
    """A name, or an object with more. Raises FieldError."""
    if not isinstance(value, Mapping):
        return Feature(name(value, path))
    fields = Fields(value, path)
    given = fields.has("categories")
    found = Feature(
        name(fields.raw("name"), f"{path}.name"),
        fields.flag("nullable", False),
        fields.items("categories", _category) if given else (),
        fields.text("encoding", "|".join(ENCODINGS), " or ".join(ENCODINGS)) if fields.has("encoding") else "",
    )
    fields.done()
    if given and not found.categories:
        raise FieldError(f"{path}.categories", f"must not be empty: {FEWEST} to {MOST_CATEGORIES} are taken")
    if found.categories and not found.encoding:
        found = found._replace(encoding=ONE_HOT)
    for reason in _wrong(found):
        raise FieldError(path, reason)
    return found


def columns_of(features: Sequence[Feature]) -> tuple[str, ...]:
    """The matrix's columns, in its order."""
    return tuple(column for feature in features for column in feature.columns)


def special(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """All features where one of them is no plain one; none where their names tell all."""
    return () if all(feature.plain for feature in features) else tuple(features)


def render_inputs(features: Sequence[Feature]) -> str:
    """The text of `VARIABLE`; empty where names tell all. Lambda gives all variables 4 KB."""
    found, place = [], 0
    for feature in features:
        width = len(feature.columns)
        if not feature.plain:
            found.append([feature.name, place, width, int(feature.nullable), list(feature.categories)])
        place += width
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False) if found else ""


def parse_inputs(text: str | None) -> tuple[Input, ...]:
    """What `render_inputs` wrote."""
    return tuple(
        Input(feature, place, width, bool(nullable), {category: code for code, category in enumerate(categories)})
        for feature, place, width, nullable, categories in json.loads(text or "[]")
    )


def names_of(columns: Sequence[str], inputs: Sequence[Input]) -> list[str]:
    """What callers send, in order: a category by its own name in place of its columns."""
    found = list(columns)
    for each in reversed(inputs):
        found[each.place : each.place + each.width] = [each.name]
    return found


def _fit(category: str) -> str:
    """A category as a part of a column's name: capitals stay, since categories may differ in them alone."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in category).strip("_")
    return plain[:40] or "other"


def _category(value: object, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise FieldError(path, f"must be a text that is not empty, without control characters, not {describe(value)}")
    if "," in value or '"' in value:
        reason = "has a comma or a quote, which a request in CSV has no way to hold: rename it in features.sql"
        raise FieldError(path, f"{value!r} {reason}")
    return value


def _wrong(feature: Feature) -> Iterator[str]:
    if not feature.categories:
        if feature.encoding:
            yield "has an encoding and no categories: name them"
        return
    if not FEWEST <= len(feature.categories) <= MOST_CATEGORIES:
        yield f"has {len(feature.categories)} categories; {FEWEST} to {MOST_CATEGORIES} are taken"
    too_long = next((column for column in feature.columns if len(column) > _LONGEST), None)
    if too_long:
        yield f"would have the column {too_long}, longer than {_LONGEST} characters: give it or the category less"
    repeated = sorted({one for one in feature.categories if feature.categories.count(one) > 1})
    if repeated:
        yield f"names the category {repeated[0]!r} more than once"
    if feature.encoding == ORDINAL and (number := next(filter(_is_number, feature.categories), None)):
        yield f"has the category {number!r}, which a CSV request cannot tell from a place: take {ONE_HOT}, or a number"
    # Engines do not tell capitals apart.
    low = [column.lower() for column in feature.columns]
    twice = next((column for column in low if low.count(column) > 1), None)
    if twice:
        same = [category for category, column in zip(feature.categories, low, strict=True) if column == twice]
        yield (
            f"has the categories {', '.join(map(repr, same))}, which would all be the column {twice}: rename them in"
            f" features.sql, or take {ORDINAL}"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
