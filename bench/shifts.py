"""Simulated shifts: what callers ask of both versions in windows of ten seconds, and what comes of it.

A shift is linear, 10 % a minute: the new version has 10 % of the requests in the first minute and all after the ninth.
Requests come as a Poisson process, each goes to a version by the weights, and each fails, or is slow, independently.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

STEP, STEPS, WINDOWS = 6, 9, 80
"""Windows in a step; steps with both versions; windows in all, the last of them with the new version alone."""
COUNTED = (2, 3, 4, 5)
"""Windows of a step that the judge may count where it reads the alias every ten seconds: the weight moves in the first
one, and the second one begins before it has been read (tests/bench/test_verdict.py)."""
BASE = 0.001
SLOW, TWICE_AS_SLOW = 0.001, 0.025
"""Requests slower than `latencyMs`: of a lognormal time of which 0.1 % are slower than the limit, 2.5 % are slower than
half of it, where its median is 15 % of the limit."""
HELD_OUT = 129
"""Held-out rows in each of the old model's bins: the taxis' 645 in all."""
EVEN = np.full(5, 0.2)
_SAME = np.eye(5)
_UPWARDS = np.array(
    [[0.6, 0.4, 0, 0, 0], [0.1, 0.5, 0.4, 0, 0], [0, 0.1, 0.5, 0.4, 0], [0, 0, 0.1, 0.5, 0.4], [0, 0, 0, 0.1, 0.9]]
)


@dataclass(frozen=True)
class World:
    """A pair of versions, and who calls them. `failed`, `slow`, `crashed`: rates of the old version and the new one.

    `live`: shares of callers in the old model's bins. `table`: of the new model's bin by the old one's, in truth.
    `answers`: table by which the new version answers in production, where it is another. `bursts`: requests fail in
    bursts, of `both` versions at once or of `each` by itself, at the same rate on the whole. `silent`: the new version
    answers and reports nothing. `healthy`: to be let through; `independent`: its errors are.
    """

    name: str
    failed: tuple[float, float]
    slow: tuple[float, float] = (SLOW, SLOW)
    crashed: tuple[float, float] = (0.0, 0.0)
    live: Any = None
    table: Any = None
    answers: Any = None
    bursts: str = ""
    silent: bool = False
    healthy: bool = False

    @property
    def independent(self) -> bool:
        return not self.bursts


@dataclass(frozen=True)
class Traffic:
    """Of many shifts: arrays of (shifts, windows). `calls`: what Lambda counts, crashed requests among them. `old`,
    `new`: what the versions report. `tables`: what the evaluation found, rows by (shift, old, new).
    """

    old_calls: Any
    new_calls: Any
    old_crashed: Any
    new_crashed: Any
    old: Any
    new: Any
    old_failed: Any
    new_failed: Any
    old_slow: Any
    new_slow: Any
    old_bins: Any
    new_bins: Any
    tables: Any

    def counted(self, *arrays: Any) -> list[Any]:
        """Of those, the windows that the judge counts."""
        kept = [window for window in range(STEP * STEPS) if window % STEP in COUNTED]
        return [array[:, kept] for array in arrays]


def worlds() -> Iterator[World]:
    """All that are measured."""
    for base in (0.0, 0.0001, 0.001, 0.01):
        errs = f"{100 * base:g} % errors"
        yield World(f"{errs}, equal", (base, base), healthy=True)
        if base:
            yield World(f"{errs}, twice", (base, 2 * base))
            yield World(f"{errs}, ten times", (base, 10 * base))
        yield World(f"{errs}, then 5 %", (base, 0.05))
        yield World(f"{errs}, then 50 %", (base, 0.5))
    equal = (BASE, BASE)
    yield World("0.1 % crashes, equal", equal, crashed=equal, healthy=True)
    yield World("5 % crashes", equal, crashed=(0.0, 0.05))
    yield World("50 % crashes", equal, crashed=(0.0, 0.5))
    yield World("silent", equal, silent=True)
    yield World("twice as slow", equal, (SLOW, TWICE_AS_SLOW))
    yield World("constant", equal, answers=np.tile([0, 0, 1, 0, 0], (5, 1)))
    biased = _SAME.copy()
    biased[1] = [0, 0, 1, 0, 0]
    yield World("one bin biased", equal, answers=biased)
    yield World("better, predictions shifted", equal, table=_UPWARDS, healthy=True)
    drifted = np.array([0.4, 0.25, 0.15, 0.1, 0.1])
    yield World("retrained after drift", equal, live=drifted, table=_UPWARDS, healthy=True)
    yield World("bursts of both at once", equal, bursts="both", healthy=True)
    yield World("bursts of each endpoint", equal, bursts="each", healthy=True)


def weights() -> Any:
    """The new version's, by window."""
    return np.minimum(1.0, (np.arange(WINDOWS) // STEP + 1) / 10)


def traffic(random: Any, world: World, rate: float, shifts: int) -> Traffic:
    """Of so many shifts at `rate` requests per second."""
    size = (shifts, WINDOWS)
    old_calls = random.poisson(10 * rate * (1 - weights()), size)
    new_calls = random.poisson(10 * rate * weights(), size)
    old_crashed = random.binomial(old_calls, world.crashed[0])
    new_crashed = random.binomial(new_calls, world.crashed[1])
    old = old_calls - old_crashed
    new = (new_calls - new_crashed) * (not world.silent)
    failing_old, failing_new = _rates(random, world, size)
    table = _SAME if world.table is None else world.table
    answers = table if world.answers is None else world.answers
    live = EVEN if world.live is None else world.live
    return Traffic(
        old_calls=old_calls,
        new_calls=new_calls,
        old_crashed=old_crashed,
        new_crashed=new_crashed,
        old=old,
        new=new,
        old_failed=random.binomial(old, failing_old),
        new_failed=random.binomial(new, failing_new),
        old_slow=random.binomial(old, world.slow[0]),
        new_slow=random.binomial(new, world.slow[1]),
        old_bins=random.multinomial(old, live),
        new_bins=random.multinomial(new, live @ answers),
        tables=np.stack([random.multinomial(HELD_OUT, row, shifts) for row in table], axis=1),
    )


def _rates(random: Any, world: World, size: Sequence[int]) -> tuple[Any, Any]:
    """Error rates of both versions. A burst lasts a minute and fails half of the requests."""
    if not world.bursts:
        return world.failed
    often = world.failed[0] / 0.5
    minutes = (size[0], -(-size[1] // STEP))
    old, new = (np.repeat(0.5 * (random.random(minutes) < often), STEP, axis=1)[:, : size[1]] for _ in range(2))
    return old, old if world.bursts == "both" else new
