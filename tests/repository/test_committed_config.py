"""The stack files of this repository. Only its own CI runs this: whoever takes the project has other files."""

import json

import jsonschema
import pytest
import yaml

from settings import parse
from settings.document import SCHEMA
from tests.program.harness import ROOT, config


@pytest.mark.parametrize("stack", ["delivery", "dev", "prod"])
def test_committed_config_is_usable(stack: str) -> None:
    settings = parse(stack, config(stack))
    assert settings.names.environments == ["dev", "prod"]
    assert settings.account == {"delivery": "1" * 12, "dev": "2" * 12, "prod": "3" * 12}[stack]


def test_committed_production_is_careful() -> None:
    settings = parse("prod", config("prod"))
    assert (settings.deployment.kind, settings.deployment.percentage, settings.deployment.minutes) == ("linear", 10, 1)
    assert settings.instance_count == settings.autoscaling.minimum == 2
    assert settings.capture.percentage == 100


@pytest.mark.parametrize("stack", ["delivery", "dev", "prod"])
def test_committed_stack_files_are_valid_and_name_their_schema(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={SCHEMA.relative_to(ROOT)}"
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(yaml.safe_load(text))


@pytest.mark.parametrize("stack", ["delivery", "dev", "prod"])
def test_committed_stack_files_say_nothing_of_how_secrets_are_encrypted(stack: str) -> None:
    """A salt in them would have everybody's state opened by the rehearsal's passphrase, which is public."""
    found = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    assert found.keys() == {"config"}
