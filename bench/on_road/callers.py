"""Callers of a function's alias, at a steady rate of AWS's time."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from rehearsal.cloud.core.accounts import admin_credentials
from rehearsal.cloud.core.clock import Clock
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Place

THREADS = 2
_LEAST, _LONGEST = 0.001, 0.25
"""Real seconds between two looks at a clock that may be held."""
_END = 0.01
"""AWS seconds: so close to its end a minute that is held comes to nothing more."""


@dataclass(frozen=True)
class Answer:
    """Which version was asked, and whether it answered."""

    version: str
    ok: bool


def asker(cloud: Cloud, place: Place, function: str, alias: str) -> Callable[[str], Answer]:
    """Asks by Lambda's Invoke, in memory: a client's own work and the way to the gateway would be most of a request."""
    administrator = cloud.accounts.find(admin_credentials(place.account).access_key_id)
    assert administrator is not None, "every account has one"

    def ask(name: str) -> Answer:
        params = {"FunctionName": function, "Qualifier": alias, "Payload": json.dumps({"id": name}).encode()}
        given = cloud.perform(administrator.principal, place, "lambda", "Invoke", params)
        answer = json.loads(given["Payload"])
        return Answer(given["ExecutedVersion"], "FunctionError" not in given and answer["ok"])

    return ask


class Callers:
    """Requests come as a Poisson process of `rate` per second of the clock's, which ends no minute before those that
    belong into it were answered.

    Not by the clock's `Pace`: that one lets a minute end with 80 % of its requests, and its client must not wait for
    the clock itself.
    """

    def __init__(self, clock: Clock, ask: Callable[[str], Answer], rate: float, seed: int = 1) -> None:
        self._clock, self._ask, self._rate = clock, ask, rate
        self._random = random.Random(seed)  # noqa: S311  # when somebody asks, not a secret
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._asked = 0
        self._due = 0.0
        # When the request is due that each thread makes or waits for.
        self._open = dict.fromkeys(range(THREADS), 0.0)
        self._seen: Counter[Answer] = Counter()
        self._errors: list[Exception] = []
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(THREADS)]

    def __enter__(self) -> Self:
        self._due = self._clock.seconds()
        for thread in self._threads:
            thread.start()
        self._clock.before_minute_ends(self._await_answers)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def seen(self) -> Counter[Answer]:
        """How often each answer was given so far. Raises what a call raised."""
        with self._lock:
            if self._errors:
                raise self._errors[0]
            return self._seen.copy()

    def _run(self, number: int) -> None:
        try:
            while not self._stopped.is_set():
                name = self._next(number)
                if not self._until(self._open[number]):
                    return
                answer = self._ask(name)
                with self._lock:
                    self._seen[answer] += 1
        except Exception as error:  # noqa: BLE001  # told to who waits for the answers
            with self._lock:
                self._errors.append(error)
            self._stopped.set()

    def _next(self, number: int) -> str:
        with self._lock:
            self._asked += 1
            self._due += self._random.expovariate(self._rate)
            self._open[number] = self._due
            return f"caller-{self._asked}"

    def _until(self, due: float) -> bool:
        """Wait until a request is due. False where the calls end before."""
        while (left := due - _END - self._clock.seconds()) > 0:
            if self._stopped.wait(min(max(self._clock.scaled(left), _LEAST), _LONGEST)):
                return False
        return True

    def _await_answers(self) -> None:
        """Until no request is open that was due in the minute that ends."""
        end = self._clock.ended + 60
        while not self._stopped.is_set() and min(self._open.values()) < end:
            if not self._clock.pause(_LEAST):
                return
