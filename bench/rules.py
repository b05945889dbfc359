"""The rules that decide on a shift, over many shifts at once: the judge with its limits, today's alarms, a z-test.

The judge's arithmetic is that of functions/judge, written for arrays; tests/bench/test_verdict.py holds both against
each other. The clock is the same for all:

| what | how long | source |
|---|---|---|
| a minute's metrics are complete | 60 to 180 s after it | assumed; a judge that counts a window counts it at 180 s |
| a standard alarm looks | every 60 s | CloudWatch: a standard alarm is evaluated every minute |
| the judge looks, and its alarm of high resolution sees it | within 10 s, and 5 to 20 s | periods of 10 s |
| CodeDeploy sees the alarm, and traffic is back | 10 to 40 s | assumed: AWS names no figure |

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.shifts import COUNTED, STEP, STEPS, WINDOWS, Traffic, weights
from functions.judge import bins, counts, evidence, limits, tolerance
from functions.judge.power import METRICS

WINDOW = counts.WINDOW_SECONDS
END = 600
"""Seconds after which today's deployment has ended and no alarm stops it any more: with a minute for the hook after
traffic."""
SILENT_CALLS, SILENT_SHARE = 10, 0.5
"""definitions/health.py: calls in a minute, and the share of them that went unreported, two minutes in a row."""
NEVER = np.inf


@dataclass(frozen=True)
class Clock:
    """Of each shift: by how many windows its start lies after a clock minute's, and its delays in seconds."""

    phase: Any
    metrics: Any
    looks: Any
    judge: Any
    reaction: Any

    @classmethod
    def draw(cls, random: Any, shifts: int) -> "Clock":
        minutes = WINDOWS // STEP + 1
        return cls(
            random.integers(0, STEP, shifts),
            random.uniform(60, 180, (shifts, minutes)),
            random.uniform(0, 60, shifts),
            random.uniform(5, 30, shifts),
            random.uniform(10, 40, shifts),
        )


@dataclass(frozen=True)
class Decision:
    """Of each shift: when traffic was back, in seconds (NEVER: it was not), and whether it passed."""

    stopped: Any
    passed: Any


@dataclass(frozen=True)
class Judged:
    """Of each shift: the logarithm of the largest evidence, and when the window ended in which it sufficed, in seconds
    (NEVER: in none)."""

    largest: Any
    ended: Any


def judged_end(age: int = counts.AGE_SECONDS) -> int:
    """The same with the judge, whose hook after traffic waits until the last window was counted."""
    return WINDOW * STEP * STEPS + WINDOW + age


def judge(seen: Traffic, clock: Clock, age: int = counts.AGE_SECONDS) -> Decision:
    """The judge, with its hard limits (definitions/health.py). `age`: at which a window is counted, in seconds."""
    limit = evidence.threshold(METRICS)
    failed = seen.counted(seen.old, seen.old_failed, seen.new, seen.new_failed)
    slow = seen.counted(seen.old, seen.old_slow, seen.new, seen.new_slow)
    crashed, least = by_minutes(clock, seen)
    judged = [
        counted(*failed, limit=limit),
        counted(*slow, limit=limit),
        binned(*seen.counted(seen.old_bins, seen.new_bins), tables=seen.tables, limit=limit),
        counted_by_minutes(clock, *crashed, least=least, limit=limit),
    ]
    by_evidence = np.min([each.ended for each in judged], axis=0) + age + clock.judge + clock.reaction
    stopped = np.minimum(by_evidence, _alarm(clock, _limits(seen, clock), judged_end(age)))
    # The longest part by far: each test is asked of those alone that have passed the ones before.
    left = np.flatnonzero(stopped == NEVER)
    for arrays in (steps(*failed), steps(*slow), crashed):
        left = left[passes(*(each[left] for each in arrays))]
    left = left[passes_binned(*(each[left] for each in (seen.old_bins, seen.new_bins, seen.tables)))]
    passed = np.zeros(len(stopped), bool)
    passed[left] = True
    return Decision(stopped, passed)


def at_best(seen: Traffic, clock: Clock, age: int = counts.AGE_SECONDS) -> Any:
    """When traffic would be back at best, by failed requests, with evidence that holds the judge's level.

    A failed request of the new version, which is expected to have the share s of them, multiplies any evidence by 1 / s
    at most: nothing makes it likelier than certain. So no rule stops before these have reached the threshold.
    """
    share = weights()
    gained = np.where(share < 1, -np.log(share), 0)
    enough = np.cumsum(seen.new_failed * gained, axis=1) >= evidence.threshold(METRICS)
    ended = np.where(enough.any(axis=1), WINDOW * (enough.argmax(axis=1) + 1.0), NEVER)
    return ended + age + clock.judge + clock.reaction


def today(seen: Traffic, clock: Clock) -> Decision:
    """The alarms before there was a judge: any failed request of a minute, p99, stability.

    An endpoint's 5XX is the failed request's own.
    """
    requests, failed, slow, crashed = (
        minutes(clock, each) for each in (seen.new, seen.new_failed, seen.new_slow, seen.new_crashed)
    )
    late = (slow >= 1) & (slow >= 0.01 * requests)
    binned_ = np.cumsum(np.stack([minutes(clock, seen.new_bins[..., bin_]) for bin_ in range(5)], axis=-1), axis=1)
    rows = binned_.sum(-1)
    expected = _predicted(seen.tables.sum(2), seen.tables)
    expected = (expected / expected.sum(-1, keepdims=True))[:, None, :]
    live = (binned_ + 0.5) / (rows + 2.5)[..., None]
    index = ((live - expected) * np.log(live / expected)).sum(-1)
    shifted = (rows >= 100) & (index >= 0.25)
    stopped = _alarm(clock, (failed >= 1) | late | shifted | (crashed >= 1) | _silent(seen, clock), END)
    return Decision(stopped, stopped == NEVER)


def z_test(seen: Traffic, clock: Clock) -> Any:
    """Whether a pooled test of two shares, at 0.5 % one-sided for each metric, ever speaks; it looks every minute."""
    stopped = np.zeros(len(seen.old), bool)
    # What comes after the shift has no old version beside it.
    both = np.arange(WINDOWS) < STEP * STEPS
    old, new = (np.cumsum(minutes(clock, each * both), axis=1) for each in (seen.old, seen.new))
    for pair in ((seen.old_failed, seen.new_failed), (seen.old_slow, seen.new_slow)):
        of_old, of_new = (np.cumsum(minutes(clock, each * both), axis=1) for each in pair)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (of_old + of_new) / (old + new)
            z = (of_new / new - of_old / old) / np.sqrt(share * (1 - share) * (1 / old + 1 / new))
        stopped |= (np.nan_to_num(z, nan=0, posinf=0, neginf=0) > 2.576).any(axis=1)
    return stopped


def failed_requests(seen: Traffic, stopped: Any, end: float) -> Any:
    """Of the new version, crashed ones among them, until traffic was back or the deployment ended."""
    starts = WINDOW * np.arange(WINDOWS)
    until = np.minimum(stopped, end)[:, None]
    return ((seen.new_failed + seen.new_crashed) * np.clip((until - starts) / WINDOW, 0, 1)).sum(axis=1)


def minutes(clock: Clock, windows: Any) -> Any:
    """Windows added up by clock minutes, of which a shift's first one may have begun before it."""
    shifts = len(windows)
    found = np.zeros((shifts, WINDOWS + STEP), windows.dtype)
    places = clock.phase[:, None] + np.arange(WINDOWS)
    found[np.arange(shifts)[:, None], places] = windows
    whole = (WINDOWS + STEP) // STEP
    return found[:, : whole * STEP].reshape(shifts, whole, STEP).sum(-1)


def counted(old: Any, old_events: Any, new: Any, new_events: Any, *, limit: float) -> Judged:
    """evidence.path over the blocks that counts.look makes."""
    shifts = len(old)
    ratios = np.array(evidence.RATIOS)
    logs = np.zeros((shifts, len(ratios)))
    found = Judged(np.full(shifts, -NEVER), np.full(shifts, NEVER))
    block = np.zeros((4, shifts))
    for number in range(old.shape[1]):
        block += np.stack([old[:, number], old_events[:, number], new[:, number], new_events[:, number]])
        closes = _closes(block[0] + block[2], number)
        both = closes & (block[0] > 0) & (block[2] > 0)
        share = np.where(both, block[2] / np.maximum(block[0] + block[2], 1), 0)[:, None]
        events = np.where(both, block[1] + block[3], 0)[:, None]
        logs += np.where(both, block[3], 0)[:, None] * np.log(ratios) - events * np.log1p((ratios - 1) * share)
        step, place = divmod(number, len(COUNTED))
        _keep(found, logs, closes, WINDOW * (STEP * step + COUNTED[place] + 1), limit)
        block[:, closes] = 0
    return found


def binned(old: Any, new: Any, *, tables: Any, limit: float) -> Judged:
    """bins.path over the same blocks."""
    shifts, _, width = old.shape
    held_out = _predicted(tables.sum(2), tables)
    seen = bins.PRIOR * held_out / held_out.sum(-1, keepdims=True)
    requests = np.full((shifts, 1), bins.PRIOR)
    tolerated = np.array([bins.ODDS, 1 / bins.ODDS] * len(bins.BEYOND))
    beyond = np.array([each for ratio in bins.BEYOND for each in (ratio, 1 / ratio)])
    logs = np.zeros((shifts, width * len(beyond)))
    found = Judged(np.full(shifts, -NEVER), np.full(shifts, NEVER))
    block_old, block_new = np.zeros((shifts, width)), np.zeros((shifts, width))
    for number in range(old.shape[1]):
        block_old, block_new = block_old + old[:, number], block_new + new[:, number]
        of_old, of_new = block_old.sum(-1), block_new.sum(-1)
        closes = _closes(of_old + of_new, number)
        both = closes & (of_old > 0) & (of_new > 0)
        predicted = _predicted(block_old, tables)
        rate = np.clip(seen / requests, 1e-6, 1 - 1e-6)[..., None]
        share = np.where(both, of_new / np.maximum(of_old + of_new, 1), 0.5)[:, None, None]
        other = _moved(rate, tolerated * beyond)
        events = (1 - share) * rate + share * other
        linear = (1 - share) + share * tolerated - events * (tolerated - 1)
        near = 2 * events / (linear + np.sqrt(linear**2 + 4 * (1 - share) * (tolerated - 1) * events))
        gained = _version(of_old, predicted, rate, near) + _version(of_new, block_new, other, _moved(near, tolerated))
        logs += np.where(both[:, None, None], gained, 0).reshape(shifts, -1)
        seen = np.where(both[:, None], seen + predicted, seen)
        requests = np.where(both[:, None], requests + of_old[:, None], requests)
        step, place = divmod(number, len(COUNTED))
        _keep(found, logs, closes, WINDOW * (STEP * step + COUNTED[place] + 1), limit)
        block_old[closes], block_new[closes] = 0, 0
    return found


def by_minutes(clock: Clock, seen: Traffic) -> tuple[list[Any], Any]:
    """Calls and crashes of both versions by clock minutes, and the least shares to reckon with; 1 where it is left out.

    A minute in which the new version got everything in the end has nothing to tell.
    """
    found = [minutes(clock, each) for each in (seen.old_calls, seen.old_crashed, seen.new_calls, seen.new_crashed)]
    last = np.clip(STEP * (np.arange(found[0].shape[1]) + 1) - clock.phase[:, None] - 1, 0, WINDOWS - 1)
    least = weights()[last]
    return [np.where(least < 1, each, 0) for each in found], least


def counted_by_minutes(
    clock: Clock, old: Any, old_events: Any, new: Any, new_events: Any, *, least: Any, limit: float
) -> Judged:
    """evidence.path over minutes in which weights move."""
    shifts, number = old.shape
    ratios = np.array(evidence.RATIOS)
    logs = np.zeros((shifts, len(ratios)))
    found = Judged(np.full(shifts, -NEVER), np.full(shifts, NEVER))
    for minute in range(number):
        both = (old[:, minute] > 0) & (new[:, minute] > 0)
        share = np.maximum(new[:, minute] / np.maximum(old[:, minute] + new[:, minute], 1), least[:, minute])[:, None]
        events = np.where(both, old_events[:, minute] + new_events[:, minute], 0)[:, None]
        logs += np.where(both, new_events[:, minute], 0)[:, None] * np.log(ratios)
        logs -= events * np.log1p((ratios - 1) * share)
        end = WINDOW * (STEP * (minute + 1) - clock.phase)
        _keep(found, logs, least[:, minute] < 1, end, limit)
    return found


def steps(*arrays: Any) -> list[Any]:
    """The counted windows added up by steps, which are the weights."""
    return [each.reshape(len(each), STEPS, len(COUNTED)).sum(-1) for each in arrays]


def passes_binned(old: Any, new: Any, tables: Any) -> Any:
    """bins.passes over the weights, of all windows."""
    found = np.ones(len(old), bool)
    kept = [window for window in range(STEP * STEPS) if window % STEP in COUNTED]
    old, new = (np.stack(steps(*np.moveaxis(each[:, kept], -1, 0)), axis=-1) for each in (old, new))
    of_old, of_new = old.sum(-1), new.sum(-1)
    predicted = _predicted(old, tables[:, None])
    for bin_ in range(old.shape[-1]):
        more = of_old, predicted[..., bin_], of_new, new[..., bin_]
        for a, b, c, d in (more, (*more[2:], *more[:2])):
            found &= passes(a, b, c, d, bins.APART, bins.SHARES)
    return found


def passes(
    old: Any,
    old_events: Any,
    new: Any,
    new_events: Any,
    allowed: float = tolerance.TOLERANCE,
    healthy: Sequence[float] = tolerance.RATES,
) -> Any:
    """tolerance.passes over blocks."""
    a, b, c, d = (each[..., None] for each in (old, old_events, new, new_events))
    rates = np.array([rate for rate in healthy if rate + allowed < 1])
    share = c / np.maximum(a + c, 1)
    low = np.zeros((*share.shape[:2], len(rates)))
    high = np.broadcast_to(rates, low.shape)
    for _ in range(tolerance.HALVINGS):
        rate = (low + high) / 2
        other = rate + allowed
        slope = (1 - share) * (rate - rates) * other * (1 - other) + share * (other - rates) * rate * (1 - rate)
        low, high = np.where(slope < 0, rate, low), np.where(slope < 0, high, rate)
    rate = (low + high) / 2
    other = rate + allowed
    logs = (a - b) * np.log((1 - rates) / (1 - rate)) + b * np.log(rates / rate)
    logs = logs + (c - d) * np.log((1 - rates) / (1 - other)) + d * np.log(rates / other)
    return _mean(np.where((a > 0) & (c > 0), logs, 0).sum(1)) >= -np.log(tolerance.BETA)


def _limits(seen: Traffic, clock: Clock) -> Any:
    """Minutes in which any hard limit is reached."""
    found = _silent(seen, clock)
    reported, called = (seen.old, seen.new), (seen.old_calls, seen.new_calls)
    for requests, events in (
        (reported, (seen.old_failed, seen.new_failed)),
        (reported, (seen.old_slow, seen.new_slow)),
        (called, (seen.old_crashed, seen.new_crashed)),
    ):
        old, of_old, new, of_new = (minutes(clock, each) for each in (requests[0], events[0], requests[1], events[1]))
        many = (of_new >= limits.EVENTS) & (of_new >= limits.SHARE * new)
        found |= many & (of_new * old >= limits.TIMES * of_old * new)
    return found


def _silent(seen: Traffic, clock: Clock) -> Any:
    """Minutes that are the second one in a row of which half of the calls went unreported."""
    calls = minutes(clock, seen.new_calls)
    quiet = (calls >= SILENT_CALLS) & (calls - minutes(clock, seen.new) >= SILENT_SHARE * calls)
    return quiet & np.concatenate([np.zeros((len(quiet), 1), bool), quiet[:, :-1]], axis=1)


def _alarm(clock: Clock, breaches: Any, end: float) -> Any:
    """When traffic is back by an alarm that a minute of these sets off; NEVER where the deployment ends before."""
    minute = np.arange(breaches.shape[1])
    ends = WINDOW * (STEP * (minute + 1) - clock.phase[:, None])
    there = ends + clock.metrics[:, : breaches.shape[1]]
    looked = np.ceil((there - clock.looks[:, None]) / 60) * 60 + clock.looks[:, None]
    first = np.where(breaches, looked, NEVER).min(axis=1)
    return np.where(first < end, first + clock.reaction, NEVER)


def _closes(requests: Any, number: int) -> Any:
    """Whether a block ends with this one of the counted windows: it is large enough, or the next has another weight."""
    return (requests >= counts.BLOCK_REQUESTS) | ((number + 1) % len(COUNTED) == 0)


def _keep(found: Judged, logs: Any, closes: Any, end: Any, limit: float) -> None:
    """Where a block closes: the evidence, and `end` where it is the first to suffice."""
    now = np.where(closes, _mean(logs), -NEVER)
    np.minimum(found.ended, np.where(now >= limit, end, NEVER), out=found.ended)
    np.maximum(found.largest, now, out=found.largest)


def _mean(logs: Any) -> Any:
    top = logs.max(axis=-1)
    return top + np.log(np.exp(logs - top[..., None]).mean(axis=-1))


def _predicted(old: Any, tables: Any) -> Any:
    """Pair.predicted, of each shift by its own table."""
    width = tables.shape[-1]
    shares = (tables + 0.5 / width) / (tables.sum(-1, keepdims=True) + 0.5)
    return (old[..., None] * shares).sum(axis=-2)


def _moved(rate: Any, ratio: Any) -> Any:
    """bins.moved, of arrays."""
    return ratio * rate / (1 + (ratio - 1) * rate)


def _version(requests: Any, events: Any, rate: Any, other: Any) -> Any:
    quiet = (requests[:, None] - events)[..., None] * np.log((1 - rate) / (1 - other))
    return events[..., None] * np.log(rate / other) + quiet
