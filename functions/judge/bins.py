"""Evidence that a release predicts otherwise than its evaluation says of this pair of models.

A retrained model predicts otherwise than the old one, and that is no fault. What the evaluation knows of the pair is a
cross-table: of held-out rows that the old model puts into bin i, the share that the new one puts into bin j. Applied to
the old version's live bins it predicts the new version's, whoever asks at the moment. The hypothesis to be refuted is
"the odds of bin j are within a ratio of ODDS of what is predicted", from above and from below, for every bin.

The old version's share m of bin j, as predicted, and the new one's r are means of numbers between 0 and 1, and both
sides of the hypothesis, r ≤ g(m) with g concave and r ≥ g(m) with g convex, are convex. So the construction of
functions/judge/tolerance.py holds here as well: for any pair of rates, likelihood ratio to the nearest pair of the
hypothesis. A request with several rows lies in several bins by parts; its sums are enough, by Jensen's inequality.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from functions.judge import tolerance
from functions.judge.counts import Bins, Counts
from functions.judge.evidence import mean

ODDS = 1.5
"""Tolerated odds ratio: what a cross-table of 645 held-out rows may be wrong by. By simulation: docs/verdict.md."""
BEYOND = (2.0, 8.0)
"""Odds ratios on top of the tolerated one that evidence is gathered for, of equal weight."""
APART = 0.15
"""By which share of the requests a bin may be apart from what is predicted for a release to pass: less than all of one
of five equal bins. By simulation: docs/verdict.md."""
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
"""A bin's share, for which evidence is gathered that it is as predicted; of equal weight."""
PRIOR = 20.0
"""Requests that the held-out shares count for, before the old version's live ones are known."""


@dataclass(frozen=True)
class Pair:
    """What the evaluation knows: held-out rows by the old model's bin and, in each, by the new one's."""

    rows: tuple[tuple[int, ...], ...]

    def predicted(self, old: Sequence[float]) -> tuple[float, ...]:
        """Of so many requests in the old version's bins: how many the new version has in each of its own.

        Half a row is added to each row of the table, so that what nobody saw in it is rare and not impossible.
        """
        width = len(self.rows[0])
        shares = [[(rows + 0.5 / width) / (sum(row) + 0.5) for rows in row] for row in self.rows]
        return tuple(sum(count * row[bin_] for count, row in zip(old, shares, strict=True)) for bin_ in range(width))

    @property
    def held_out(self) -> tuple[float, ...]:
        """The new model's shares of the held-out rows, by way of the table."""
        rows = [float(sum(row)) for row in self.rows]
        return tuple(each / sum(rows) for each in self.predicted(rows))


def path(blocks: Sequence[Bins], pair: Pair, odds: float = ODDS) -> Iterator[float]:
    """After each block, the natural logarithm of the evidence."""
    seen, requests = [PRIOR * share for share in pair.held_out], PRIOR
    width = len(seen)
    logs = [0.0] * (2 * width * len(BEYOND))
    for block in blocks:
        of_old, of_new = sum(block.old), sum(block.new)
        if not of_old or not of_new:
            yield mean(logs)
            continue
        predicted = pair.predicted(block.old)
        share = of_new / (of_old + of_new)
        number = 0
        for bin_ in range(width):
            rate = min(max(seen[bin_] / requests, 1e-6), 1 - 1e-6)
            for tolerated, beyond in _directions(odds):
                old, new = nearest(rate, moved(rate, tolerated * beyond), share, tolerated)
                logs[number] += tolerance.likelihood(of_old, predicted[bin_], rate, old)
                logs[number] += tolerance.likelihood(of_new, block.new[bin_], moved(rate, tolerated * beyond), new)
                number += 1
        # Only now: what is bet on a block must not know it.
        seen = [before + now for before, now in zip(seen, predicted, strict=True)]
        requests += of_old
        yield mean(logs)


def largest(blocks: Sequence[Bins], pair: Pair, odds: float = ODDS) -> float:
    """The natural logarithm of the largest evidence so far; 0 before the first block."""
    return max(path(blocks, pair, odds), default=0.0)


def passes(blocks: Sequence[Bins], pair: Pair, apart: float = APART) -> bool:
    """Whether it is ruled out, for every bin and in both directions, that its share is so far from the predicted one.

    By the test of functions/judge/tolerance.py, with the bin's share for the rate of an event.
    """
    for bin_ in range(len(pair.held_out)):
        more = [
            Counts(sum(block.old), pair.predicted(block.old)[bin_], sum(block.new), block.new[bin_])
            for block in blocks
            if block.old and block.new
        ]
        fewer = [Counts(each.new_requests, each.new_events, each.old_requests, each.old_events) for each in more]
        if not all(tolerance.passes(each, apart, SHARES) for each in (more, fewer)):
            return False
    return True


def moved(rate: float, ratio: float) -> float:
    """The rate whose odds are those of `rate` times `ratio`."""
    return ratio * rate / (1 + (ratio - 1) * rate)


def nearest(old: float, new: float, share: float, tolerated: float) -> tuple[float, float]:
    """Of the pairs at the tolerated odds ratio the one that is hardest to tell from (old, new).

    Nearest in relative entropy weighted with the shares, which here means: it expects as many events in all.
    """
    events = (1 - share) * old + share * new
    beyond = tolerated - 1
    square, linear = (1 - share) * beyond, (1 - share) + share * tolerated - events * beyond
    # Of the two roots the positive one, in the form that does not subtract what is nearly equal.
    found = 2 * events / (linear + math.sqrt(linear * linear + 4 * square * events))
    return found, moved(found, tolerated)


def _directions(odds: float) -> Iterator[tuple[float, float]]:
    """Tolerated ratio and the one on top of it, upwards and downwards."""
    for beyond in BEYOND:
        yield odds, beyond
        yield 1 / odds, 1 / beyond
