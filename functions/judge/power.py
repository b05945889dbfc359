"""What a shift can see, before it starts: from the requests a minute and the routing.

A shift is stopped by evidence or by a hard limit. The answer comes from simulated shifts, TRIALS of them, which
functions/judge/evidence.py itself judges, always from the same random numbers: a share of 80 % is exact to 2 points
(one standard deviation), and the same question has the same answer. Minutes are simulated one by one only where a limit
may or may not be reached, which can be calculated, and not in shifts of more than two hours: there the larger one of
both chances is told, as the least that will be found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from functions.judge import evidence, limits
from functions.judge.counts import WINDOW_SECONDS, Counts

POWER = 0.8
TRIALS = 400
METRICS = 4
"""Failed, slow and crashed requests, and bins: each has its part of the error."""
UNSEEN_SECONDS = 2 * WINDOW_SECONDS
"""Of each step: the windows in which the weight moved, or may have."""
LONGEST_MINUTES = 48 * 60
"""Of a shift: CodeDeploy ends a deployment after 50 hours."""
_SETTLED = 0.02
"""What a limit reaches so seldom, or misses so seldom, needs no simulation."""
_LONG = 120
"""Minutes of a shift above which they are not simulated one by one."""
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
    """The share of shifts that are stopped where the versions' error rates are `old` and `new`."""
    # Calculated as if no request of the old version failed: so it must be far from the limit.
    limited = by_limits(steps, per_minute, new) if new >= 2 * limits.TIMES * old else 0.0
    if limited > 1 - _SETTLED:
        return limited
    by_minutes = limited > _SETTLED and sum(step.minutes for step in steps) <= _LONG
    return max(limited, _found(steps, per_minute, old, new, by_minutes))


def by_limits(steps: Sequence[Step], per_minute: float, new: float) -> float:
    """The share of shifts that a hard limit stops, where hardly any request of the old version fails."""
    missed = 1.0
    for step in steps:
        missed *= (1 - _limited(per_minute * step.weight, new)) ** step.minutes
    return 1 - missed


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


def _found(steps: Sequence[Step], per_minute: float, old: float, new: float, by_minutes: bool) -> float:
    """The share of simulated shifts that are stopped; by limits as well where minutes are looked at."""
    random = Random(7)  # noqa: S311 - a simulation
    limit = evidence.threshold(METRICS)
    found = 0
    for _ in range(TRIALS):
        stopped, blocks = False, []
        for step in steps:
            reached, seen = _new_version(random, step, per_minute, new, by_minutes)
            stopped |= reached
            of_old = _poisson(random, per_minute * (1 - step.weight) * _seen(step.minutes))
            blocks.append(Counts(of_old, _binomial(random, of_old, old), *seen))
        found += stopped or evidence.largest(blocks) >= limit
    return found / TRIALS


def _new_version(
    random: Random, step: Step, per_minute: float, rate: float, by_minutes: bool
) -> tuple[bool, tuple[int, int]]:
    """Whether a limit is reached in this step, and requests and events of it that are counted."""
    if not by_minutes:
        requests = _poisson(random, per_minute * step.weight * _seen(step.minutes))
        return False, (requests, _binomial(random, requests, rate))
    reached, counted, failed = False, 0, 0
    for minute in range(math.ceil(step.minutes)):
        requests = _poisson(random, per_minute * step.weight)
        events = _binomial(random, requests, rate)
        reached |= limits.reached(0, 0, requests, events)
        share = 1.0 if minute else _seen(1)
        of_events = _binomial(random, events, share)
        failed += of_events
        counted += of_events + _binomial(random, requests - events, share)
    return reached, (counted, failed)


def _seen(minutes_: float) -> float:
    """Of a step, the minutes that are counted."""
    return max(minutes_ - UNSEEN_SECONDS / 60, 0)


def _limited(requests: float, rate: float) -> float:
    """The chance that a minute with so many expected requests reaches a hard limit."""
    failed, fine = requests * rate, requests * (1 - rate)
    if failed > _EXACT:
        # Failures less their least share of all requests: above 0 the limit is reached.
        spread = math.sqrt(failed * (1 - limits.SHARE) ** 2 + fine * limits.SHARE**2)
        return NormalDist().cdf((failed - limits.SHARE * requests) / spread)
    found = 0.0
    chance, at_most, count, of_fine = math.exp(-failed), math.exp(-fine), 0, math.exp(-fine)
    for events in range(4 * _EXACT):
        # So many fine requests leave these failures their share.
        while count < math.floor(events * (1 - limits.SHARE) / limits.SHARE + 1e-9):
            count += 1
            of_fine *= fine / count
            at_most += of_fine
        if events >= limits.EVENTS:
            found += chance * at_most
        chance *= failed / (events + 1)
    return min(found, 1.0)


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
