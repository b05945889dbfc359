"""The real program, every stack in every shape, has no violation. The rest of each resource the engine adds."""

from typing import Any

import pytest
import yaml

from policies.rules.engine import plain
from policies.rules.model import Resource
from tests.policies.harness import judge, judge_stack
from tests.program.harness import ROOT, SHAPES, Recorded, Run, run, run_shape

# Options that mocks do not record; the program's own tests hold them.
IGNORED = {"aws:lambda/alias:Alias": ("functionVersion", "routingConfig")}


def _resource(recorded: Recorded, stack: str, tags: dict[str, str]) -> Resource:
    urn = f"urn:pulumi:{stack}::glidepath::{recorded.type}::{recorded.name}"
    # In a stack, what is named by Pulumi has its name too.
    inputs: dict[str, Any] = {"name": recorded.name, **plain(recorded.inputs)}
    return Resource(recorded.type, recorded.name, inputs, urn, IGNORED.get(recorded.type, ()), tags)


def _judge(stack: str, ran: Run) -> None:
    tags = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]["aws:defaultTags"]["tags"]
    resources = [_resource(each, stack, tags) for each in ran.resources]
    assert [(one.name, found) for one in resources for found in judge(one)[0]] == []
    assert judge_stack(resources) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_no_violation(shape: str) -> None:
    _judge(shape.split()[0], run_shape(shape))


def test_no_violation_with_a_notebook() -> None:
    source = {"kind": "codecommit", "repository": "fares"}
    _judge("delivery", run("delivery", source=source, notebook={"enabled": True, "secretName": "fares/git"}))
