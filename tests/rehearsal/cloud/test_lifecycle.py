"""The gateway as a process: start, stop, ports, and what it leaves behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.cloud.core import reaper
from rehearsal.cloud.core.workers import Workers
from rehearsal.cloud.process import lifecycle
from rehearsal.cloud.process.running import RunningCloud, SecondGatewayError
from rehearsal.environment import Rehearsal
from rehearsal.errors import UserError
from tests.ports import free_port
from tests.processes import left_after_waiting


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    made = Rehearsal(folder=tmp_path, port=free_port())
    yield made
    lifecycle.stop(made)


def test_up_twice_down_and_up_again_after_a_kill(rehearsal: Rehearsal, tmp_path: Path) -> None:
    assert not lifecycle.running(rehearsal)
    pid = lifecycle.start(rehearsal)
    assert lifecycle.start(rehearsal) == pid
    stranger = Rehearsal(folder=tmp_path / "other", port=rehearsal.port)
    with pytest.raises(UserError, match=rf"(?s)port {rehearsal.port} .*another checkout.*GLIDEPATH_PORT="):
        lifecycle.start(stranger)
    assert not lifecycle.stop(stranger)
    assert lifecycle.absence(rehearsal) is None
    assert re.search(r"another checkout's rehearsal \(process \d+\) is up at", lifecycle.absence(stranger) or "")
    os.kill(pid, signal.SIGKILL)
    assert left_after_waiting([pid]) == []
    assert "has ended without being stopped" in (lifecycle.died(rehearsal) or "")
    second = lifecycle.start(rehearsal)
    assert second != pid
    assert lifecycle.stop(rehearsal)
    assert left_after_waiting([second]) == []
    assert (rehearsal.cloud / "ledger.json").exists()
    assert not lifecycle.stop(rehearsal)


def test_a_cloud_whose_folder_was_removed_is_named(rehearsal: Rehearsal) -> None:
    pid = lifecycle.start(rehearsal)
    shutil.rmtree(rehearsal.cloud)
    try:
        with pytest.raises(UserError, match=rf"(?s)process {pid}.* removed meanwhile.*`kill {pid}`"):
            lifecycle.start(rehearsal)
    finally:
        os.kill(pid, signal.SIGTERM)
        assert left_after_waiting([pid]) == []


def test_port_of_another_program_is_named(rehearsal: Rehearsal) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", rehearsal.port))
        sock.listen()
        with pytest.raises(UserError, match=rf"(?s)port {rehearsal.port} .*another program.*GLIDEPATH_PORT="):
            lifecycle.start(rehearsal)
        assert lifecycle.absence(rehearsal) == (
            f"another program has port {rehearsal.port} on 127.0.0.1, and no rehearsal is up"
        )


def test_a_pid_file_left_behind_harms_nobody(rehearsal: Rehearsal) -> None:
    assert lifecycle.absence(rehearsal) == f"no rehearsal is up at {rehearsal.endpoint}"
    assert lifecycle.died(rehearsal) is None
    rehearsal.cloud.mkdir(parents=True)
    file = rehearsal.cloud / "gateway.pid"
    # The number belongs to a process that is no gateway: this one.
    file.write_text(f"{os.getpid()}\n")
    assert "has ended without being stopped" in (lifecycle.absence(rehearsal) or "")
    assert not lifecycle.stop(rehearsal)
    assert not file.exists()
    file.write_text("no number")
    assert not lifecycle.running(rehearsal)
    assert not lifecycle.stop(rehearsal)


def test_commands_say_that_the_cloud_is_gone(rehearsal: Rehearsal) -> None:
    pid = lifecycle.start(rehearsal)
    os.kill(pid, signal.SIGKILL)
    assert left_after_waiting([pid]) == []
    env = {**os.environ, "GLIDEPATH_FOLDER": str(rehearsal.folder), "GLIDEPATH_PORT": str(rehearsal.port)}
    ended = subprocess.run([sys.executable, "-m", "cli", "status"], env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr.startswith("glidepath: the rehearsal's cloud has ended without being stopped: see ")
    assert "Traceback" not in ended.stderr


def test_children_and_theirs_end_with_the_workers(tmp_path: Path) -> None:
    workers = Workers()
    file = tmp_path / "pids"
    # The grandchild leaves its process group, as engines' plugins do.
    script = f"set -m; sleep 300 & echo $$ $! > {file}; wait"
    workers.run_process(["bash", "-c", script], {"PATH": os.environ["PATH"]})
    while not file.exists() or len(file.read_text().split()) < 2:
        time.sleep(0.02)
    pids = [int(pid) for pid in file.read_text().split()]
    assert set(reaper.members(pids[0])) == set(pids)
    workers.close()
    assert left_after_waiting(pids) == []


def test_children_and_theirs_end_when_the_gateway_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    script = f"set -m; sleep 300 & echo $$ $! > {file}; wait"
    program = (
        "import os, time; from rehearsal.cloud.core.workers import Workers; "
        f"Workers().run_process(['bash', '-c', {script!r}], dict(os.environ)); print('up', flush=True); time.sleep(300)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    parent = subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    while not file.exists() or len(file.read_text().split()) < 2:
        time.sleep(0.02)
    pids = [int(pid) for pid in file.read_text().split()]
    assert all(reaper.alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    assert left_after_waiting(pids) == []


def test_no_child_is_started_after_the_end() -> None:
    workers = Workers()
    workers.close()
    with pytest.raises(RuntimeError, match="shutting down"):
        workers.run_process(["true"], {})


def test_a_process_has_one_gateway(running_cloud: RunningCloud, tmp_path: Path) -> None:
    """moto's state is the process's, and a second gateway's hooks took the first one's mail away."""
    with pytest.raises(SecondGatewayError, match="already runs in this process"):
        RunningCloud(tmp_path)
    client = running_cloud.cloud.client("sts", "100000000001", "eu-west-1")
    assert client.get_caller_identity()["Account"] == "100000000001"
