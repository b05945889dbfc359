"""The gateway's side of the nursery: has a function's process forked, and hears how it ends."""

import contextlib
import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from rehearsal.cloud.core.api import Cloud

_SCRIPT = Path(__file__).resolve().parent / "nursery.py"
_LENGTH = struct.Struct("!I")
_LOST = -9
"""How a process counts whose nursery is gone: the kernel kills it then."""
# Locale of the functions' processes (environments.py), which an interpreter reads when it starts.
_LOCALE = {"LANG": "en_US.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}


class Forked:
    """A process that the nursery has forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = threading.Event()
        self._code: int | None = None

    def poll(self) -> int | None:
        """How it ended, as `subprocess` gives it; None while it runs."""
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """How it ended. Raises subprocess.TimeoutExpired."""
        if not self._ended.wait(timeout) or self._code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self._code

    def end(self, code: int) -> None:
        """It has ended."""
        self._code = code
        self._ended.set()


class Nursery:
    """The process that forks, from the first request on. Until it is ready, and on other systems, it forks nothing."""

    def __init__(self, cloud: Cloud, worker: Path, runtime: Path) -> None:
        self._cloud = cloud
        self._arguments = [str(worker), str(runtime)]
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self.ready = False
        self._numbers = count()
        self._asked: dict[int, tuple[threading.Event, dict[str, Any]]] = {}
        self._running: dict[int, Forked] = {}

    def fork(
        self,
        arguments: Sequence[str],
        paths: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        descriptors: tuple[int, int],
    ) -> Forked | None:
        """A process with a channel and an output; None where it must be started anew."""
        if not sys.platform.startswith("linux"):
            return None
        self._start()
        if not self.ready:
            return None
        answered, answer = threading.Event(), dict[str, Any]()
        number = next(self._numbers)
        request = {"id": number, "arguments": [*arguments], "paths": [*paths], "env": dict(env), "cwd": str(cwd)}
        text = json.dumps(request).encode()
        try:
            with self._lock:
                if self._control is None:
                    return None
                self._asked[number] = (answered, answer)
                socket.send_fds(self._control, [_LENGTH.pack(len(text))], descriptors)
                self._control.sendall(text)
        except OSError:
            return None
        answered.wait()
        forked: Forked | None = answer.get("forked")
        return forked

    def _start(self) -> None:
        """Start it where it does not run: at first, and where somebody has killed it."""
        with self._lock:
            if self._control is not None:
                return
            self._control, theirs = socket.socketpair()
            command = [sys.executable, "-I", "-S", str(_SCRIPT), str(theirs.fileno()), *self._arguments]
            with theirs:
                self._cloud.run_process(
                    command, _LOCALE, self._cloud.root, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
                )
            self._cloud.background(self._listen, self._control, name="lambda-nursery")

    def _listen(self, control: socket.socket) -> None:
        with contextlib.suppress(OSError), control.makefile("rb") as lines:
            for line in lines:
                self._hear(json.loads(line))
        with self._lock:
            self.ready, self._control = False, None
            control.close()
        for forked in list(self._running.values()):
            forked.end(_LOST)
        self._running.clear()
        for answered, _ in list(self._asked.values()):
            answered.set()
        self._asked.clear()

    def _hear(self, told: dict[str, Any]) -> None:
        """On one thread, in the order in which it was said: a process is known before it has ended."""
        if "ready" in told:
            self.ready = True
        elif "ended" in told:
            forked = self._running.pop(told["ended"], None)
            if forked is not None:
                self._cloud.workers.forget(forked)
                forked.end(told["code"])
        else:
            answered, answer = self._asked.pop(told["request"])
            if "pid" in told:
                answer["forked"] = self._running[told["pid"]] = Forked(told["pid"])
                self._cloud.workers.adopt(answer["forked"])
            answered.set()
