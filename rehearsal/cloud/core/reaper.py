"""Ends the sessions of a gateway that died.

Run as a script: stdin says `+<session>` and `-<session>`, and its end is the cue.

Only the standard library, and little of that: this runs beside every gateway.
"""

import os
import signal
import sys


def members(session: int) -> list[int]:
    """The processes of a session, whatever process groups they made for themselves. Empty where /proc is missing."""
    found = []
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                # pid (command) state parent group session …; the command may hold anything.
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if len(fields) > 3 and int(fields[3]) == session and fields[0] != "Z":
            found.append(int(name))
    return found


def alive(pid: int) -> bool:
    """Whether a process still runs. One that has ended stays listed until its parent asks, which may be never."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        with open(f"/proc/{pid}/stat", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return True


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


def main() -> None:
    sessions: set[int] = set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        sign, number = line[0], int(line[1:])
        if sign == "+":
            sessions.add(number)
        else:
            sessions.discard(number)
    for session in sessions:
        signal_session(session, signal.SIGKILL)


if __name__ == "__main__":
    main()
