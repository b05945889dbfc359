"""What the pipeline hands to the training workflow, whatever a caller puts into its variables."""

import json
from typing import Any

import pytest

from tests.program.harness import run

HOSTILE = 'datasets/x", "version": "latest"}, "reason": "drift", "commit": "forged", "run": "other", "z": {"y": ".csv'


@pytest.fixture(scope="module")
def template() -> str:
    """The Train stage's input, with CodePipeline's variables in it."""
    (pipeline,) = run("delivery").of("aws:codepipeline/pipeline:Pipeline")
    (stage,) = (stage for stage in pipeline.inputs["stages"] if stage["name"] == "Train")
    found: str = stage["actions"][0]["configuration"]["Input"]
    return found


def filled(template: str, **variables: str) -> Any:
    values = {
        "#{codepipeline.PipelineExecutionId}": "run-1",
        "#{Source.VersionId}": "4f2a",
        "#{variables.REASON}": "data",
        "#{variables.DATA_KEY}": "latest",
        "#{variables.DATA_VERSION}": "latest",
    } | {f"#{{variables.{name}}}": value for name, value in variables.items()}
    for name, value in values.items():
        template = template.replace(name, value)
    assert "#{" not in template
    return json.loads(template)


def test_a_variable_that_ends_its_text_changes_nothing_that_is_ours(template: str) -> None:
    found = filled(template, DATA_KEY=HOSTILE)
    assert (found["run"], found["commit"], found["reason"]) == ("run-1", "4f2a", "data")
    found = filled(template, REASON='drift", "commit": "forged", "run": "other')
    assert (found["run"], found["commit"], found["reason"]) == ("run-1", "4f2a", "drift")


def test_what_is_ours_is_there(template: str) -> None:
    found = filled(template)
    assert found.pop("code").endswith("/code/4f2a")
    assert found == {
        "data": {"key": "latest", "version": "latest"},
        "reason": "data",
        "commit": "4f2a",
        "run": "run-1",
    }


def test_nothing_is_taken_from_a_build_that_nobody_has_approved(template: str) -> None:
    """It could export a text that ends its own: `s3://…/code/4f2a", "commit": "innocent`."""
    assert "#{Build" not in template
