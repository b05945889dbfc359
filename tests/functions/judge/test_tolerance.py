"""Evidence that a loss is ruled out: its worth, its assumptions, and the three verdicts."""

import itertools
import math
import random

import pytest

from functions.judge import tolerance
from functions.judge.counts import Counts
from functions.judge.tolerance import BETA, TOLERANCE, hardest, log_evidence, passes, upper
from tests.functions.judge.support import block, shift


def _expectation(old: int, new: int, rates: tuple[float, float], allowed: float) -> float:
    """Exactly, of one block, over all numbers of events."""
    found = 0.0
    for of_old, of_new in itertools.product(range(old + 1), range(new + 1)):
        chance = math.comb(old, of_old) * rates[0] ** of_old * (1 - rates[0]) ** (old - of_old)
        chance *= math.comb(new, of_new) * rates[1] ** of_new * (1 - rates[1]) ** (new - of_new)
        found += chance * math.exp(log_evidence([Counts(old, of_old, new, of_new)], allowed))
    return found


@pytest.mark.parametrize("requests", [(1, 1), (9, 1), (2, 7), (8, 8)])
@pytest.mark.parametrize("allowed", [0.01, 0.03, 0.2])
@pytest.mark.parametrize("old", [0.0, 0.001, 0.05, 0.4, 0.7])
def test_its_expectation_is_at_most_one_wherever_the_loss_is_real(
    requests: tuple[int, int], allowed: float, old: float
) -> None:
    assert _expectation(*requests, (old, old + allowed), allowed) <= 1 + 1e-9
    assert _expectation(*requests, (old, min(1.0, old + 2 * allowed)), allowed) <= 1 + 1e-9
    assert _expectation(*requests, (old, 1.0), allowed) <= 1 + 1e-9


@pytest.mark.parametrize(("rate", "share", "allowed"), [(0.01, 0.3, 0.03), (0.3, 0.9, 0.03), (1e-5, 0.1, 0.2)])
def test_the_hardest_pair_is_the_nearest_in_relative_entropy(rate: float, share: float, allowed: float) -> None:
    def distance(old: float) -> float:
        new = old + allowed

        def entropy(other: float) -> float:
            return rate * math.log(rate / other) + (1 - rate) * math.log((1 - rate) / (1 - other))

        return (1 - share) * entropy(old) + share * entropy(new)

    best = min((rate * number / 20_000 for number in range(1, 20_001)), key=distance)
    assert hardest(rate, share, allowed) == pytest.approx(best, abs=rate / 10_000)


def test_without_any_event_a_release_passes_once_enough_was_asked() -> None:
    assert not passes([Counts(50, 0, 50, 0)])
    assert passes([Counts(400, 0, 400, 0)])
    few, many = upper([Counts(50, 0, 50, 0)]), upper([Counts(400, 0, 400, 0)])
    assert 0 < many < few < 1


def test_nothing_asked_rules_nothing_out() -> None:
    assert upper([]) == 1
    assert upper([Counts(100, 0, 0, 0)]) == 1


@pytest.mark.parametrize("rate", [0.0, 0.0001, 0.001, 0.01])
def test_at_five_a_second_nine_in_ten_healthy_releases_pass(rate: float) -> None:
    random_ = random.Random(11)
    # Four windows of six in each step of a minute.
    assert sum(passes(shift(random_, 200, rate, rate)) for _ in range(60)) >= 54


def test_a_release_that_is_worse_by_the_tolerance_passes_in_five_percent_at_most() -> None:
    random_ = random.Random(12)
    worse = [passes(shift(random_, 200, 0.005, 0.005 + TOLERANCE)) for _ in range(100)]
    assert sum(worse) <= 100 * BETA


def test_rates_that_differ_from_block_to_block_are_no_harm() -> None:
    random_ = random.Random(13)
    shifts = [
        [block(random_, 200, step / 10, step / 50, step / 50 + TOLERANCE) for step in range(1, 10)] for _ in range(60)
    ]
    assert sum(map(passes, shifts)) <= 3


def test_a_version_that_turns_bad_late_is_outside_of_what_a_pass_says() -> None:
    # "Worse all along" is ruled out, not "worse in the end": eight good steps outweigh a bad ninth one.
    blocks = [Counts(10_000, 0, 10_000, 0)] * 8 + [Counts(200, 0, 1800, 90)]
    assert passes(blocks)


def test_the_upper_end_is_where_passing_begins() -> None:
    blocks = [Counts(300, 1, 300, 2)]
    end = upper(blocks)
    assert passes(blocks, end)
    assert not passes(blocks, end - 0.002)


def test_a_tolerance_of_everything_leaves_nothing_to_refute() -> None:
    assert tolerance.log_evidence([Counts(10, 0, 10, 0)], 1.0) == 0
