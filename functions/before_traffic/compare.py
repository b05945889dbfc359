"""Whether the new version's answers to captured requests are those of a sound release. No clients, no clock.

Each count is held against a share that is tolerated, by its exact binomial tail: a release is stopped where that many
would come by chance in fewer than one of 10,000 replays even at the tolerated share. So a handful of requests decides
nothing, and no request by itself does.

| what | tolerated |
|---|---|
| requests without a usable answer, twice (errors, NaN, time limits) | 1 in 1,000 |
| answers slower than the alarm on latency allows | 5 % |
| answers too far from the former ones | see `RUNGS` |
| the same answer, where the former model gave different ones | half |

Too far is more than 1.5 times what nine of ten held-out rows differ by, where most answers are; and more than twice
what any of them does, where some are: a model may be far off for few, or a little for many.

The third one compares like with like: a live answer is held against held-out rows of the same bin of the former
model's answers, so that another mix of callers than at the evaluation is no fault. Callers may ask otherwise within a
bin, too: that is what the factors and the tolerated shares are for (docs/verdict.md has what they cost).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.differences import LARGEST, USUAL, Differences

CHANCE = 1e-4
"""Of stopping a release, for each count, at the share that is tolerated."""
FAILED, SLOW, SAME = 0.001, 0.05, 0.5
FEW = 20
"""Answers below which nothing is said of how they are distributed."""
_DIGITS = 1e-4
"""What an answer may lose on its way as text, as a share of it, as with golden records."""


@dataclass(frozen=True)
class Rung:
    """How far is too far, and for which share: `factor` times a bin's quantile at `level`, which `words` name."""

    level: int
    factor: float
    in_bin: float
    in_all: float
    words: str


RUNGS = (
    Rung(USUAL, 1.5, 0.5, 0.35, "what nine of ten held-out rows differ by"),
    Rung(LARGEST, 2.0, 0.05, 0.03, "what any held-out row differs by"),
)
"""From a simulation of sound and bad releases: `python -m bench replay`."""


@dataclass(frozen=True)
class Exchange:
    """One captured request: what the former model answered, and what came of it with the new version.

    `new` is None where no usable answer came, and `problem` then says why. `milliseconds` are those of the call.
    """

    old: float
    new: float | None
    problem: str
    milliseconds: float


@dataclass(frozen=True)
class Judgement:
    """`problems` stop the release, a clause each; `words` say how the answers compare."""

    problems: tuple[str, ...]
    words: str


def judge(exchanges: Sequence[Exchange], expected: Differences | None, latency_ms: float) -> Judgement:
    """What the exchanges tell. `expected` is None where nobody has measured these two models side by side."""
    answered = [(each.old, each.new) for each in exchanges if each.new is not None]
    problems = [
        *_failures(exchanges),
        *_slow(exchanges, latency_ms),
        *_constant(answered),
        *(_apart(answered, expected) if expected else ()),
    ]
    return Judgement(tuple(problems), _words(answered, expected))


def too_many(count: int, of: int, tolerated: float) -> bool:
    """Whether so many or more would come by chance in fewer than CHANCE of the replays at the tolerated share."""
    return count > tolerated * of and tail(count, of, tolerated) < CHANCE


def tail(count: int, of: int, share: float) -> float:
    """The probability of at least `count` events among `of` independent ones of a probability of `share`."""
    terms = (
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
        + k * math.log(share) + (of - k) * math.log1p(-share)
        for k in range(count, of + 1)
    )  # fmt: skip
    return min(1.0, math.fsum(map(math.exp, terms)))


def _failures(exchanges: Sequence[Exchange]) -> Iterator[str]:
    failed = [each for each in exchanges if each.new is None]
    if too_many(len(failed), len(exchanges), FAILED):
        (problem, count), *_ = Counter(each.problem for each in failed).most_common(1)
        yield f"{len(failed)} of {len(exchanges)} got no usable answer, {count} of them: {problem}"


def _slow(exchanges: Sequence[Exchange], latency_ms: float) -> Iterator[str]:
    # The hook itself is slower than the function's own measure, which the alarm reads, by a few milliseconds.
    slow = sum(each.milliseconds > latency_ms for each in exchanges)
    if too_many(slow, len(exchanges), SLOW):
        middle = sorted(each.milliseconds for each in exchanges)[len(exchanges) // 2]
        yield f"{slow} of {len(exchanges)} took longer than {latency_ms:g} ms, half of all {middle:.0f} ms and more"


def _constant(answered: Sequence[tuple[float, float]]) -> Iterator[str]:
    """One answer for most, to requests that the former model told apart (`captured.SAME_ANSWER`)."""
    if len(answered) < FEW:
        return
    (_, former), *_ = Counter(old for old, _ in answered).most_common(1)
    (value, count), *_ = Counter(new for _, new in answered).most_common(1)
    if former <= SAME * len(answered) and too_many(count, len(answered), SAME):
        yield f"it answers {value:.6g} to {count} of {len(answered)}, which got different answers before"


def _apart(answered: Sequence[tuple[float, float]], expected: Differences) -> Iterator[str]:
    """Answers that lie further from the former ones than the evaluation has seen of these two models."""
    for rung in RUNGS:
        far, rows = _far(answered, expected, rung)
        beyond = f"differ from them by more than {rung.factor:g} times"
        worst = max(range(len(rows)), key=lambda place: far[place] / max(1, rows[place]))
        if too_many(far[worst], rows[worst], rung.in_bin):
            found = expected.bins[worst]
            yield (
                f"where the former answers were {_between(expected.edges, worst)}, {far[worst]} of {rows[worst]}"
                f" {beyond} {found.quantiles[rung.level]:.4g}, {rung.words} ({found.rows} of them)"
            )
            return
        if too_many(sum(far), sum(rows), rung.in_all):
            yield f"{sum(far)} of {sum(rows)} answers {beyond} {rung.words}"
            return


def _far(answered: Sequence[tuple[float, float]], expected: Differences, rung: Rung) -> tuple[list[int], list[int]]:
    """By bin: answers that lie too far from the former ones, and all."""
    far, rows = ([0] * len(expected.bins) for _ in range(2))
    for old, new in answered:
        place = bisect_right(expected.edges, old)
        limit = rung.factor * expected.bins[place].quantiles[rung.level] + _DIGITS * abs(old)
        rows[place] += 1
        far[place] += abs(new - old) > limit
    return far, rows


def _between(edges: Sequence[float], place: int) -> str:
    low = f"{edges[place - 1]:.4g} or more" if place else ""
    high = f"below {edges[place]:.4g}" if place < len(edges) else ""
    return " and ".join(part for part in (low, high) if part) or "given"


def _words(answered: Sequence[tuple[float, float]], expected: Differences | None) -> str:
    if not answered:
        return "none was answered"
    apart = sorted(abs(new - old) for old, new in answered)
    found = f"half of the answers lie within {apart[(len(apart) - 1) // 2]:.4g} of the former ones"
    if expected is None:
        return found
    rung = RUNGS[0]
    far, rows = _far(answered, expected, rung)
    beyond = f"{sum(far)} of {sum(rows)} beyond {rung.factor:g} times {rung.words}"
    few = sum(count < FEW for count in rows)
    note = f"; too few to be judged by themselves in {few} of {len(rows)} bins" if few and len(rows) > 1 else ""
    return f"{found}, {beyond}{note}"
