"""When is a fault's outcome as it must be: pure."""

from typing import Any

import pytest

from scenarios.faults.fault import Expected, Fault
from scenarios.faults.judge import Row, judge
from scenarios.faults.outcome import Outcome

OLD, NEW = "20261121-00000000", "20261121-11111111"


def fault(**expected: Any) -> Fault:
    return Fault("some-fault", "Something breaks", lambda _: good(), Expected("DeployProd", r"alarm \S+", **expected))


def good(**changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "stage": "DeployProd",
        "error": "alarm x went off",
        "serving": OLD,
        "requests": 100,
        "failed": 0,
    }
    return Outcome(**(values | changes))


def test_what_is_as_expected_has_no_problem() -> None:
    assert judge(fault(), good(), OLD, None) == []
    assert judge(fault(), good(failed=7), OLD, 7.5) == []
    assert judge(fault(serving="new"), good(serving=NEW), OLD, None) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"stage": "-"}, "stage - stopped it, not DeployProd"),
        ({"error": "Traceback"}, r"the error does not say 'alarm \\S+'"),
        ({"serving": NEW}, f"{NEW} serves, not the old release {OLD}"),
        ({"serving": f"{OLD}, {NEW}"}, f"{OLD}, {NEW} serves, not the old release {OLD}"),
        ({"requests": 0}, "no live request was made, so nothing is known of callers"),
        ({"failed": 1}, "1 live requests failed, at most 0.0 may"),
    ],
)
def test_each_thing_that_differs_is_reported(changes: dict[str, Any], problem: str) -> None:
    assert judge(fault(), good(**changes), OLD, None) == [problem]


@pytest.mark.parametrize("serving", [OLD, f"{NEW}, {OLD}", "error 502: broken", ""])
def test_a_new_release_must_serve_alone_where_one_is_expected(serving: str) -> None:
    (problem,) = judge(fault(serving="new"), good(serving=serving), OLD, None)
    assert problem == f"{serving} serves, not one new release instead of {OLD}"


def test_more_failed_requests_than_the_bound_are_a_problem() -> None:
    assert judge(fault(), good(failed=8), OLD, 7.5) == ["8 live requests failed, at most 7.5 may"]


def test_a_row_is_written_with_the_members_that_readers_count_on() -> None:
    row = Row(fault(), good(failed=2), 7.5, ())
    assert row.as_dict() == {
        "fault": "some-fault",
        "stage": "DeployProd",
        "error": "alarm x went off",
        "serving": OLD,
        "requests": 100,
        "failed": 2,
        "ok": True,
    }
    assert Row(fault(), good(), None, ("wrong",)).as_dict()["ok"] is False
