"""What Pulumi's Python SDK leaves out for dynamic providers, put right in the process that it runs them in.

That process serves the engine's calls with the SDK's module `pulumi.dynamic.__main__`. It passes the engine's Cancel
to no provider, reports every error as a traceback, and outlives an engine that was killed. The first two are fixed
by exchanging what that module looks up when it is called; outside that process there is nothing to fix.
Should the SDK change, the shift still works, only less well: a test runs it in the SDK's own process.
"""

import contextlib
import os
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FunctionType
from typing import Any

CANCELLED = threading.Event()
"""Set once the engine has asked this process to cancel."""


class PlainError(Exception):
    """An error whose message is all that a person should read."""


@contextlib.contextmanager
def served() -> Iterator[None]:
    """Around the work on one call of the engine."""
    adopt()
    try:
        yield
    finally:
        # The work is finished and nobody is left to report it to: another call will never come.
        if engine_gone():
            os._exit(1)


def engine_gone() -> bool:
    """Whether this is the SDK's process and the engine, whose address is its first argument, listens no more."""
    if not hasattr(sys.modules["__main__"], "DynamicResourceProviderServicer") or len(sys.argv) < 2:
        return False
    host, _, port = sys.argv[1].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except (OSError, ValueError):
        return False
    return False


def adopt() -> None:
    """Fix the SDK's module; does nothing where it is not this process's main module, or was fixed already."""
    main = sys.modules["__main__"]
    servicer = getattr(main, "DynamicResourceProviderServicer", None)
    if servicer is None:
        return
    # The handler is registered with its server by now; only its body can still be exchanged.
    cancel = getattr(servicer, "Cancel", None)
    if isinstance(cancel, FunctionType):
        cancel.__code__ = _cancel.__code__
    if hasattr(main, "traceback"):
        main.traceback = _Reports  # type: ignore[attr-defined]


def _cancel(self: Any, request: Any, context: Any) -> Any:
    # Runs among the names of the SDK's module: it finds this one's by importing it.
    from google.protobuf import empty_pb2

    from providers import process as provider_process

    provider_process.CANCELLED.set()
    return empty_pb2.Empty()


class _Reports:
    """Stands where the SDK's module looks for `traceback`."""

    @staticmethod
    def format_exc() -> str:
        """What is reported of the error that is being handled."""
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, PlainError) else traceback.format_exc()
