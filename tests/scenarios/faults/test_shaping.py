"""Bad data is made of any data: what it does to a target, without a cloud."""

import numpy
import pytest

from contracts.errors import UserError
from functions.jobs.evaluate.evaluate import METRICS
from scenarios.faults import shaping

HEADER = ["name", "mass", "note"]
ROWS = [[f"n{number}", f"{2700 + 10 * number}", ""] for number in range(300)] + [["odd", "NA", ""]]


def test_a_column_is_renamed_and_nothing_else() -> None:
    assert shaping.renamed(HEADER, "mass") == ["name", "mass_new", "note"]


def test_extremes_are_cells_of_the_file_without_its_outliers() -> None:
    assert shaping.extremes([*ROWS, ["x", "-1e9", ""], ["y", "1e9", ""]], 1) == ("2750", "5640")


def test_a_rare_value_is_an_extreme_where_nothing_else_differs() -> None:
    rows = [["a", "0"]] * 199 + [["b", "1"]]
    assert shaping.extremes(rows, 1) == ("0", "1")
    with pytest.raises(UserError, match="are equal"):
        shaping.extremes(rows[:-1], 1)


def test_unrelated_targets_are_low_or_high() -> None:
    rows = shaping.unrelated(ROWS, 1)
    assert {row[1] for row in rows} == set(shaping.extremes(ROWS, 1))
    assert [row[0] for row in rows] == [row[0] for row in ROWS]


def test_a_share_of_the_targets_is_mixed_up_in_as_many_rows_as_are_enough() -> None:
    rows = shaping.mixed(ROWS, 1, 0.3)
    assert len(rows) % len(ROWS) == 0
    assert len(rows) >= 5000
    moved = sum(row[1] != ROWS[number % len(ROWS)][1] for number, row in enumerate(rows)) / len(rows)
    assert 0.25 < moved < 0.35
    assert ROWS[-1] == ["odd", "NA", ""]


@pytest.mark.parametrize(("metric", "threshold"), [("rmse", 600.0), ("mae", 500.0), ("r2", 0.2), ("rmse", 1e9)])
def test_the_share_makes_a_model_worse_that_still_passes(metric: str, threshold: float) -> None:
    chance = numpy.random.default_rng(1)
    labels = chance.uniform(2700, 6300, 500)
    predictions = labels + chance.normal(0, 150, 500)
    value = METRICS[metric](labels, predictions)
    share = shaping.share_between(labels, predictions, METRICS[metric], value, threshold)
    assert 0.05 < share < 0.95
    mixed = numpy.where(chance.random(500) < share, chance.permutation(labels), labels)
    found = METRICS[metric](mixed, (1 - share) * predictions + share * labels.mean())
    low, high = sorted((value, threshold))
    assert low < found < high
