"""Running the engine's update: what passes through, and how its end is told. The engine is a script here."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UserError
from operate import updates
from operate.owners import Nowhere, OnThisMachine
from operate.updates import Lock, bring_up, locks_in, refresh_interrupted, repair_folder

REFUSAL = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the"
    " lock file with `pulumi cancel`.\n"
    "  file:///state/.pulumi/locks/organization/glidepath/prod/b1.json: created by ann@{host} (pid {pid}) at"
    " 2026-11-21T14:01:29Z\n"
)


def dead_pid() -> int:
    """Of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the script `pulumi`, first on PATH; a state folder of this machine."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    return tmp_path


def write(folder: Path, script: str) -> None:
    path = folder / "pulumi"
    # Its arguments are those after `--non-interactive --color never`, which operate/engine gives to every call.
    path.write_text(f"#!/bin/sh\nshift 3\n{script}\n")
    path.chmod(0o755)


def failure(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        bring_up("prod", ["--config", "a=b"], folder)
    return str(caught.value)


def test_the_engines_lines_pass_through(engine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(engine, 'echo "$@"; echo aside >&2')
    bring_up("prod", ["--config", "a=b"], engine)
    shown = capfd.readouterr()
    assert shown.out == "up --yes --stack prod --skip-preview --config a=b\n"
    assert shown.err == "aside\n"


def test_a_failed_update_points_to_its_cause(engine: Path) -> None:
    write(engine, "exit 255")
    assert failure(engine) == (
        "pulumi up of prod failed\n  the cause stands above; the release that served still serves"
    )


def test_a_killed_engine_is_reported_as_that(engine: Path) -> None:
    write(engine, "kill -9 $$")
    assert failure(engine) == (
        "the update of prod was killed (signal 9)\n"
        "  a shift that is under way goes on by itself; run this again: it converges"
    )


def test_the_lock_of_a_living_engine_is_named(engine: Path) -> None:
    host = socket.gethostname()
    write(engine, f"cat >&2 <<'EOF'\n{REFUSAL.format(host=host, pid=os.getpid())}EOF\nexit 255")
    assert failure(engine) == (
        f"another update holds prod: ann@{host} (pid {os.getpid()}) since 2026-11-21T14:01:29Z\n"
        "  wait for it to finish; if it crashed, release its lock with `pulumi cancel --stack prod` and run this again"
    )


def locked_until_cancelled(folder: Path, host: str) -> None:
    refusal = REFUSAL.format(host=host, pid=dead_pid())
    write(
        folder,
        f'echo "$1" >> {folder}/calls\n[ "$1" = cancel ] && exit 0\n'
        f"[ $(grep -c up {folder}/calls) -gt 1 ] && exit 0\ncat >&2 <<'EOF'\n{refusal}EOF\nexit 255",
    )


def test_the_lock_of_a_dead_engine_is_taken_away(engine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    locked_until_cancelled(engine, socket.gethostname())
    bring_up("prod", [], engine)
    assert (engine / "calls").read_text().split() == ["up", "cancel", "up"]
    told = "prod is locked since 2026-11-21T14:01:29Z, and its engine was killed: taking its lock away\n"
    assert capfd.readouterr().out == told


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="states of processes are read in /proc")
def test_an_engine_that_has_ended_and_is_still_listed_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    known, host = OnThisMachine(), socket.gethostname()
    assert known.gone(host, process.pid) == ""
    process.kill()
    # Waits until it has ended, without asking for its end, which would take it off the list.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert known.gone(host, process.pid)
    process.wait()
    assert known.gone(host, process.pid)


def test_a_lock_from_another_machine_stays(engine: Path) -> None:
    locked_until_cancelled(engine, "build-7")
    assert "another update holds prod: ann@build-7" in failure(engine)
    assert (engine / "calls").read_text().split() == ["up"]


def test_a_lock_in_a_shared_place_stays(engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a record: containers of one name may each have their own process numbers.
    monkeypatch.setattr(updates, "owners", lambda *_: Nowhere())
    locked_until_cancelled(engine, socket.gethostname())
    assert "another update holds prod" in failure(engine)


def test_locks_are_read_from_a_refusal_only() -> None:
    assert locks_in(REFUSAL.format(host="h", pid=7)) == [Lock("ann", "h", 7, "2026-11-21T14:01:29Z")]
    assert locks_in("created by ann@h (pid 7) at noon") == []


STACK = {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:prod::g::pulumi:pulumi:Stack::g-prod"}


def exported(folder: Path, *operations: tuple[str, str]) -> None:
    entries = [{"type": kind, "resource": {"urn": f"urn:pulumi:prod::g::t::{name}"}} for kind, name in operations]
    state = json.dumps({"deployment": {"pending_operations": entries, "resources": [STACK]}})
    write(folder, f'echo "$@" >> {folder}/calls\n[ "$1" = stack ] && echo \'{state}\'\nexit 0')
    (folder / "Pulumi.prod.yaml").write_text("config: {}\n")


def test_what_a_killed_update_was_changing_is_refreshed(engine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    exported(engine, ("updating", "release"), ("deleting", "old"))
    refresh_interrupted("prod", engine)
    call, _, copy = (engine / "calls").read_text().splitlines()[1].rpartition(" --config-file ")
    assert call == (
        "refresh --yes --stack prod --skip-preview --skip-pending-creates"
        " --target urn:pulumi:prod::g::t::release --target urn:pulumi:prod::g::t::old"
    )
    # It writes to a copy, which is gone by now.
    assert Path(copy).name == "Pulumi.prod.yaml"
    assert not Path(copy).exists()
    told = "an update of prod was killed while it changed release, old: refreshing it\n"
    assert capfd.readouterr().out == told


def test_nothing_is_refreshed_where_nothing_was_interrupted(engine: Path) -> None:
    exported(engine)
    refresh_interrupted("prod", engine)
    assert len((engine / "calls").read_text().splitlines()) == 1


def test_what_a_killed_update_was_creating_is_forgotten(engine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    exported(engine, ("creating", "endpoint"))
    refresh_interrupted("prod", engine)
    call = (engine / "calls").read_text().splitlines()[1]
    assert f"--skip-preview --clear-pending-creates --target {STACK['urn']} --config-file" in call
    assert capfd.readouterr().out == "an update of prod was killed while it created endpoint: refreshing it\n"


API, FUNCTION, GROUP = (
    f"urn:pulumi:prod::g::{kind}::it"
    for kind in (
        "glidepath:serve:Serve$aws:apigateway/restApi:RestApi",
        "glidepath:function:Function$aws:lambda/function:Function",
        "aws:codedeploy/deploymentGroup:DeploymentGroup",
    )
)


def state_after_a_failure(folder: Path, urns: list[str]) -> None:
    """An engine whose state has resources that failed; it keeps what is imported."""
    resources: list[dict[str, Any]] = [
        {
            "urn": urn,
            "initErrors": ["failed"],
            "inputs": {"body": "b", "environment": "e", "n": 1},
            "outputs": {"body": "b"},
        }
        for urn in urns
    ]
    resources.append({"urn": "urn:pulumi:prod::g::t::good", "inputs": {"body": "b"}, "outputs": None})
    (folder / "state").write_text(json.dumps({"deployment": {"resources": resources}}))
    write(
        folder,
        f'echo "$@" >> {folder}/calls\n'
        f'[ "$1 $2" = "stack export" ] && cat {folder}/state\n'
        f'[ "$1 $2" = "stack import" ] && cp "$6" {folder}/imported\nexit 0',
    )
    (folder / "Pulumi.prod.yaml").write_text("config: {}\n")


def test_what_an_update_failed_at_is_refreshed(engine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state_after_a_failure(engine, [GROUP])
    refresh_interrupted("prod", engine)
    calls = (engine / "calls").read_text().splitlines()
    assert f"--target {GROUP} " in calls[1]
    assert "good" not in calls[1]
    assert capfd.readouterr().out == "an update of prod failed at it: refreshing it\n"
    assert len(calls) == 2


def test_what_no_refresh_sees_is_taken_out_of_the_state(engine: Path) -> None:
    state_after_a_failure(engine, [API, FUNCTION, GROUP])
    refresh_interrupted("prod", engine)
    api, function, group, good = json.loads((engine / "imported").read_text())["deployment"]["resources"]
    assert (api["inputs"], api["outputs"]) == ({"environment": "e", "n": 1}, {})
    assert function["inputs"] == {"body": "b", "n": 1}
    assert group["inputs"] == {"body": "b", "environment": "e", "n": 1}
    assert good["inputs"] == {"body": "b"}


def test_a_function_that_was_being_changed_is_published_anew(engine: Path) -> None:
    """Its variables may be there and its version not: whoever reads them finds nothing left to do."""
    state_after_a_failure(engine, [FUNCTION])
    state = json.loads((engine / "state").read_text())
    resources = state["deployment"]["resources"]
    del resources[0]["initErrors"]
    state["deployment"]["pending_operations"] = [{"type": "updating", "resource": {"urn": FUNCTION}}]
    (engine / "state").write_text(json.dumps(state))
    refresh_interrupted("prod", engine)
    function, _ = json.loads((engine / "imported").read_text())["deployment"]["resources"]
    assert function["inputs"] == {"body": "b", "n": 1}


def test_an_empty_file_of_attributes_is_taken_away(tmp_path: Path) -> None:
    folder = tmp_path / ".pulumi" / "stacks" / "glidepath"
    folder.mkdir(parents=True)
    texts = {"prod.json": "{}", "prod.json.attrs": "", "prod.json.bak.attrs": "{}", "dev.json.attrs": ""}
    for name, text in texts.items():
        (folder / name).write_text(text)
    repair_folder("prod", "s3://state")
    assert len(list(folder.iterdir())) == 4
    repair_folder("prod", f"file://{tmp_path}")
    assert sorted(path.name for path in folder.iterdir()) == ["dev.json.attrs", "prod.json", "prod.json.bak.attrs"]
