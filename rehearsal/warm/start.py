"""`python -I -S start.py <socket> <python> …`: start a Python process from the warm server, or as usual without one.

Stays until the process has ended, with its exit code; signals are passed on. Standard library only, and little of it:
this is what a warm start costs.
"""

import array
import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable

_LENGTH = struct.Struct("!I")


class Answers:
    """Lines from the server, for as long as whoever started us lives."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._parent = os.getppid()
        self._received = b""

    def orphaned(self) -> bool:
        """Whether who started us is gone."""
        return os.getppid() != self._parent

    def next(self) -> dict[str, int]:
        """The next answer. Empty where the server is gone, or who started us."""
        while b"\n" not in self._received:
            ready, _, _ = select.select([self._connection], [], [], 1.0)
            if not ready:
                # Nobody says so to the child of a process that was killed.
                if self.orphaned():
                    return {}
                continue
            part = self._connection.recv(1 << 12)
            if not part:
                return {}
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        answer: dict[str, int] = json.loads(line)
        return answer


def ask(path: str, argv: list[str]) -> socket.socket | None:
    """The connection on which the end is reported; None where there is no server, or it does not take this one."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    request = json.dumps({"argv": argv, "env": dict(os.environ), "cwd": os.getcwd()}).encode()
    try:
        connection.connect(path)
        streams = array.array("i", [0, 1, 2])
        message = _LENGTH.pack(len(request)) + request
        sent = connection.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        connection.sendall(message[sent:])
    except OSError:
        return None
    return connection


def outlast(pid: int, orphaned: Callable[[], bool]) -> None:
    """Wait for the end of a process whose server is gone."""
    while running(pid):
        if orphaned():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.1)


def running(pid: int) -> bool:
    """Whether a process is there, and more than an entry that nobody has asked for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Signals:
    """Signals that are to end us: kept until there is a process to pass them to.

    It may be at work, and have said so, before we have heard which process it is.
    """

    def __init__(self) -> None:
        self._kept: list[int] = []
        self._pid = 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # Whoever started us may have had it ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._take)

    def pass_to(self, pid: int) -> None:
        """From now on, to this process."""
        self._pid = pid
        for number in self._kept:
            self._take(number, None)

    def release(self) -> None:
        """What came meanwhile is ours after all."""
        for number in self._kept:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _take(self, number: int, frame: object) -> None:
        if not self._pid:
            self._kept.append(number)
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)


def found(command: str) -> str:
    """Where a command lies that may be named without its folder."""
    folders = [] if "/" in command else os.environ.get("PATH", os.defpath).split(os.pathsep)
    places = (os.path.join(folder, command) for folder in folders)
    return next((place for place in places if os.access(place, os.X_OK)), command)


def main() -> int:
    path, *argv = sys.argv[1:]
    argv[0] = found(argv[0])
    signals = Signals()
    connection = ask(path, argv)
    answers = Answers(connection) if connection is not None else None
    answer = answers.next() if answers is not None else {}
    if answers is None or "pid" not in answer:
        signals.release()
        os.execvp(argv[0], argv)  # noqa: S606  what we were asked to start
    signals.pass_to(answer["pid"])
    own, ended = None, answers.next()
    if "own" in ended:
        own, ended = ended["own"], answers.next()
    if not ended:
        outlast(answer["pid"], answers.orphaned)
        if own is None:
            print(f"process {answer['pid']} ended without saying how: {' '.join(argv[:4])}", file=sys.stderr)
        return 1 if own is None else own
    code = ended["code"]
    if code < 0:
        # As who waits for us would have seen it.
        with contextlib.suppress(OSError):  # SIGKILL has no handler to take away
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main())
