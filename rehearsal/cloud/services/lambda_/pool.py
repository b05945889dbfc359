"""Execution environments: processes that run functions, kept warm between invocations."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rehearsal.cloud.core.api import Cloud
from rehearsal.cloud.core.workers import Process
from rehearsal.cloud.services.lambda_.forked import Nursery

WARM_LIMIT = 4
"""Environments of one version beyond which an invocation waits for a free one before it starts another."""
HARD_LIMIT = 32
IDLE_SECONDS = 120.0
INIT_SECONDS = 10.0
MACHINE_SECONDS = 60.0
"""So much longer than it may last a start may take on a busy machine, while its minute waits."""
MAX_AGE_SECONDS = 2700.0
"""An environment is not used for longer than its credentials are good."""

_PATIENCE = 0.5
_LEAST_EXTENSION = 0.02
_BOOTSTRAP = Path(__file__).resolve().parent / "worker.py"
_LENGTH = struct.Struct("!I")
# What AWS's Python runtime brings along beside the standard library.
_RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


class WorkerLostError(Exception):
    """The process ended in the middle of an invocation. `returncode` is as subprocess gives it."""

    def __init__(self, returncode: int | None) -> None:
        super().__init__(f"the function's process ended with {returncode}")
        self.returncode = returncode


class WorkerTimeoutError(Exception):
    """The invocation took longer than the function's time-out."""


@dataclass(frozen=True)
class Plan:
    """All that starting an environment needs."""

    handler: str
    task_root: Path
    layers: tuple[Path, ...]
    environment: Callable[[], dict[str, str]]
    """Called for each start: the credentials in it are fresh."""


@dataclass
class Outcome:
    """What one invocation gave. `head` is the worker's own account of it."""

    head: dict[str, Any]
    payload: bytes
    output: list[str]


@dataclass
class Worker:
    """One execution environment."""

    process: Process
    channel: socket.socket
    pipe: int
    log_stream: str
    scratch: Path
    init_ms: float = 0.0
    init_error: dict[str, Any] | None = None
    used: bool = False
    idle_since: float = field(default_factory=time.monotonic)
    born: float = field(default_factory=time.monotonic)
    _output: bytearray = field(default_factory=bytearray)

    def initialise(self, limit: float) -> None:
        """Waits until the handler is imported. Raises WorkerTimeoutError or WorkerLostError."""
        head, _ = self._answer(time.monotonic() + limit)
        self.init_ms = head.get("init_ms", 0.0)
        self.init_error = head.get("init_error")

    def invoke(self, meta: dict[str, Any], event: bytes, limit: float) -> Outcome:
        """One invocation. Raises WorkerTimeoutError or WorkerLostError; the worker is of no use after either."""
        frames = (json.dumps(meta).encode(), event)
        try:
            self.channel.sendall(b"".join(_LENGTH.pack(len(frame)) + frame for frame in frames))
        except OSError:
            raise WorkerLostError(self._returncode()) from None
        head, payload = self._answer(time.monotonic() + limit)
        return Outcome(head, payload, self.take_output())

    def take_output(self) -> list[str]:
        """The lines written since the last call."""
        self._drain()
        text = self._output.decode("utf-8", "replace")
        self._output.clear()
        return text.splitlines()

    def _answer(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        received = bytearray()
        poller = select.poll()
        poller.register(self.channel, select.POLLIN)
        poller.register(self.pipe, select.POLLIN)
        queued = self._queued()
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                # What it waited for a processor is the machine's time, not the function's.
                more = self._queued() - queued
                if more < _LEAST_EXTENSION:
                    raise WorkerTimeoutError
                deadline, queued = deadline + more, queued + more
                continue
            for descriptor, _ in poller.poll(remaining * 1000):
                if descriptor == self.pipe:
                    if not self._drain():
                        poller.unregister(self.pipe)
                    continue
                part = self._receive()
                if not part:
                    raise WorkerLostError(self._returncode())
                received += part
                frames = _two_frames(received)
                if frames is not None:
                    return json.loads(frames[0]), frames[1]

    def _queued(self) -> float:
        """Seconds that the process's first thread has waited for a processor; 0 where the system does not say."""
        try:
            with open(f"/proc/{self.process.pid}/schedstat", encoding="ascii") as file:
                return int(file.read().split()[1]) / 1e9
        except (OSError, IndexError):
            return 0.0

    def _receive(self) -> bytes:
        try:
            return self.channel.recv(1 << 20)
        except ConnectionError:
            return b""

    def _drain(self) -> bool:
        """Reads what output there is; False once the other end is closed."""
        while True:
            try:
                part = os.read(self.pipe, 1 << 16)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not part:
                return False
            self._output += part

    def _returncode(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(2)
        return None

    def close(self) -> None:
        """Kills the process group and frees the descriptors."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.channel.close()
        with contextlib.suppress(OSError):
            os.close(self.pipe)
        shutil.rmtree(self.scratch, ignore_errors=True)


def _two_frames(data: bytearray) -> tuple[bytes, bytes] | None:
    frames = []
    position = 0
    for _ in range(2):
        if len(data) < position + _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(data, position)
        position += _LENGTH.size
        if len(data) < position + length:
            return None
        frames.append(bytes(data[position : position + length]))
        position += length
    return frames[0], frames[1]


class Pool:
    """The environments of one version of one function."""

    def __init__(self, cloud: Cloud, plan: Plan, name: str, version: str) -> None:
        self._cloud = cloud
        self._plan = plan
        self._label = f"{name}:{version}"
        self._version = version
        self._idle: list[Worker] = []
        self._running = 0
        self._condition = threading.Condition()
        self._closed = False

    def acquire(self) -> Worker:
        """A warm environment, or a new process whose `initialise` is still to be called (`used` is False)."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._idle) or self._running < WARM_LIMIT, _PATIENCE)
            self._condition.wait_for(lambda: bool(self._idle) or self._running < HARD_LIMIT)
            self._running += 1
            while self._idle:
                worker = self._idle.pop()
                if worker.process.poll() is None and time.monotonic() - worker.born < MAX_AGE_SECONDS:
                    return worker
                worker.close()
        try:
            # The invocation's minute waits for the start of the process too.
            with self._cloud.clock.held(MACHINE_SECONDS):
                return self._start()
        except BaseException:
            self._release()
            raise

    def give_back(self, worker: Worker, healthy: bool) -> None:
        """Keeps a healthy worker warm; ends any other."""
        worker.used = True
        worker.idle_since = time.monotonic()
        if not healthy:
            worker.close()
        with self._condition:
            if healthy and not self._closed:
                self._idle.append(worker)
                healthy = False
            self._running -= 1
            self._condition.notify()
        if healthy:
            worker.close()

    def reap(self, idle_seconds: float) -> None:
        """Ends environments that have been idle for so long."""
        limit = time.monotonic() - idle_seconds
        with self._condition:
            old = [worker for worker in self._idle if worker.idle_since <= limit]
            self._idle = [worker for worker in self._idle if worker.idle_since > limit]
        for worker in old:
            worker.close()

    def close(self) -> None:
        """Ends the idle environments; busy ones end with their invocation."""
        with self._condition:
            self._closed = True
        self.reap(-1.0)

    def _release(self) -> None:
        with self._condition:
            self._running -= 1
            self._condition.notify()

    def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{self._version}]{os.urandom(16).hex()}"
        scratch = tempfile.mkdtemp(prefix="lambda-", dir=self._cloud.root)
        paths = [str(self._plan.task_root)]
        for layer in self._plan.layers:
            paths += [str(layer / "python"), str(layer)]
        environment = {
            **self._plan.environment(),
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "HOME": scratch,
            "TMPDIR": scratch,
        }
        try:
            process = self._process(paths, environment, theirs.fileno(), writer)
        except BaseException:
            ours.close()
            os.close(reader)
            raise
        finally:
            theirs.close()
            os.close(writer)
        return Worker(process, ours, reader, stream, Path(scratch))

    def _process(self, paths: list[str], environment: dict[str, str], channel: int, output: int) -> Process:
        """Forked from what has imported the runtime, or started anew where that would be another process."""
        arguments = [self._plan.handler, *paths, str(runtime_folder(Path(self._cloud.root)))]
        forked = nursery_of(self._cloud).fork(arguments, paths, environment, self._plan.task_root, (channel, output))
        return forked or self._cloud.run_process(
            [sys.executable, "-I", "-S", str(_BOOTSTRAP), str(channel), *arguments],
            environment,
            self._plan.task_root,
            pass_fds=[channel],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def nursery_of(cloud: Cloud) -> Nursery:
    """What forks the processes of a cloud's functions."""
    made = Nursery(cloud, _BOOTSTRAP, runtime_folder(Path(cloud.root)))
    return cloud.store("lambda-runtime", "", "").setdefault("nursery", made)  # type: ignore[no-any-return]


@cache
def runtime_folder(root: Path) -> Path:
    """A folder with the SDK and nothing else: a function that forgot to package a library must fail here as on AWS."""
    folder = root / "lambda-runtime"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _RUNTIME_PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue
        source = Path(spec.origin)
        source = source.parent if source.name == "__init__.py" else source
        # Two functions that are called first at once both come here.
        with contextlib.suppress(FileExistsError):
            (folder / source.name).symlink_to(source)
    return folder
