"""Whether a process runs, and signals to a session: the same answers as the rehearsal's original gives."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from operate import processes
from rehearsal.cloud.core import reaper

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are read in /proc")
PARENT = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], process_group=0)\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)"
)


def test_a_session_is_ended_whatever_groups_it_made() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert set(processes.members(parent.pid)) == set(reaper.members(parent.pid)) == {parent.pid, child}
    assert processes.alive(child)
    processes.signal_session(parent.pid, signal.SIGKILL)
    os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
    # Ended, and still listed until somebody asks for its end.
    assert not processes.alive(parent.pid)
    assert not reaper.alive(parent.pid)
    parent.wait()
    assert not processes.alive(parent.pid)


def test_this_process_runs() -> None:
    assert processes.alive(os.getpid())
