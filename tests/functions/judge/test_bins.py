"""Bins of predictions, judged against what the evaluation says of this pair of models."""

import itertools
import math
import random
from collections.abc import Sequence

import pytest

from functions.judge import bins
from functions.judge.bins import Pair, moved, nearest
from functions.judge.counts import Bins
from functions.judge.evidence import threshold

SAME = Pair(((120, 0, 0, 0, 0), (0, 120, 0, 0, 0), (0, 0, 120, 0, 0), (0, 0, 0, 120, 0), (0, 0, 0, 0, 120)))
SHIFTED = Pair(((40, 80, 0, 0, 0), (0, 40, 80, 0, 0), (0, 0, 40, 80, 0), (0, 0, 0, 40, 80), (0, 0, 0, 0, 120)))
EVEN = (0.2, 0.2, 0.2, 0.2, 0.2)
LIMIT = threshold(3)


def _shift(random_: random.Random, requests: int, old: Sequence[float], new: Sequence[float]) -> list[Bins]:
    found = []
    for step in range(1, 10):
        of_new = sum(random_.random() < step / 10 for _ in range(requests))
        drawn = [random_.choices(range(5), shares, k=k) for shares, k in ((old, requests - of_new), (new, of_new))]
        found.append(Bins(*(tuple(float(each.count(bin_)) for bin_ in range(5)) for each in drawn)))
    return found


def test_the_table_predicts_the_new_versions_bins_from_the_old_ones_live_ones() -> None:
    assert SAME.predicted((10, 0, 0, 0, 0)) == pytest.approx((10, 0, 0, 0, 0), abs=0.05)
    assert SHIFTED.predicted((30, 0, 0, 0, 30)) == pytest.approx((10, 20, 0, 0, 30), abs=0.15)
    assert sum(SHIFTED.held_out) == pytest.approx(1)


@pytest.mark.parametrize("tolerated", [1.5, 1 / 1.5, 3.0])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_nearest_pair_is_at_the_tolerated_ratio_and_nearest_in_relative_entropy(
    tolerated: float, share: float
) -> None:
    old, new = 0.2, moved(0.2, tolerated * 4 if tolerated > 1 else tolerated / 4)

    def distance(rate: float) -> float:
        def entropy(of: float, to: float) -> float:
            return of * math.log(of / to) + (1 - of) * math.log((1 - of) / (1 - to))

        return (1 - share) * entropy(old, rate) + share * entropy(new, moved(rate, tolerated))

    found, other = nearest(old, new, share, tolerated)
    assert other == pytest.approx(moved(found, tolerated))
    assert found == pytest.approx(min((number / 20_000 for number in range(1, 20_000)), key=distance), abs=1e-4)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("rate", [0.05, 0.2, 0.6])
def test_its_expectation_is_at_most_one_within_the_tolerated_ratio(rate: float, share: float) -> None:
    # Exactly, for one bin, over all numbers of events: the tables' rows are certain, so requests lie in whole bins.
    of_old, of_new = (9, 1) if share == 0.1 else (5, 5)
    pair = Pair(((10**9, 0), (0, 10**9)))
    for ratio in (1 / 1.5, 1.0, 1.5):
        new = moved(rate, ratio)
        found = 0.0
        for old_events, new_events in itertools.product(range(of_old + 1), range(of_new + 1)):
            chance = math.comb(of_old, old_events) * rate**old_events * (1 - rate) ** (of_old - old_events)
            chance *= math.comb(of_new, new_events) * new**new_events * (1 - new) ** (of_new - new_events)
            block = Bins((old_events, of_old - old_events), (new_events, of_new - new_events))
            found += chance * math.exp(bins.largest([block], pair))
        assert found <= 1 + 1e-6


def test_a_model_that_answers_the_same_to_everything_is_found() -> None:
    random_ = random.Random(1)
    assert bins.largest(_shift(random_, 60, EVEN, (0, 0, 1, 0, 0)), SAME) > LIMIT


def test_one_bin_whose_predictions_move_to_the_next_is_found() -> None:
    random_ = random.Random(2)
    assert bins.largest(_shift(random_, 200, EVEN, (0.2, 0, 0.4, 0.2, 0.2)), SAME) > LIMIT


def test_a_better_model_with_other_predictions_is_not_stopped_and_would_be_against_the_old_ones_bins() -> None:
    random_ = random.Random(3)
    new = SHIFTED.held_out
    shifts = [_shift(random_, 200, EVEN, new) for _ in range(40)]
    assert max(bins.largest(blocks, SHIFTED) for blocks in shifts) < LIMIT
    assert sum(bins.largest(blocks, SAME) > LIMIT for blocks in shifts) > len(shifts) / 2


def test_callers_that_changed_since_the_evaluation_are_no_reason_to_stop() -> None:
    # After drift: the old version's live bins are not the held-out ones, and the new version's follow them.
    random_ = random.Random(4)
    old = (0.5, 0.2, 0.1, 0.1, 0.1)
    new = SHIFTED.predicted(old)
    assert max(bins.largest(_shift(random_, 200, old, new), SHIFTED) for _ in range(40)) < LIMIT


def test_equal_models_are_not_stopped() -> None:
    random_ = random.Random(5)
    assert max(bins.largest(_shift(random_, 200, EVEN, EVEN), SAME) for _ in range(60)) < LIMIT


def test_a_table_that_is_wrong_by_more_than_is_tolerated_breaks_it() -> None:
    random_ = random.Random(6)
    new = (moved(0.2, 3), 0.2 - (moved(0.2, 3) - 0.2) / 4, *(0.2 - (moved(0.2, 3) - 0.2) / 4,) * 3)
    assert bins.largest(_shift(random_, 400, EVEN, new), SAME) > LIMIT


def test_a_request_of_several_rows_counts_by_parts_and_never_for_more() -> None:
    whole = bins.largest([Bins((5.0, 5.0), (10.0, 0.0))], Pair(((60, 0), (0, 60))))
    parts = bins.largest([Bins((5.0, 5.0), (9.5, 0.5))], Pair(((60, 0), (0, 60))))
    assert parts < whole


def test_blocks_of_one_version_say_nothing() -> None:
    assert bins.largest([Bins((0.0,) * 5, (10.0, 0, 0, 0, 0))], SAME) == pytest.approx(0)


def _weights(random_: random.Random, requests: int, new: Sequence[float]) -> list[Bins]:
    return _shift(random_, requests, EVEN, new)


def test_at_five_a_second_bins_as_predicted_pass() -> None:
    random_ = random.Random(7)
    assert sum(bins.passes(_weights(random_, 200, EVEN), SAME) for _ in range(20)) >= 19
    assert sum(bins.passes(_weights(random_, 200, SHIFTED.held_out), SHIFTED) for _ in range(20)) >= 19


def test_a_bin_that_is_far_from_what_is_predicted_does_not_pass() -> None:
    random_ = random.Random(8)
    more, fewer = (0.35, 0.1625, 0.1625, 0.1625, 0.1625), (0.05, 0.2375, 0.2375, 0.2375, 0.2375)
    for requests in (40, 200):
        for new in (more, fewer):
            assert sum(bins.passes(_weights(random_, requests, new), SAME) for _ in range(20)) <= 3


def test_without_predictions_nothing_passes() -> None:
    assert not bins.passes([], SAME)
    assert not bins.passes([Bins((), (5.0, 0, 0, 0, 0)), Bins((5.0, 0, 0, 0, 0), ())], SAME)
