"""Processing job: how good is the model on rows it has never seen? Long, since it runs alone in its container.

Runs in the built-in XGBoost image (numpy and xgboost are there), beside the analyzer's archive alone.

Arguments:
    --metric NAME            the gate's metric, one of the task's; slices are of this one
    --task NAME              regression (unless given), binary or multiclass
    --classes N              how many classes the target has: 0, 1, …; of binary and multiclass
    --features NAME …        the features, in the order of the test file's columns after the label
    --slice FEATURE=EDGES    cut a feature at `2,5,10`, or in equal parts by `quantiles:4`; may be repeated
    --model, --test, --output  folders; /opt/ml/processing/{model,test,evaluation} unless given
    --champion FOLDER        the model to compare with, on the same rows; none where it is left out
    --pairs FOLDER           what the features job says of these rows, in `paired.json`; the test part where left out
    --baseline FOLDER        rows that the monitor's baseline is made of; none is made where it is left out

`contracts.evaluation_arguments.evaluation_arguments` makes the first five from the dataset's schema.

Environment:
    CHAMPION_EDGES  JSON list: what cuts the champion's live predictions into bins; empty where there are none

Reads `model.tar.gz` and the test part (CSV, label first, no header). Writes into the output folder
    evaluation.json   all metrics with bootstrap standard deviation and 95 % interval, the metric per slice, the
                      distribution of the predictions, and the champion's metrics with their paired differences, also
                      per slice, with the table of both models' bins; of classes also how many rows each has, the
                      confusion matrix, the calibration, and what the best answer without features would reach
    golden.json       rows spread over the distribution of predictions, with the values this model gives
and into /opt/ml/processing/reports (`--reports`) the baseline's statistics.json and constraints.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xgboost

FOLDER = "/opt/ml/processing"
SEED, RESAMPLES, GOLDEN_ROWS, TOLERANCE = 20190301, 1000, 20, 1e-4
# Five bins: with more, chance alone moves the index further (by bins - 1 over rows) before anything is wrong.
BINS = 5
# As contracts/distribution.py has it.
MOST_BINS = 9
# As contracts/differences.py reads them: nothing of it is there where this runs.
LEVELS = (0.5, 0.9, 0.99, 1.0)
# Below what float32 keeps of a number.
SAME = 1e-6
# As contracts/tasks.py has them, with the source of the first.
CLASS_ROWS, LOWER_IS_BETTER = 10, ("rmse", "mae", "mape", "logloss")
# Metrics that look at a class as a whole: on rows with few of one they say nothing. The others are means over rows.
BY_CLASS = ("auc", "pr_auc", "f1", "balanced_accuracy", "auc_macro", "pr_auc_macro", "f1_macro")
CALIBRATION_BINS = 10
# Of float32, which XGBoost computes with.
LARGEST = float(np.finfo(np.float32).max)
# Resampling costs rows times resamples; an interval from millions of rows is narrow with fewer.
MOST_DRAWS = 100_000_000


class EvaluationError(Exception):
    """The model cannot be evaluated; the message says why."""


class NotSharedError(Exception):
    """There are no rows that the champion can be asked about; the message says why."""


class Task(NamedTuple):
    """What is predicted. `classes` is 0 where it is a number; `group` is what evaluation.json calls the metrics.

    A model's answers are one number a row (of two classes the probability of the second), or of several classes one
    probability for each.
    """

    name: str
    classes: int
    metrics: Mapping[str, Callable[[np.ndarray, np.ndarray], float]]
    group: str


class SliceDefinition(NamedTuple):
    """A feature, and where it is cut: at `edges`, or in that many equal parts."""

    feature: str
    edges: list[float]
    quantiles: int


def main(argv: Sequence[str]) -> None:
    """Evaluate and write the results."""
    options = parse(argv)
    task = task_of(options)
    rows = load_test(options.test, len(options.features))
    labels, features = rows[:, 0], rows[:, 1:]
    check_labels(labels, task)
    booster = load_model(options.model, len(options.features))
    predictions = predict(booster, features, task)
    # Of too few rows of a class the gate says what it needs; nothing else that is said of them would help.
    if not task.classes or fewest(labels, task) >= CLASS_ROWS:
        differ(labels, predictions)
    slices = [slice_definition(text, options.features) for text in options.slice]
    os.makedirs(options.output, exist_ok=True)
    result = evaluate(labels, predictions, options.metric, cut_all(features, options.features, slices), task)
    bins = result["distribution"]["edges"]
    result["champion"] = compare(options, task, booster, rows, slices, bins) if options.champion else None
    write(options.output, "evaluation.json", result)
    write(options.output, "golden.json", golden(features, predictions, options.features))
    if options.baseline:
        make_baseline(booster, options, task)
    print(json.dumps({"rows": len(rows), "metrics": result[task.group]}))


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Command line → options."""
    parser = argparse.ArgumentParser(description="Evaluate a model on held-out rows.")
    parser.add_argument("--metric", required=True, choices=sorted({*METRICS, *BINARY_METRICS, *MULTICLASS_METRICS}))
    parser.add_argument("--task", default=REGRESSION.name, choices=[REGRESSION.name, "binary", "multiclass"])
    parser.add_argument("--classes", type=int, default=0)
    parser.add_argument("--features", required=True, nargs="+")
    parser.add_argument("--slice", action="append", default=[])
    parser.add_argument("--champion", default="")
    parser.add_argument("--pairs", default="")
    parser.add_argument("--baseline", default="")
    parser.add_argument("--reports", default=FOLDER + "/reports")
    parser.add_argument("--model", default=FOLDER + "/model")
    parser.add_argument("--test", default=FOLDER + "/test")
    parser.add_argument("--output", default=FOLDER + "/evaluation")
    return parser.parse_args(argv)


def task_of(options: argparse.Namespace) -> Task:
    """What is predicted, as the arguments say."""
    task = REGRESSION if options.task == REGRESSION.name else of_classes(options.classes)
    if task.name != options.task or options.metric not in task.metrics:
        raise EvaluationError(
            f"{options.task} of {options.classes} classes by {options.metric} does not go together: {task.name} has"
            f" {', '.join(task.metrics)}"
        )
    return task


def of_classes(count: int) -> Task:
    """The task of telling so many classes apart."""
    if count > 2:
        return Task("multiclass", count, MULTICLASS_METRICS, "multiclass_classification_metrics")
    return Task("binary", 2, BINARY_METRICS, "binary_classification_metrics")


def check_labels(labels: np.ndarray, task: Task) -> None:
    """Refuse what is no class."""
    if not task.classes:
        return
    wrong = labels[~np.isin(labels, np.arange(task.classes))]
    if len(wrong):
        raise EvaluationError(
            f"a test row has the target {wrong[0]:.8g}, and {task.name} has the classes 0 to {task.classes - 1}: have"
            " features.sql give the place of each class, or set dataset.task to regression with objective reg:logistic"
        )


def class_rows(labels: np.ndarray, task: Task) -> list[int]:
    """How many rows each class has."""
    return np.bincount(labels.astype(int), minlength=task.classes).tolist()  # type: ignore[no-any-return]


def fewest(labels: np.ndarray, task: Task) -> int:
    """Rows of the rarest class."""
    return min(class_rows(labels, task))


def load_test(folder: str, features: int) -> np.ndarray:
    """The test rows as float64: the label, then the features."""
    rows = load_rows(folder)
    if rows.shape[1] != features + 1:
        raise EvaluationError(f"the test rows have {rows.shape[1]} columns, not a label and {features} features")
    return rows


def load_rows(folder: str) -> np.ndarray:
    """All CSV rows of a folder as float64, label first."""
    names = sorted(name for name in os.listdir(folder) if not name.startswith(("_", ".")))
    paths = [os.path.join(folder, name) for name in names]
    parts = [load_csv(path) for path in paths if os.path.getsize(path)]
    if not parts:
        raise EvaluationError(f"there are no test rows in {folder}: is the test part of the features empty?")
    rows = np.concatenate(parts)
    # The endpoint refuses such a number, and XGBoost ends with a trace. NaN is a missing value to both.
    beyond = np.argwhere(np.abs(rows) > LARGEST)
    if len(beyond):
        row, column = (int(place) for place in beyond[0])
        raise EvaluationError(
            f"test row {row + 1} has {rows[row, column]:.8g} in column {column + 1}, which is larger than a model can"
            f" compute with ({LARGEST:.3g}): have features.sql drop such rows"
        )
    return rows


def load_csv(path: str) -> np.ndarray:
    """The numbers of a file; an empty cell is NaN."""
    try:
        return np.loadtxt(path, delimiter=",", ndmin=2)
    except ValueError:
        # A function for each cell takes 2.4 to 2.8 times as long (200,000 rows of five): for files with gaps alone.
        return np.loadtxt(path, delimiter=",", ndmin=2, encoding="utf-8", converters=number)


def number(cell: str) -> float:
    """A cell's number, NaN of an empty one."""
    return float(cell) if cell else float("nan")


def load_model(folder: str, features: int) -> xgboost.Booster:
    """The model of `model.tar.gz`."""
    path = os.path.join(folder, "model.tar.gz")
    with tarfile.open(path) as archive:
        found = [item for item in archive.getmembers() if item.isfile() and "xgboost-model" in item.name]
        handle = archive.extractfile(found[0]) if len(found) == 1 else None
        if handle is None:
            raise EvaluationError(f"{path} does not hold exactly one xgboost-model: {archive.getnames()}")
        content = handle.read()
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    if booster.num_features() != features:
        raise EvaluationError(f"the model was trained on {booster.num_features()} features, the dataset has {features}")
    return booster


def predict(booster: xgboost.Booster, features: np.ndarray, task: Task | None = None) -> np.ndarray:
    """The answers, as the endpoint gives them; `task` is a regression unless given."""
    task = task or REGRESSION
    predictions = np.asarray(booster.predict(xgboost.DMatrix(features)), dtype=np.float64)
    shape = (len(features), task.classes) if task.classes > 2 else (len(features),)
    if predictions.shape != shape or not np.isfinite(predictions).all():
        raise EvaluationError(f"the model does not give one finite number per row{per_class(task)}")
    if task.classes and (predictions.min() < 0 or predictions.max() > 1):
        raise EvaluationError("the model's answers are no probabilities: train it with another objective")
    return predictions


def per_class(task: Task) -> str:
    """What is said of the numbers per row where there are several."""
    return f" and class, of {task.classes}" if task.classes > 2 else ""


def scores(predictions: np.ndarray) -> np.ndarray:
    """One number per row, as the predict function counts it: of several classes the place of the most probable."""
    return predictions if predictions.ndim == 1 else predictions.argmax(axis=1).astype(np.float64)


def chosen(predictions: np.ndarray) -> np.ndarray:
    """The class of each row. The container calls 0.5 the first one too:

    github.com/aws/sagemaker-xgboost-container, serve_utils.py, _get_predicted_label.
    """
    return (predictions > 0.5).astype(int) if predictions.ndim == 1 else predictions.argmax(axis=1)


def differ(labels: np.ndarray, predictions: np.ndarray) -> None:
    """Refuse what has learned nothing, however well it does: on one label a constant is perfect."""
    if one_value(labels):
        raise EvaluationError(
            f"all {len(labels)} test rows have the target {labels[0]:.8g}: on them the best model is one that knows"
            " nothing. Train on data in which the target differs"
        )
    if all(map(one_value, predictions.reshape(len(predictions), -1).T)):
        raise EvaluationError(
            f"the model answers {shown(predictions[0])} to each of the {len(predictions)} test rows: it has learned"
            " nothing from their features. Look at the training data and the hyperparameters"
        )


def shown(answer: np.ndarray) -> str:
    """One row's answer, for a person."""
    return ", ".join(f"{value:.8g}" for value in np.atleast_1d(answer))


def one_value(values: np.ndarray) -> bool:
    """Whether all are the same, as far as float32 and the digits of an answer tell."""
    return bool(np.ptp(values) <= SAME * np.max(np.abs(values)))


def make_baseline(booster: xgboost.Booster, options: argparse.Namespace, task: Task) -> None:
    """What the monitor compares with: the rows set aside for it, with this model's answers."""
    sys.path.insert(0, FOLDER + "/analyzer/analyzer.zip")
    from functions.jobs.monitor.baseline import baseline  # only there where a baseline is asked for

    baseline(options.baseline, options.features, lambda rows: scores(predict(booster, rows, task)), options.reports)


def rmse(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Root mean squared error."""
    return float(np.sqrt(np.mean((labels - predictions) ** 2)))


def mae(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(labels - predictions)))


def r2(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Share of variance explained; NaN where all labels are equal."""
    spread = float(np.sum((labels - np.mean(labels)) ** 2))
    return 1.0 - float(np.sum((labels - predictions) ** 2)) / spread if spread > 0 else float("nan")


def mape(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean absolute error as a share of the label; NaN where a label is 0."""
    return float(np.mean(np.abs((labels - predictions) / labels))) if labels.all() else float("nan")


class Ranked(NamedTuple):
    """Rows by the rank of their score among `size` different ones, and whether each is positive.

    Ranks are sorted out once: a draw of these rows then only counts them, which is far quicker.
    """

    positive: np.ndarray
    place: np.ndarray
    size: int

    def of(self, rows: np.ndarray) -> Ranked:
        """Some of the rows."""
        return Ranked(self.positive[rows], self.place[rows], self.size)

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """Positive rows and all rows at each rank."""
        added = np.bincount(self.place[self.positive], minlength=self.size)
        return added, np.bincount(self.place, minlength=self.size)


def ranked(positive: np.ndarray, scores: np.ndarray) -> Ranked:
    """Rows by their scores."""
    values, place = np.unique(scores, return_inverse=True)
    return Ranked(positive, place, len(values))


def auc_of(rows: Ranked) -> float:
    """Share of pairs of a positive and a negative row that are told apart, ties by half; NaN without either."""
    added, every = rows.counted()
    others = every - added
    pairs = added.sum() * others.sum()
    return float(np.sum(added * (np.cumsum(others) - others / 2)) / pairs) if pairs else float("nan")


def pr_auc_of(rows: Ranked) -> float:
    """Average precision: that of each cut, weighted with the recall that it adds; NaN without positive rows."""
    added, every = (counts[::-1] for counts in rows.counted())
    there = every > 0
    precision = np.cumsum(added)[there] / np.cumsum(every)[there]
    total = added.sum()
    return float(np.sum(added[there] * precision) / total) if total else float("nan")


def auc(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Of the second of two classes."""
    return auc_of(ranked(labels == 1, predictions))


def pr_auc(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Of the second of two classes."""
    return pr_auc_of(ranked(labels == 1, predictions))


def logloss(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean negative logarithm of the probability of what happened. None is smaller than float32 tells from 0."""
    if predictions.ndim == 1:
        told = np.where(labels == 1, predictions, 1 - predictions)
    else:
        told = predictions[np.arange(len(labels)), labels.astype(int)]
    return float(-np.mean(np.log(np.clip(told, np.finfo(np.float32).eps, None))))


def confusion(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Rows by true class and, in it, by the class answered."""
    count = 2 if predictions.ndim == 1 else predictions.shape[1]
    place = labels.astype(int) * count + chosen(predictions)
    return np.bincount(place, minlength=count * count).reshape(count, count)


def accuracy(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Share of rows whose class is answered."""
    return float(np.mean(chosen(predictions) == labels))


def balanced_accuracy(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean over the classes that have rows of the share of them that is found."""
    found = confusion(labels, predictions)
    there = found.sum(axis=1) > 0
    return float(np.mean(np.diag(found)[there] / found.sum(axis=1)[there]))


def f1_by_class(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall of each class; NaN of one that is neither there nor answered."""
    found = confusion(labels, predictions)
    both = found.sum(axis=0) + found.sum(axis=1)
    shares: np.ndarray = np.divide(2.0 * np.diag(found), both, out=np.full(len(found), np.nan), where=both > 0)
    return shares


def f1(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Of the second of two classes."""
    return float(f1_by_class(labels, predictions)[1])


def f1_macro(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean over the classes."""
    return float(np.nanmean(f1_by_class(labels, predictions)))


def auc_macro(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean of each class against all others; NaN where one has no rows."""
    return float(np.mean([auc(labels == place, column) for place, column in enumerate(predictions.T)]))


def pr_auc_macro(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean of each class against all others; NaN where one has no rows."""
    return float(np.mean([pr_auc(labels == place, column) for place, column in enumerate(predictions.T)]))


METRICS = {"rmse": rmse, "mae": mae, "r2": r2, "mape": mape}
BINARY_METRICS = {
    "auc": auc, "pr_auc": pr_auc, "logloss": logloss, "f1": f1, "f1_macro": f1_macro, "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy, "rmse": rmse, "mae": mae, "r2": r2,
}  # fmt: skip
MULTICLASS_METRICS = {
    "auc_macro": auc_macro, "pr_auc_macro": pr_auc_macro, "logloss": logloss, "f1_macro": f1_macro,
    "accuracy": accuracy, "balanced_accuracy": balanced_accuracy,
}  # fmt: skip
AREAS = {"auc": auc_of, "auc_macro": auc_of, "pr_auc": pr_auc_of, "pr_auc_macro": pr_auc_of}
REGRESSION = Task("regression", 0, METRICS, "regression_metrics")


def evaluate(
    labels: np.ndarray,
    predictions: np.ndarray,
    metric: str,
    parts: Sequence[tuple[str, np.ndarray]],
    task: Task = REGRESSION,
) -> dict[str, Any]:
    """The content of evaluation.json; `parts` are the slices, each with its name and which rows are in it."""
    found = {name: function(labels, predictions) for name, function in task.metrics.items()}
    metrics = {
        name: {"value": found[name], **spread}
        for name, spread in zip(found, bootstrap(labels, predictions, task))  # noqa: B905  # as above
        if np.isfinite(found[name])
    }
    few = bool(task.classes) and fewest(labels, task) < CLASS_ROWS
    if metric not in metrics and not few:
        raise EvaluationError(f"{metric} is undefined on these rows: {undefined(metric, labels)}")
    slices = []
    for name, inside in parts:
        value = task.metrics[metric](labels[inside], predictions[inside])
        if np.isfinite(value):
            slices.append({"slice": name, "value": value, "rows": int(inside.sum())})
    result = {
        task.group: metrics,
        "metric": metric,
        "rows": len(labels),
        "slices": slices,
        "distribution": bins_of(predictions),
    }
    if not task.classes:
        return result
    told = {**metrics, "confusion_matrix": matrix(labels, predictions)}
    return {**result, task.group: told, **classes(labels, predictions, metric, task)}


def matrix(labels: np.ndarray, predictions: np.ndarray) -> dict[str, dict[str, int]]:
    """Rows by true class and, in it, by the class answered, as the model registry shows them beside the metrics:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
    """
    return {
        str(true): {str(told): int(rows) for told, rows in enumerate(row)}
        for true, row in enumerate(confusion(labels, predictions))
    }


def undefined(metric: str, labels: np.ndarray) -> str:
    """Why a metric says nothing."""
    return "a label is 0" if metric == "mape" and not labels.all() else "all labels are equal"


def classes(labels: np.ndarray, predictions: np.ndarray, metric: str, task: Task) -> dict[str, Any]:
    """What evaluation.json has of classes alone."""
    return {
        "task": task.name,
        "class_rows": class_rows(labels, task),
        "calibration": calibration(labels, predictions),
        "constant": constant(labels, metric, task),
    }


def constant(labels: np.ndarray, metric: str, task: Task) -> float | None:
    """The best value of a model that answers the same to every row: the classes' shares, or one class for certain."""
    shares = np.array(class_rows(labels, task)) / len(labels)
    answers = [shares, *np.eye(task.classes)]
    columns = [np.tile(answer, (len(labels), 1)) for answer in answers]
    values = [task.metrics[metric](labels, rows if task.classes > 2 else rows[:, 1]) for rows in columns]
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return None
    return float(min(known) if metric in LOWER_IS_BETTER else max(known))


def calibration(labels: np.ndarray, predictions: np.ndarray) -> dict[str, Any]:
    """How often what is said to be so probable is so: of the second of two classes, of several the most probable one.

    `bins` of about equal size in the order of the probability, `error` the mean distance, weighted with their rows
    (Guo et al., On Calibration of Modern Neural Networks, 2017: expected calibration error, with bins of equal size).
    """
    several = predictions.ndim > 1
    said = predictions.max(axis=1) if several else predictions
    so = (chosen(predictions) == labels) if several else labels == 1
    parts = [part for part in np.array_split(np.argsort(said, kind="stable"), CALIBRATION_BINS) if len(part)]
    bins = [
        {"rows": len(part), "predicted": float(said[part].mean()), "observed": float(so[part].mean())} for part in parts
    ]
    error = sum(one["rows"] * abs(one["observed"] - one["predicted"]) for one in bins) / len(labels)
    return {"error": error, "bins": bins}


def bins_of(predictions: np.ndarray) -> dict[str, Any]:
    """The distribution of the predictions; of several classes a bin for each that is answered, as far as there may be
    so many bins."""
    if predictions.ndim == 1:
        return distribution(predictions)
    values, counts = np.unique(scores(predictions), return_counts=True)
    if len(values) > MOST_BINS:
        return distribution(scores(predictions))
    edges = ((values[:-1] + values[1:]) / 2).tolist()
    return {"edges": edges, "shares": (counts / len(predictions)).tolist()}


def distribution(predictions: np.ndarray) -> dict[str, Any]:
    """About equal bins: `edges` between them, and the share of the rows in each. A prediction on an edge is above it.

    Edges lie between two neighbouring predictions, never on one: the endpoint writes a prediction with fewer digits
    than are compared here, and a leaf that many rows end in would change its bin by that.
    """
    values, counts = np.unique(predictions, return_counts=True)
    below = np.cumsum(counts)[:-1] / len(predictions)
    cuts = sorted({int(np.argmin(np.abs(below - number / BINS))) for number in range(1, BINS)}) if len(below) else []
    edges = [float((values[cut] + values[cut + 1]) / 2) for cut in cuts]
    inside = np.bincount(np.searchsorted(edges, predictions, side="right"), minlength=len(edges) + 1)
    return {"edges": edges, "shares": (inside / len(predictions)).tolist()}


def bootstrap(labels: np.ndarray, predictions: np.ndarray, task: Task = REGRESSION) -> list[dict[str, Any]]:
    """Standard deviation and 95 % percentile interval of every metric, in the order of the task's; always the same."""
    return resampled(strata(labels, task), measured(labels, predictions, list(task.metrics), task))


def measured(
    labels: np.ndarray, predictions: np.ndarray, names: Sequence[str], task: Task
) -> Callable[[np.ndarray], list[float]]:
    """The metrics of any of the rows, as the task's functions give them."""
    columns = predictions.reshape(len(predictions), -1).T
    classes = range(task.classes) if task.classes > 2 else [1]
    areas = any(name in AREAS for name in names)
    sides = [ranked(labels == one, column) for one, column in zip(classes, columns)] if areas else []  # noqa: B905

    def measure(rows: np.ndarray) -> list[float]:
        target, answers, drawn = labels[rows], predictions[rows], [side.of(rows) for side in sides]
        return [
            float(np.mean([AREAS[name](side) for side in drawn]))
            if name in AREAS
            else task.metrics[name](target, answers)
            for name in names
        ]

    return measure


def strata(labels: np.ndarray, task: Task) -> list[np.ndarray]:
    """The rows that are drawn apart: those of each class, so that no draw is without one, however rare it is.

    What is learned so is of test parts with as many rows of each class (Efron and Tibshirani, An Introduction to the
    Bootstrap, 1993, chapter 8: one sample of several populations).
    """
    if not task.classes:
        return [np.arange(len(labels))]
    found = [np.flatnonzero(labels == place) for place in range(task.classes)]
    return [rows for rows in found if len(rows)]


def resampled(parts: Sequence[np.ndarray], measure: Callable[[np.ndarray], list[float]]) -> list[dict[str, Any]]:
    """Spread of each figure that `measure` takes of a draw of rows, with replacement; always the same draws.

    As many rows are drawn of each part as it has.
    """
    random = np.random.default_rng(SEED)
    resamples = max(100, min(RESAMPLES, MOST_DRAWS // sum(map(len, parts))))

    def draw() -> np.ndarray:
        return np.concatenate([rows[random.integers(len(rows), size=len(rows))] for rows in parts])

    draws = np.array([measure(draw()) for _ in range(resamples)])
    return [summarise(column[np.isfinite(column)]) for column in draws.T]


def compare(
    options: argparse.Namespace,
    task: Task,
    booster: xgboost.Booster,
    rows: np.ndarray,
    slices: Sequence[SliceDefinition],
    bins: Sequence[float],
) -> dict[str, Any]:
    """The champion on the same rows: each metric with `difference`, ours less the champion's. Or why there is none.

    `rows` says how many they are, `doubt` why the champion may know them, `foreign` why it proves nothing that it
    loses; `slices` have the same of the one metric, for each slice that has a spread. `bins` are the edges of ours.
    """
    try:
        told = paired_by(options.pairs)
        labels, features, theirs = shared(options, rows, told)
        check_shared(labels, task)
        other = predict(load_model(options.champion, theirs.shape[1]), theirs, task)
    except NotSharedError as error:
        return {"problem": str(error)}
    except Exception as error:  # noqa: BLE001  whatever is wrong with it, ours can still be judged
        return {"problem": f"{type(error).__name__}: {error}"[:500]}
    predictions, found = predict(booster, features, task), []
    # One row has no spread.
    for name, inside in cut_all(features, options.features, slices):
        if inside.sum() > 1:
            one = differences(labels[inside], predictions[inside], other[inside], [options.metric], task)
            size = {"rows": int(inside.sum()), **rarest(labels[inside], options.metric, task)}
            found += [{"slice": name, **size, **value} for value in one.values()]
    metrics = differences(labels, predictions, other, list(task.metrics), task)
    doubts: dict[str, Any] = {key: told[key] for key in ("doubt", "foreign") if key in told}
    result = {
        "metrics": metrics,
        "slices": found,
        "rows": len(labels),
        "answers": apart(scores(predictions), scores(other)),
        **doubts,
    }
    live = json.loads(os.environ.get("CHAMPION_EDGES") or "[]")
    return {**result, "table": table(scores(other), scores(predictions), live, bins)} if live else result


def check_shared(labels: np.ndarray, task: Task) -> None:
    """Raises NotSharedError where the rows that both answer have too few of a class."""
    if not task.classes:
        return
    check_labels(labels, task)
    rows = class_rows(labels, task)
    if min(rows) < CLASS_ROWS:
        place = int(np.argmin(rows))
        raise NotSharedError(f"of class {place} there are {rows[place]} shared rows, and {CLASS_ROWS} are needed")


def rarest(labels: np.ndarray, metric: str, task: Task) -> dict[str, int]:
    """Rows of a slice's rarest class, where the metric is one that needs some of each."""
    return {"rarest": fewest(labels, task)} if task.classes and metric in BY_CLASS else {}


def paired_by(folder: str) -> dict[str, str]:
    """What the features job says of the rows."""
    if not folder:
        return {"how": "test"}
    with open(os.path.join(folder, "paired.json")) as file:
        told: dict[str, str] = json.load(file)
    return told


def shared(
    options: argparse.Namespace, rows: np.ndarray, told: dict[str, str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, our features and the champion's, of rows that neither model was trained on, as far as is known.

    Raises NotSharedError where the features job found none.
    """
    if "problem" in told:
        raise NotSharedError(told["problem"])
    if told["how"] == "test":
        return rows[:, 0], rows[:, 1:], rows[:, 1:]
    pairs, own = load_rows(os.path.join(options.pairs, "rows")), 1 + len(options.features)
    return pairs[:, 0], pairs[:, 1:own], pairs[:, own:]


def apart(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """How far our answers lie from the champion's, by bins of its answers: what is normal where ours takes over."""
    edges = distribution(theirs)["edges"]
    place = np.searchsorted(edges, theirs, side="right")
    distance = np.abs(ours - theirs)
    bins = []
    for number in range(len(edges) + 1):
        inside = distance[place == number]
        bins.append({"rows": len(inside), "quantiles": np.quantile(inside, LEVELS).tolist()})
    return {"edges": edges, "bins": bins}


def table(old: np.ndarray, new: np.ndarray, old_edges: Sequence[float], new_edges: Sequence[float]) -> dict[str, Any]:
    """Of the rows that the old model puts into each of its bins, how many the new one puts into each of its own.

    An answer on an edge lies above it, as the predict function counts.
    """
    height, width = len(old_edges) + 1, len(new_edges) + 1
    place = np.searchsorted(old_edges, old, side="right") * width + np.searchsorted(new_edges, new, side="right")
    rows = np.bincount(place, minlength=height * width).reshape(height, width)
    return {"edges": list(old_edges), "rows": rows.tolist()}


def differences(
    labels: np.ndarray, ours: np.ndarray, theirs: np.ndarray, names: Sequence[str], task: Task = REGRESSION
) -> dict[str, dict[str, Any]]:
    """Metrics of the champion by name, where both are defined, each with the difference of ours to it."""
    spreads = dict(zip(names, paired(labels, ours, theirs, names, task)))  # noqa: B905  # as above
    values = {name: (task.metrics[name](labels, ours), task.metrics[name](labels, theirs)) for name in names}
    return {
        name: {"value": value, "difference": {"value": own - value, **spreads[name]}}
        for name, (own, value) in values.items()
        if np.isfinite(own) and np.isfinite(value)
    }


def paired(
    labels: np.ndarray, ours: np.ndarray, theirs: np.ndarray, names: Sequence[str], task: Task = REGRESSION
) -> list[dict[str, Any]]:
    """Spread of the difference of each metric, both models measured on the same resampled rows each time.

    What makes rows hard is hard for both: the difference varies far less than either metric does.
    """
    own, other = (measured(labels, answers, names, task) for answers in (ours, theirs))
    return resampled(
        strata(labels, task),
        lambda rows: [mine - its for mine, its in zip(own(rows), other(rows))],  # noqa: B905  # as above
    )


def summarise(values: np.ndarray) -> dict[str, Any]:
    """Spread of one metric's resamples."""
    if len(values) == 0:
        return {"standard_deviation": 0.0, "ci": [0.0, 0.0]}
    low, high = np.percentile(values, [2.5, 97.5])
    return {"standard_deviation": float(np.std(values)), "ci": [float(low), float(high)]}


def slice_definition(text: str, features: Sequence[str]) -> SliceDefinition:
    """`distance=2,5,10` or `distance=quantiles:4` → feature, edges, number of quantiles."""
    name, _, cuts = text.partition("=")
    if name not in features or not cuts:
        raise EvaluationError("slice {!r} does not name one of the features {}".format(text, ", ".join(features)))
    try:
        if cuts.startswith("quantiles:"):
            return SliceDefinition(name, [], int(cuts[len("quantiles:") :]))
        return SliceDefinition(name, [float(cut) for cut in cuts.split(",")], 0)
    except ValueError:
        raise EvaluationError(f"slice {text!r} must be FEATURE=1,2,3 or FEATURE=quantiles:4") from None


def cut_all(
    features: np.ndarray, names: Sequence[str], definitions: Sequence[SliceDefinition]
) -> list[tuple[str, np.ndarray]]:
    """The slices of all definitions, as `cut` gives them."""
    return [part for definition in definitions for part in cut(features, names, definition)]


def cut(features: np.ndarray, names: Sequence[str], definition: SliceDefinition) -> list[tuple[str, np.ndarray]]:
    """The ranges of a feature that hold rows: what a person reads of each, and which rows are in it."""
    name, edges, quantiles = definition
    column = features[:, list(names).index(name)]
    missing = np.isnan(column)
    present = column[~missing]
    shares = np.arange(1, quantiles) / quantiles
    cuts = edges or (sorted(set(np.quantile(present, shares).tolist())) if len(present) else [])
    place = np.searchsorted(cuts, column, side="right")
    parts = [(label(name, cuts, bin_), (place == bin_) & ~missing) for bin_ in range(len(cuts) + 1)]
    return [(words, inside) for words, inside in [*parts, (f"{name} is missing", missing)] if inside.any()]


def label(name: str, edges: Sequence[float], number: int) -> str:
    """What a person reads: `2 <= distance < 5`."""
    low: float | None = edges[number - 1] if number else None
    high: float | None = edges[number] if number < len(edges) else None
    start = "" if low is None else f"{low:.4g} <= "
    end = "" if high is None else f" < {high:.4g}"
    return start + name + end


def golden(features: np.ndarray, predictions: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Rows with different predictions, distributed as the predictions are: replaying them looks like traffic.

    Of several classes each record has the `probabilities` that must come back; within a class they are spread over
    that of the class itself.
    """
    told = scores(predictions)
    answers = predictions.reshape(len(predictions), -1)
    order = np.lexsort((answers.max(axis=1), told))
    places = order[np.linspace(0, len(order) - 1, GOLDEN_ROWS).round().astype(int)]
    _, first = np.unique(answers[places], axis=0, return_index=True)
    records = []
    for row in places[np.sort(first)]:
        values = [None if np.isnan(value) else value for value in features[row].tolist()]
        record = {"features": dict(zip(names, values)), "prediction": float(told[row])}  # noqa: B905
        records.append(record if predictions.ndim == 1 else {**record, "probabilities": answers[row].tolist()})
    return {"tolerance": TOLERANCE, "records": records}


def write(folder: str, name: str, document: dict[str, Any]) -> None:
    """Write one JSON file."""
    with open(os.path.join(folder, name), "w") as file:
        json.dump(document, file, indent=2, allow_nan=False)


if __name__ == "__main__":
    main(sys.argv[1:])
