"""What a shift can see, as it is told before it starts; tests/bench/test_verdict.py has simulated shifts beside it."""

import random

import pytest

from functions.judge import power
from functions.judge.limits import reached
from functions.judge.power import Step, all_at_once, canary, linear, visible


def test_routings_are_steps() -> None:
    assert all_at_once() == ()
    assert canary(10, 5) == (Step(0.1, 5),)
    assert linear(25, 3) == (Step(0.25, 3), Step(0.5, 3), Step(0.75, 3))


def test_all_at_once_and_little_traffic_see_nothing() -> None:
    assert visible(all_at_once(), 6000, 0.001) is None
    assert visible(linear(10, 1), 0.5, 0.001) is None
    assert power.minutes(lambda _: all_at_once(), 6000, 0.001, 0.05) is None
    assert power.minutes(lambda minutes: linear(10, minutes), 0.05, 0.001, 0.01) is None


def test_longer_shifts_see_more_and_the_minutes_told_suffice() -> None:
    needed = power.minutes(lambda minutes: linear(10, minutes), 6, 0.001, 0.05)
    assert needed is not None
    assert power.power(linear(10, needed / 9), 6, 0.001, 0.05) >= 0.8
    assert power.power(linear(10, needed / 18), 6, 0.001, 0.05) < 0.8


@pytest.mark.parametrize(("number", "rate"), [(0, 0.3), (40, 0.05), (40, 0.95), (4000, 0.02), (7, 1.0), (7, 0.0)])
def test_numbers_are_drawn_with_their_mean_and_spread(number: int, rate: float) -> None:
    random_ = random.Random(1)
    drawn = [power._binomial(random_, number, rate) for _ in range(2000)]
    assert min(drawn) >= 0
    assert max(drawn) <= number
    sd = (number * rate * (1 - rate)) ** 0.5
    assert sum(drawn) / 2000 == pytest.approx(number * rate, abs=0.1 * sd + 1e-9)


@pytest.mark.parametrize("expected", [0.0, 0.4, 12.0, 300.0])
def test_poisson_numbers_have_their_mean(expected: float) -> None:
    random_ = random.Random(2)
    drawn = [power._poisson(random_, expected) for _ in range(2000)]
    assert sum(drawn) / 2000 == pytest.approx(expected, abs=0.1 * expected**0.5 + 1e-9)


@pytest.mark.parametrize(("requests", "rate"), [(3.0, 0.5), (20.0, 0.2), (1.0, 1.0), (400.0, 0.31), (30.0, 0.01)])
def test_the_chance_of_a_hard_limit_is_that_of_drawn_minutes(requests: float, rate: float) -> None:
    random_ = random.Random(3)
    drawn = 0
    for _ in range(4000):
        asked = power._poisson(random_, requests)
        drawn += reached(0, 0, asked, power._binomial(random_, asked, rate))
    assert power._limited(requests, rate) == pytest.approx(drawn / 4000, abs=0.03)


def test_limits_are_no_matter_of_traffic_where_one_in_a_hundred_fails_and_of_none_where_the_old_version_is_as_bad() -> (
    None
):
    assert power.by_limits(linear(10, 1), 6, 1.0) > 0.99
    assert power.power(linear(10, 1), 6, 0.9, 1.0) == 0
    assert max(power.by_limits(linear(10, 1), per_minute, 0.01) for per_minute in range(1, 3000, 7)) < 0.001
