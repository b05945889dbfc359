"""A variant against the release's own: how often it is wrong, what it finds, and what it says."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.judge import tolerance
from functions.judge.counts import BLOCK_REQUESTS, NOTHING, Counts
from functions.judge.evidence import ALPHA
from functions.judge.record import FAILED, SLOW
from functions.judge.tolerance import BETA, TOLERANCE
from operate.versus import Finding, Need, blocks, difference, judge, overall, sentences
from tests.functions.judge.support import block

COUNTS = st.builds(Counts, *[st.integers(0, 40)] * 4)


def _minutes(
    random_: random.Random, number: int, old: float, new: float, share: float = 0.2, requests: int = 20
) -> list[Counts]:
    """Of an endpoint whose variants have these error rates."""
    return [block(random_, random_.randrange(2 * requests + 1), share, old, new) for _ in range(number)]


def _of(minutes: Sequence[Counts], hours: float = 1) -> Finding:
    (found,) = judge({FAILED: minutes}, hours)
    return found


def _told(minutes: Sequence[Counts]) -> str | None:
    told, _ = difference(minutes)
    return told


@pytest.mark.parametrize("rate", [0.002, 0.05])
def test_equal_variants_are_called_better_or_worse_in_one_percent_of_tests_over_all_looks(rate: float) -> None:
    random_ = random.Random(21)
    # What was said at any look stays said: the evidence is the largest so far.
    told = [_told(_minutes(random_, 120, rate, rate, share)) for share in (0.1, 0.2, 0.5) for _ in range(100)]
    assert sum(map(bool, told)) <= 300 * ALPHA


def test_rates_that_change_by_the_hour_are_no_difference() -> None:
    random_ = random.Random(22)
    rates = (0.001, 0.2, 0.01)
    tests = [[each for rate in rates for each in _minutes(random_, 40, rate, rate)] for _ in range(100)]
    assert sum(bool(_told(minutes)) for minutes in tests) <= 100 * ALPHA


def test_ten_times_the_errors_are_found_and_a_tenth_as_well() -> None:
    random_ = random.Random(23)
    for _ in range(30):
        assert _told(_minutes(random_, 200, 0.01, 0.1)) == "worse"
        assert _told(_minutes(random_, 200, 0.1, 0.01)) == "better"


def test_what_was_worse_at_one_look_is_so_at_later_ones() -> None:
    random_ = random.Random(24)
    minutes = _minutes(random_, 200, 0.001, 0.1)
    first = next(end for end in range(len(minutes)) if _told(minutes[:end]))
    assert _of([*minutes[:first], *_minutes(random_, 400, 0.001, 0.001)]).answer == "worse"


def test_worse_by_the_tolerance_is_called_no_worse_in_five_percent_over_many_looks() -> None:
    random_ = random.Random(25)
    wrong = 0
    for _ in range(60):
        few = blocks(_minutes(random_, 150, 0.005, 0.005 + TOLERANCE), 0.1)
        wrong += any(tolerance.passes(few[:end]) for end in range(1, len(few) + 1, 4))
    assert wrong <= 60 * BETA


def test_equal_variants_are_no_worse_in_time_and_both_directions_are_told() -> None:
    found = _of(_minutes(random.Random(26), 400, 0.004, 0.004))
    assert found.answer == "no worse"
    assert 0 < found.worse < TOLERANCE
    assert 0 < found.better < TOLERANCE
    assert found.need is None


def test_blocks_cost_the_interval_hardly_anything() -> None:
    minutes = _minutes(random.Random(27), 600, 0.005, 0.005)
    few = blocks(minutes, 0.1)
    assert len(few) < 60
    whole = tolerance.upper([sum(few, NOTHING)], 14)
    assert tolerance.upper(few, 14) == pytest.approx(whole, rel=0.15)


@given(st.lists(COUNTS, max_size=30), st.sampled_from([0.0, 0.1]))
def test_blocks_are_minutes_in_a_row_and_only_the_last_ones_are_left_out(minutes: list[Counts], growth: float) -> None:
    found = blocks(minutes, growth)
    requests = [each.old_requests + each.new_requests for each in found]
    assert all(each >= BLOCK_REQUESTS for each in requests)
    assert all(each >= growth * sum(requests[:number]) for number, each in enumerate(requests))
    assert all(each.old_events <= each.old_requests and each.new_events <= each.new_requests for each in found)
    sums = [sum(minutes[:end], NOTHING) for end in range(len(minutes) + 1)]
    counted = sum(found, NOTHING)
    assert (counted.old_requests, counted.new_requests) in {(each.old_requests, each.new_requests) for each in sums}


@given(st.lists(COUNTS, max_size=30))
def test_what_one_loses_the_other_wins(minutes: list[Counts]) -> None:
    other = [Counts(each.new_requests, each.new_events, each.old_requests, each.old_events) for each in minutes]
    one, two = _of(minutes), _of(other)
    assert (one.worse, one.better) == (two.better, two.worse)
    if one.answer in ("better", "worse"):
        assert two.answer in ("better", "worse")


def test_no_requests_and_one_variant_alone_tell_nothing() -> None:
    for minutes in ([], [Counts(5, 0, 5, 5)], [Counts(500, 0, 0, 0)] * 3, [Counts(0, 0, 500, 500)] * 3):
        found = _of(minutes)
        assert (found.answer, found.worse, found.better) == ("not yet", 1, 1)


@pytest.mark.parametrize("rate", [0.0, 0.004, 0.01])
def test_as_many_more_requests_as_are_told_rule_the_tolerance_out(rate: float) -> None:
    minute = Counts(80, 80 * rate, 20, 20 * rate)
    found = _of([minute] * 4, hours=2)
    assert found.need
    assert found.need.hours == pytest.approx(2 * found.need.requests / 400, rel=0.01)
    more = found.need.requests / 100
    assert _of([minute] * (4 + int(0.8 * more))).answer == "not yet"
    assert _of([minute] * (4 + int(1.2 * more) + 1)).answer == "no worse"


def test_rates_that_are_apart_by_the_tolerance_leave_nothing_to_wait_for() -> None:
    found = _of([Counts(40, 0, 40, 2)])
    assert (found.answer, found.need) == ("not yet", None)


@pytest.mark.parametrize(
    ("failed", "slow", "answer"),
    [
        ((1000, 10, 1000, 10), (1000, 10, 1000, 10), "no worse"),
        ((1000, 200, 1000, 10), (1000, 10, 1000, 10), "better"),
        ((1000, 200, 1000, 10), (1000, 10, 1000, 200), "worse"),
        ((1000, 200, 1000, 10), (300, 3, 300, 6), "not yet"),
    ],
)
def test_the_worst_metric_decides(failed: tuple[int, ...], slow: tuple[int, ...], answer: str) -> None:
    findings = judge({FAILED: [Counts(*failed)], SLOW: [Counts(*slow)]}, 1)
    assert overall(findings) == answer


def test_the_error_is_shared_among_metrics_and_directions() -> None:
    minutes = next(each for events in range(40) if _of(each := [Counts(1000, 0, 1000, events)]).answer == "worse")
    assert judge({FAILED: minutes, SLOW: [NOTHING]}, 1)[0].answer != "worse"


# --- words -----------------------------------------------------------------------------------------------------------

SEEN = Counts(4_050, 15, 4_010, 12)


def _said(finding: Finding) -> str:
    (said,) = sentences([finding], "challenger", "live")
    return said


def test_a_sentence_has_counts_both_ends_and_the_answer() -> None:
    assert _said(Finding(FAILED, "no worse", SEEN, 0.2, 0.004, 0.005, None)) == (
        "challenger: 12 of 4,010 requests failed, live: 15 of 4,050; worse by 0.4 points or more is ruled out, better"
        " by 0.5 points or more is ruled out: no worse: a loss of 3 points is ruled out, and no difference can be told"
    )


@pytest.mark.parametrize(
    ("finding", "end"),
    [
        (
            Finding(SLOW, "worse", SEEN, 4.0, 1.0, 0.005, None),
            "better by 0.5 points or more is ruled out: worse; so much is seen by chance once in 5,000 tests at most",
        ),
        (Finding(FAILED, "better", SEEN, 30.3, 0.001, 1.0, None), "by chance once in 10^30 tests at most"),
        (
            Finding(FAILED, "not yet", SEEN, 0.0, 0.04, 1.0, Need(2_312, 3.2)),
            "yet; a loss of 3 points would be ruled out after some 2,300 more requests (3 hours at this rate)",
        ),
        (Finding(FAILED, "not yet", SEEN, 0.0, 0.04, 1.0, Need(86, 0.31)), "more requests (19 minutes at this rate)"),
        (Finding(FAILED, "not yet", SEEN, 0.0, 0.04, 1.0, Need(86, 100)), "more requests (4 days at this rate)"),
        (
            Finding(FAILED, "not yet", SEEN, 0.0, 1.0, 1.0, None),
            "no difference can be told yet, and at these rates a loss of 3 points will not be ruled out",
        ),
        (
            Finding(FAILED, "not yet", NOTHING, 0.0, 1.0, 1.0, None),
            "no difference can be told yet: fewer than 20 requests are counted",
        ),
    ],
)  # fmt: skip
def test_each_answer_has_its_words(finding: Finding, end: str) -> None:
    assert _said(finding).endswith(end)
