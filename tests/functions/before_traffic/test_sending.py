"""Requests on their way to the new version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.before_traffic.captured import Request
from functions.before_traffic.sending import Sender
from tests.functions.before_traffic.support import NEW, Clock, Functions, payload

REQUESTS = [Request((1.0, 2.0, float(number)), 3.0 + number) for number in range(4)]


def sender(functions: Any, clock: Clock, places: dict[str, int] | None = None) -> Sender:
    named = places or {"minutes": 0, "people": 1, "miles": 2}
    return Sender(functions, "predict", "8", NEW, named, None, "d-1", clock.time().now)


def never() -> bool:
    return False


def test_asks_the_version_by_its_number_and_measures_its_time() -> None:
    clock = Clock(spent=0.25)
    functions = Functions(sum, clock)
    found = sender(functions, clock).send(REQUESTS, never)
    assert [each.new for each in found] == [3.0, 4.0, 5.0, 6.0]
    assert [each.old for each in found] == [3.0, 4.0, 5.0, 6.0]
    assert {each.milliseconds for each in found} == {250.0}
    assert functions.qualifiers == {"8"}
    assert [inference_id for inference_id, _ in functions.asked] == [f"replay-d-1-{number}" for number in range(4)]


def test_features_that_the_new_model_does_without_are_left_out_and_others_found_by_name() -> None:
    functions = Functions(lambda row: row[0])
    sender(functions, Clock(), {"miles": 2, "minutes": 0}).send(REQUESTS[:1], never)
    assert functions.asked[0][1] == {"miles": 0.0, "minutes": 1.0}


def test_what_failed_is_asked_once_more_after_all_others() -> None:
    turns = iter([503, 4.0, 502, 6.0, 3.0, 502])
    functions = Functions(lambda _: next(turns))
    found = sender(functions, Clock()).send(REQUESTS, never)
    assert [each.new for each in found] == [3.0, 4.0, None, 6.0]
    assert found[2].problem == 'status 502 ({"error": {"code": "model_error"}})'
    assert [inference_id for inference_id, _ in functions.asked][4:] == ["replay-d-1-0-again", "replay-d-1-2-again"]


def test_what_was_sent_until_time_is_over_is_kept() -> None:
    clock = Clock(spent=10.0)
    found = sender(Functions(lambda _: 502, clock), clock).send(REQUESTS, clock.time().until(25))
    assert [each.new for each in found] == [None] * 3


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (lambda _: ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"), "TooManyRequestsException"),
        (lambda _: ReadTimeoutError(endpoint_url="https://lambda"), "ReadTimeoutError"),
        (lambda _: float("nan"), "the prediction is not a finite number: nan"),
        (lambda _: float("-inf"), "not a finite number"),
        (lambda _: "7", "the prediction is not a finite number: '7'"),
        (lambda _: [1.0], "not a finite number"),
    ],
)
def test_what_is_no_answer_is_a_failure_and_not_the_hooks_end(model: Callable[[Any], Any], problem: str) -> None:
    found = sender(Functions(model), Clock()).send(REQUESTS[:1], never)
    assert found[0].new is None
    assert problem in found[0].problem


def test_another_release_is_no_answer() -> None:
    found = sender(Functions(sum, who="other"), Clock()).send(REQUESTS[:1], never)
    assert found[0].problem == f"release 'other' answered, not {NEW!r}"


@pytest.mark.parametrize("document", [None, [], "x", {"statusCode": 200, "body": "[]"}, {"statusCode": 200}])
def test_no_answer_that_a_version_may_give_ends_the_hook(document: Any) -> None:
    class Odd:
        def invoke(self, **_: Any) -> dict[str, Any]:
            return payload(document)

    found = sender(Odd(), Clock()).send(REQUESTS[:1], never)
    assert "not a proxy response" in found[0].problem or "no object" in found[0].problem
