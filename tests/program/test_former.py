"""What the program lets a version know of the release that serves while it takes over."""

import json
from typing import Any

import pulumi
import pytest

from contracts.former import VARIABLE, Former, parse_former, render_former
from tests.program.harness import Run, Store, address, manifest, run

FEATURES = manifest()["features"]
OTHER = ["duration_minutes", "distance", "night"]
FUNCTION = "glidepath-prod-predict:live"


def recorded(number: int, features: list[str], version: str = "3", **more: str) -> Store:
    """An environment that serves a release; releases 1 and 2 have the usual features and others."""
    store = Store()
    store.put(1)
    store.put(2, features=OTHER)
    store.point("prod", number)
    variables = {
        "RELEASE_ID": manifest(number)["id"],
        "ENDPOINT_NAME": "glidepath-prod-old",
        "FEATURES": json.dumps(features),
        **more,
    }
    store.serving[FUNCTION] = {"version": version, "environment": {"variables": variables}}
    return store


def told(ran: Run) -> dict[str, str]:
    """The variables of the predict function."""
    (found,) = [f.inputs for f in ran.of("aws:lambda/function:Function") if f.inputs["name"].endswith("-predict")]
    variables: dict[str, str] = found["environment"]["variables"]
    return variables


def handed(ran: Run) -> bool:
    """Whether the alarm on silence counts what is handed on."""
    (alarm,) = [a.inputs for a in ran.of("aws:cloudwatch/metricAlarm:MetricAlarm") if a.name.endswith("-silence")]
    return "HandedOn" in json.dumps(alarm["metricQueries"])


def test_a_release_of_another_schema_knows_the_one_that_serves() -> None:
    ran = run("prod", recorded(1, FEATURES), release=address(2))
    known = parse_former(told(ran)[VARIABLE], OTHER)
    assert known == Former(manifest(1)["id"], "3", "glidepath-prod-old", tuple(FEATURES), {})
    assert handed(ran)


def test_a_rollback_is_a_release_and_knows_it_too() -> None:
    store = recorded(2, OTHER, RELEASE_ID=manifest(2)["id"], VARIANTS='{"live": "r", "b": "s"}')
    known = parse_former(told(run("prod", store, release=address(1)))[VARIABLE], FEATURES)
    assert known == Former(manifest(2)["id"], "3", "glidepath-prod-old", tuple(OTHER), {"live": "r", "b": "s"})


@pytest.mark.parametrize("named", [True, False])
def test_an_update_without_changes_keeps_what_the_version_knows(named: bool) -> None:
    """Otherwise the first update after a release would publish another version, and shift to it."""
    text = render_former(Former("20261119-00000000", "2", "glidepath-prod-older", ("a", "night"), {}), OTHER)
    store = recorded(2, OTHER, FORMER=text)
    ran = run("prod", store, **({"release": address(2)} if named else {}))
    assert told(ran)[VARIABLE] == text
    assert handed(ran)


def test_releases_of_one_schema_know_nothing_of_each_other() -> None:
    store = recorded(1, FEATURES)
    store.put(3)
    ran = run("prod", store, release=address(3))
    assert VARIABLE not in told(ran)
    assert not handed(ran)


def test_another_order_is_another_schema() -> None:
    store = recorded(1, FEATURES)
    store.put(3, features=FEATURES[::-1])
    assert VARIABLE in told(run("prod", store, release=address(3)))


def test_a_first_release_asks_for_none() -> None:
    store = Store()
    store.put(1)
    store.serving[FUNCTION] = {"not": "asked"}
    assert VARIABLE not in told(run("prod", store, release=address(1)))


def test_a_function_that_was_deleted_by_hand_is_no_reason_to_stop() -> None:
    store = recorded(1, FEATURES)
    store.serving.clear()
    assert VARIABLE not in told(run("prod", store, release=address(2)))


def test_an_alias_that_cannot_be_read_ends_the_update_before_anything_is_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(**_: Any) -> Any:
        raise RuntimeError("AccessDeniedException: not authorized to perform: lambda:GetFunction")

    monkeypatch.setattr("components.former.get_function", refused)
    with pytest.raises(pulumi.RunError, match=r"serves cannot be read: AccessDenied.*; nothing was touched"):
        run("prod", recorded(1, FEATURES), release=address(2))


def test_a_version_that_others_wrote_is_told_and_not_handed_to(capfd: pytest.CaptureFixture[str]) -> None:
    store = recorded(1, FEATURES)
    store.serving[FUNCTION] = {"version": "9", "environment": {"variables": {"FEATURES": "no list"}}}
    assert VARIABLE not in told(run("prod", store, release=address(2)))


def test_features_that_lambda_has_no_room_for_are_left_out() -> None:
    """Two schemas of 4 KB together are one too many; the release itself must still be deployed."""
    store = recorded(1, [f"the_former_release_had_this_feature_{number}" for number in range(60)])
    store.put(3, features=[f"the_new_release_has_this_feature_{number}" for number in range(60)])
    ran = run("prod", store, release=address(3))
    assert VARIABLE not in told(ran)
    assert not handed(ran)
