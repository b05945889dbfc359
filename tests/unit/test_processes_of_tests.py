"""tests/processes.py itself: a zombie has ended, and what runs is reported once the patience is at its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import has_ended, left_after_waiting


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="states of processes are read in /proc")
def test_a_zombie_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    try:
        # Waits for the end and leaves the zombie where it is.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        os.kill(child.pid, 0)
        assert has_ended(child.pid)
    finally:
        child.wait()
    assert has_ended(child.pid)


def test_a_running_process_is_left_until_it_is_killed() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert left_after_waiting([child.pid], seconds=0.1) == [child.pid]
        child.send_signal(signal.SIGKILL)
        assert left_after_waiting([child.pid]) == []
    finally:
        child.kill()
        child.wait()
