"""docs/configuration.md and settings/schema.json are what the description of the keys says, and the schema works.

It does not prove that an editor shows it.
"""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from settings.document import REFERENCE, SCHEMA, reference, schema
from settings.keys import described
from settings.load import CONFIG
from tests.settings.configs import document

VALIDATOR = jsonschema.Draft7Validator(json.loads(schema()))


def test_committed_files_are_as_generated() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "run `make document`"
    assert SCHEMA.read_text(encoding="utf-8") == schema(), "run `make document`"


def test_every_key_is_explained() -> None:
    text = reference()
    names = [key.name for key in described(CONFIG.model)]
    assert len(names) == len(set(names)) > 25
    assert [name for name in names if f"`{name}`" not in text and f"`glidepath:{name}`" not in text] == []


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(schema()))


def defaults(schema: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    if "default" in schema:
        yield schema["default"], schema
    for inner in schema.get("properties", {}).values():
        yield from defaults(inner)


def test_every_default_is_valid() -> None:
    """An editor that fills them in must not mark them."""
    found = [*defaults(json.loads(schema()))]
    assert len(found) > 60
    for value, about in found:
        jsonschema.Draft7Validator(about).validate(value)


@pytest.mark.parametrize("stack", ["delivery", "test", "live1"])
def test_a_sound_stack_file_is_valid(stack: str) -> None:
    file = {"config": document(stack, shiftMinutes="90"), "encryptionsalt": "v1:x", "secretsprovider": "awskms://x"}
    assert [error.message for error in VALIDATOR.iter_errors(file)] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"accounts": {"delivery": 1227133513}},
        {"accounts": None},
        {"deployment": {"percentag": 5}},
        {"deployment": {"percentage": 0}},
        {"nmae": "x"},
        {"monitor": {"schedule": "cron(0 25 ? * * *)"}},
        {"hyperparameters": {"eta": [0.1]}},
        {"variants": [{"weight": 0.5}]},
        {"logDays": 91},
        {"logDays": "91"},
        {"shiftMinutes": "soon"},
        {"retire": "yes"},
        {"dataset": {"columns": {}}},
    ],
)
def test_a_wrong_stack_file_is_not_valid(changes: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({"config": document("live1", **changes)})


def test_a_file_without_config_is_not_valid() -> None:
    assert not VALIDATOR.is_valid({})
