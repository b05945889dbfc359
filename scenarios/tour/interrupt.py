"""What Ctrl-C, SIGTERM and a closed terminal do to a rehearsal: it ends, and takes with it what it started."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP interrupt as Ctrl-C does. What is ignored already (nohup) stays so. Main thread only."""
    former = {number: signal.getsignal(number) for number in _ENDINGS[1:]}
    for number, handler in former.items():
        if handler == signal.SIG_DFL:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        _restore(former)


@contextmanager
def undisturbed() -> Iterator[None]:
    """No second signal cuts short what ends the first one's processes."""
    former = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDINGS}
    try:
        yield
    finally:
        _restore(former)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _restore(handlers: "dict[signal.Signals, signal._HANDLER]") -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
