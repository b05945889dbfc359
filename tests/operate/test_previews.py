"""Running the engine: what it is asked, and what a person reads where it cannot answer.

The engine is a script that plays one: the real one is tried in tests/rehearsal/preview.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.preview import app
from contracts.errors import UserError
from operate.previews import Asked, both, checkout, steps
from policies.rules.judge import UNUSED

PLAY = """#!{python}
import json, os, pathlib, sys
play = json.loads(pathlib.Path({play!r}).read_text())
arguments = sys.argv[1:]
config = pathlib.Path(arguments[arguments.index("--config-file") + 1])
asked = {{"arguments": arguments, "config": config.read_text(), "here": os.getcwd(),
         "debug": os.environ.get("PULUMI_DEBUG_COMMANDS")}}
if "--policy-pack-config" in arguments:
    asked["policies"] = json.loads(pathlib.Path(arguments[-1]).read_text())
with open({asked!r}, "a") as file:
    file.write(json.dumps(asked) + "\\n")
config.write_text("spoiled")
if play.get("events") is not None:
    log = pathlib.Path(arguments[arguments.index("--event-log") + 1])
    log.write_text("".join(json.dumps(each) + "\\n" for each in play["events"]))
sys.stdout.write(play.get("stdout", ""))
sys.stderr.write(play.get("stderr", ""))
sys.exit(play.get("code", 0))
"""
PLAN = json.dumps({"config": {"aws:region": "eu-west-1"}, "steps": []})


def error(text: str) -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": "error", "message": text}}


class Player:
    """A checkout, and an engine that says what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.root.mkdir()
        (self.root / "Pulumi.yaml").write_text("name: glidepath\n")
        (self.root / "Pulumi.prod.yaml").write_text("config: {}\n")
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.play, self.log = folder / "play.json", folder / "asked.jsonl"
        script = self.bin / "pulumi"
        script.write_text(PLAY.format(python=sys.executable, play=str(self.play), asked=str(self.log)))
        script.chmod(0o755)
        self.says(stdout=PLAN, events=[])

    def says(self, **play: Any) -> None:
        self.play.write_text(json.dumps(play))

    def asked(self, **more: Any) -> Asked:
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return Asked(self.root, more.pop("stack", "prod"), environ={**os.environ, "PATH": path}, **more)

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "first")


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Player:
    found = Player(tmp_path)
    # For the command, which hands on this process's environment.
    monkeypatch.delenv("GLIDEPATH_PROJECT", raising=False)
    monkeypatch.setenv("PATH", f"{found.bin}{os.pathsep}{os.environ['PATH']}")
    return found


def test_the_config_is_given_as_a_copy(player: Player) -> None:
    steps(player.asked(release="s3://a/manifest.json", pack=player.root / "policies"))
    (call,) = player.calls()
    assert call["arguments"][:4] == ["--non-interactive", "--color", "never", "preview"]
    assert "glidepath:release=s3://a/manifest.json" in call["arguments"]
    assert call["arguments"][-2:] == ["--policy-pack", str(player.root / "policies")]
    assert call["config"] == "config: {}\n"
    assert (player.root / "Pulumi.prod.yaml").read_text() == "config: {}\n"
    assert call["debug"] == "true"


def test_a_destroy_is_only_previewed(player: Player) -> None:
    steps(player.asked(destroy=True, release="s3://a/m", pack=player.root / "policies"))
    (call,) = player.calls()
    assert call["arguments"][3:5] == ["destroy", "--preview-only"]
    assert "--policy-pack" not in call["arguments"]


ENTRY = {"rule": "all-at-once", "resource": "shift", "reason": "r", "until": "2027-03-31"}
EXEMPTING = json.dumps({"config": {"glidepath:policies": {"exemptions": [ENTRY]}}})


def test_the_policy_pack_is_told_what_the_config_exempts(player: Player) -> None:
    (player.root / "Pulumi.prod.yaml").write_text(EXEMPTING)
    found = steps(player.asked(pack=player.root / "policies"))
    (call,) = player.calls()
    assert call["arguments"][-4:-1] == ["--policy-pack", str(player.root / "policies"), "--policy-pack-config"]
    assert call["policies"] == {"release-safety": {"exemptions": [ENTRY]}}
    assert found["exemptions"] == [{**ENTRY, "where": ""}]


@pytest.mark.parametrize("more", [{}, {"destroy": True, "pack": Path("policies")}], ids=["no pack", "a destroy"])
def test_what_no_pack_judges_has_no_exemptions(player: Player, more: dict[str, Any]) -> None:
    (player.root / "Pulumi.prod.yaml").write_text(EXEMPTING.replace("all-at-once", "no-rule"))
    assert "exemptions" not in steps(player.asked(**more))
    assert "--policy-pack-config" not in player.calls()[0]["arguments"]


def test_a_faulty_exemption_is_refused_before_anything_runs(player: Player) -> None:
    (player.root / "Pulumi.prod.yaml").write_text(EXEMPTING.replace("all-at-once", "no-rule"))
    with pytest.raises(UserError, match=r"'no-rule' is no rule of the policy pack"):
        steps(player.asked(pack=player.root / "policies"))
    assert not player.log.exists()


def test_before_the_first_release_an_unused_exemption_is_advice(player: Player) -> None:
    unused = {"policyName": "stack", "enforcementLevel": "mandatory", "message": f"[exemption] a of b {UNUSED}"}
    player.says(stdout=PLAN, code=1, events=[{"policyEvent": unused}, error("preview failed\n")])
    assert steps(player.asked())["findings"][0]["level"] == "advisory"


@pytest.mark.parametrize(("before", "exempted"), [("all-at-once", True), ("no-rule", False)])
def test_a_base_is_judged_with_its_own_exemptions_where_they_hold(
    player: Player, tmp_path: Path, before: str, exempted: bool
) -> None:
    file = player.root / "Pulumi.prod.yaml"
    file.write_text(EXEMPTING.replace("all-at-once", before))
    player.commit()
    file.write_text("config: {}\n")
    head, base = both(player.asked(pack=player.root / "policies"), "main", tmp_path / "base")
    assert "exemptions" not in head
    assert ("exemptions" in base) is exempted


def test_a_refused_plan_is_still_a_plan(player: Player) -> None:
    found = {"policyEvent": {"policyName": "p", "enforcementLevel": "mandatory", "message": "[rule] x"}}
    player.says(stdout=PLAN, code=1, events=[found, error("preview failed\n")])
    assert steps(player.asked())["findings"][0]["message"] == "[rule] x"


TRACE = (
    'Program failed with an unhandled exception:\nTraceback (most recent call last):\n  File "a"\nValueError: oops\n'
)
REFUSED = "the config is not usable:\n  - glidepath:captur: unknown key"


@pytest.mark.parametrize(
    ("play", "message", "fix"),
    [
        (
            {"code": 1, "events": [error(TRACE)], "stdout": PLAN},
            "the preview of prod failed: ValueError: oops",
            "pulumi preview --stack prod shows all of it",
        ),
        (
            {"code": 1, "events": [error(REFUSED), error("an unhandled error occurred: program exited")]},
            "the preview of prod failed: the config is not usable: - glidepath:captur: unknown key",
            "pulumi preview --stack prod shows all of it",
        ),
        (
            {"code": 6, "stderr": "error: no stack named 'prod' found"},
            "stack prod has no state yet",
            "make it once with: pulumi stack init prod",
        ),
        (
            {"code": 255, "stderr": "error: failed to decrypt: incorrect passphrase"},
            "the preview of prod failed: failed to decrypt: incorrect passphrase",
            "pulumi preview --stack prod shows all of it",
        ),
        ({"code": 1}, "the preview of prod failed: it gave no reason", "pulumi preview --stack prod shows all of it"),
        (
            {"stdout": "no json", "events": []},
            "the preview of prod failed: it printed no plan",
            "pulumi preview --stack prod shows all of it",
        ),
    ],
    ids=["the program raises", "config is refused", "no state", "wrong passphrase", "silence", "no plan"],
)
def test_what_goes_wrong_is_one_clear_line(player: Player, play: dict[str, Any], message: str, fix: str) -> None:
    player.says(**play)
    with pytest.raises(UserError) as caught:
        steps(player.asked())
    assert (caught.value.message, caught.value.fix, caught.value.code) == (message, fix, 1)


def test_an_unknown_stack_is_refused_before_anything_runs(player: Player) -> None:
    with pytest.raises(UserError) as caught:
        steps(player.asked(stack="stage"))
    assert str(caught.value) == (
        "there is no stack 'stage': no Pulumi.stage.yaml stands beside Pulumi.yaml\n  choose one of: prod"
    )
    assert not player.log.exists()


def test_a_missing_engine(player: Player) -> None:
    with pytest.raises(UserError) as caught:
        steps(Asked(player.root, "prod", environ={"PATH": "/nowhere", "GLIDEPATH_FOLDER": str(player.root)}))
    assert caught.value.message == "pulumi is not on PATH"


def test_head_and_base_are_run_each_in_its_own_files(player: Player, tmp_path: Path) -> None:
    player.commit()
    (player.root / "Pulumi.prod.yaml").write_text("config: {a: b}\n")
    folder = tmp_path / "base"
    folder.mkdir()
    both(player.asked(), "main", folder)
    by_place = {call["here"]: call["config"] for call in player.calls()}
    assert by_place == {str(player.root): "config: {a: b}\n", str(folder): "config: {}\n"}


def test_a_base_that_fails_is_distinguished_from_the_head(player: Player, tmp_path: Path) -> None:
    player.commit()
    player.git("rm", "-q", "Pulumi.prod.yaml")
    player.git("commit", "-q", "-m", "second")
    (player.root / "Pulumi.prod.yaml").write_text("config: {}\n")
    with pytest.raises(UserError, match="the base HEAD cannot be previewed: there is no stack 'prod'"):
        both(player.asked(), "HEAD", tmp_path / "base")


def test_unpacking_a_base_leaves_the_repository_alone(player: Player, tmp_path: Path) -> None:
    player.commit()
    before = sorted((path, path.stat().st_mtime_ns) for path in (player.root / ".git").rglob("*") if path.is_file())
    checkout(player.root, "main", tmp_path / "base")
    after = sorted((path, path.stat().st_mtime_ns) for path in (player.root / ".git").rglob("*") if path.is_file())
    assert after == before
    assert (tmp_path / "base" / "Pulumi.prod.yaml").is_file()


@pytest.mark.parametrize("reference", ["nosuch", "--help", "main~9", ""])
def test_a_reference_that_is_none(player: Player, tmp_path: Path, reference: str) -> None:
    player.commit()
    with pytest.raises(UserError, match=f"there is no commit {reference!r} in this checkout"):
        checkout(player.root, reference, tmp_path)


def test_a_folder_without_git(player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(UserError, match="this is no git checkout, so there is no base 'main'"):
        checkout(player.root, "main", tmp_path)


@pytest.fixture
def command(player: Player, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr("cli.place.ROOT", player.root)
    return lambda *arguments: CliRunner().invoke(app, ["--stack", "prod", "--aws", *arguments])


def test_the_command_ends_with_the_report_s_code(player: Player, command: Callable[..., Any]) -> None:
    done = command("--format", "markdown")
    assert done.exit_code == 0
    assert "Nothing changes in `prod`, compared with what is there now." in done.stdout
    role = {
        "op": "create",
        "urn": "urn:pulumi:prod::p::aws:iam/role:Role::r",
        "newState": {"type": "aws:iam/role:Role"},
    }
    player.says(stdout=json.dumps({"steps": [role]}), events=[])
    assert command().exit_code == 2


def test_the_report_goes_to_a_file(player: Player, command: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "preview.json"
    done = command("--format", "json", "--out", str(out))
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(out.read_text())["schema"] == 1
    with pytest.raises(UserError, match="cannot be written: No such file or directory"):
        CliRunner().invoke(
            app, ["--stack", "prod", "--aws", "--out", str(tmp_path / "no" / "file")], catch_exceptions=False
        )
