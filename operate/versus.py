"""Whether a variant is better or worse than the release's own, by the statistics of the judge of a shift.

Pure arithmetic of minutes' counts, `old` being the release's own variant and `new` the other one. It may be looked at
as often as anybody likes, from one fixed start on: *better* and *worse* are evidence in the sense of
functions/judge/evidence.py, for either direction, and what is ruled out is an end of a confidence sequence
(functions/judge/tolerance.py). So equal variants are called better or worse in ALPHA of tests at most, over all looks,
metrics and both directions; and one that is worse by the tolerance all along is called no worse in BETA at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from functions.judge import evidence, tolerance
from functions.judge.counts import BLOCK_REQUESTS, NOTHING, Counts
from functions.judge.record import WORDS

ALWAYS = (
    "Look as often as you like: over all looks, equal variants are called better or worse in at most"
    f" {100 * evidence.ALPHA:.2g} % of tests."
)
Answer = Literal["worse", "not yet", "better", "no worse"]
_ANSWERS: tuple[Answer, ...] = ("worse", "not yet", "better", "no worse")
"""The first of these that any metric has is that of the test."""
_GROWTH = 0.1
"""By which part of what was there before a block of the interval grows: a few dozen blocks, where thousands of minutes
would take minutes to reckon with. Hardly anything is lost by it (tests/operate/test_versus.py)."""
_DIGITS = 14
"""Of what is ruled out: exact to 0.006 points."""
_MOST = 1_000
"""Times the requests so far: what takes more is not told as a number."""


@dataclass(frozen=True)
class Need:
    """What a loss of the tolerance needs to be ruled out, if both go on as they did: more requests of both, and hours
    at the rate so far."""

    requests: int
    hours: float


@dataclass(frozen=True)
class Finding:
    """Of one metric.

    `evidence`: that of the answer *better* or *worse* (or the larger of both), as a power of ten. `worse` and `better`:
    the smallest difference of the rates in that direction that is ruled out, as a share of requests; 1 where none is.
    `need`: only for *not yet*, and None where the rates so far leave nothing to wait for.
    """

    metric: str
    answer: Answer
    counts: Counts
    evidence: float
    worse: float
    better: float
    need: Need | None


def judge(minutes: Mapping[str, Sequence[Counts]], hours: float) -> tuple[Finding, ...]:
    """By metric. `minutes`: metric → counts in the order of time, each from the same start on; `hours` since then."""
    return tuple(_finding(metric, each, hours, len(minutes)) for metric, each in minutes.items())


def difference(minutes: Sequence[Counts], metrics: int = 1) -> tuple[Literal["worse", "better"] | None, float]:
    """Which way the evidence suffices, where it does at any look so far, and the natural logarithm of its largest.

    `metrics`: how many share the error, each with both directions.
    """
    limit, many = evidence.threshold(2 * metrics), blocks(minutes)
    for_worse, for_better = evidence.largest(many), evidence.largest(_mirrored(many))
    if for_worse >= limit:
        return "worse", for_worse
    return ("better" if for_better >= limit else None), max(for_worse, for_better)


def overall(findings: Sequence[Finding]) -> Answer:
    """Of all metrics: worse where one is, and not yet where one is that."""
    return next(each for each in _ANSWERS if any(found.answer == each for found in findings))


def blocks(minutes: Sequence[Counts], growth: float = 0.0) -> list[Counts]:
    """Minutes added up to so many requests, and at least `growth` times those before. What is not full is left out.

    A block ends by its number of requests, which does not look at what came of them.
    """
    found, block, before = [], NOTHING, 0.0
    for minute in minutes:
        block += minute
        requests = block.old_requests + block.new_requests
        if requests >= max(BLOCK_REQUESTS, growth * before):
            found.append(_bounded(block))
            block, before = NOTHING, before + requests
    return found


def _bounded(block: Counts) -> Counts:
    """Request and failure may be counted in different minutes, by different services."""
    old, new = min(block.old_events, block.old_requests), min(block.new_events, block.new_requests)
    return Counts(block.old_requests, old, block.new_requests, new)


def _mirrored(many: Sequence[Counts]) -> list[Counts]:
    return [Counts(each.new_requests, each.new_events, each.old_requests, each.old_events) for each in many]


def _finding(metric: str, minutes: Sequence[Counts], hours: float, metrics: int) -> Finding:
    few = blocks(minutes, _GROWTH)
    told, largest = difference(minutes, metrics)
    answer: Answer = told or ("no worse" if tolerance.passes(few) else "not yet")
    return Finding(
        metric,
        answer,
        sum(blocks(minutes), NOTHING),
        largest / math.log(10),
        tolerance.upper(few, _DIGITS),
        tolerance.upper(_mirrored(few), _DIGITS),
        _need(few, hours) if answer == "not yet" else None,
    )


def _need(few: Sequence[Counts], hours: float) -> Need | None:
    """The least multiple of what was seen that rules a loss of the tolerance out."""
    seen = sum(each.old_requests + each.new_requests for each in few)
    if not seen or not _suffices(few, _MOST):
        return None
    low, high = 1.0, float(_MOST)
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if _suffices(few, middle) else (middle, high)
    return Need(math.ceil((high - 1) * seen), (high - 1) * hours)


def _suffices(few: Sequence[Counts], times: float) -> bool:
    return tolerance.passes(
        [
            Counts(
                times * each.old_requests, times * each.old_events, times * each.new_requests, times * each.new_events
            )
            for each in few
        ]
    )


# --- words -----------------------------------------------------------------------------------------------------------


def sentences(findings: Sequence[Finding], variant: str, own: str) -> list[str]:
    """For a person, one for each metric. `own`: the release's own variant."""
    return [_sentence(found, variant, own, len(findings)) for found in findings]


def _sentence(found: Finding, variant: str, own: str, metrics: int) -> str:
    counts = found.counts
    seen = (
        f"{variant}: {counts.new_events:,.0f} of {counts.new_requests:,.0f} requests {WORDS[found.metric]},"
        f" {own}: {counts.old_events:,.0f} of {counts.old_requests:,.0f}"
    )
    out = f"{_ruled_out('worse', found.worse)}, {_ruled_out('better', found.better)}"
    return f"{seen}; {out}: {_said(found, metrics)}"


def _ruled_out(direction: str, difference: float) -> str:
    if difference > 0.99:
        return f"{direction} by however much is not ruled out"
    return f"{direction} by {100 * difference:.2g} points or more is ruled out"


def _said(found: Finding, metrics: int) -> str:
    limit = f"a loss of {100 * tolerance.TOLERANCE:.2g} points"
    if found.answer in ("better", "worse"):
        tests = found.evidence - math.log10(2 * metrics)
        often = f"{10**tests:,.0f}" if tests < 6 else f"10^{tests:.0f}"
        return f"{found.answer}; so much is seen by chance once in {often} tests at most"
    if found.answer == "no worse":
        return f"no worse: {limit} is ruled out, and no difference can be told"
    if found.counts == NOTHING:
        return f"no difference can be told yet: fewer than {BLOCK_REQUESTS} requests are counted"
    if found.need is None:
        return f"no difference can be told yet, and at these rates {limit} will not be ruled out"
    more = f"some {_round(found.need.requests):,} more requests ({_time(found.need.hours)} at this rate)"
    return f"no difference can be told yet; {limit} would be ruled out after {more}"


def _round(number: int) -> int:
    """To two digits: it is no promise."""
    return math.ceil(float(f"{number:.2g}"))


def _time(hours: float) -> str:
    if hours < 2:
        return f"{math.ceil(60 * hours)} minutes"
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
