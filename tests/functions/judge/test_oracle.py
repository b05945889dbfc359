"""The judge beside `ville`, an implementation of the same ideas by others (PyPI; its own numerics, on scipy's).

`ville` knows a mixture over a Beta distribution for the chance of a yes, one observation at a time. Events are such
observations: did it hit the new version? A Beta distribution that is all but a point is a simple alternative.
"""

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from ville import BernoulliTest, evalues

from functions.judge import bake, evidence
from functions.judge.bins import moved
from functions.judge.counts import Counts
from functions.judge.evidence import RATIOS
from tests.functions.judge.support import shift

_POINT = 1e9
"""How many observations the Beta distribution is worth: so few are added here that it stays where it is."""


def _ratio(hits: Sequence[int], expected: float, alternative: float) -> float:
    """By ville: e-value of an alternative to the expected chance, after these observations."""
    if not hits:
        return 1.0
    prior = (_POINT * alternative, _POINT * (1 - alternative))
    return float(BernoulliTest(expected, prior=prior).fit(np.array(hits)).e_values_[-1])


def _evidence(blocks: Sequence[Counts]) -> float:
    """By ville: products over blocks, and their mean over the odds ratios."""
    products = []
    for ratio in RATIOS:
        each = [
            _ratio([1] * int(block.new_events) + [0] * int(block.old_events), block.share, moved(block.share, ratio))
            for block in blocks
            if block.old_requests and block.new_requests
        ]
        products.append(evalues.combine(each, method="product"))
    return math.log(evalues.combine(products))


@pytest.mark.parametrize(("old", "new"), [(0.01, 0.01), (0.001, 0.05), (0.0, 0.5), (0.2, 0.1)])
@pytest.mark.parametrize("requests", [5, 60])
def test_evidence_agrees(old: float, new: float, requests: int) -> None:
    random_ = random.Random(1)
    for _ in range(5):
        blocks = shift(random_, requests, old, new)
        ours = list(evidence.path(blocks))[-1]
        assert ours == pytest.approx(_evidence(blocks), abs=1e-4)


def test_both_stop_at_the_same_block() -> None:
    random_ = random.Random(2)
    limit = evidence.threshold(2)
    for _ in range(10):
        blocks = shift(random_, 100, 0.001, 0.06)
        ours = [each >= limit for each in evidence.path(blocks)]
        assert ours == [_evidence(blocks[: number + 1]) >= limit for number in range(len(blocks))]


def test_the_bakes_evidence_agrees() -> None:
    random_ = random.Random(3)
    limit = 0.02
    hits = [int(random_.random() < 0.05) for _ in range(400)]
    theirs = math.log(evalues.combine([_ratio(hits, limit, moved(limit, ratio)) for ratio in RATIOS]))
    assert list(bake.path([(1, hit) for hit in hits], limit))[-1] == pytest.approx(theirs, abs=1e-4)
