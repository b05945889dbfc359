"""The judge of a release at full traffic."""

import itertools
import math
import random

import pytest

from functions.judge import bake
from functions.judge.bake import LEAST, bound, upper_events
from functions.judge.evidence import threshold
from tests.functions.judge.support import events


@pytest.mark.parametrize("seen", [0, 1, 2, 5, 20, 100])
def test_the_upper_limit_is_the_exact_one_within_a_percent(seen: int) -> None:
    limit = upper_events(seen)
    below = sum(math.exp(-limit) * limit**number / math.factorial(number) for number in range(seen + 1))
    low, high = (
        sum(math.exp(-each) * each**number / math.factorial(number) for number in range(seen + 1))
        for each in (limit * 1.01, limit * 0.99)
    )
    assert low < 0.025 < high
    assert below == pytest.approx(0.025, rel=0.2)


def test_the_bound_is_the_old_versions_upper_limit_times_a_tolerance() -> None:
    assert bound(100_000, 1_000) == pytest.approx(0.0213, abs=0.0002)
    assert bound(10_000_000, 0) == LEAST
    assert bound(3, 0) == 1
    assert bound(0, 0) == 1


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.1])
def test_its_expectation_is_at_most_one_up_to_the_bound(rate: float) -> None:
    found = 0.0
    for requests in itertools.product((0, 1), repeat=6):
        chance = math.prod(rate if event else 1 - rate for event in requests)
        found += chance * math.exp(list(bake.path([(1, event) for event in requests], 0.1))[-1])
    assert found <= 1 + 1e-9


def test_a_release_within_the_bound_stays_and_one_that_turns_bad_is_found() -> None:
    random_ = random.Random(1)
    limit = bound(100_000, 100)
    healthy = [[(300, events(random_, 300, 0.001)) for _ in range(30)] for _ in range(40)]
    assert max(bake.largest(looks, limit) for looks in healthy) < threshold(2)
    bad = [*healthy[0], *((300, events(random_, 300, 0.05)) for _ in range(5))]
    assert bake.largest(bad, limit) > threshold(2)


def test_without_a_bound_there_is_no_evidence() -> None:
    assert bake.largest([(100, 100)], 1.0) == 0
    assert bake.largest([], 0.1) == 0
