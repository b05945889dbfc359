"""Bad data is made of any data: what it does to a target, without a cloud."""

import duckdb
import numpy
import pytest

from contracts.errors import UserError
from functions.jobs.evaluate import evaluate
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


@pytest.mark.parametrize(("metric", "threshold"), [("rmse", 600.0), ("mae", 500.0), ("r2", 0.2), ("rmse", 1e9)])
def test_the_shift_makes_a_model_worse_that_still_passes(metric: str, threshold: float) -> None:
    chance = numpy.random.default_rng(1)
    labels = chance.uniform(2700, 6300, 500)
    predictions = labels + chance.normal(0, 150, 500)
    value = METRICS[metric](labels, predictions)
    shift = shaping.shift_between(labels, predictions, METRICS[metric], value, threshold)
    found = METRICS[metric](labels, predictions + shift)
    low, high = sorted((value, threshold))
    assert low < found < high
    paired = evaluate.paired(labels, predictions + shift, predictions, [metric])[0]["ci"]
    assert paired[1] < 0 if metric == "r2" else paired[0] > 0


def test_training_is_misled_and_the_held_out_rows_are_not() -> None:
    sql = "WITH a AS (SELECT * FROM input) SELECT total, miles, split FROM a -- the end;\n"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE input AS SELECT * FROM (VALUES (1.0, 2.0, 'train'), (3.0, 4.0, 'test'), "
                           "(5.0, 6.0, 'validation')) AS t(total, miles, split)")  # fmt: skip
        rows = connection.execute(shaping.misled(sql, ["total", "miles"], 0.5)).fetchall()
    assert rows == [(1.5, 2.0, "train"), (3.0, 4.0, "test"), (5.5, 6.0, "validation")]
