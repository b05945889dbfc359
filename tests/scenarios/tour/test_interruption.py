"""A rehearsal that is interrupted, or loses its cloud: how it ends, and that nothing of it goes on."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rehearsal.cloud.process import lifecycle
from rehearsal.environment import Rehearsal

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 180


class Played:
    """`./glidepath rehearse` in a folder of its own, as the foreground of a terminal would have it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            place = {"GLIDEPATH_FOLDER": str(folder), "GLIDEPATH_PORT": str(probe.getsockname()[1])}
        self.environ = {**os.environ, **place}
        self.rehearsal = Rehearsal.here(self.environ)
        self._log = folder.with_suffix(".log")

    def start(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "cli", "rehearse", "--yes", *arguments]
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def until(self, text: str) -> None:
        """Waits for a line that holds this text."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.output():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def until_engine(self) -> None:
        """Waits until a `pulumi up` is at work."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not any("pulumi\0--non-interactive\0--color\0never\0up" in command for command in self._running()):
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def output(self) -> str:
        return self._log.read_text()

    def left(self) -> list[str]:
        """Command lines of all processes that go on running in this rehearsal's folder: a killed one takes a moment."""
        deadline = time.monotonic() + 10
        while (found := self._running()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _running(self) -> list[str]:
        found = []
        mark = f"GLIDEPATH_FOLDER={self.rehearsal.folder}\0".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_text(errors="replace"))
            except OSError:
                continue
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(60)
        lifecycle.stop(self.rehearsal)


pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


def test_an_interrupted_rehearsal_leaves_nothing_and_the_next_one_starts_clean(tmp_path: Path) -> None:
    played = Played(tmp_path / "rehearsal")
    try:
        played.start("--keep")
        played.until_engine()
        os.killpg(played.process.pid, signal.SIGINT)
        assert played.process.wait(60) == 130
        assert played.output().splitlines()[1:] == ["glidepath: interrupted"]
        assert played.left() == []
        assert lifecycle.status(played.rehearsal) is None

        played.start()
        played.until("delivery: ")
        played.until_engine()
        # A service manager's signal: only this process gets it.
        os.kill(played.process.pid, signal.SIGTERM)
        assert played.process.wait(60) == 130
        assert played.output().splitlines()[2:] == ["glidepath: interrupted"]
        assert played.left() == []
    finally:
        played.close()


def test_a_rehearsal_whose_cloud_is_killed_says_so(tmp_path: Path) -> None:
    played = Played(tmp_path / "rehearsal")
    try:
        played.start()
        played.until_engine()
        found = lifecycle.status(played.rehearsal)
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)
        assert played.process.wait(120) == 1
        said = [line for line in played.output().splitlines() if line.startswith("glidepath: ")]
        assert len(said) == 1
        assert "the rehearsal's cloud has ended without being stopped" in said[0]
        assert "Traceback" not in played.output()
        assert played.left() == []
    finally:
        played.close()


def test_the_status_of_a_cloud_without_stacks_says_so(tmp_path: Path) -> None:
    environ = Played(tmp_path / "rehearsal").environ

    def glidepath(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)

    assert glidepath("cloud", "up").returncode == 0
    try:
        shown = glidepath("status")
        assert shown.returncode == 1
        first, second = shown.stderr.splitlines()
        assert first == "glidepath: The config profile (glidepath-dev) could not be found"
        assert second == "  the rehearsal's cloud has no stacks yet: `./glidepath rehearse` brings them up"
    finally:
        assert glidepath("down").returncode == 0
