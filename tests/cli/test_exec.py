"""`glidepath exec`, with an engine that is ready already (a stand-in), run as a person would run it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.errors import INTERRUPTED, NOT_EXECUTABLE, NOT_FOUND, USAGE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A PATH whose `pulumi` says it is recent and takes every plugin: `exec` then needs nothing else."""
    folder = tmp_path / "engine"
    folder.mkdir()
    for name in ("pulumi", "pulumi-language-python"):
        file = folder / name
        file.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.272.0\nexit 0\n')
        file.chmod(0o755)
    return {
        "PATH": f"{folder}:/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "GLIDEPATH_FOLDER": str(tmp_path / "rehearsal"),
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "PULUMI_ACCESS_TOKEN": "pul-real",
    }


def execute(env: dict[str, str], *arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", str(ROOT / "cli" / "__main__.py"), "exec", *arguments]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=60)


def test_ends_with_the_commands_own_code_and_output(env: dict[str, str], tmp_path: Path) -> None:
    result = execute(env, "--", "sh", "-c", "echo out; echo err >&2; exit 7", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (7, "out\n", "err\n")


def test_options_of_the_command_are_left_to_it(env: dict[str, str]) -> None:
    assert execute(env, "echo", "--help", "-x", "--", "y").stdout == "--help -x -- y\n"


def test_runs_in_the_callers_folder_with_the_rehearsals_environment(env: dict[str, str], tmp_path: Path) -> None:
    show = "import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))"
    result = execute(env, "--", sys.executable, "-c", show, cwd=tmp_path)
    cwd, seen = json.loads(result.stdout)
    assert cwd == str(tmp_path)
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4599"
    assert seen["PULUMI_HOME"] == f"{tmp_path}/rehearsal/pulumi-home"
    assert Path(seen["AWS_SHARED_CREDENTIALS_FILE"]).is_file()
    # Nothing of the person's real cloud gets through, nor does the project itself onto the import path.
    assert not {"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "PULUMI_ACCESS_TOKEN", "PYTHONPATH"} & seen.keys()


def test_finds_the_engine_first(env: dict[str, str], tmp_path: Path) -> None:
    result = execute(env, "--", "sh", "-c", "command -v pulumi")
    assert result.stdout == f"{tmp_path}/rehearsal/bin/pulumi\n"


def test_command_not_found(env: dict[str, str]) -> None:
    result = execute(env, "--", "no-such-command")
    assert result.returncode == NOT_FOUND
    assert result.stderr.startswith("glidepath: no-such-command: command not found\n")


def test_command_not_executable(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text("#!/bin/sh\n")
    result = execute(env, "--", str(file))
    assert result.returncode == NOT_EXECUTABLE
    assert result.stderr == f"glidepath: {file}: is not executable\n  chmod +x {file}\n"
    assert execute(env, "--", str(tmp_path)).returncode == NOT_EXECUTABLE


def test_missing_command_is_a_usage_error(env: dict[str, str]) -> None:
    result = execute(env)
    assert result.returncode == USAGE
    assert "Missing argument" in result.stderr
    assert "Traceback" not in result.stderr


def test_bad_port_is_a_clear_error(env: dict[str, str]) -> None:
    result = execute(env | {"GLIDEPATH_PORT": "http"}, "--", "true")
    assert result.returncode == 1
    assert result.stderr == "glidepath: GLIDEPATH_PORT='http' is not a port\n  Give a number from 1024 to 65535.\n"


def test_signals_reach_the_command_itself(env: dict[str, str]) -> None:
    script = "trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done"
    command = [sys.executable, "-P", str(ROOT / "cli" / "__main__.py"), "exec", "--", "sh", "-c", script]
    child = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "ready\n"
        os.kill(child.pid, signal.SIGINT)
        assert child.wait(20) == 9


def test_interrupt_during_preparation(env: dict[str, str], tmp_path: Path) -> None:
    slow = tmp_path / "engine" / "pulumi"
    slow.write_text('#!/bin/sh\ntouch "$HOME.started"\nexec sleep 60\n')
    command = [sys.executable, "-P", str(ROOT / "cli" / "__main__.py"), "exec", "--", "true"]
    child = subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not Path(env["HOME"] + ".started").exists():
        assert child.poll() is None
    os.killpg(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (INTERRUPTED, "glidepath: interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "apart"),
    [
        (["up", "--stack", "prod"], True),
        (["--non-interactive", "preview"], True),
        (["config", "set", "glidepath:api", "{}"], False),
    ],
)
def test_an_engine_on_the_checkouts_program_writes_to_stack_files_of_the_rehearsal(
    env: dict[str, str], arguments: list[str], apart: bool
) -> None:
    pulumi = Path(env["PATH"].partition(":")[0]) / "pulumi"
    pulumi.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.272.0 || pwd\n')
    result = execute(env, "--", "pulumi", *arguments)
    folder = Path(env["GLIDEPATH_FOLDER"]) / "project" if apart else ROOT
    assert (result.returncode, result.stdout.splitlines()[-1:]) == (0, [str(folder)])


def test_an_engine_on_another_program_runs_where_it_is(env: dict[str, str], tmp_path: Path) -> None:
    pulumi = Path(env["PATH"].partition(":")[0]) / "pulumi"
    pulumi.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.272.0 || pwd\n')
    (tmp_path / "Pulumi.yaml").write_text("name: other\nruntime: python\n")
    assert execute(env, "--", "pulumi", "up", cwd=tmp_path).stdout == f"{tmp_path}\n"
