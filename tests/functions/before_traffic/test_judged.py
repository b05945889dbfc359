"""The judge of a shift is started before it, once, where there is something to judge."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.judging import Shift, read_shift
from functions.before_traffic.judged import start_judge
from tests.functions.before_traffic.support import DEPLOYMENT, NEW, OLD, SERVING, release

ENVIRONMENT = {
    "JUDGE_ARN": "arn:aws:states:eu-west-1:1:stateMachine:j", "JUDGE_SECONDS": "10", "BAKE_SECONDS": "20",
    "BAKE_MINUTES": "0",
    "MANIFEST_URI": "s3://a/m.json", "MANIFEST_SHA256": "abc",
}  # fmt: skip
STEPWISE = replace(DEPLOYMENT, stepwise=True)


class States:
    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []

    def start_execution(self, **request: Any) -> None:
        self.started.append(request)


def test_the_judge_is_told_what_it_needs() -> None:
    states = States()
    assert start_judge(states, ENVIRONMENT, STEPWISE, release(), SERVING) == "The judge looks every 10 s."
    (started,) = states.started
    assert (started["stateMachineArn"], started["name"]) == (ENVIRONMENT["JUDGE_ARN"], "d-ABC123")
    assert read_shift(json.loads(started["input"])) == Shift(
        "d-ABC123", NEW, OLD, "7", "8", SERVING.edges, "s3://a/m.json", "abc", True, 10, "fares-prod-1", "", 20
    )


def test_a_version_that_nobody_knows_is_compared_without_its_predictions() -> None:
    states = States()
    start_judge(states, ENVIRONMENT, STEPWISE, release(), None)
    shift = read_shift(json.loads(states.started[0]["input"]))
    assert (shift.former, shift.edges) == ("", ())


def test_versions_of_other_requests_are_said_to_be_apart() -> None:
    states = States()
    start_judge(states, ENVIRONMENT, STEPWISE, release(), replace(SERVING, features=("distance", "tip")))
    assert "take different requests" in read_shift(json.loads(states.started[0]["input"])).apart
    reordered = replace(SERVING, features=tuple(reversed(SERVING.features)))
    start_judge(states, ENVIRONMENT, STEPWISE, release(), reordered)
    assert read_shift(json.loads(states.started[1]["input"])).apart == ""


def test_a_hook_that_is_called_again_after_its_judge_has_ended_goes_on() -> None:
    class Ended(States):
        def start_execution(self, **request: Any) -> None:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": "it is over"}}, "StartExecution")

    assert start_judge(Ended(), ENVIRONMENT, STEPWISE, release(), SERVING) == "The judge looks every 10 s."


@pytest.mark.parametrize(
    ("environment", "deployment", "starts"),
    [
        ({}, STEPWISE, False),
        (ENVIRONMENT, replace(STEPWISE, returning=True), False),
        (ENVIRONMENT, DEPLOYMENT, False),
        ({**ENVIRONMENT, "BAKE_MINUTES": "5"}, DEPLOYMENT, True),
    ],
)
def test_where_nothing_is_to_be_judged_nobody_is_started(environment: Any, deployment: Any, starts: bool) -> None:
    states = States()
    assert bool(start_judge(states, environment, deployment, release(), SERVING)) is starts
    assert bool(states.started) is starts
