"""What stops a release before traffic, and what does not."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from contracts.differences import Bin, Differences
from functions.before_traffic.captured import SAME_ANSWER
from functions.before_traffic.compare import CHANCE, FAILED, Exchange, judge, tail, too_many

EDGES = (10.0, 20.0)
PAIR = Differences(EDGES, tuple(Bin(200, (0.2, 0.5, 0.9, 1.5)) for _ in range(3)))


def exchange(old: float, new: float | None, milliseconds: float = 20.0) -> Exchange:
    return Exchange(old, new, "" if new is not None else "status 502 (NaN)", milliseconds)


def healthy(count: int, seed: int = 1) -> list[Exchange]:
    """Answers that differ as the evaluation has seen: nine of ten by less than 0.5."""
    chance = random.Random(seed)
    olds = [chance.uniform(0, 30) for _ in range(count)]
    return [exchange(old, old + chance.gauss(0, 0.3)) for old in olds]


def problems(exchanges: Sequence[Exchange], expected: Differences | None = PAIR) -> tuple[str, ...]:
    return judge(exchanges, expected, 1000.0).problems


@pytest.mark.parametrize("count", [1, 5, 50, 500])
def test_a_release_that_differs_as_it_was_evaluated_is_sound(count: int) -> None:
    found = judge(healthy(count), PAIR, 1000.0)
    assert found.problems == ()
    assert "of the answers lie within 0." in found.words


@pytest.mark.parametrize("count", [3, 10, 500])
def test_a_model_that_fails_is_stopped_however_few_were_asked(count: int) -> None:
    (problem,) = problems([exchange(15.0, None)] * count)
    assert problem == f"{count} of {count} got no usable answer, {count} of them: status 502 (NaN)"


def test_a_handful_of_failures_decides_nothing() -> None:
    assert problems([*healthy(495), *[exchange(15.0, None)] * SAME_ANSWER]) == ()
    assert problems([*healthy(490), *[exchange(15.0, None)] * 10])
    assert problems([exchange(15.0, None)]) == ()


def test_nothing_is_judged_where_nothing_was_sent() -> None:
    found = judge([], PAIR, 1000.0)
    assert (found.problems, found.words) == ((), "none was answered")


def test_a_slow_model_is_stopped_and_a_slow_moment_is_not() -> None:
    assert problems([exchange(old.old, old.new, 1500.0) for old in healthy(50)]) == (
        "50 of 50 took longer than 1000 ms, half of all 1500 ms and more",
    )
    moment = [exchange(each.old, each.new, 9000.0 if number < 5 else 20.0) for number, each in enumerate(healthy(500))]
    assert problems(moment) == ()


def test_a_constant_is_stopped_without_a_measured_pair_too() -> None:
    constant = [exchange(each.old, 14.25) for each in healthy(40)]
    assert problems(constant, None) == ("it answers 14.25 to 40 of 40, which got different answers before",)
    # It may know some rows by heart.
    assert problems([*constant, *healthy(10)], None)
    assert problems(healthy(40), None) == ()


def test_answers_that_were_the_same_before_may_be_the_same() -> None:
    assert problems([exchange(3.0, 4.0)] * 300, None) == ()
    # Too few to tell.
    assert problems([exchange(float(number), 4.0) for number in range(19)], None) == ()


def test_a_model_that_is_wrong_in_one_bin_is_stopped() -> None:
    wrong = [exchange(each.old, (each.new or 0) + 3.0) if each.old >= 20 else each for each in healthy(500)]
    (problem,) = problems(wrong)
    assert problem.startswith("where the former answers were 20 or more, 1")
    assert problem.endswith(
        "differ from them by more than 1.5 times 0.5, what nine of ten held-out rows differ by (200 of them)"
    )
    # Where nobody has measured the pair, nobody can tell.
    assert problems(wrong, None) == ()
    few = [each for each in wrong if each.old >= 20][:15] + [each for each in wrong if each.old < 20][:15]
    assert problems(few)


def test_a_model_that_is_far_off_for_a_few_is_stopped() -> None:
    """A third of a bin: most of its answers are sound."""
    sound = healthy(500)
    wrong = [
        exchange(each.old, (each.new or 0) + 8.0) if each.old >= 20 and number % 3 == 0 else each
        for number, each in enumerate(sound)
    ]
    (problem,) = problems(wrong)
    assert problem.endswith("differ from them by more than 2 times 1.5, what any held-out row differs by (200 of them)")
    few = [exchange(25.0 + number, 99.0) if number < 5 else each for number, each in enumerate(sound)]
    assert problems(few) == ()


def test_a_model_that_is_wrong_everywhere_is_stopped_with_few_requests() -> None:
    (problem,) = problems([exchange(each.old, each.old + 3) for each in healthy(12)])
    assert problem.startswith("12 of 12 answers differ from them by more than 1.5 times what nine of ten")


def test_another_mix_of_callers_is_no_fault() -> None:
    """The last bin differs ten times as far, and at the evaluation hardly a row was there."""
    pair = Differences(EDGES, (PAIR.bins[0], PAIR.bins[1], Bin(10, (2.0, 5.0, 9.0, 15.0))))
    chance = random.Random(3)
    asked = [exchange(25.0 + chance.random(), 25.5 + chance.gauss(0, 3)) for _ in range(500)]
    assert problems(asked, pair) == ()
    assert problems(asked, PAIR)


def test_callers_that_ask_otherwise_within_a_bin_are_no_fault_up_to_a_point() -> None:
    wider = [exchange(each.old, each.old + 2.5 * ((each.new or 0) - each.old)) for each in healthy(500)]
    assert problems(wider) == ()


def test_one_caller_among_many_decides_nothing() -> None:
    """He knows a place where the two models disagree; an answer that comes over and over is sent five times at most."""
    assert problems([*healthy(60), *[exchange(25.0, 99.0)] * 5]) == ()


def test_the_same_model_must_give_the_same_answers() -> None:
    same = Differences((), (Bin(1, (0.0,) * 4),))
    assert problems([exchange(each.old, each.old * (1 + 5e-5)) for each in healthy(100)], same) == ()
    assert problems([exchange(each.old, each.old + 0.1) for each in healthy(100)], same)


def test_odd_numbers_are_compared_like_others() -> None:
    huge = [exchange(3.4e38, -3.4e38), exchange(-0.0, 0.0), exchange(5e-324, 0.0), exchange(1e300, 1e300)]
    assert problems(huge) == ()
    assert problems(huge, None) == ()


def test_the_tail_is_the_binomials() -> None:
    for of, share in ((10, 0.5), (40, 0.01), (500, 0.05)):
        exact = [math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(of + 1)]
        for count in (0, 1, of // 2, of):
            assert tail(count, of, share) == pytest.approx(sum(exact[count:]), rel=1e-9)
    assert not too_many(0, 0, 0.5)
    least = next(count for count in range(501) if too_many(count, 500, FAILED))
    assert tail(least, 500, FAILED) < CHANCE <= tail(least - 1, 500, FAILED)
