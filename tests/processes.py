"""Whether a process has ended, decided by waiting for it.

An ended process stays listed as a zombie until its parent asks, and the first process of a container may never ask.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PATIENCE_SECONDS = 30.0


def has_ended(pid: int) -> bool:
    """Whether the process is gone, or a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        # Gone between the two questions; or a system without /proc, where the signal alone decides.
        return Path("/proc/self/stat").exists()
    # pid (command) state …; the command may hold anything.
    return text.rpartition(")")[2].split()[0] in ("Z", "X")


def left_after_waiting(pids: Iterable[int], seconds: float = PATIENCE_SECONDS) -> list[int]:
    """Those of the processes that still run when the patience is at its end; returns as soon as all have ended."""
    left = list(pids)
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in left if not has_ended(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS * 2) -> None:
    """Wait for what will become true; fails where it does not."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
