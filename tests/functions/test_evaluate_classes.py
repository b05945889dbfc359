"""The evaluation job on classes: the metrics' values, and what it writes of models of two and of three classes."""

from __future__ import annotations

import json
import re
import tarfile
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from contracts import distribution, tasks
from contracts.dataset import Metric
from functions.gate.decide import Champion, decide
from functions.jobs.evaluate import evaluate as job
from functions.shared.evaluation import Evaluation, parse_evaluation
from functions.shared.golden import parse_golden
from tests.functions import samples

NAMES = ["length", "depth"]
BINARY, THREE = job.of_classes(2), job.of_classes(3)


def array(*values: Any) -> np.ndarray:
    return np.array(values, dtype=float)


def test_the_job_knows_the_metrics_and_limits_that_config_does() -> None:
    known = {job.REGRESSION.name: job.METRICS, BINARY.name: job.BINARY_METRICS, THREE.name: job.MULTICLASS_METRICS}
    assert {task: tuple(metrics) for task, metrics in known.items()} == tasks.METRICS
    assert {name for name, lower in tasks.LOWER_IS_BETTER.items() if lower} == set(job.LOWER_IS_BETTER)
    assert job.CLASS_ROWS == tasks.CLASS_ROWS
    assert job.MOST_BINS == distribution.MOST_BINS


@pytest.mark.parametrize(
    ("metric", "labels", "predictions", "value"),
    [
        # The examples of scikit-learn's reference, https://scikit-learn.org/stable/api/sklearn.metrics.html, by the
        # function's name there.
        ("auc", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),  # roc_auc_score
        ("pr_auc", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.8333333),  # average_precision_score
        ("logloss", [1, 0, 0, 1], [0.9, 0.1, 0.2, 0.65], 0.2161619),  # log_loss
        ("balanced_accuracy", [0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1], 0.625),  # balanced_accuracy_score
        ("mape", [3, -0.5, 2, 7], [2.5, 0.0, 2, 8], 0.3273809),  # mean_absolute_percentage_error
        # By hand: one of two found, and one of two answers right; the others three of four, three of four.
        ("f1", [1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0], 0.5),
        ("f1_macro", [1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0], (0.5 + 0.75) / 2),
        ("accuracy", [1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0], 4 / 6),
        # 0.5 is the first class, as the container has it.
        ("accuracy", [0, 1], [0.5, 0.5], 0.5),
        # A certain answer that is wrong: float32 tells nothing smaller from 0.
        ("logloss", [1], [0.0], 23 * np.log(2)),
    ],
)
def test_metrics_of_two_classes(metric: str, labels: list[float], predictions: list[float], value: float) -> None:
    metrics = {**job.METRICS, **job.BINARY_METRICS}
    assert metrics[metric](array(*labels), array(*predictions)) == pytest.approx(value, abs=1e-7)


# f1_score's example: true classes, and answers of which each is certain.
TRUE, ANSWERED = array(0, 1, 2, 0, 1, 2), np.eye(3)[[0, 2, 1, 0, 0, 1]]


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("f1_macro", (0.8 + 0 + 0) / 3),
        ("accuracy", 2 / 6),
        ("balanced_accuracy", (1 + 0 + 0) / 3),
        # Class 0: 2 of 2 at 1, one of 4 others there too: 7 of 8 pairs. Classes 1, 2: none of 2, and 2 of 4, 1 of 4.
        ("auc_macro", (7 / 8 + 1 / 4 + 3 / 8) / 3),
        # The precision of the certain ones by their recall, and of all rows by the rest.
        ("pr_auc_macro", (2 / 3 + 2 / 6 + 2 / 6) / 3),
        ("logloss", 4 / 6 * 23 * np.log(2)),
    ],
)
def test_metrics_of_three_classes(metric: str, value: float) -> None:
    assert job.MULTICLASS_METRICS[metric](TRUE, ANSWERED) == pytest.approx(value)


SCORED = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0])), min_size=2, max_size=25)


@given(SCORED)
def test_areas_are_what_counting_gives(rows: list[tuple[bool, float]]) -> None:
    """Pairs told apart, and the sum over the cuts of precision by added recall, with ties."""
    labels, scores = array(*(label for label, _ in rows)), array(*(score for _, score in rows))
    hits = [score for label, score in rows if label]
    others = [score for label, score in rows if not label]
    if not hits:
        assert np.isnan(job.auc(labels, scores))
        assert np.isnan(job.pr_auc(labels, scores))
        return
    if others:
        pairs = [(hit > other) + (hit == other) / 2 for hit, other in product(hits, others)]
        assert job.auc(labels, scores) == pytest.approx(np.mean(pairs))
    area = before = 0.0
    for cut in sorted({score for _, score in rows}, reverse=True):
        taken = [label for label, score in rows if score >= cut]
        recall = sum(taken) / len(hits)
        area, before = area + (recall - before) * sum(taken) / len(taken), recall
    assert job.pr_auc(labels, scores) == pytest.approx(area)


@pytest.mark.parametrize("task", [BINARY, THREE], ids=["two", "three"])
def test_what_is_measured_of_a_draw_is_what_the_metrics_are_of_its_rows(task: job.Task) -> None:
    random = np.random.default_rng(7)
    labels = random.integers(0, task.classes, 200).astype(float)
    answers = random.dirichlet(np.ones(task.classes), 200).round(1)
    answers = answers if task.classes > 2 else answers[:, 1]
    measure = job.measured(labels, answers, list(task.metrics), task)
    for _ in range(20):
        rows = random.integers(200, size=150)
        expected = [function(labels[rows], answers[rows]) for function in task.metrics.values()]
        assert measure(rows) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("metric", job.BINARY_METRICS)
@pytest.mark.parametrize("task", [BINARY, THREE], ids=["two", "three"])
def test_the_best_answer_without_features_is_known(task: job.Task, metric: str) -> None:
    if metric not in task.metrics:
        return
    labels = np.repeat(np.arange(task.classes), [90, 10, 10][: task.classes]).astype(float)
    share = 10 / len(labels)
    expected = {
        "accuracy": 90 / len(labels),
        "balanced_accuracy": 1 / task.classes,
        "auc": 0.5,
        "pr_auc": share,
        "f1": 2 * share / (1 + share),
        "logloss": -np.log(1 - (task.classes - 1) * share) * (1 - (task.classes - 1) * share)
        - (task.classes - 1) * share * np.log(share),
        "rmse": np.sqrt(share * (1 - share)),
        "mae": share,
        "r2": 0.0,
    }
    if metric in expected:
        assert job.constant(labels, metric, task) == pytest.approx(expected[metric])


def test_calibration_is_told_by_bins() -> None:
    random = np.random.default_rng(3)
    said = random.uniform(size=20_000)
    sound = job.calibration((random.uniform(size=20_000) < said).astype(float), said)
    assert sound["error"] < 0.02
    assert [one["rows"] for one in sound["bins"]] == [2000] * 10
    boastful = job.calibration((random.uniform(size=20_000) < 0.5).astype(float), said)
    assert boastful["error"] == pytest.approx(0.25, abs=0.02)
    several = job.calibration(array(0, 1), array([0.8, 0.1, 0.1], [0.6, 0.2, 0.2]))
    assert several["bins"] == [
        {"rows": 1, "predicted": 0.6, "observed": 0.0},
        {"rows": 1, "predicted": 0.8, "observed": 1.0},
    ]


def test_a_rare_class_is_in_every_draw_as_often() -> None:
    labels = np.repeat([0.0, 1.0], [190, 10])
    drawn: list[int] = []

    def measure(rows: np.ndarray) -> list[float]:
        drawn.append(int(labels[rows].sum()))
        return [float(len(rows))]

    job.resampled(job.strata(labels, BINARY), measure)
    assert set(drawn) == {10}
    assert len(drawn) == job.RESAMPLES


@pytest.mark.parametrize("predicted", [range(3), range(9), range(12), [0, 0, 0]])
def test_bins_of_several_classes_are_those_that_are_answered(predicted: Any) -> None:
    answers = np.eye(12)[list(predicted)]
    found = job.bins_of(answers)
    assert sum(found["shares"]) == pytest.approx(1)
    assert len(found["shares"]) == len(found["edges"]) + 1 <= distribution.MOST_BINS
    if len(set(predicted)) <= distribution.MOST_BINS:
        assert found["edges"] == [place + 0.5 for place in sorted(set(predicted))[:-1]]


# --- the whole job --------------------------------------------------------------------------------------------------


def rows_of(classes: int, shares: list[float], count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.choice(classes, size=count, p=shares).astype(float)
    return labels, labels[:, None] + random.normal(0, 0.8, (count, 2))


def model(folder: Path, classes: int, labels: np.ndarray, features: np.ndarray, rounds: int = 10) -> Path:
    folder.mkdir()
    objective = (
        {"objective": "binary:logistic"} if classes == 2 else {"objective": "multi:softprob", "num_class": classes}
    )
    booster = xgboost.train({**objective, "nthread": 1, "max_depth": 2}, xgboost.DMatrix(features, labels), rounds)
    booster.save_model(folder / "xgboost-model.ubj")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "xgboost-model.ubj", "xgboost-model")
    return folder


def run(
    tmp_path: Path, classes: int, metric: str, test: tuple[np.ndarray, np.ndarray], *more: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    part = tmp_path / "test"
    part.mkdir(exist_ok=True)
    np.savetxt(part / "part-0.csv", np.column_stack(test), delimiter=",", fmt="%.17g")
    task = ["--task", "binary" if classes == 2 else "multiclass", "--classes", str(classes)]
    places = ["--model", str(tmp_path / "model"), "--test", str(part), "--output", str(tmp_path / "out")]
    job.main(["--metric", metric, *task, "--features", *NAMES, *places, *more])
    found = [json.loads((tmp_path / "out" / name).read_text()) for name in ("evaluation.json", "golden.json")]
    return found[0], found[1]


def read(document: dict[str, Any]) -> Evaluation:
    return parse_evaluation(json.dumps(document))


@pytest.mark.parametrize(("classes", "shares"), [(2, [0.8, 0.2]), (3, [0.5, 0.3, 0.2])])
def test_a_model_of_classes_is_evaluated_and_judged(tmp_path: Path, classes: int, shares: list[float]) -> None:
    model(tmp_path / "model", classes, *rows_of(classes, shares, 600))
    test = rows_of(classes, shares, 300, seed=2)
    metric = "auc" if classes == 2 else "auc_macro"
    document, golden = run(tmp_path, classes, metric, test, "--slice", "length=0,1")
    found = read(document)
    assert found.class_rows == tuple(int((test[0] == place).sum()) for place in range(classes))
    assert set(found.metrics) == set(tasks.METRICS[found.task])
    for value in found.metrics.values():
        assert value.ci[0] < value.value < value.ci[1]
    matrix = document[(BINARY if classes == 2 else THREE).group]["confusion_matrix"]
    right = sum(matrix[str(place)][str(place)] for place in range(classes))
    assert right / 300 == pytest.approx(found.metrics["accuracy"].value)
    assert [sum(row.values()) for row in matrix.values()] == list(found.class_rows)
    records = parse_golden(json.dumps(golden)).records
    assert 10 < len(records) <= job.GOLDEN_ROWS
    assert {len(record.answer) for record in records} == {1 if classes == 2 else 3}
    verdict = decide(found, Metric(metric, 0.6), None, "commit", ("adelie", "chinstrap", "gentoo")[:classes])
    assert verdict["passed"], verdict["reason"]
    assert (
        f"on 300 held-out rows ({found.class_rows[0]} of adelie, {found.class_rows[1]} of chinstrap"
        in verdict["reason"]
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_a_champion_of_classes_is_compared_on_the_same_rows(tmp_path: Path, classes: int) -> None:
    shares = [1 / classes] * classes
    model(tmp_path / "model", classes, *rows_of(classes, shares, 2000))
    former = model(tmp_path / "former", classes, *rows_of(classes, shares, 60, seed=5), rounds=1)
    test = rows_of(classes, shares, 600, seed=2)
    document, _ = run(tmp_path, classes, "logloss", test, "--champion", str(former), "--slice", "length=0,1")
    found = read(document)
    assert found.champion is not None
    assert not found.champion.problem
    assert set(found.champion.metrics) == set(found.metrics)
    verdict = decide(found, Metric("logloss", 1.0), Champion(samples.PACKAGE), "drift")
    assert verdict["passed"], verdict["reason"]
    assert "clearly better than the champion" in verdict["reason"]


@pytest.mark.parametrize(
    ("positives", "rows", "needed"),
    [
        (0, 40, r"40 of class 0, 0 of class 1\) .* which takes at least 139 test rows where none of 40 is"),
        (4, 400, r"396 of class 0, 4 of class 1\) .* which takes about 1,000 test rows at the share of the rarest"),
    ],
)
@pytest.mark.parametrize("metric", ["auc", "accuracy", "logloss", "f1", "rmse"])
def test_a_test_part_without_enough_of_a_rare_class_is_not_judged(
    tmp_path: Path, metric: str, positives: int, rows: int, needed: str
) -> None:
    """1 % positives, of which the test part got none, or few: whatever the metric, the gate says what it needs."""
    model(tmp_path / "model", 2, *rows_of(2, [0.99, 0.01], 2000))
    labels = np.repeat([0.0, 1.0], [rows - positives, positives])
    features = labels[:, None] + np.random.default_rng(4).normal(0, 0.8, (rows, 2))
    document, _ = run(tmp_path, 2, metric, (labels, features))
    verdict = decide(read(document), Metric(metric, 0.5), None, "commit")
    assert not verdict["passed"]
    pattern = rf"Not judged: {rows} held-out rows \({needed}.*: train on more data, or have features.sql hold out more"
    assert re.match(pattern, verdict["reason"]), verdict["reason"]


def test_a_champion_is_not_compared_on_rows_with_too_few_of_a_class(tmp_path: Path) -> None:
    model(tmp_path / "model", 2, *rows_of(2, [0.5, 0.5], 400))
    pairs = tmp_path / "pairs" / "rows"
    pairs.mkdir(parents=True)
    labels, features = rows_of(2, [0.5, 0.5], 60, seed=3)
    few = np.column_stack([np.where(np.arange(60) < 57, 0, 1), features, features])
    np.savetxt(pairs / "part-0.csv", few, delimiter=",")
    (tmp_path / "pairs" / "paired.json").write_text(json.dumps({"how": "pairs"}))
    more = ["--champion", str(tmp_path / "model"), "--pairs", str(tmp_path / "pairs")]
    found = read(run(tmp_path, 2, "auc", (labels, features), *more)[0])
    assert found.champion is not None
    assert found.champion.problem == "of class 1 there are 3 shared rows, and 10 are needed"


def test_a_model_no_better_than_one_answer_is_refused(tmp_path: Path) -> None:
    """Nine of ten rows are of one class: to answer that to all of them has an accuracy of 0.9."""
    model(tmp_path / "model", 2, *rows_of(2, [0.6, 0.4], 50, seed=8), rounds=1)
    labels = np.repeat([0.0, 1.0], [180, 20])
    test = labels, np.random.default_rng(4).normal(0, 0.8, (200, 2))
    verdict = decide(read(run(tmp_path, 2, "accuracy", test)[0]), Metric("accuracy", 0.1), None, "commit")
    assert not verdict["passed"]
    assert "is above 0.1; one answer to all of them would reach 0.9 without features" in verdict["reason"]


@pytest.mark.parametrize("classes", [2, 3])
def test_a_constant_model_of_classes_is_refused(tmp_path: Path, classes: int) -> None:
    labels, features = rows_of(classes, [1 / classes] * classes, 90)
    model(tmp_path / "model", classes, labels, np.zeros_like(features))
    with pytest.raises(job.EvaluationError, match="to each of the 90 test rows: it has learned nothing"):
        run(tmp_path, classes, "logloss", (labels, features))


@pytest.mark.parametrize(
    ("trained", "classes", "labels", "reason"),
    [
        (2, 2, [0.0, 0.5], r"a test row has the target 0\.5, and binary has the classes 0 to 1: have features\.sql"),
        (2, 2, [0.0, 2.0], r"the target 2, and binary"),
        (3, 3, [0.0, 3.0], r"the target 3, and multiclass has the classes 0 to 2"),
        (3, 2, [0.0, 1.0], r"does not give one finite number per row"),
        (2, 3, [0.0, 1.0], r"does not give one finite number per row and class, of 3"),
    ],
)
def test_what_does_not_suit_the_task_is_named(
    tmp_path: Path, trained: int, classes: int, labels: list[float], reason: str
) -> None:
    model(tmp_path / "model", trained, *rows_of(trained, [1 / trained] * trained, 90))
    test = np.resize(labels, 40), np.random.default_rng(1).normal(size=(40, 2))
    with pytest.raises(job.EvaluationError, match=reason):
        run(tmp_path, classes, "logloss", test)


def test_a_metric_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(job.EvaluationError, match="multiclass of 3 classes by f1 does not go together"):
        run(tmp_path, 3, "f1", rows_of(3, [0.5, 0.3, 0.2], 30))


def test_a_slice_without_a_class_is_not_judged_by_what_needs_it(tmp_path: Path) -> None:
    model(tmp_path / "model", 2, *rows_of(2, [0.5, 0.5], 400))
    labels = np.repeat([0.0, 1.0], [300, 300])
    features = np.column_stack([np.where(np.arange(600) < 295, 0.0, 5.0), labels + np.linspace(-1, 1, 600)])
    more = ["--champion", str(tmp_path / "model"), "--slice", "length=1"]
    found = read(run(tmp_path, 2, "f1", (labels, features), *more)[0])
    assert found.champion is not None
    assert [(part.slice, part.rows, part.rarest) for part in found.champion.slices] == [("1 <= length", 305, 5)]
    assert (
        "too small to be judged: 1 of 1 slices" in decide(found, Metric("f1", 0.1), Champion(None), "commit")["reason"]
    )
    rowwise = read(run(tmp_path, 2, "accuracy", (labels, features), *more)[0])
    assert rowwise.champion is not None
    assert [part.rarest for part in rowwise.champion.slices] == [None, None]
