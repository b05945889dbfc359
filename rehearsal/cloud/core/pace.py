"""Live traffic that AWS's time keeps pace with.

A client that rehearses live traffic says how much of it there is. A minute then lasts until most of its traffic was
answered: on a busy machine fewer requests pass in a second, and an alarm would have too few of them to judge.
"""

import threading
import time
from dataclasses import dataclass

from rehearsal.cloud.core.clock import Clock

_SHARE = 0.8
"""Of a minute's traffic: a client is never exactly on time, and after a change the first requests wait."""
_PATIENCE_SECONDS = 60.0
"""Twice what an API waits for its function: a client that is silent for longer has gone without a word."""
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Traffic:
    """`rate` requests per real second, by so many threads that each wait for an answer."""

    rate: float
    threads: int


class Pace:
    """Holds each minute of a clock until its traffic was answered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._traffic: Traffic | None = None
        self._answered = 0.0
        self._heard = 0.0
        self._lock = threading.Lock()
        clock.before_minute_ends(self._wait)

    def follow(self, traffic: Traffic | None) -> None:
        """Traffic begins, changes its rate, or ends (None). One client at a time: the last word counts."""
        with self._lock:
            self._traffic, self._heard = traffic, time.monotonic()

    def count(self, seconds: float) -> None:
        """A request was answered, and the service took so many seconds for it."""
        with self._lock:
            self._heard = time.monotonic()
            if self._traffic is not None:
                # Where answers are slower than the rate, the threads spend the time on waiting for them.
                self._answered += max(1 / self._traffic.rate, seconds / self._traffic.threads)

    def _wait(self) -> None:
        while not self._kept() and self._clock.pause(_LOOK_SECONDS):
            pass
        with self._lock:
            self._answered = 0.0

    def _kept(self) -> bool:
        with self._lock:
            if self._traffic is None or time.monotonic() - self._heard > _PATIENCE_SECONDS:
                self._traffic = None
                return True
            return self._answered >= _SHARE * self._clock.seconds_per_minute
