"""Evidence against a new version: what it is worth, and what breaks its assumptions."""

import itertools
import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.judge import evidence
from functions.judge.counts import Counts
from functions.judge.evidence import ALPHA, RATIOS
from tests.functions.judge.support import block, shift

SHIFTS = 400
"""By chance at most 12 of these are stopped where 1 % are: the 0.1 % point of the binomial distribution."""
BY_CHANCE = 12


def _stopped(shifts: Sequence[Sequence[Counts]]) -> int:
    return sum(evidence.largest(blocks) >= evidence.threshold(1) for blocks in shifts)


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_its_expectation_is_at_most_one_whatever_the_share(old: int, new: int, data: st.DataObject) -> None:
    # Exactly, for a block with so many events at random places among its requests.
    events = data.draw(st.integers(0, old + new))
    total = math.comb(old + new, events)
    expectation = sum(
        math.comb(new, of_new)
        * math.comb(old, events - of_new)
        / total
        * math.exp(evidence.largest([Counts(old, events - of_new, new, of_new)]))
        for of_new in range(max(0, events - old), min(new, events) + 1)
    )
    assert expectation <= 1 + 1e-9


def test_it_is_the_mean_over_the_odds_ratios_of_products_over_events() -> None:
    blocks = [Counts(9, 1, 1, 1), Counts(10, 0, 30, 2)]
    by_hand = 0.0
    for ratio in RATIOS:
        product = 1.0
        for share, old, new in ((0.1, 1, 1), (0.75, 0, 2)):
            worse = ratio * share / (ratio * share + 1 - share)
            product *= (worse / share) ** new * ((1 - worse) / (1 - share)) ** old
        by_hand += product / len(RATIOS)
    assert list(evidence.path(blocks))[-1] == pytest.approx(math.log(by_hand), abs=1e-12)


def test_alpha_is_split_over_the_metrics() -> None:
    assert math.exp(-evidence.threshold(1)) == pytest.approx(ALPHA)
    assert 3 * math.exp(-evidence.threshold(3)) == pytest.approx(ALPHA)


def test_blocks_with_one_version_only_say_nothing() -> None:
    assert evidence.largest([Counts(0, 0, 300, 300), Counts(300, 0, 0, 0), Counts(0, 0, 0, 0)]) == 0
    assert evidence.largest([]) == 0


def test_many_events_do_not_overflow() -> None:
    assert 5_000 < evidence.largest([Counts(100_000, 0, 100_000, 100_000)]) < math.inf


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.2])
def test_equal_versions_are_stopped_in_one_percent_of_shifts_at_most(rate: float) -> None:
    random_ = random.Random(3)
    assert _stopped([shift(random_, 150, rate, rate) for _ in range(SHIFTS)]) <= BY_CHANCE


def test_a_better_version_is_no_reason_to_stop() -> None:
    random_ = random.Random(4)
    assert _stopped([shift(random_, 150, 0.05, 0.01) for _ in range(SHIFTS)]) <= BY_CHANCE


def test_five_percent_against_one_in_a_thousand_is_found() -> None:
    random_ = random.Random(5)
    assert _stopped([shift(random_, 200, 0.001, 0.05) for _ in range(SHIFTS)]) >= 0.99 * SHIFTS


def test_rates_that_differ_from_block_to_block_are_no_harm() -> None:
    # Errors of both versions that grow with the shift: pooled, the new version would have more of them.
    random_ = random.Random(6)
    shifts = [[block(random_, 150, step / 10, step / 50, step / 50) for step in range(1, 10)] for _ in range(SHIFTS)]
    assert _stopped(shifts) <= BY_CHANCE
    pooled = [[sum(blocks, Counts(0, 0, 0, 0))] for blocks in shifts]
    assert _stopped(pooled) > SHIFTS / 4, "what would happen without blocks"


def test_a_rate_and_a_share_that_both_move_within_a_block_break_it() -> None:
    # Half of the time at 10 % without errors, half at 90 % with 5 % of errors in both versions.
    random_ = random.Random(7)
    apart = [[block(random_, 150, 0.1, 0, 0), block(random_, 150, 0.9, 0.05, 0.05)] for _ in range(SHIFTS)]
    assert _stopped(apart) <= BY_CHANCE
    together = [[sum(blocks, Counts(0, 0, 0, 0))] for blocks in apart]
    assert _stopped(together) > BY_CHANCE


def test_bursts_of_both_versions_at_once_are_no_harm_and_bursts_of_one_endpoint_are() -> None:
    random_ = random.Random(8)

    def bursts(of_both: bool) -> list[Counts]:
        found = []
        for step in range(1, 10):
            old = 0.3 * (random_.random() < 0.15)
            new = old if of_both else 0.3 * (random_.random() < 0.15)
            found.append(block(random_, 100, step / 10, old, new))
        return found

    assert _stopped([bursts(of_both=True) for _ in range(SHIFTS)]) <= BY_CHANCE
    assert _stopped([bursts(of_both=False) for _ in range(SHIFTS)]) > 5 * BY_CHANCE, "outside of what it promises"


def test_callers_that_differ_by_version_break_it() -> None:
    # One caller in ten asks what fails, and sticks to the version that he was given.
    random_ = random.Random(9)
    shifts = []
    for _ in range(100):
        sticky = random_.random() < 0.5
        shifts.append([block(random_, 150, step / 10, 0.0 if sticky else 0.05, 0.05) for step in range(1, 10)])
    assert _stopped(shifts) > 10


def test_the_order_of_blocks_does_not_change_what_is_seen_in_the_end() -> None:
    blocks = [Counts(9, 1, 1, 1), Counts(10, 0, 30, 2), Counts(50, 3, 50, 1)]
    ends = {round(list(evidence.path(order))[-1], 9) for order in itertools.permutations(blocks)}
    assert len(ends) == 1
