"""How features become the columns of a model's matrix: SQL over what features.sql gives, for Spark and DuckDB alike."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.features import ONE_HOT, Feature
from contracts.literal import literal


def encodings(features: Sequence[Feature]) -> list[str]:
    """One expression for each column, in the matrix's order.

    NULL is no category: all of its columns are 0 where they are `one_hot`, and the one of `ordinal` is NULL.
    """
    return [expression for feature in features for expression in _of(feature)]


def unknown(features: Sequence[Feature]) -> dict[str, str]:
    """By feature, the condition under which a row has a text that is none of its categories."""
    return {
        feature.name: f"{_text(feature)} NOT IN ({', '.join(map(literal, feature.categories))})"
        for feature in features
        if feature.categories
    }


def refused(features: Sequence[Feature]) -> list[str]:
    """Conditions under which a request with a row's values would be refused: no category, or nothing where there must
    be something."""
    return [
        *unknown(features).values(),
        *(f"{feature.name} IS NULL" for feature in features if not feature.nullable),
    ]


def _of(feature: Feature) -> list[str]:
    if not feature.categories:
        return [feature.name]
    text = _text(feature)
    if feature.encoding == ONE_HOT:
        return [f"CASE WHEN {text} = {literal(category)} THEN 1 ELSE 0 END" for category in feature.categories]
    places = " ".join(f"WHEN {literal(category)} THEN {place}" for place, category in enumerate(feature.categories))
    return [f"CASE {text} {places} END"]


def _text(feature: Feature) -> str:
    """Whatever type features.sql gives: a number beside a text would be compared as a number."""
    return f"CAST({feature.name} AS STRING)"
