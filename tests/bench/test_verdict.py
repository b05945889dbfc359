"""The simulation decides as the judge's own modules do, and its yardsticks are what they are called."""

import itertools
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench import rules, verdict
from bench.shifts import COUNTED, STEP, STEPS, WINDOWS, Traffic, World, traffic, weights, worlds
from functions.judge import bins, counts, evidence, limits, power, tolerance
from functions.judge.bins import Pair
from functions.judge.counts import Reading, Reported, Tally, Window, close, look
from functions.judge.power import linear, visible

METRICS = ("failed", "slow")
WORLDS = {world.name: world for world in worlds()}
SHIFTS = 6
# The weight moves five seconds into a step's first window, and the alias is read every ten seconds.
READINGS = [Reading(at, min(10, (at - 5) // (10 * STEP) + 1) / 10) for at in range(-67, 800, 10)]


def _tally(seen: Traffic, shift: int) -> Tally:
    """What the judge counts of one simulated shift by its own rules, window by window, a look every ten seconds."""
    windows = [
        Window(
            counts.WINDOW_SECONDS * number,
            *(
                Reported(
                    int(requests[shift, number]),
                    {"failed": int(failed[shift, number]), "slow": int(slow[shift, number])},
                    bins=tuple(map(float, binned[shift, number])),
                )
                for requests, failed, slow, binned in (
                    (seen.old, seen.old_failed, seen.old_slow, seen.old_bins),
                    (seen.new, seen.new_failed, seen.new_slow, seen.new_bins),
                )
            ),
        )
        for number in range(WINDOWS)
    ]
    tally = Tally(METRICS, 0, 0)
    for now in range(10, rules.judged_end() + 1, 10):
        tally = look(tally, now, windows, [each for each in READINGS if each.at <= now])
    return tally


def _seen(name: str, rate: float) -> Traffic:
    return traffic(np.random.default_rng(4), WORLDS[name], rate, SHIFTS)


@pytest.mark.parametrize("rate", [0.02, 0.5, 5.0])
@pytest.mark.parametrize("name", ["1 % errors, equal", "0.1 % errors, then 5 %", "one bin biased", "twice as slow"])
def test_evidence_bins_and_passes_are_those_of_the_judge(name: str, rate: float) -> None:
    seen = _seen(name, rate)
    limit = evidence.threshold(4)
    found = {
        "failed": seen.counted(seen.old, seen.old_failed, seen.new, seen.new_failed),
        "slow": seen.counted(seen.old, seen.old_slow, seen.new, seen.new_slow),
    }
    judged = {metric: rules.counted(*arrays, limit=limit) for metric, arrays in found.items()}
    passed = {metric: rules.passes(*rules.steps(*arrays)) for metric, arrays in found.items()}
    passed_bins = rules.passes_binned(seen.old_bins, seen.new_bins, seen.tables)
    binned = rules.binned(*seen.counted(seen.old_bins, seen.new_bins), tables=seen.tables, limit=limit)
    for shift in range(SHIFTS):
        tally = _tally(seen, shift)
        assert not tally.broken
        assert {reason for _, reason in tally.left} <= {"weights moved", "one version only", "weights not read"}
        for metric in METRICS:
            largest = evidence.largest(tally.counts(metric))
            assert judged[metric].largest[shift] == pytest.approx(largest, abs=1e-9)
            assert (judged[metric].ended[shift] < np.inf) == (largest >= limit)
            assert passed[metric][shift] == tolerance.passes(tally.by_weight(metric))
        pair = Pair(tuple(tuple(map(int, row)) for row in seen.tables[shift]))
        assert passed_bins[shift] == bins.passes([block.bins for block in close(tally).weights], pair)
        assert binned.largest[shift] == pytest.approx(
            bins.largest([block.bins for block in tally.blocks], pair), abs=1e-9
        )


@pytest.mark.parametrize("phase", [0, 1, 5])
@pytest.mark.parametrize("name", ["5 % crashes", "0.1 % crashes, equal"])
def test_crashes_by_the_minute_are_those_of_the_judge(name: str, phase: int) -> None:
    seen = _seen(name, 5.0)
    random_ = np.random.default_rng(1)
    clock = replace(rules.Clock.draw(random_, SHIFTS), phase=np.full(SHIFTS, phase))
    limit = evidence.threshold(4)
    arrays, least = rules.by_minutes(clock, seen)
    judged = rules.counted_by_minutes(clock, *arrays, least=least, limit=limit)
    passed = rules.passes(*arrays)
    for shift in range(SHIFTS):
        minutes = [
            Window(
                60.0 * number - 10 * phase,
                *(
                    Reported(
                        int(calls[shift, 6 * number - phase if number else 0 : 6 * number + 6 - phase].sum()),
                        {
                            "crashed": int(
                                crashed[shift, 6 * number - phase if number else 0 : 6 * number + 6 - phase].sum()
                            )
                        },
                    )
                    for calls, crashed in ((seen.old_calls, seen.old_crashed), (seen.new_calls, seen.new_crashed))
                ),
            )
            for number in range(10)
        ]
        tally = Tally(("crashed",), -10.0 * phase, 0, seconds=60, moving=True)
        for now in range(10, rules.judged_end() + 60, 10):
            tally = look(tally, now, minutes, [each for each in READINGS if each.at <= now])
        tally = close(tally)
        largest = evidence.largest(tally.counts("crashed"))
        assert judged.largest[shift] == pytest.approx(largest, abs=1e-9)
        assert passed[shift] == tolerance.passes(tally.by_weight("crashed"))


def test_the_windows_that_are_counted_are_those_the_judge_would_count() -> None:
    seen = _seen("1 % errors, equal", 5.0)
    tally = _tally(seen, 0)
    left = {int(start) // 10 for start, _ in tally.left}
    assert [number for number in range(STEP * STEPS) if number not in left] == [
        number for number in range(STEP * STEPS) if number % STEP in COUNTED
    ]


def test_the_window_in_which_evidence_suffices_is_the_first_one() -> None:
    seen = _seen("0.1 % errors, then 5 %", 5.0)
    limit = evidence.threshold(4)
    judged = rules.counted(*seen.counted(seen.old, seen.old_failed, seen.new, seen.new_failed), limit=limit)
    for shift in range(SHIFTS):
        blocks = _tally(seen, shift).counts("failed")
        number = next(number for number, each in enumerate(evidence.path(blocks)) if each >= limit)
        # At five requests a second each window is a block.
        step, place = divmod(number, len(COUNTED))
        assert judged.ended[shift] == 10 * (STEP * step + COUNTED[place] + 1)


def test_weights_grow_by_a_tenth_a_minute() -> None:
    assert weights()[:7] == pytest.approx([0.1] * 6 + [0.2])
    assert weights()[53:56] == pytest.approx([0.9, 1, 1])


def test_today_stops_by_the_first_failed_request_that_its_clock_shows_in_time() -> None:
    clock = rules.Clock(np.zeros(2, int), np.full((2, 14), 60.0), np.zeros(2), np.zeros(2), np.full(2, 20.0))
    seen = traffic(np.random.default_rng(1), World("", (0.0, 0.0), slow=(0.0, 0.0)), 0.02, 2)
    seen.new_failed[0, 8] = 1
    # Failed in the second minute, there a minute later, looked at on the minute; traffic is back 20 s after.
    assert rules.today(seen, clock).stopped[0] == 180 + 20
    assert rules.today(seen, clock).stopped[1] == np.inf
    assert rules.failed_requests(seen, np.array([95.0, 85.0]), 600)[0] == 1
    seen.new_failed[:, 8] = 4
    assert list(rules.failed_requests(seen, np.array([85.0, 80.0]), 600)) == [2, 0]


def test_a_step_by_step_test_is_exact() -> None:
    random_ = random.Random(1)

    # A sample of arrangements against the sum: two steps of 10 requests, with 3 and 4 events.
    def drawn() -> int:
        return sum(sum(place < new for place in random_.sample(range(10), events)) for new, events in ((2, 3), (6, 4)))

    more = sum(drawn() >= 5 for _ in range(20_000)) / 20_000
    shift: tuple[Any, ...] = tuple(np.array(each) for each in ((8, 4), (1, 1), (2, 6), (2, 3)))
    assert verdict._exact(*shift) == pytest.approx(more, abs=0.01)


def test_a_cell_counts_every_shift_once() -> None:
    row = verdict.cell(WORLDS["0.1 % errors, then 50 %"], 5.0, shifts=50)
    assert row.stopped == 1
    assert row.passed == 0
    assert 0 < row.failed < 2 * row.today_failed
    assert "fail 100.0%" in str(row)


def _simulated(per_minute: float, old: float, new: float) -> float:
    random_ = np.random.default_rng(9)
    # Nothing is slow, and bins are as predicted: stopped is what failed requests stop.
    seen = traffic(random_, World("", (old, new), slow=(0.0, 0.0)), per_minute / 60, 2000)
    return float(np.isfinite(rules.judge(seen, rules.Clock.draw(random_, 2000)).stopped).mean())


@pytest.mark.parametrize(
    ("per_minute", "old", "new"),
    [
        (6, 0.001, 0.5),
        (6, 0.001, 1.0),
        (30, 0.0, 0.2),
        (30, 0.001, 0.15),
        (300, 0.001, 0.02),
        (300, 0.01, 0.05),
        (1500, 0.01, 0.022),
    ],
)
def test_the_power_told_is_that_of_simulated_shifts_within_five_points(
    per_minute: float, old: float, new: float
) -> None:
    assert power.power(linear(10, 1), per_minute, old, new) == pytest.approx(_simulated(per_minute, old, new), abs=0.05)


@pytest.mark.parametrize(("per_minute", "old"), [(6, 0.001), (30, 0.001), (300, 0.001)])
def test_what_is_said_to_be_visible_is_found_in_eighty_percent(per_minute: float, old: float) -> None:
    least = visible(linear(10, 1), per_minute, old)
    assert least is not None
    assert _simulated(per_minute, old, least) == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("name", ["0.1 % errors, then 50 %", "bursts of both at once", "50 % crashes"])
def test_hard_limits_are_those_of_the_alarms(name: str) -> None:
    seen = _seen(name, 1.0)
    clock = replace(rules.Clock.draw(np.random.default_rng(1), SHIFTS), phase=np.zeros(SHIFTS, int))
    found = rules._limits(seen, clock)
    kinds = (
        (seen.old, seen.old_failed, seen.new, seen.new_failed),
        (seen.old, seen.old_slow, seen.new, seen.new_slow),
        (seen.old_calls, seen.old_crashed, seen.new_calls, seen.new_crashed),
    )
    silent = rules._silent(seen, clock)
    for shift, minute in itertools.product(range(SHIFTS), range(10)):
        sums = [[int(each[shift, 6 * minute : 6 * minute + 6].sum()) for each in kind] for kind in kinds]
        assert found[shift, minute] == (any(limits.reached(*each) for each in sums) or silent[shift, minute])


def test_at_best_the_third_failure_at_a_tenth_of_the_traffic_suffices() -> None:
    seen = _seen("0 % errors, equal", 5.0)
    failed = np.zeros_like(seen.new_failed)
    failed[:, (0, 3, 5, 20)] = 1
    failed[1, 5] = 0  # two at 10 % and one at 40 %: 250, where 400 are needed
    failed[2, :6] = 0
    clock = rules.Clock.draw(np.random.default_rng(4), SHIFTS)
    found = rules.at_best(replace(seen, new_failed=failed), clock, age=60) - 60 - clock.judge - clock.reaction
    assert found[:3].tolist() == [pytest.approx(60), rules.NEVER, rules.NEVER]


@pytest.mark.parametrize("name", ["0.1 % errors, then 5 %", "1 % errors, then 50 %"])
def test_no_evidence_of_the_judges_comes_before_the_best_one(name: str) -> None:
    seen = traffic(np.random.default_rng(5), WORLDS[name], 5.0, 200)
    clock = rules.Clock.draw(np.random.default_rng(6), 200)
    failed = seen.counted(seen.old, seen.old_failed, seen.new, seen.new_failed)
    ended = rules.counted(*failed, limit=evidence.threshold(power.METRICS)).ended
    best = rules.at_best(seen, clock) - counts.AGE_SECONDS - clock.judge - clock.reaction
    # A block whose realised share is below the weight may have more to tell.
    assert (best <= ended + 1e-6).mean() > 0.97
    assert best.mean() < ended[np.isfinite(ended)].mean()
