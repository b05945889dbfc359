"""What a shift can see, before it starts: from the requests a minute and the routing.

The answers come from simulated shifts that are judged by functions/judge/evidence.py itself, TRIALS of them, always
from the same random numbers: a share of 80 % is exact to 2 points (one standard deviation), and the same question has
the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from functions.judge import evidence
from functions.judge.counts import WINDOW_SECONDS, Counts

POWER = 0.8
TRIALS = 400
METRICS = 4
"""Failed, slow and crashed requests, and bins: each has its part of the error."""
UNSEEN_SECONDS = 2 * WINDOW_SECONDS
"""Of each step: the windows in which the weight moved, or may have."""
LONGEST_MINUTES = 48 * 60
"""Of a shift: CodeDeploy ends a deployment after 50 hours."""
_EXACT = 30
"""Expected events up to which numbers are drawn exactly, above it as normal ones."""


@dataclass(frozen=True)
class Step:
    """The new version's weight, and for how many minutes."""

    weight: float
    minutes: float


def all_at_once() -> tuple[Step, ...]:
    """Nothing is ever beside anything."""
    return ()


def canary(percentage: int, minutes: float) -> tuple[Step, ...]:
    """One step."""
    return (Step(percentage / 100, minutes),)


def linear(percentage: int, minutes: float) -> tuple[Step, ...]:
    """Equal steps, up to the one in which nothing is left of the old version."""
    return tuple(Step(weight / 100, minutes) for weight in range(percentage, 100, percentage))


def power(steps: Sequence[Step], per_minute: float, old: float, new: float) -> float:
    """The share of shifts that are stopped by evidence where the versions' error rates are `old` and `new`."""
    random = Random(7)  # noqa: S311 - a simulation
    limit = evidence.threshold(METRICS)
    found = sum(evidence.largest(_shift(random, steps, per_minute, old, new)) >= limit for _ in range(TRIALS))
    return found / TRIALS


def visible(steps: Sequence[Step], per_minute: float, old: float) -> float | None:
    """The smallest error rate of the new version that is found in 80 % of shifts; None where not even 100 % is."""
    if power(steps, per_minute, old, 1.0) < POWER:
        return None
    low, high = old, 1.0
    # To 2 % of the difference: finer than what so many trials can tell.
    while high - low > 0.02 * (high - old):
        middle = old + math.sqrt(max(low - old, 1e-6) * (high - old))
        if power(steps, per_minute, old, middle) >= POWER:
            high = middle
        else:
            low = middle
    return high


def minutes(routing: Callable[[float], tuple[Step, ...]], per_minute: float, old: float, new: float) -> float | None:
    """How long a shift has to be for `new` to be found in 80 % of shifts; None where 48 hours do not suffice.

    `routing`: minutes of a step → steps, such as `lambda minutes: linear(10, minutes)`.
    """
    count = len(routing(1))
    if not count:
        return None
    longest = LONGEST_MINUTES // count
    if power(routing(longest), per_minute, old, new) < POWER:
        return None
    low, high = 0, longest
    while high - low > max(1, high // 50):
        # Each time half as long, as lengths from a minute to days are all possible.
        middle = max(low + 1, round(math.sqrt(max(low, 1) * high)))
        if middle >= high:
            break
        if power(routing(middle), per_minute, old, new) >= POWER:
            high = middle
        else:
            low = middle
    return float(high * count)


def _shift(random: Random, steps: Sequence[Step], per_minute: float, old: float, new: float) -> list[Counts]:
    blocks = []
    for step in steps:
        requests = per_minute * max(step.minutes - UNSEEN_SECONDS / 60, 0)
        of_old = _poisson(random, requests * (1 - step.weight))
        of_new = _poisson(random, requests * step.weight)
        blocks.append(Counts(of_old, _binomial(random, of_old, old), of_new, _binomial(random, of_new, new)))
    return blocks


def _poisson(random: Random, expected: float) -> int:
    if expected > _EXACT:
        return max(0, round(random.gauss(expected, math.sqrt(expected))))
    return _inverted(random.random(), math.exp(-expected), lambda number: expected / number)


def _binomial(random: Random, number: int, rate: float) -> int:
    if rate > 0.5:
        return number - _binomial(random, number, 1 - rate)
    if number * rate > _EXACT:
        drawn = round(random.gauss(number * rate, math.sqrt(number * rate * (1 - rate))))
        return min(max(0, drawn), number)
    odds = rate / (1 - rate)
    return _inverted(random.random(), (1 - rate) ** number, lambda events: odds * (number - events + 1) / events)


def _inverted(place: float, first: float, ratio: Callable[[int], float]) -> int:
    """The number at which the summed chances reach `place`. `first`: of 0; `ratio`: of n to that of n - 1."""
    number, chance = 0, first
    while place > chance > 0:
        place -= chance
        number += 1
        chance *= ratio(number)
    # Where rounding left a place above the sum of all chances, the last number that has one.
    return number if chance > 0 else number - 1
