"""Evidence that a release at full traffic is worse than a bound, which may be looked at any time.

At full traffic no other version is beside it, so the bound is fixed before the shift: the upper limit of the old
version's rate over the last seven days, times a tolerance. The evidence is the likelihood ratio of "the odds are θ
times the bound's" to the bound, averaged over several θ. Its expectation is at most 1 at every rate up to the bound.

What it cannot know: whether the world got worse at that moment for every version. Then it fails a release for no fault
of its own, and traffic goes back to one that fares no better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from statistics import NormalDist

from functions.judge.evidence import RATIOS, mean

TOLERANCE = 2.0
"""Times the old version's upper limit."""
LEAST = 0.001
"""No bound is lower: among millions of requests without an error the fourth one would be evidence enough."""
CONFIDENCE = 0.975
"""Of the upper limit, one-sided."""


def bound(requests: int, events: int, times: float = TOLERANCE) -> float:
    """From the old version's requests and events of seven days; 1, which nothing is worse than, where it had none."""
    if not requests:
        return 1.0
    return min(1.0, max(LEAST, times * upper_events(events) / requests))


def upper_events(events: int) -> float:
    """The upper limit of how many events were to be expected, so many having been seen.

    A quantile of the gamma distribution by Wilson and Hilferty's cube, within 1 % of the exact one. That of Poisson
    numbers; for binomial ones, which requests have, it is a little too high.
    """
    shape = events + 1
    return shape * (1 - 1 / (9 * shape) + NormalDist().inv_cdf(CONFIDENCE) / (3 * math.sqrt(shape))) ** 3


def path(looks: Iterable[tuple[int, int]], limit: float) -> Iterator[float]:
    """After each look, the natural logarithm of the evidence. `looks`: requests and events since the one before."""
    if limit >= 1:
        yield from (0.0 for _ in looks)
        return
    logs = [0.0] * len(RATIOS)
    for requests, events in looks:
        for number, ratio in enumerate(RATIOS):
            logs[number] += events * math.log(ratio) - requests * math.log1p((ratio - 1) * limit)
        yield mean(logs)


def largest(looks: Iterable[tuple[int, int]], limit: float) -> float:
    """The natural logarithm of the largest evidence so far; 0 before the first look."""
    return max(path(looks, limit), default=0.0)
