"""A client that keeps calling the production URL while releases change behind it."""

import threading
import time
from collections.abc import Callable
from typing import Self

from operate.caller import Answer
from operate.shift import Weight


class Traffic:
    """Calls at a steady rate (requests per second, may be changed) from a few threads until stopped; keeps answers.

    With `busy`, another rate holds while an alias is being shifted (`follow`): elsewhere a trickle shows as well that
    somebody is answered, and leaves the machine to what is being rehearsed. `announce` is called with rate and number
    of threads: at the start, at each change, and with 0 at the end.
    """

    def __init__(
        self,
        call: Callable[[int], Answer],
        rate: float = 30.0,
        threads: int = 3,
        announce: Callable[[float, int], None] | None = None,
        busy: float | None = None,
    ) -> None:
        self._call = call
        self._rate = self._usual = rate
        self._busy = rate if busy is None else busy
        self._announce = announce
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self) -> Self:
        self._say(self._rate)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the calls; returns when the last answer is in."""
        self._stopped.set()
        self._say(0)
        for thread in self._threads:
            thread.join()

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if rate != self._rate:
            self._rate = rate
            self._say(rate)

    def counts(self) -> tuple[int, int]:
        """(requests, failed) so far."""
        with self._lock:
            return len(self.answers), sum(not answer.ok for answer in self.answers)

    def between(self, start: float, end: float) -> list[Answer]:
        """The answers to requests sent in this span of monotonic time."""
        with self._lock:
            return [answer for answer in self.answers if start <= answer.sent <= end]

    def follow(self, weight: Weight) -> None:
        """What an `AliasWatch` calls: be busy while the alias sends calls to two versions."""
        self.rate = self._busy if weight.weight < 1 else self._usual

    def _say(self, rate: float) -> None:
        if self._announce is not None:
            self._announce(rate, len(self._threads))

    def _run(self, number: int) -> None:
        turn = number
        due = time.monotonic() + number / self.rate
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            answer = self._call(turn)
            with self._lock:
                self.answers.append(answer)
            turn += len(self._threads)
            due = max(due + len(self._threads) / self.rate, time.monotonic())
