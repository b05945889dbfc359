"""How long a call takes in the service's own terms, whatever else the machine is busy with.

AWS's latencies are those of a service that has its processors to itself. Here services, functions and builds share
two cores, and a measured second may be a second of waiting for one of them. So a call's time is counted: the
processor time of the thread that works on it, and what it is made to wait for (a fault's delay, a function's answer).
"""

import threading
import time
from dataclasses import dataclass

HEADER = "x-rehearsal-service-ms"
"""Tells a function's clock (`services/lambda_/worker.py`) how long the service took."""

_waited = threading.local()


@dataclass(frozen=True)
class Mark:
    """A moment on the thread that took it."""

    processor: float
    waited: float


def mark() -> Mark:
    """Now, on this thread."""
    return Mark(time.thread_time(), _so_far())


def since(begun: Mark) -> float:
    """Seconds of service since `begun`, which must be of the same thread."""
    return time.thread_time() - begun.processor + _so_far() - begun.waited


def wait(seconds: float) -> None:
    """Count `seconds` that the service waits for something that would take as long on AWS."""
    _waited.seconds = _so_far() + seconds


def _so_far() -> float:
    seconds: float = getattr(_waited, "seconds", 0.0)
    return seconds
