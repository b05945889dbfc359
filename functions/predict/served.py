"""The releases that a version asks: its own, and the former one while that has its endpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from contracts import features
from contracts.former import VARIABLE, changed, parse_former
from functions.predict.request import CallerError, Request, read_request
from functions.predict.schema import Schema


class Served(NamedTuple):
    """One release as it is asked. `version` reports what it does; empty: the version that runs.

    `classes` are the names of the classes that it tells apart; empty where it answers a number.
    """

    endpoint: str
    release: str
    schema: Schema
    edges: list[float]
    variants: dict[str, str]
    version: str = ""
    classes: Sequence[str] = ()


def own(environment: Mapping[str, str]) -> Served:
    """The release of this version."""
    return Served(
        environment["ENDPOINT_NAME"],
        environment["RELEASE_ID"],
        Schema(json.loads(environment["FEATURES"]), features.parse_inputs(environment.get(features.VARIABLE))),
        json.loads(environment.get("PREDICTION_EDGES") or "[]"),
        json.loads(environment.get("VARIANTS") or "{}"),
        classes=json.loads(environment.get("CLASSES") or "[]"),
    )


def former(environment: Mapping[str, str], columns: list[str]) -> Served | None:
    """The release that served before with another schema. Its bins are not counted: nobody judges it by them now."""
    found = parse_former(environment.get(VARIABLE), columns)
    if found is None:
        return None
    schema = Schema(found.features, features.parse_inputs(found.inputs))
    return Served(found.endpoint, found.release, schema, [], dict(found.variants), found.version, found.classes)


def read(event: Mapping[str, Any], mine: Served, before: Served | None) -> tuple[Served, Request | CallerError]:
    """Who is meant, and what is asked, or what is wrong with it. What suits both is for this version's own release."""
    try:
        return mine, read_request(event, mine.schema)
    except CallerError as error:
        if before is None or error.code not in ("invalid_features", "invalid_value"):
            return mine, error
        unsuited = error
    try:
        return before, read_request(event, before.schema)
    except CallerError as error:
        # It has one's features and a value that neither takes, or no one's features.
        other = unsuited.code == "invalid_value" or error.code == "invalid_features"
        return (mine, unsuited) if other else (before, error)


def difference(mine: Served, before: Served) -> str:
    """How the two schemas differ, for who still sends the former one's."""
    what = changed(before.schema.names, mine.schema.names) or _otherwise(mine.schema, before.schema)
    return f"This is a request of release {before.release}, which no longer serves; release {mine.release} {what}."


def _otherwise(mine: Schema, before: Schema) -> str:
    if sorted(mine.names) == sorted(before.names) and mine.inputs != before.inputs:
        return "takes other values (null, or categories)"
    return "has the features in another order"
