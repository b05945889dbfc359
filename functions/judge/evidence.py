"""Evidence that the new version is worse, which may be looked at any time.

If the new version is no worse, an event (a failed request, a slow one) of a block belongs to it with its realised
share s of the block's requests at most. If its odds are θ times the old one's, it does with q = θs / (θs + 1 - s). The
ratio of the two, multiplied over all events and averaged over several θ, is the evidence e. Under "no worse" its
expectation never grows, so the chance that it *ever* reaches 1/ALPHA is at most ALPHA (Ville's inequality), at whatever
moments it is looked at. Without replacement, which is what realised shares mean, it is smaller still: Hoeffding 1963,
theorem 4. docs/verdict.md has the sources, and what breaks it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from functions.judge.counts import Counts

ALPHA = 0.01
"""Per release: the chance that a release that is no worse is stopped by evidence, over all looks and metrics."""
RATIOS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Odds ratios, of equal weight. `make bench PARTS=verdict` measures what they find."""


def threshold(metrics: int) -> float:
    """The natural logarithm of the evidence from which on a metric fails: all of them share ALPHA equally."""
    return math.log(metrics / ALPHA)


def path(blocks: Iterable[Counts]) -> Iterator[float]:
    """After each block, the natural logarithm of the evidence."""
    logs = [0.0] * len(RATIOS)
    for block in blocks:
        if block.old_requests and block.new_requests:
            share = block.bounded_share
            events = block.old_events + block.new_events
            for number, ratio in enumerate(RATIOS):
                logs[number] += block.new_events * math.log(ratio) - events * math.log1p((ratio - 1) * share)
        yield mean(logs)


def largest(blocks: Iterable[Counts]) -> float:
    """The natural logarithm of the largest evidence so far; 0 before the first block."""
    return max(path(blocks), default=0.0)


def mean(logs: list[float]) -> float:
    """The logarithm of the mean of numbers whose logarithms these are."""
    top = max(logs)
    return top + math.log(sum(math.exp(each - top) for each in logs) / len(logs))
