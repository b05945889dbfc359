"""What follows from an environment's memory: the way back, the states, the words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.releases import lines
from cli.status import line
from contracts.appspec import TAKEN_BACK
from contracts.release import parse_release
from operate.history import Approval, Manifest
from operate.listing import entry_of
from operate.releases import (
    Attempt,
    ServingRecord,
    State,
    Traffic,
    former,
    last_failure,
    match,
    state_of,
    with_bakes,
)
from tests.program.harness import address, manifest

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
ALARM = "The affected deployments have been stopped. Activated alarms: <glidepath-prod-unhealthy>"


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def served(*releases: str) -> list[ServingRecord]:
    """A history, one entry every ten minutes."""
    return [ServingRecord(name, f"s3://{name}", "", at(10 * number)) for number, name in enumerate(releases)]


def attempt(release: str, status: str, minute: int, **more: Any) -> Attempt:
    return Attempt(f"d-{minute}", release, status, at(minute), **more)


@pytest.mark.parametrize(
    ("history", "present", "expected"),
    [
        ("a", "a", None),
        ("ab", "b", "a"),
        ("abc", "c", "b"),
        ("aba", "a", None),  # b was left for a reason: another return must not lead to it
        ("abcb", "b", "a"),
        ("abac", "c", "a"),
        ("abcbd", "d", "b"),
        ("abc", "x", "c"),  # an update that was broken off before the pointer
        ("", "x", None),
    ],
)
def test_the_way_back(history: str, present: str, expected: str | None) -> None:
    found = former(served(*history), present)
    assert (found.release if found else None) == expected


TRAFFIC = Traffic("b", "2", "e-2", {"c": 0.3})
ATTEMPTS = [
    attempt("d", "Stopped", 40, code="ALARM_ACTIVE", cause=ALARM),
    attempt("b", "Succeeded", 10),
]


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("b", "serving"),
        ("c", "shifting 30%"),
        ("a", "former"),
        ("d", "rolled back: alarm glidepath-prod-unhealthy went off"),
        ("e", "never served"),
    ],
)
def test_states(release: str, expected: str) -> None:
    assert str(state_of(release, TRAFFIC, served("a", "b"), ATTEMPTS)) == expected


def test_a_release_that_served_after_its_failure_is_a_former_one() -> None:
    attempts = [attempt("a", "Failed", 5, cause="x")]
    history = [ServingRecord("a", "", "", at(7)), ServingRecord("b", "", "", at(9))]
    assert state_of("a", Traffic("b", "2", "e"), history, attempts).word == "former"


def test_one_that_is_before_its_first_step_shifts_already() -> None:
    assert str(state_of("c", Traffic("b", "2", "e"), served("b"), [attempt("c", "InProgress", 20)])) == "shifting 0%"


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ({"code": "ALARM_ACTIVE", "cause": ALARM}, "alarm glidepath-prod-unhealthy went off"),
        ({"code": "ALARM_ACTIVE", "cause": "The alarms could not be read."}, "The alarms could not be read"),
        ({"code": "MANUAL_STOP", "cause": "The deployment was stopped by a user."}, "stopped by hand"),
        ({"code": "HOOK_EXECUTION_FAILURE", "cause": "A hook failed."}, "A hook failed"),
        ({}, "deployment d-1 ended Stopped"),
    ],
)
def test_a_failure_in_words(failure: dict[str, str], words: str) -> None:
    assert attempt("a", "Stopped", 1, **failure).why == words


def test_the_last_failure_is_forgotten_once_a_release_serves() -> None:
    failed = attempt("b", "Failed", 15)
    back = attempt("a", "Succeeded", 16, rollback=True)
    assert last_failure(served("a"), [back, failed]) == failed
    assert last_failure([*served("a"), ServingRecord("c", "", "", at(30))], [back, failed]) is None
    assert last_failure(served("a"), [attempt("a", "Succeeded", 20), failed]) is None
    assert last_failure(served("a"), []) is None


def test_what_the_judge_took_back_has_failed_and_its_return_is_a_rollback() -> None:
    back = f"Release b: version 3 to 2. {TAKEN_BACK}Failed: failed: 9 of 10 requests."
    newest = [
        attempt("b", "Succeeded", 30, description=back),
        attempt("c", "Succeeded", 20, description="Release c: version 2 to 3"),
        attempt("b", "Succeeded", 10, description="Release b: version 1 to 2"),
    ]
    taken = with_bakes(newest)
    assert [(each.release, each.rollback, each.failed) for each in taken] == [
        ("b", True, False), ("c", False, True), ("b", False, False),
    ]  # fmt: skip
    assert taken[1].why == "Failed: failed: 9 of 10 requests"
    last = last_failure(served("a", "b"), taken)
    assert last is not None
    assert last.release == "c"
    assert str(state_of("c", Traffic("b", "2", "e"), served("a", "b"), taken)).startswith("rolled back: Failed: failed")
    assert with_bakes(newest[1:]) == newest[1:]


def test_a_release_is_named_whole_or_by_a_part_of_its_own() -> None:
    known = ["20261121-aaaa1111", "20261121-bbbb2222"]
    assert match("20261121-aaaa1111", known) == ("20261121-aaaa1111", [])
    assert match("bbbb", known) == ("20261121-bbbb2222", [])
    assert match("20261121", known) == (None, known)
    assert match("20261121-aaaa1112", known)[1][0] == "20261121-aaaa1111"
    assert match("", known) == (None, [])


def manifest_with(**changes: Any) -> Manifest:
    import json

    return Manifest(address(1), "ab", parse_release(json.dumps(manifest(1) | changes)))


def test_a_release_in_lines() -> None:
    champion = {"package": manifest(1)["model"]["package"], "value": 3.9, "verdict": "better than the champion"}
    entry = entry_of(
        "20261121-1a2b3c4d",
        manifest_with(champion=champion),
        State("serving"),
        served("20261121-1a2b3c4d"),
        Approval("arn:aws:iam::111111111111:user/ann", at(5), "looks right"),
    )
    assert lines(entry) == [
        "20261121-1a2b3c4d  serving",
        "    made 2026-11-21T03:45:00Z for data, commit abc",
        "    rmse 3.5 (3.1 to 3.9, gate 10); better than the champion",
        "    data s3://data/datasets/trips.csv version 1, 100 rows",
        "    approved 2026-11-21T12:05:00Z by user/ann: looks right",
        "    served from 2026-11-21T12:00:00Z",
    ]


def test_a_release_without_approval_or_champion() -> None:
    found = lines(entry_of("r", manifest_with(), State("rolled back", cause="stopped by hand"), [], None))
    assert found[0] == "r  rolled back: stopped by hand"
    assert found[2].endswith("; no champion yet")
    assert not any("approved" in text or "served from" in text for text in found)


def test_a_release_whose_manifest_is_gone_is_listed_still() -> None:
    assert lines(entry_of("r", None, State("former"), served("r"), None)) == [
        "r  former",
        "    its manifest s3://r is gone",
    ]


REST: dict[str, Any] = {
    "stack": "prod", "release": "a", "recorded": "a", "version": "3", "shifting": {}, "shift": None, "failed": None,
    "moved": False, "endpoint": "e-1", "state": "InService", "unowned": [], "unknown": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (
            {"shifting": {"b": 0.3}, "shift": {"deployment": "d-1", "release": "b", "rollback": False}},
            ["a shift is under way: deployment d-1 shifts to release b, now 30%"],
        ),
        (
            {"shifting": {"b": 0.3}, "shift": {"deployment": "d-2", "release": "a", "rollback": True}},
            ["a shift is under way: deployment d-2 rolls back to release a"],
        ),
        (
            {"shifting": {"b": 0.3}},
            ["orphaned weights are left (b 30%): the next update removes them"],
        ),
        (
            {"failed": {"deployment": "d-1", "release": "b", "cause": "alarm x went off"}},
            ["the last shift, to release b, was rolled back: alarm x went off"],
        ),
        (
            {"recorded": "b", "moved": True},
            [
                (
                    "the alias was moved by hand: release b is recorded and was the last one shifted to; the next"
                    " update (pulumi up --stack prod, or a deploy) moves traffic back"
                )
            ],
        ),
        (
            {"unowned": [{"kind": "endpoint", "name": "e-2"}, {"kind": "model", "name": "m-2"}]},
            ["no state holds endpoint e-2, model m-2: ./glidepath sweep prod removes what is left over"],
        ),
        (
            {"unowned": None, "unknown": "the state of prod cannot be read: no stack"},
            ["whether anything is left over is unknown: the state of prod cannot be read: no stack"],
        ),
        (
            {"recorded": "b"},
            [
                (
                    "release b is still the one recorded: an update was interrupted after its shift;"
                    " deploy a again to end it"
                )
            ],
        ),
    ],
)
def test_status_says_what_is_not_at_rest(changes: dict[str, Any], expected: list[str]) -> None:
    first, *more = line(REST | changes).splitlines()
    assert first == "prod       release a by version 3, endpoint e-1 InService"
    assert [text.strip() for text in more] == expected


def test_status_of_an_environment_without_a_release() -> None:
    nothing: dict[str, Any] = {"stack": "dev", "release": None, "unowned": [], "unknown": None}
    assert line(nothing) == "dev        serves no release"
    left = line(nothing | {"unowned": [{"kind": "endpoint", "name": "glidepath-dev-0000001"}]}).splitlines()
    assert left[1].strip() == (
        "no state holds endpoint glidepath-dev-0000001: ./glidepath sweep dev removes what is left over"
    )
