"""Evidence that the new version is *not* worse by a tolerance, which may be looked at any time as well.

The hypothesis to be refuted is "the new version's rate is at least the old one's plus δ", block by block, whatever the
rates are. For a healthy pair of rates (a, a), let (b, b + δ) be the pair of that hypothesis from which a block of so
many requests of each version is hardest to tell. The product of the likelihood ratios of both versions has an
expectation of at most 1 under every pair of the hypothesis (Turner and Grünwald, arXiv 2203.09785: the hypothesis is
convex), and so have products over blocks and averages over several a. It refutes the hypothesis from 1/β on; the
smallest δ that it refutes is the upper end of a confidence sequence of the difference.

With no event at all in either version it still grows, with the new version's requests: that is how quiet releases pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from functions.judge.counts import Counts
from functions.judge.evidence import mean

BETA = 0.05
"""The chance that a release passes that is worse by the tolerance all along, in any one metric."""
TOLERANCE = 0.03
"""Of the difference of the rates, as a share of requests. By simulation: docs/verdict.md."""
RATES = (1e-5, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3)
"""Rates of a healthy pair, of equal weight."""
HALVINGS = 30


def log_evidence(blocks: Sequence[Counts], tolerance: float = TOLERANCE, rates: Sequence[float] = RATES) -> float:
    """The natural logarithm of the evidence against "worse by the tolerance or more"."""
    healthy = [rate for rate in rates if rate + tolerance < 1]
    if not healthy:
        return 0.0
    return mean([sum(_ratio(block, rate, tolerance) for block in blocks) for rate in healthy])


def passes(blocks: Sequence[Counts], tolerance: float = TOLERANCE, rates: Sequence[float] = RATES) -> bool:
    """Whether a loss of the tolerance is ruled out."""
    return log_evidence(blocks, tolerance, rates) >= -math.log(BETA)


def upper(blocks: Sequence[Counts], digits: int = 10) -> float:
    """The smallest difference of the rates that is ruled out; 1 where none is. Exact to 2 to the power of -`digits`."""
    low, high = 0.0, 1.0
    for _ in range(digits):
        middle = (low + high) / 2
        if passes(blocks, middle):
            high = middle
        else:
            low = middle
    return high


def hardest(rate: float, share: float, tolerance: float) -> float:
    """The old version's rate b of the pair (b, b + tolerance) that is nearest to (rate, rate), for a block of which
    the new version has `share`.

    Nearest in relative entropy, weighted with the shares. It is where the derivative is 0, between 0 and `rate`.
    """
    low, high = 0.0, rate
    for _ in range(HALVINGS):
        old = (low + high) / 2
        new = old + tolerance
        slope = (1 - share) * (old - rate) * new * (1 - new) + share * (new - rate) * old * (1 - old)
        if slope < 0:
            low = old
        else:
            high = old
    return (low + high) / 2


def _ratio(block: Counts, rate: float, tolerance: float) -> float:
    """The logarithm of the likelihood ratio of (rate, rate) to the hardest pair of the hypothesis."""
    if not block.old_requests or not block.new_requests:
        return 0.0
    old = hardest(rate, block.share, tolerance)
    return likelihood(block.old_requests, block.old_events, rate, old) + likelihood(
        block.new_requests, block.new_events, rate, old + tolerance
    )


def likelihood(requests: float, events: float, rate: float, other: float) -> float:
    """The logarithm of the likelihood ratio of one rate to another, for so many requests and events."""
    quiet = (requests - events) * (math.log1p(-rate) - math.log1p(-other))
    return quiet + events * (math.log(rate) - math.log(other)) if events else quiet
