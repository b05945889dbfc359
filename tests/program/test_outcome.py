"""What the program makes so that the registry hears what became of a model."""

import json
from typing import Any

import pytest

from rehearsal.cloud.services.events import patterns
from tests.functions.test_outcome import event, refusal
from tests.program.harness import run


@pytest.fixture(scope="module")
def pattern() -> Any:
    """The rule's."""
    ran = run("delivery")
    (rule,) = (rule for rule in ran.of("aws:cloudwatch/eventRule:EventRule") if rule.name == "outcome")
    (function,) = (item for item in ran.of("aws:lambda/function:Function") if item.name == "outcome")
    assert rule.inputs["name"] == "glidepath-outcomes"
    assert function.inputs["environment"]["variables"] == {
        "PACKAGE_GROUP": "glidepath",
        "DEPLOYMENT": "DeployProd",
        "POINTER": "/glidepath/prod/release",
        "POINTER_ROLE": "arn:aws:iam::333333333333:role/glidepath-prod-champion",
    }
    return json.loads(rule.inputs["eventPattern"])


@pytest.mark.parametrize("decides", [event(), event(state="FAILED"), refusal("no"), refusal(None)])
def test_the_rule_hears_what_decides(pattern: Any, decides: dict[str, Any]) -> None:
    assert patterns.matches(pattern, decides)
    decides["detail"]["pipeline"] = "another"
    assert not patterns.matches(pattern, decides)


@pytest.mark.parametrize(
    "other",
    [event(state="STARTED"), event("DeployDev"), event("Approve", "SUCCEEDED", "Approval"), event("Train", "FAILED")],
)
def test_the_rule_hears_nothing_else(pattern: Any, other: dict[str, Any]) -> None:
    assert not patterns.matches(pattern, other)


def test_an_environment_has_no_such_rule() -> None:
    assert [rule for rule in run("prod").of("aws:cloudwatch/eventRule:EventRule") if rule.name == "outcome"] == []
