"""Forks a process for each request at a socket: `python -P server.py <socket>`.

Only packages from site-packages are imported ahead, never the project's own code, which may change from one start to
the next. What a request brings (arguments, environment, folder, standard streams) is what the process has; whoever
asked is told how it ended, and a process whose asker is gone is killed. The server ends with its own parent; what it
has forked goes on: it belongs to whoever asked for it, and ends with that.

This file stands alone: it imports nothing of the project, since that would be in every process that it forks.
"""

import array
import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import selectors
import signal
import socket
import struct
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

LENGTH = struct.Struct("!I")
STREAMS = 3
# What the SDK, policy packs and the stand-in provider import in any case.
AHEAD = (
    "argparse", "asyncio", "inspect", "logging", "runpy", "concurrent.futures", "grpc", "google.protobuf.json_format",
    "yaml", "pulumi", "pulumi.runtime", "pulumi.dynamic", "pulumi.runtime.proto", "pulumi_aws", "pulumi_policy",
    "botocore.session", "botocore.client", "boto3",
)  # fmt: skip
# What a process of before has imported of these is imported ahead for the next.
LEARNED = ("pulumi", "pulumi_aws", "pulumi_policy", "botocore", "boto3")
# botocore's models as they are parsed, by file: making a client is mostly reading them.
MODELS: dict[str, Any] = {}
_MODEL = "model "
# Variables that an interpreter reads when it starts, and that can be made up for; any other needs a start of its own.
KNOWN = frozenset({"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING"})


@dataclass
class Asker:
    """One connection: what it has sent so far, and the process that was forked for it."""

    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)
    streams: list[int] = field(default_factory=list)
    pid: int = 0


class Server:
    """Accepts requests on one thread: nothing may run beside a fork."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(64)
        self._selector = selectors.DefaultSelector()
        self._askers: dict[int, Asker] = {}
        self._wake, wake = socket.socketpair()
        for end in (self._wake, wake):
            end.setblocking(False)
        # A child's end interrupts the wait for requests.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._waker = wake
        self._ended = False
        signal.signal(signal.SIGTERM, self._end)
        self._learned: set[str] = set()
        self._news = os.pipe()
        os.set_blocking(self._news[0], False)
        self._heard = b""

    def serve(self, parent: int) -> dict[str, Any] | None:
        """Serve until the parent is gone: then None. In a forked process: the request that it is to run."""
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        while os.getppid() == parent and not self._ended:
            for key, _ in self._selector.select(1.0):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._wake:
                    self._drain()
                else:
                    request = self._read(key.data)
                    if request is not None:
                        return request
            self._reap()
            self._learn()
        return None

    def _end(self, number: int, frame: object) -> None:
        self._ended = True

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        asker = Asker(connection)
        self._askers[connection.fileno()] = asker
        self._selector.register(connection, selectors.EVENT_READ, asker)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass

    def _read(self, asker: Asker) -> dict[str, Any] | None:
        """What came of a request; in the process that is forked for it, the request."""
        try:
            data, sent, _, _ = asker.connection.recvmsg(1 << 16, socket.CMSG_SPACE(STREAMS * 4))
        except BlockingIOError:
            return None
        except OSError:
            data, sent = b"", []
        if not data:
            self._forget(asker)
            return None
        for level, kind, content in sent:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                numbers = array.array("i")
                numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
                asker.streams += numbers
        asker.received += data
        if len(asker.received) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(asker.received)
        if len(asker.received) < LENGTH.size + length:
            return None
        request: dict[str, Any] = json.loads(asker.received[LENGTH.size :])
        asker.received.clear()
        return self._fork(asker, request)

    def _fork(self, asker: Asker, request: dict[str, Any]) -> dict[str, Any] | None:
        if not fits(request) or len(asker.streams) != STREAMS:
            self._answer(asker, {"refused": True})
            return None
        asker.pid = os.fork()
        if asker.pid == 0:
            self._become(asker)
            return {**request, "connection": asker.connection}
        for stream in asker.streams:
            os.close(stream)
        asker.streams.clear()
        return None

    def _become(self, asker: Asker) -> None:
        """In the forked process: nothing of the server stays open, and the streams are the asker's."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        # Said by the process itself: a server that dies now must not leave one that nobody knows of.
        self._answer(asker, {"pid": os.getpid()})
        for target, stream in enumerate(asker.streams):
            os.dup2(stream, target)
            if stream > 2:
                os.close(stream)
        self._selector.close()
        for other in self._askers.values():
            if other is not asker:
                other.connection.close()
        for end in (self._listener, self._wake, self._waker):
            end.close()
        os.close(self._news[0])

    def _answer(self, asker: Asker, answer: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            asker.connection.sendall(json.dumps(answer).encode() + b"\n")

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                asker = next((asker for asker in self._askers.values() if asker.pid == found[0]), None)
                if asker is not None:
                    asker.pid = 0
                    self._answer(asker, {"code": os.waitstatus_to_exitcode(found[1])})
                    self._forget(asker)

    def _forget(self, asker: Asker) -> None:
        self._selector.unregister(asker.connection)
        del self._askers[asker.connection.fileno()]
        asker.connection.close()
        for stream in asker.streams:
            os.close(stream)
        # Whoever asked is gone, and its process has nobody left to work for.
        _end(asker.pid)

    def _learn(self) -> None:
        """Import what the processes that have ended needed, while nobody waits."""
        with contextlib.suppress(BlockingIOError):
            self._heard += os.read(self._news[0], 1 << 16)
        *lines, self._heard = self._heard.split(b"\n")
        for name in {line.decode() for line in lines} - self._learned:
            self._learned.add(name)
            if name.startswith(_MODEL):
                read_model(name.removeprefix(_MODEL))
            else:
                load(name)
        if lines:
            gc.freeze()

    @property
    def news(self) -> int:
        """Where a forked process writes the names of what it has imported."""
        return self._news[1]


def fits(request: dict[str, Any]) -> bool:
    """Whether a forked process would be as one that is started anew: the same interpreter, and no special start."""
    python, *rest = request["argv"]
    # The environment's own folder: the interpreter in it is a link to one that has other packages.
    here, wanted = (os.path.realpath(os.path.dirname(os.path.abspath(path))) for path in (sys.executable, python))
    special = {name for name in request["env"] if name.startswith("PYTHON")} - KNOWN
    return wanted == here and not special and bool(rest)


def _end(pid: int) -> None:
    if pid:
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)


def load(name: str) -> None:
    """Import a module where it can be imported. What cannot is imported, and reported, by who needs it."""
    with contextlib.suppress(Exception):
        # The SDK loads its packages when they are first used. Were that in the middle of importing one of their
        # modules, the package would lack for good what the module had not defined yet: packages first, and whole.
        for end in (place for place, letter in enumerate(name) if letter == "."):
            hasattr(importlib.import_module(name[:end]), "used")
        importlib.import_module(name)


def keep_models() -> None:
    """Have botocore read each of its own files once. It hands the same object to all who ask one loader anyway."""
    from botocore import loaders

    own = os.path.join(os.path.dirname(loaders.__file__), "data", "")
    read = loaders.JSONFileLoader.load_file

    def load_file(loader: Any, path: str) -> Any:
        if path not in MODELS:
            found = read(loader, path)
            if found is None or not path.startswith(own):
                return found
            MODELS[path] = found
        return MODELS[path]

    loaders.JSONFileLoader.load_file = load_file


def read_model(path: str) -> None:
    """Read one of botocore's files ahead. Why one cannot be read, who needs it will say."""
    from botocore import loaders

    with contextlib.suppress(Exception):
        loaders.JSONFileLoader().load_file(path)


def report_end(connection: socket.socket, code: object) -> None:
    """Say how this process ends. Who asked needs it where the server, which would know, is gone."""
    number = code if isinstance(code, int) else 0 if code is None else 1
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps({"own": number}).encode() + b"\n")


def finish(code: int) -> NoReturn:
    """End as an interpreter does, but leave its modules to the system.

    To take them apart touches each page that is shared with the server: 0.1 to 0.3 s for a program. Threads are
    waited for, what is registered for the end is run, and what is in files that nobody closed is written.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter itself calls first
    atexit._run_exitfuncs()
    files = [each for each in gc.get_objects() if isinstance(each, (io.TextIOWrapper, io.BufferedWriter))]
    for file in (*files, sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            file.flush()
    os._exit(code)


def end_with(connection: socket.socket) -> None:
    """End this process, and what it has started, with who asked for it: the server, which sees to that, may be gone."""

    def watch() -> None:
        # Nothing is sent after the request: there is something to read when the other side has ended.
        select.select([connection], [], [])
        _end(os.getpid())

    threading.Thread(target=watch, name="who asked", daemon=True).start()


def run(request: dict[str, Any], news: int) -> None:
    """Be the process that was asked for."""
    os.environ.clear()
    os.environ.update(request["env"])
    options, rest = _split(request["argv"][1:])
    sys.executable = request["argv"][0]
    _call_it(os.path.basename(rest[1] if rest[0] == "-m" else rest[0]))
    os.chdir(request["cwd"])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=True)  # type: ignore[union-attr]
    before, models = set(sys.modules), set(MODELS)
    safe = "-P" in options or bool(request["env"].get("PYTHONSAFEPATH"))
    ours = os.path.dirname(os.path.abspath(__file__))
    path = [entry for entry in sys.path if entry != ours]
    extra = [entry for entry in request["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [*extra, *path]
    atexit.register(_tell, before, models, news)
    if rest[0] == "-m":
        sys.argv = rest[1:]
        if not safe:
            sys.path.insert(0, os.getcwd())
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
        return
    sys.argv = rest
    if not safe:
        sys.path.insert(0, os.path.dirname(os.path.abspath(rest[0])))
    runpy.run_path(rest[0], run_name="__main__")


def _call_it(name: str) -> None:
    """Show the process under its own name, not the server's. Linux alone has this file."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="utf-8") as file:
        file.write(name[-15:])


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The interpreter's own options (`-u`, `-P`), and what is to be run."""
    for number, argument in enumerate(arguments):
        if argument == "-m" or not argument.startswith("-"):
            return arguments[:number], arguments[number:]
    raise SystemExit(f"nothing to run in {arguments}")


def _tell(before: set[str], models: set[str], news: int) -> None:
    names = [f"{_MODEL}{path}" for path in set(MODELS) - models]
    names += [name for name in set(sys.modules) - before if name.split(".")[0] in LEARNED and ".__main__" not in name]
    with contextlib.suppress(OSError):
        for start in range(0, len(names), 20):  # less than what a pipe takes in one piece
            os.write(news, ("\n".join(names[start : start + 20]) + "\n").encode())


def main() -> None:
    """Serve; a forked process runs what it was asked for as the last thing it does."""
    parent = os.getppid()
    socket_file = Path(sys.argv[1])
    socket_file.unlink(missing_ok=True)
    for name in AHEAD:
        load(name)
    keep_models()
    gc.collect()
    gc.freeze()
    server = Server(str(socket_file))
    request = server.serve(parent)
    if request is None:
        socket_file.unlink(missing_ok=True)
        return
    news = server.news
    del server
    connection = request.pop("connection")
    end_with(connection)
    try:
        run(request, news)
    except SystemExit as end:
        report_end(connection, end.code)
        if end.code is None or isinstance(end.code, int):
            finish(end.code or 0)
        print(end.code, file=sys.stderr)
        finish(1)
    except Exception:  # noqa: BLE001  whatever the program raises
        report_end(connection, 1)
        sys.excepthook(*sys.exc_info())
        finish(1)
    except BaseException:
        report_end(connection, 1)
        raise
    report_end(connection, 0)
    finish(0)


if __name__ == "__main__":
    main()
