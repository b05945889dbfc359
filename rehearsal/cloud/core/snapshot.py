"""The state of a whole cloud as one file, and back.

Everything is pickled at once, so that what refers to one another still does afterwards: moto's backends, the stores of
our modules, sessions, ledger, faults. What cannot outlive its process is replaced: locks and events are made anew, what
refers to the cloud refers to the new one, and what only runs (processes of functions, queues, keys of builds) is left
out. What was executing is brought to an end, or resumed, by the modules' `on_restore` hooks.

A snapshot is read with pickle: read only what a rehearsal of yours has written.
"""

import functools
import importlib
import io
import pickle
import queue
import sys
import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
from botocore.client import BaseClient
from cryptography.hazmat.primitives import serialization
from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend

from rehearsal.cloud.core.cloud import Cloud

_FORMAT = 3
"""Raise it when a class that is pickled moves or changes: 2 has the modules on the floors of `rehearsal/cloud`."""
_HEADER = b"glidepath rehearsal snapshot, format "
_ATTEMPTS = 5
_PROCESSES_ONLY = frozenset({"lambda-runtime"})
_MACHINES = "moto.stepfunctions.parser.backend.execution_worker"
_ANEW: dict[type, Callable[[], Any]] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
    queue.SimpleQueue: queue.SimpleQueue,
}


class SnapshotError(Exception):
    """A snapshot that cannot be read; the sentence says why."""


def save(cloud: Cloud, file: Path) -> int:
    """Write the cloud's state; its size in bytes. A file of that name is replaced once the new one is whole."""
    content = dump(cloud)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(file.name + ".new")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(file)
    return len(content)


def restore(cloud: Cloud, file: Path) -> None:
    """Give a cloud the state in a file, before anybody uses it. Raises SnapshotError."""
    try:
        kept = file.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{file} cannot be read ({type(error).__name__}: {error})") from error
    # Before anything is unpickled: what an older version pickled names modules that are elsewhere now.
    first, _, pickled = kept.partition(b"\n")
    if not first.startswith(_HEADER) or not (found := first.removeprefix(_HEADER)).isdigit():
        raise SnapshotError(f"{file} is no snapshot, or one of format 1; this version reads format {_FORMAT}")
    if int(found) != _FORMAT:
        raise SnapshotError(f"{file} has format {int(found)}, and this version reads format {_FORMAT}")
    try:
        content = _Reader(io.BytesIO(pickled), cloud).load()
    except Exception as error:
        raise SnapshotError(f"{file} cannot be read ({type(error).__name__}: {error})") from error
    for (module, kind), more in content["shared"].items():
        vars(_backends_of(module, kind)).update(more)
    for module, kind, account, region, backend in content["backends"]:
        # Not by the subscript, which would make an empty backend first.
        dict.__setitem__(_backends_of(module, kind)[account], region, backend)
    cloud.adopt(content)
    # Never behind real time, which went on meanwhile: what is stamped by the one is looked for by the other.
    cloud.clock.continue_at(max(content["aws_now"], cloud.clock.now()))


def dump(cloud: Cloud) -> bytes:
    """The cloud's state. Other threads stand still while it is read."""
    interval = sys.getswitchinterval()
    for attempt in range(1, _ATTEMPTS + 1):
        buffer = io.BytesIO()
        buffer.write(_HEADER + f"{_FORMAT}\n".encode())
        try:
            # No thread is asked to make room: what is read is of one moment.
            sys.setswitchinterval(1000)
            _Writer(buffer, cloud).dump(_content(cloud))
            return buffer.getvalue()
        except RuntimeError:
            # Reading a large object from disk lets other threads in, and one has changed what was being read.
            if attempt == _ATTEMPTS:
                raise
        finally:
            sys.setswitchinterval(interval)
    raise AssertionError("the last attempt returns or raises")


def _content(cloud: Cloud) -> dict[str, Any]:
    kept = cloud.content()
    kept["stores"] = {key: state for key, state in kept["stores"].items() if key[0] not in _PROCESSES_ONLY}
    return {
        "aws_now": cloud.clock.aws_now(),
        "backends": _backends(),
        "shared": _shared(),
        **kept,
    }


def _backends() -> list[tuple[str, str, str, str, Any]]:
    """Module and name of the backend's class, account, region, backend."""
    return [
        (known.backend.__module__, known.backend.__qualname__, account, region, backend)
        for known in BackendDict._instances  # type: ignore[misc]
        for account, region, backend in known.iter_backends()
    ]


def _shared() -> dict[tuple[str, str], dict[str, Any]]:
    """What a service keeps across accounts, e.g. whose bucket a name is: by module and name of the backend's class."""
    plain = set(vars(BackendDict(BaseBackend, "s3")))
    return {
        (known.backend.__module__, known.backend.__qualname__): {
            name: value for name, value in vars(known).items() if name not in plain
        }
        for known in BackendDict._instances  # type: ignore[misc]
    }


@functools.cache
def _backends_of(module: str, kind: str) -> Any:
    found = vars(importlib.import_module(module)).values()
    return next(item for item in found if isinstance(item, BackendDict) and item.backend.__qualname__ == kind)


# cloudpickle takes the anonymous functions too, with which moto and we make the defaults of dictionaries.
class _Writer(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, cloud: Cloud) -> None:
        super().__init__(file, protocol=5)
        self._cloud = cloud

    def persistent_id(self, value: Any) -> tuple[str, ...] | None:
        if value is self._cloud:
            return ("cloud",)
        if isinstance(value, BackendDict):
            return ("backends", value.backend.__module__, value.backend.__qualname__)
        if isinstance(value, AccountSpecificBackend):
            return ("account", value.backend.__module__, value.backend.__qualname__, value.account_id)
        return None

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if kind in _ANEW:
            return _ANEW[kind], ()
        if kind is threading.Event:
            return _event, (value.is_set(),)
        if kind.__module__ == _MACHINES:
            return EndedWorker, (_history(value),)
        if issubclass(kind, dict) and not issubclass(kind, OrderedDict) and kind not in (dict, defaultdict, Counter):
            # moto's own kinds of dictionary: what they show of themselves is not all that they hold.
            factory = getattr(value, "default_factory", None)
            return _bare, (kind, factory), (dict(vars(value)), dict(dict.items(value))), None, None, _fill
        if isinstance(value, BaseClient):
            # Its connections end with the process; so does what worked with it.
            return _nothing, ()
        if hasattr(value, "private_bytes"):
            return _private_key, (_pem(value),)
        return super().reducer_override(value)


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, cloud: Cloud) -> None:
        super().__init__(file)
        self._cloud = cloud

    def persistent_load(self, pid: tuple[str, ...]) -> Any:
        if pid[0] == "cloud":
            return self._cloud
        backends = _backends_of(pid[1], pid[2])
        return backends if pid[0] == "backends" else backends[pid[3]]


def _nothing() -> None:
    return None


def _event(is_set: bool) -> threading.Event:
    made = threading.Event()
    if is_set:
        made.set()
    return made


def _bare(kind: type[dict[Any, Any]], factory: Callable[[], Any] | None) -> dict[Any, Any]:
    made = kind.__new__(kind)
    if factory is not None:
        made.default_factory = factory  # type: ignore[attr-defined]
    return made


def _fill(made: dict[Any, Any], state: tuple[dict[str, Any], dict[Any, Any]]) -> None:
    vars(made).update(state[0])
    dict.update(made, state[1])


def _pem(key: Any) -> bytes:
    kind = serialization.PrivateFormat.PKCS8
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    return pem


def _private_key(pem: bytes) -> Any:
    return serialization.load_pem_private_key(pem, None)


class EndedWorker:
    """What is left of the interpreter of a state machine's execution: its history."""

    def __init__(self, history: list[Any]) -> None:
        self.env = self
        self.event_manager = self
        self._history = history

    def get_event_history(self) -> list[Any]:
        return self._history


def _history(worker: Any) -> list[Any]:
    return list(worker.env.event_manager.get_event_history()) if worker.env is not None else []
