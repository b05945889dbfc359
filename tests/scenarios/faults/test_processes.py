"""Killing a process with all it has started, whatever sessions they made for themselves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.faults.processes import family, kill_family
from tests.processes import left_after_waiting

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_child_in_a_session_of_its_own_is_killed_as_well() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert os.getsid(child) == child
        assert family(parent.pid) == [parent.pid, child]
        kill_family(parent.pid)
        assert parent.wait(10) == -9
    assert left_after_waiting([child]) == []
