"""Whether a process still runs, and signals to all that a session holds.

A copy of `alive`, `members` and `signal_session` of rehearsal/cloud/core/reaper.py, on purpose: a deploy in CodeBuild
must not need an emulator, and the rehearsal, a package of its own, must not need the operator.
"""

import os
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process still runs. One that has ended stays listed until its parent asks, which may be never."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    fields = _fields(pid)
    return not fields or fields[0] not in ("Z", "X")


def members(session: int) -> list[int]:
    """The processes of a session, whatever process groups they made for themselves. Empty where /proc is missing."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    found = {pid: _fields(pid) for pid in pids}
    # state parent group session …
    return [pid for pid, fields in found.items() if len(fields) > 3 and int(fields[3]) == session and fields[0] != "Z"]


def signal_session(session: int, number: int) -> None:
    """Signal every process of a session, and its first process group."""
    for pid in members(session):
        try:
            os.kill(pid, number)
        except OSError:
            continue
    try:
        os.killpg(session, number)
    except OSError:
        return


def _fields(pid: int) -> list[str]:
    """What /proc says of a process, from its state on; empty where it says nothing."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    # pid (command) state …; the command may hold anything.
    return text.rpartition(")")[2].split()
