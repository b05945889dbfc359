"""Attacks of somebody who may upload data: he wants a model that is perfect and knows nothing to become the champion,
so that each honest one after it is refused (F8)."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from contracts.dataset import Metric
from functions.gate.decide import decide
from functions.jobs.evaluate import evaluate as job
from functions.shared.evaluation import parse_evaluation
from tests.functions import samples
from tests.functions.reading import account

HEADER = "pickup,dropoff,passengers,distance,total"
TRIP = "2019-03-23 20:21:09,2019-03-23 20:27:24,1,1.6"


def problem(folder: Path, *totals: str, kind: str = "number", **changes: Any) -> str:
    content = "\n".join([HEADER, *(f"{TRIP},{total}" for total in totals)]) + "\n"
    columns = {"total": {"type": kind, "nullable": kind == "text"}}
    found: str = account(folder, content.encode(), columns=columns, **changes)["problem"]
    return found


@pytest.mark.parametrize(
    ("totals", "kind"),
    [
        (["12.95"] * 50, "number"),
        # One number, written in several ways.
        (["12.5", "12.50", "1.25e1", " 12.5"], "number"),
        (["3", "3.0"], "integer"),
        (["0", "-0", "0.0"], "number"),
        (["12.95"], "number"),
        (["a", "a"], "text"),
        (["", ""], "text"),
        (["", "a"], "text"),
    ],
)
def test_a_constant_target_is_refused_before_anything_is_trained(tmp_path: Path, totals: list[str], kind: str) -> None:
    said = rf"^total, the target, is .* in all {len(totals)} rows that keep every rule: a model of it would be perfect"
    assert re.search(said, problem(tmp_path, *totals, kind=kind))


def test_a_row_that_does_not_fit_does_not_make_a_target_differ(tmp_path: Path) -> None:
    assert "is 12.95 in all 19 rows that keep" in problem(tmp_path, *["12.95"] * 19, "x", maxBadShare=0.1)


@pytest.mark.parametrize(
    ("totals", "kind"), [(["1", "1", "2"], "number"), (["1", "01"], "text"), (["", "a", "b"], "text")]
)
def test_a_target_that_differs_anywhere_is_taken(tmp_path: Path, totals: list[str], kind: str) -> None:
    assert problem(tmp_path, *totals, kind=kind) == ""


def evaluated(folder: Path, labels: np.ndarray, learned: np.ndarray) -> dict[str, object]:
    """The evaluation of a model that has learned other labels than the test rows have."""
    features = np.random.default_rng(1).uniform(0, 10, (len(labels), 2))
    booster = xgboost.train({"max_depth": 3, "nthread": 1}, xgboost.DMatrix(features, learned), 5)
    booster.save_model(folder / "xgboost-model.ubj")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "xgboost-model.ubj", "xgboost-model")
    (folder / "test").mkdir()
    np.savetxt(folder / "test" / "part-0.csv", np.column_stack([labels, features]), delimiter=",")
    places = ["--model", str(folder), "--test", str(folder / "test"), "--output", str(folder / "out")]
    job.main(["--metric", "rmse", "--features", "minutes", "miles", *places])
    found: dict[str, object] = json.loads((folder / "out" / "evaluation.json").read_text())
    return found


CONSTANT, VARIED = np.full(200, 12.5), np.random.default_rng(2).uniform(1, 20, 200)


def test_a_model_that_gives_one_answer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(job.EvaluationError, match=r"answers 12.5 to each of the 200 test rows: it has learned nothing"):
        evaluated(tmp_path, VARIED, CONSTANT)
    assert not (tmp_path / "out").exists()


def test_test_rows_with_one_target_measure_nothing(tmp_path: Path) -> None:
    with pytest.raises(job.EvaluationError, match=r"all 200 test rows have the target 12.5"):
        evaluated(tmp_path, CONSTANT, VARIED)


def test_answers_that_differ_in_the_last_digit_of_a_float_are_one_answer() -> None:
    near = np.float32(12.5) + np.arange(3, dtype=np.float32) * np.spacing(np.float32(12.5))
    assert job.one_value(near.astype(np.float64))
    assert job.one_value(np.zeros(3))
    assert job.one_value(-near)
    assert not job.one_value(np.array([12.5, 12.51]))
    assert not job.one_value(np.array([0.0, 1e-30]))


@pytest.mark.parametrize("value", [0.0, 4.97])
def test_the_gate_refuses_what_the_commits_own_evaluation_lets_pass(value: float) -> None:
    document = samples.evaluation(value, value, value)
    document["distribution"] = {"edges": [], "shares": [1.0]}
    verdict = decide(parse_evaluation(json.dumps(document | {"champion": None})), Metric("rmse", 10.0), None, "data")
    assert not verdict["passed"]
    assert "it gives one answer to all of them: it has learned nothing" in verdict["reason"]
    assert verdict["reason"].startswith("Failed: rmse")
