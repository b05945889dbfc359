"""Threads and child processes of the gateway, all of which end with it."""

import contextlib
import ctypes
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from rehearsal.cloud.core import reaper
from rehearsal.cloud.core.trouble import tell

_GRACE_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process(Protocol):
    """A process that was started, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Workers:
    """Keeps what was started, to stop it at shutdown."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._processes: list[Process] = []
        self._lock = threading.Lock()
        self._closed = False
        self._spawner = _Spawner()
        self._guard = _Guard()

    def background(
        self, function: Callable[..., Any], *args: Any, name: str | None = None, **kwargs: Any
    ) -> threading.Thread:
        """Run `function` on a thread. What it raises is printed: it has nobody to raise to."""

        def run() -> None:
            try:
                function(*args, **kwargs)
            except Exception:  # noqa: BLE001
                if not self._closed:
                    tell(traceback.format_exc())

        thread = threading.Thread(target=run, name=name or getattr(function, "__name__", "worker"), daemon=True)
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()] + [thread]
            # Started under the lock: whoever joins must not meet a thread that has not begun.
            thread.start()
        return thread

    def run_process(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str | Path | None = None,
        **options: Any,
    ) -> subprocess.Popen[Any]:
        """Start a child in its own process group. It is killed at shutdown, and by the kernel if the gateway dies.

        `options` are those of `subprocess.Popen` (stdin, stdout, text, …).
        """

        def start() -> subprocess.Popen[Any]:
            started = subprocess.Popen(
                list(argv), env=dict(env), cwd=cwd, start_new_session=True, preexec_fn=_die_with_parent, **options
            )
            self._guard.watch(started.pid)
            return started

        if self._closed:
            raise RuntimeError("the cloud is shutting down")
        # Up before the child is: a gateway killed in between would leave the child's own children behind.
        self._guard.start()
        process: subprocess.Popen[Any] = self._spawner.run(start)
        with self._lock:
            ended = [known for known in self._processes if known.poll() is not None]
            self._processes = [known for known in self._processes if known not in ended] + [process]
        for known in ended:
            self._guard.forget(known.pid)
        return process

    def adopt(self, process: Process) -> None:
        """Have a process that leads its session, and that a child of ours has started, end as the children do."""
        self._guard.watch(process.pid)
        with self._lock:
            self._processes.append(process)

    def forget(self, process: Process) -> None:
        """An adopted process has ended."""
        self._guard.forget(process.pid)
        with self._lock:
            self._processes = [known for known in self._processes if known is not process]

    def close(self) -> None:
        """End every process group, politely at first, then join the threads."""
        self._closed = True
        with self._lock:
            processes, threads = list(self._processes), list(self._threads)
        _end(processes)
        self._guard.close()
        deadline = time.monotonic() + _GRACE_SECONDS
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))


class _Guard:
    """A small process that ends every child's session when the gateway is gone, even by SIGKILL.

    The parent-death signal reaches direct children only; what a build started in turn needs this.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        with self._lock:
            self._pipe()

    def watch(self, session: int) -> None:
        self._send(f"+{session}")

    def forget(self, session: int) -> None:
        self._send(f"-{session}")

    def _send(self, line: str) -> None:
        with self._lock, contextlib.suppress(OSError):
            pipe = self._pipe()
            pipe.write(f"{line}\n")
            pipe.flush()

    def _pipe(self) -> IO[str]:
        if self._process is None:
            # -I keeps this folder, whose modules bear names of the standard library's, out of its path.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", reaper.__file__], stdin=subprocess.PIPE, text=True, start_new_session=True
            )
        assert self._process.stdin is not None
        return self._process.stdin

    def close(self) -> None:
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
                self._process.wait()
                self._process = None


def _end(processes: list[Process]) -> None:
    for process in processes:
        reaper.signal_session(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        # The leader may be gone while its children are not.
        reaper.signal_session(process.pid, signal.SIGKILL)


class _Spawner:
    """Starts children on one thread that lives as long as the gateway.

    The kernel sends the parent-death signal when the *thread* that forked ends, so a short-lived request thread
    would take its children with it.
    """

    def __init__(self) -> None:
        self._wanted: list[tuple[Callable[[], Any], threading.Event, dict[str, Any]]] = []
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    def run(self, start: Callable[[], Any]) -> Any:
        done, outcome = threading.Event(), dict[str, Any]()
        with self._condition:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="spawner", daemon=True)
                self._thread.start()
            self._wanted.append((start, done, outcome))
            self._condition.notify()
        done.wait()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["value"]

    def _loop(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: bool(self._wanted))
                start, done, outcome = self._wanted.pop(0)
            try:
                outcome["value"] = start()
            except BaseException as error:  # noqa: BLE001  it is raised where the child was wanted
                outcome["error"] = error
            done.set()
