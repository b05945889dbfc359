"""What `rollback` hands to the deployment, and that it waits for the update whose shift it stopped."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.errors import UserError
from contracts.release import parse_release
from operate import deploy, rollback
from operate.history import Manifest
from operate.releases import Attempt, ServingRecord
from operate.rollback import Plan
from operate.updates import HeldError
from settings import Exemption
from tests.program.harness import address, manifest
from tests.times import own_time

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def plan(stack: str = "prod", under_way: bool = False) -> Plan:
    target = Manifest(address(1), "ab", parse_release(json.dumps(manifest(1))))
    going = Attempt("d-3", "c", "InProgress", NOW) if under_way else None
    return Plan(stack, "b", target, ServingRecord(target.release.id, address(1), "ab", NOW), None, going)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every deployment that is asked for, with what it exempts from policies."""
    found: list[dict[str, Any]] = []

    def take(stack: str, release: str, sha256: str, more: list[str], exempted: list[Exemption]) -> None:
        options = dict(zip(more[::2], more[1::2], strict=True))
        found.append({"stack": stack, "release": release, "sha256": sha256, "exempted": exempted, **options})

    monkeypatch.setattr(deploy, "deploy_release", take)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    return found


def test_a_return_is_a_deployment_of_the_former_manifest(deployed: list[dict[str, Any]]) -> None:
    rollback.redeploy(plan(), now=False, reason="", say=print)
    assert deployed == [
        {
            "stack": "prod",
            "release": address(1),
            "sha256": "ab",
            "exempted": [],
            "--config": 'glidepath:returning={"reason": "Return from b by ann", "urgent": false}',
            "--message": "Return from b by ann",
        }
    ]


def test_at_once_is_exempted_and_recorded(deployed: list[dict[str, Any]]) -> None:
    rollback.redeploy(plan(), now=True, reason="wrong\nfares", say=print)
    (found,) = deployed
    words = "At once. Return from b by ann: wrong fares"
    assert found["--config"] == f'glidepath:returning={{"reason": "{words}", "urgent": true}}'
    assert found["exempted"] == [rollback.exemption("prod", words)]


def test_where_no_policy_forbids_it_there_is_nothing_to_exempt(deployed: list[dict[str, Any]]) -> None:
    # An exemption that names no finding is itself a violation.
    rollback.redeploy(plan("dev"), now=True, reason="", say=print)
    assert deployed[0]["exempted"] == []


def test_the_update_whose_shift_was_stopped_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Exception | None] = [HeldError("another update holds prod"), None]

    def take(*_: Any, **__: Any) -> None:
        answer = answers.pop(0)
        if answer:
            raise answer

    monkeypatch.setattr(deploy, "deploy_release", take)
    own_time(monkeypatch, rollback, sleep=lambda _: None)
    rollback.redeploy(plan(under_way=True), now=False, reason="", say=print)
    assert answers == []


def test_any_other_update_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def held(*_: Any, **__: Any) -> None:
        raise HeldError("another update holds prod")

    monkeypatch.setattr(deploy, "deploy_release", held)
    with pytest.raises(UserError, match="another update holds prod"):
        rollback.redeploy(plan(), now=False, reason="", say=print)
