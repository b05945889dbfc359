"""Better, worse, undecided: by the interval, the margin, slices and their floors. And the power that is told."""

from __future__ import annotations

import random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.dataset import Metric
from functions.gate.compare import compare, power, visible
from functions.shared.evaluation import Paired, PairedSlice, Value

RMSE, R2 = Metric("rmse", 10.0, margin=0.2, slice_rows=50, slice_loss=0.5), Metric("r2", 0.5)


def pair(value: float, difference: float, sd: float) -> Paired:
    return Paired(value, Value(difference, (difference - 1.96 * sd, difference + 1.96 * sd), sd))


def part(difference: float, sd: float, rows: int = 80, name: str = "miles < 2") -> PairedSlice:
    return PairedSlice(name, rows, pair(3.0, difference, sd))


@pytest.mark.parametrize(
    ("difference", "sd", "outcome"),
    [
        (-0.3, 0.1, "better"),
        (-0.1, 0.1, "undecided"),
        (0.1, 0.02, "undecided"),  # proven, and within the margin
        (0.3, 0.1, "undecided"),
        (0.5, 0.1, "worse"),
    ],
)
def test_the_interval_decides(difference: float, sd: float, outcome: str) -> None:
    found = compare(RMSE, pair(4.0, difference, sd), ())
    assert found.outcome == outcome
    assert f"(it has 4, this model {4 + difference:.4g} on the same rows; difference {difference:+.3g}," in found.words
    assert ", margin 0.2)" in found.words


@pytest.mark.parametrize(("difference", "outcome"), [(-0.3, "worse"), (-0.1, "undecided"), (0.3, "better")])
def test_where_more_is_better_a_loss_is_less(difference: float, outcome: str) -> None:
    assert compare(R2, pair(0.8, difference, 0.1), ()).outcome == outcome


def test_a_slice_that_is_worse_decides_over_the_whole() -> None:
    found = compare(RMSE, pair(4.0, -0.3, 0.1), [part(-1.0, 0.1), part(1.2, 0.1, name="2 <= miles"), part(0.9, 0.1)])
    assert found.outcome == "worse"
    assert found.words == (
        "clearly worse than the champion where 2 <= miles (it has 3, this model 4.2 on the same 80 rows; a loss of at"
        " least 0.929 with 0.9967 confidence, let through is 0.5)"
    )


@pytest.mark.parametrize(
    ("difference", "sd", "rows"),
    [(0.6, 0.1, 80), (0.5, 0.0, 80), (5.0, 0.1, 49)],
    ids=["not proven", "within the floor", "too few rows"],
)
def test_a_slice_is_judged_by_its_floors(difference: float, sd: float, rows: int) -> None:
    found = compare(RMSE, pair(4.0, 0.0, 0.1), [part(difference, sd, rows)])
    assert found.outcome == "undecided"
    assert ("too small to be judged: 1 of 1 slices" in found.words) is (rows == 49)


def test_a_slice_where_more_is_better() -> None:
    metric = Metric("r2", 0.5, slice_rows=50)
    assert compare(metric, pair(0.8, 0.0, 0.1), [part(-0.4, 0.1)]).outcome == "worse"
    assert compare(metric, pair(0.8, 0.0, 0.1), [part(0.4, 0.1)]).outcome == "undecided"


def test_what_is_undecided_tells_what_would_have_been_seen() -> None:
    assert "; a loss of 0.48 would have been seen with 80 % power" in compare(RMSE, pair(4.0, 0.1, 0.1), ()).words


@given(st.floats(0, 5), st.floats(0.001, 2))
def test_what_would_have_been_seen_has_the_power_that_is_told(margin: float, sd: float) -> None:
    assert power(visible(margin, sd), margin, sd) == pytest.approx(0.8)
    assert power(margin, margin, sd) == pytest.approx(0.025)


@pytest.mark.parametrize(("loss", "expected"), [(0.0, 0.0), (0.2, 0.0), (0.2001, 1.0)])
def test_the_power_of_rows_without_spread(loss: float, expected: float) -> None:
    assert power(loss, 0.2, 0.0) == expected


def test_an_equal_model_is_called_worse_as_rarely_as_is_said() -> None:
    """2.5 % by the whole, 1 % by eight slices: at most 3.5 %, and 0.6 % is three deviations of 10,000 trials."""
    drawn, metric, trials = random.Random(7), Metric("rmse", 10.0, slice_rows=50), 10_000
    worse = 0
    for _ in range(trials):
        slices = [part(drawn.gauss(0, 0.1), 0.1) for _ in range(8)]
        worse += compare(metric, pair(4.0, drawn.gauss(0, 0.1), 0.1), slices).outcome == "worse"
    assert 0.025 < worse / trials < 0.035 + 0.006


def test_a_loss_is_seen_as_often_as_its_power_says() -> None:
    drawn, loss, sd = random.Random(8), 0.45, 0.1
    seen = [compare(RMSE, pair(4.0, drawn.gauss(loss, sd), sd), ()).outcome == "worse" for _ in range(5000)]
    deviations = NormalDist().inv_cdf(0.999) * (0.25 / 5000) ** 0.5
    assert sum(seen) / len(seen) == pytest.approx(power(loss, 0.2, sd), abs=deviations)
