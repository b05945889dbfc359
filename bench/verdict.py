"""The verdict on a shift: how often each rule stops which release, and when; from 2,000 simulated shifts a cell.

The rule that is measured here is that of functions/judge, which every deployment by steps is judged by.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import rules
from bench.measure import Result
from bench.shifts import Traffic, World, traffic, worlds
from functions.judge import evidence
from functions.judge.counts import AGE_SECONDS
from functions.judge.power import METRICS

RATES = (0.02, 0.1, 0.5, 1.0, 5.0, 25.0, 50.0)
"""Requests per second."""
SHIFTS = 2000
YOUNGER = (60, 120)
"""Seconds after which windows could be counted as well, if reports were known to be there."""
EFFECT_SHIFTS, POWER, ALPHA = 400, 0.8, evidence.ALPHA / METRICS
"""For the smallest error rate that is found: shifts a try, and the level, of which failed requests have a fourth."""
_FACTORIALS = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 100_000)))])
Test = Callable[[list[Any]], Any]


@dataclass(frozen=True)
class Row:
    """A cell of the table: shares of shifts, and failed requests of the new version (mean)."""

    world: World
    rate: float
    stopped: float
    passed: float
    failed: float
    today: float
    today_failed: float
    z_test: float

    def __str__(self) -> str:
        unclear = 1 - self.stopped - self.passed
        return (
            f"{self.world.name:<28} {self.rate:5g}/s | judge: fail {self.stopped:6.1%} pass {self.passed:6.1%}"
            f" inconclusive {unclear:6.1%} failed requests {self.failed:7.1f} | today: stopped {self.today:6.1%}"
            f" failed requests {self.today_failed:7.1f} | z-test: stopped {self.z_test:6.1%}"
        )

    @property
    def worse(self) -> float:
        """By how much a rate of the new version is above the old one's: the largest difference."""
        return max(new - old for old, new in (self.world.failed, self.world.slow, self.world.crashed))


def measure() -> Iterator[Result | Row]:
    """The table, and what it comes to."""
    with ProcessPoolExecutor() as pool:
        cells = [(world, rate) for rate in RATES for world in worlds()]
        found = []
        for row in pool.map(cell, *zip(*cells, strict=True)):
            found.append(row)
            yield row
        yield from _summary(found)
        yield from _effects(pool)


def cell(world: World, rate: float, shifts: int = SHIFTS, age: int = AGE_SECONDS) -> Row:
    """One cell of the table."""
    seen, clock = _drawn(world, rate, shifts)
    judged, today = rules.judge(seen, clock, age), rules.today(seen, clock)
    return Row(
        world,
        rate,
        float(np.isfinite(judged.stopped).mean()),
        float(judged.passed.mean()),
        float(rules.failed_requests(seen, judged.stopped, rules.judged_end(age)).mean()),
        float(np.isfinite(today.stopped).mean()),
        float(rules.failed_requests(seen, today.stopped, rules.END).mean()),
        float(rules.z_test(seen, clock).mean()),
    )


def _drawn(world: World, rate: float, shifts: int) -> tuple[Traffic, rules.Clock]:
    """A cell's shifts. Its random numbers are its own, so that a cell can be repeated by itself."""
    random = np.random.default_rng([int(100 * rate), *world.name.encode()])
    return traffic(random, world, rate, shifts), rules.Clock.draw(random, shifts)


def at_best(world: World, rate: float, age: int, shifts: int = SHIFTS) -> float:
    """Failed requests (mean) of the cell's shifts, where a judge that knows everything stops them."""
    seen, clock = _drawn(world, rate, shifts)
    stopped = rules.at_best(seen, clock, age)
    return float(rules.failed_requests(seen, stopped, rules.judged_end(age)).mean())


def _summary(rows: list[Row]) -> Iterator[Result]:
    """What is promised of the rule, each with the cell that decides."""
    independent = [row for row in rows if row.world.healthy and row.world.independent]
    yield _worst("healthy, stopped (independent errors)", independent, lambda row: row.stopped, 1)
    yield _worst("  the same by today's rule", independent, lambda row: row.today)
    yield _worst("  the same by the z-test", independent, lambda row: row.z_test)
    for bursts in ("both", "each"):
        of_kind = [row for row in rows if row.world.bursts == bursts]
        yield _worst(f"healthy, stopped (bursts of {bursts})", of_kind, lambda row: row.stopped)
    busy = [row for row in independent if row.rate >= 5]
    yield _worst("healthy at 5/s and more, not passed", busy, lambda row: 1 - row.passed, 10)
    five = [row for row in rows if row.world.failed == (0.001, 0.05) and row.rate >= 5]
    yield _worst("5 % errors at 5/s and more, not stopped", five, lambda row: 1 - row.stopped, 1)
    half = [row for row in rows if row.world.failed[1] == 0.5 and row.rate >= 0.5]
    yield _worst("50 % errors at 0.5/s and more, not stopped", half, lambda row: 1 - row.stopped, 1)
    worse = [row for row in rows if row.worse > 0.03]
    yield _worst("worse by more than the tolerance, passed", worse, lambda row: row.passed, 5)
    answers = [row for row in rows if row.world.answers is not None or row.world.silent]
    yield _worst("constant, biased or silent, passed", answers, lambda row: row.passed, 5)
    both = [row for row in rows if row.worse > 0.03 and row.stopped >= 0.99 and row.today >= 0.99]
    for rate in sorted({row.rate for row in both}):
        at_rate = [row for row in both if row.rate == rate]
        row = max(at_rate, key=lambda row: row.failed / row.today_failed)
        detail = f"({row.failed:.1f} to {row.today_failed:.1f}; {row.world.name})"
        yield Result(f"failed requests to today's, {rate:g}/s", row.failed / row.today_failed, "x", detail, 1.5)
        for age in YOUNGER:
            young = cell(row.world, rate, age=age)
            times = young.failed / young.today_failed
            yield Result(f"  the same if counted after {age} s", times, "x", f"(stopped {young.stopped:.1%})")
        for age in (AGE_SECONDS, YOUNGER[0]):
            best = at_best(row.world, rate, age) / row.today_failed
            yield Result(f"  the least by evidence of this level, {age} s", best, "x")


def _worst(name: str, rows: list[Row], value: Callable[[Row], float], aim: float | None = None) -> Result:
    row = max(rows, key=value)
    return Result(name, 100 * value(row), "%", f"({row.world.name}, {row.rate:g}/s)", aim)


def _effects(pool: Executor) -> Iterator[Result]:
    """The smallest error rate that is found, to what a test finds that looks once, at the end, at the same counts.

    `by steps` allows, as the judge does, for rates that change from step to step; Fisher's test takes them as constant.
    """
    cells = [(rate, base) for rate in (0.5, 1.0, 5.0, 25.0, 50.0) for base in (0.0, 0.0001, 0.001, 0.01)]
    found = [pool.map(smallest, [test] * len(cells), *zip(*cells, strict=True)) for test in (judged, by_steps, fisher)]
    for (rate, base), judge, steps, pooled in zip(cells, *found, strict=True):
        detail = f"({judge:.2%} to {steps:.2%}; to Fisher's test {judge / pooled:.2f} x)"
        yield Result(f"smallest error rate found, {rate:g}/s, {100 * base:g} %", judge / steps, "x", detail, 1.5)


def smallest(test: Test, rate: float, base: float) -> float:
    """Smallest error rate of the new version that a test finds in 80 % of shifts. All tries start from one seed."""
    low, high = base, 1.0
    for _ in range(11):
        middle = base + math.sqrt(max(low - base, 1e-4) * (high - base))
        random = np.random.default_rng(3)
        seen = traffic(random, World("", (base, middle)), rate, EFFECT_SHIFTS)
        if test(seen.counted(seen.old, seen.old_failed, seen.new, seen.new_failed)).mean() >= POWER:
            high = middle
        else:
            low = middle
    return high


def judged(seen: list[Any]) -> Any:
    """The judge's evidence."""
    limit = -math.log(ALPHA)
    return rules.counted(*seen, limit=limit).largest >= limit


def by_steps(seen: list[Any]) -> Any:
    """Exact test of no more events in the new version than its share, given requests and events of each step."""
    return np.array([_exact(*shift) for shift in zip(*rules.steps(*seen), strict=True)]) <= ALPHA


def fisher(seen: list[Any]) -> Any:
    """Fisher's exact test of the sums."""
    sums = [each.sum(1, keepdims=True) for each in seen]
    return np.array([_exact(*shift) for shift in zip(*sums, strict=True)]) <= ALPHA


def _exact(old: Any, old_events: Any, new: Any, new_events: Any) -> float:
    """Chance of as many events in the new version or more: of sums of hypergeometric numbers."""
    chances = np.ones(1)
    for a, b, c, d in zip(old, old_events, new, new_events, strict=True):
        if b + d:
            chances = np.convolve(chances, _hypergeometric(a + c, b + d, c))
    return float(chances[new_events.sum() :].sum())


def _hypergeometric(requests: int, events: int, new: int) -> Any:
    """Chances that 0, 1, … of the events are among the new version's requests."""
    of_new = np.arange(events + 1)
    possible = (of_new <= new) & (events - of_new <= requests - new)
    k = np.where(possible, of_new, max(0, events - (requests - new)))
    logs = _choose(new, k) + _choose(requests - new, events - k) - _choose(requests, events)
    return np.where(possible, np.exp(logs), 0)


def _choose(number: Any, of: Any) -> Any:
    return _FACTORIALS[number] - _FACTORIALS[of] - _FACTORIALS[number - of]
