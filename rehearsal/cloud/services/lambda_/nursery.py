"""Forks the processes of functions: `python -I -S nursery.py <control> <worker.py> <runtime folder>`.

It has imported the interpreter's library and the SDK, as AWS's runtime has them, and nothing else: the function's code
is imported in the function's own process. What a request brings (arguments, environment, folder, descriptors) is all
that a process has. A request that a forked process could not meet as one that is started anew is refused.

This file stands alone, as `worker.py` does: it is in every process that it forks. It runs on one thread: nothing may
run beside a fork. What processes have in common besides is the seed of Python's hashes.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from types import CodeType, ModuleType
from typing import Any

_LENGTH = struct.Struct("!I")
_PR_SET_PDEATHSIG = 1
_AHEAD = (
    "logging",
    "boto3.session",
    "botocore.session",
    "botocore.client",
    "boto3.s3.inject",
    "s3transfer.subscribers",
)
# What the interpreter, its allocator or OpenSSL reads when it starts; a process that is forked has started already.
_AT_START = ("LC_", "LD_", "MALLOC_", "GLIBC_", "OPENSSL_", "LANGUAGE")


def shadowed(folders: list[str]) -> str:
    """A module of the function's that stands in `sys.modules` already, by another's code; empty where there is none."""
    known = {name.partition(".")[0] for name in sys.modules}
    for folder in folders:
        with contextlib.suppress(OSError):
            for entry in os.listdir(folder):
                if entry.partition(".")[0] in known:
                    return entry
    return ""


def refusal(request: dict[str, Any]) -> str:
    """Why a process must be started anew; empty where it may be forked."""
    variables = request["env"]
    early = next((name for name in variables if name.startswith(_AT_START)), "")
    if early or variables.get("LANG") != os.environ.get("LANG"):
        return early or "LANG"
    return shadowed(request["paths"])


class Nursery:
    """Answers requests at its one connection until that ends."""

    def __init__(self, control: socket.socket, script: str) -> None:
        self._control = control
        self._script = script
        with open(script, encoding="utf-8") as file:
            self._code: CodeType = compile(file.read(), script, "exec")
        self._prctl = ctypes.CDLL(None).prctl
        self._wake, self._waker = os.pipe()
        for end in (self._wake, self._waker):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)

    def serve(self) -> dict[str, Any] | None:
        """In a forked process: the request that it is to run. None where nobody asks any more."""
        self._say({"ready": os.getpid()})
        # Not `select.select`, which takes no descriptor from 1024 on: ours has the number that it had in the gateway.
        waited = select.poll()
        for each in (self._control.fileno(), self._wake):
            waited.register(each, select.POLLIN)
        while True:
            readable = [number for number, _ in waited.poll()]
            if self._wake in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 4096)
                self._reap()
            if self._control.fileno() in readable:
                request, descriptors = self._receive()
                if request is None:
                    return None
                if self._take(request, descriptors):
                    return request

    def run(self, request: dict[str, Any]) -> None:
        """Be the process that was asked for: the last thing that it does."""
        sys.argv = [self._script, *request["arguments"]]
        module = ModuleType("__main__")
        module.__file__ = self._script
        sys.modules["__main__"] = module
        exec(self._code, module.__dict__)  # noqa: S102  our own script, as `python worker.py` would

    def _take(self, request: dict[str, Any], descriptors: list[int]) -> bool:
        """Fork for a request; True in the process that is forked."""
        reason = refusal(request)
        pid = -1 if reason else os.fork()
        if pid == 0:
            self._become(request, descriptors)
            return True
        for each in descriptors:
            os.close(each)
        self._say({"request": request["id"], **({"refused": reason} if reason else {"pid": pid})})
        return False

    def _become(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Nothing of the nursery stays: descriptors, signals, environment, folder and session are the function's."""
        os.setsid()
        self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        channel, output = descriptors
        null = os.open(os.devnull, os.O_RDONLY)
        for target, source in enumerate((null, output, output)):
            os.dup2(source, target)
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) != channel:
                with contextlib.suppress(OSError):
                    os.close(int(name))
        self._control.detach()
        # What an interpreter sets for itself where the system lacks the locale (PEP 538).
        coerced = {name: value for name, value in os.environ.items() if name == "LC_CTYPE"}
        os.environ.clear()
        os.environ.update(coerced | request["env"])
        time.tzset()
        os.chdir(request["cwd"])
        request["arguments"].insert(0, str(channel))

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._say({"ended": found[0], "code": os.waitstatus_to_exitcode(found[1])})

    def _receive(self) -> tuple[dict[str, Any] | None, list[int]]:
        data, descriptors, _, _ = socket.recv_fds(self._control, _LENGTH.size, 2)
        if len(data) < _LENGTH.size:
            return None, []
        (length,) = _LENGTH.unpack(data)
        parts = bytearray()
        while len(parts) < length:
            part = self._control.recv(length - len(parts))
            if not part:
                return None, []
            parts += part
        return json.loads(parts), descriptors

    def _say(self, answer: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._control.sendall(json.dumps(answer).encode() + b"\n")


def main() -> None:
    control, script, runtime = sys.argv[1:]
    sys.path.append(runtime)
    for name in _AHEAD:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    nursery = Nursery(socket.socket(fileno=int(control)), script)
    request = nursery.serve()
    if request is not None:
        nursery.run(request)


if __name__ == "__main__":
    main()
