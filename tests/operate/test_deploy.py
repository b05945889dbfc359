"""The deploy command's decisions, apart from the engine."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UserError
from operate import deploy, engine, sealing
from operate.deploy import deploy_release, exported, refuse_foundation
from operate.evidence import write_variables
from operate.power import Foresight
from preview.serving import SHIFT
from settings import Exemption

FOUNDATION = "urn:pulumi:prod::glidepath::glidepath:foundation:Foundation$glidepath:iam:Role$aws:iam/role:Role::model"
RELEASE = "urn:pulumi:prod::glidepath::glidepath:deploy:Endpoint$aws:sagemaker/endpoint:Endpoint::glidepath-prod"


def test_foundation_change_is_refused_with_who_must_run_what() -> None:
    steps = [{"op": "update", "urn": FOUNDATION}, {"op": "create", "urn": RELEASE}]
    with pytest.raises(UserError) as caught:
        refuse_foundation("prod", steps)
    text = str(caught.value)
    assert "update model (aws:iam/role:Role)" in text
    assert "pulumi up --stack prod" in text
    assert "glidepath-prod" not in text


@pytest.mark.parametrize("op", ["same", "read", "refresh"])
def test_untouched_foundation_passes(op: str) -> None:
    refuse_foundation("prod", [{"op": op, "urn": FOUNDATION}, {"op": "replace", "urn": RELEASE}])


def test_outcome_names_every_variable() -> None:
    outputs = {"apiUrl": "https://x/live", "endpoint": "e", "release": "r", "manifestSha256": "ab", "version": "3"}
    found = exported(outputs, "dev")
    assert set(found) == {"API_URL", "ENDPOINT", "RELEASE", "MANIFEST_SHA256", "SUMMARY"}
    assert found["SUMMARY"] == "Release r serves in dev as version 3."


def test_missing_output_is_named() -> None:
    with pytest.raises(UserError, match="apiUrl"):
        exported({}, "dev")


def test_variables_survive_the_shell(tmp_path: Path) -> None:
    path = tmp_path / "env"
    write_variables(path, {"SUMMARY": "it's $HOME"})
    assert path.read_text() == "export SUMMARY='it'\"'\"'s $HOME'\n"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the policy pack is told by preview and update of a deployment; None where it is told nothing."""
    found: list[Any] = []

    def note(arguments: Sequence[str]) -> None:
        options = dict(zip(arguments[::2], arguments[1::2], strict=True))
        assert Path(options["--policy-pack"]).name == "policies"
        path = options.get("--policy-pack-config")
        found.append(json.loads(Path(path).read_text()) if path else None)

    def run(arguments: Sequence[str], _: Path) -> "subprocess.CompletedProcess[str]":
        assert arguments[:5] == ["preview", "--json", "--show-sames", "--stack", "prod"]
        note(arguments[5:])
        return subprocess.CompletedProcess([], 0, "{}", "")

    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    monkeypatch.setattr(deploy, "ROOT", tmp_path)
    monkeypatch.setattr(deploy, "refresh_interrupted", lambda *_: None)
    monkeypatch.setattr(engine, "run", run)
    monkeypatch.setattr(deploy, "bring_up", lambda _, arguments, __: note(arguments))
    return found


ENTRY = {"rule": "wildcard-type", "resource": "model", "reason": "r", "until": "2027-03-31"}
EXEMPTING = json.dumps({"config": {"glidepath:policies": {"exemptions": [ENTRY]}}})


def test_preview_and_update_tell_the_policy_pack_the_same(told: list[Any], tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(EXEMPTING)
    own = {**ENTRY, "rule": "all-at-once"}
    deploy_release("prod", "s3://b/m", exempted=[Exemption(**own, where="")])
    assert told == [{"least-privilege": {"exemptions": [ENTRY]}, "release-safety": {"exemptions": [own]}}] * 2


def test_without_exemptions_it_is_told_nothing(told: list[Any], tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    deploy_release("prod", "s3://b/m")
    assert told == [None, None]
    told.clear()
    (tmp_path / "Pulumi.prod.yaml").write_text(EXEMPTING.replace("wildcard-type", "no-rule"))
    with pytest.raises(UserError, match=r"'no-rule' is no rule of the policy pack"):
        deploy_release("prod", "s3://b/m")
    assert told == []


BLIND = Foresight("sees nothing", "prod: this shift can see nothing", "accept it")


def test_a_shift_that_can_see_nothing_is_refused_unless_its_plan_was_approved(
    told: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = {
        "op": "update", "urn": f"urn:pulumi:prod::glidepath::{SHIFT}::shift",
        "oldState": {"type": SHIFT, "inputs": {"release": "a"}},
        "newState": {"type": SHIFT, "inputs": {"release": "b"}},
    }  # fmt: skip
    shown = subprocess.CompletedProcess([], 0, json.dumps({"steps": [moving]}), "")
    monkeypatch.setattr(engine, "run", lambda *_: shown)
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    with pytest.raises(UserError, match="this shift can see nothing"):
        deploy_release("prod", "s3://b/m", foreseen=lambda: BLIND)
    assert told == []
    deploy_release("prod", "s3://b/m")
    compared: list[Any] = []
    monkeypatch.setattr(deploy, "refuse_another", lambda *given: compared.append(given))
    monkeypatch.setattr(sealing, "read", lambda *_: {})
    deploy_release("prod", "s3://b/m", approved={}, foreseen=lambda: BLIND)
    assert len(told) == 2
    assert len(compared) == 1


def test_what_the_shift_cannot_see_is_said_before_the_update(
    told: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    monkeypatch.setattr(deploy, "bring_up", lambda *_: print("update", file=sys.stderr))
    deploy_release("prod", "s3://b/m", foreseen=lambda: Foresight("sees nothing", "prod is blind"))
    assert capsys.readouterr().err == "warning: prod is blind\nupdate\n"
