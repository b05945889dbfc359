"""Processing job: how good is the model on rows it has never seen? Long, since it runs alone in its container.

Runs in the built-in XGBoost image (numpy and xgboost are there), beside the analyzer's archive alone.

Arguments:
    --metric NAME            the gate's metric: rmse, mae or r2; slices are of this one
    --features NAME …        the features, in the order of the test file's columns after the label
    --slice FEATURE=EDGES    cut a feature at `2,5,10`, or in equal parts by `quantiles:4`; may be repeated
    --model, --test, --output  folders; /opt/ml/processing/{model,test,evaluation} unless given
    --champion FOLDER        the model to compare with, on the same rows; none where it is left out
    --pairs FOLDER           what the features job says of these rows, in `paired.json`; the test part where left out
    --baseline FOLDER        rows that the monitor's baseline is made of; none is made where it is left out

`contracts.evaluation_arguments.evaluation_arguments` makes the first three from the dataset's schema.

Environment:
    CHAMPION_EDGES  JSON list: what cuts the champion's live predictions into bins; empty where there are none

Reads `model.tar.gz` and the test part (CSV, label first, no header). Writes into the output folder
    evaluation.json   all metrics with bootstrap standard deviation and 95 % interval, the metric per slice, the
                      distribution of the predictions, and the champion's metrics with their paired differences, also
                      per slice, with the table of both models' bins
    golden.json       rows spread over the distribution of predictions, with the values this model gives
and into /opt/ml/processing/reports (`--reports`) the baseline's statistics.json and constraints.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tarfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xgboost

FOLDER = "/opt/ml/processing"
SEED, RESAMPLES, GOLDEN_ROWS, TOLERANCE = 20190301, 1000, 20, 1e-4
# Five bins: with more, chance alone moves the index further (by bins - 1 over rows) before anything is wrong.
BINS = 5
# As contracts/differences.py reads them: nothing of it is there where this runs.
LEVELS = (0.5, 0.9, 0.99, 1.0)
# Below what float32 keeps of a number.
SAME = 1e-6
# Of float32, which XGBoost computes with.
LARGEST = float(np.finfo(np.float32).max)
# Resampling costs rows times resamples; an interval from millions of rows is narrow with fewer.
MOST_DRAWS = 100_000_000


class EvaluationError(Exception):
    """The model cannot be evaluated; the message says why."""


class NotSharedError(Exception):
    """There are no rows that the champion can be asked about; the message says why."""


class SliceDefinition(NamedTuple):
    """A feature, and where it is cut: at `edges`, or in that many equal parts."""

    feature: str
    edges: list[float]
    quantiles: int


def main(argv: Sequence[str]) -> None:
    """Evaluate and write the results."""
    options = parse(argv)
    rows = load_test(options.test, len(options.features))
    labels, features = rows[:, 0], rows[:, 1:]
    booster = load_model(options.model, len(options.features))
    predictions = predict(booster, features)
    differ(labels, predictions)
    slices = [slice_definition(text, options.features) for text in options.slice]
    os.makedirs(options.output, exist_ok=True)
    result = evaluate(labels, predictions, options.metric, cut_all(features, options.features, slices))
    bins = result["distribution"]["edges"]
    result["champion"] = compare(options, booster, rows, slices, bins) if options.champion else None
    write(options.output, "evaluation.json", result)
    write(options.output, "golden.json", golden(features, predictions, options.features))
    if options.baseline:
        make_baseline(booster, options)
    print(json.dumps({"rows": len(rows), "metrics": result["regression_metrics"]}))


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Command line → options."""
    parser = argparse.ArgumentParser(description="Evaluate a model on held-out rows.")
    parser.add_argument("--metric", required=True, choices=sorted(METRICS))
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
    parts = [np.loadtxt(path, delimiter=",", ndmin=2) for path in paths if os.path.getsize(path)]
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


def predict(booster: xgboost.Booster, features: np.ndarray) -> np.ndarray:
    """One number per row, as the endpoint gives it."""
    predictions = np.asarray(booster.predict(xgboost.DMatrix(features)), dtype=np.float64)
    if predictions.shape != (len(features),) or not np.isfinite(predictions).all():
        raise EvaluationError("the model does not give one finite number per row")
    return predictions


def differ(labels: np.ndarray, predictions: np.ndarray) -> None:
    """Refuse what has learned nothing, however well it does: on one label a constant is perfect."""
    if one_value(labels):
        raise EvaluationError(
            f"all {len(labels)} test rows have the target {labels[0]:.8g}: on them the best model is one that knows"
            " nothing. Train on data in which the target differs"
        )
    if one_value(predictions):
        raise EvaluationError(
            f"the model answers {predictions[0]:.8g} to each of the {len(predictions)} test rows: it has learned"
            " nothing from their features. Look at the training data and the hyperparameters"
        )


def one_value(values: np.ndarray) -> bool:
    """Whether all are the same, as far as float32 and the digits of an answer tell."""
    return bool(np.ptp(values) <= SAME * np.max(np.abs(values)))


def make_baseline(booster: xgboost.Booster, options: argparse.Namespace) -> None:
    """What the monitor compares with: the rows set aside for it, with this model's answers."""
    sys.path.insert(0, FOLDER + "/analyzer/analyzer.zip")
    from functions.jobs.monitor.baseline import baseline  # only there where a baseline is asked for

    baseline(options.baseline, options.features, lambda rows: predict(booster, rows), options.reports)


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


METRICS = {"rmse": rmse, "mae": mae, "r2": r2}


def evaluate(
    labels: np.ndarray, predictions: np.ndarray, metric: str, parts: Sequence[tuple[str, np.ndarray]]
) -> dict[str, Any]:
    """The content of evaluation.json; `parts` are the slices, each with its name and which rows are in it."""
    metrics = {
        name: {"value": function(labels, predictions), **spread}
        for (name, function), spread in zip(METRICS.items(), bootstrap(labels, predictions))  # noqa: B905  # as above
        if np.isfinite(function(labels, predictions))
    }
    if metric not in metrics:
        raise EvaluationError(f"{metric} is undefined on these rows: all labels are equal")
    found = []
    for name, inside in parts:
        value = METRICS[metric](labels[inside], predictions[inside])
        if np.isfinite(value):
            found.append({"slice": name, "value": value, "rows": int(inside.sum())})
    return {
        "regression_metrics": metrics,
        "metric": metric,
        "rows": len(labels),
        "slices": found,
        "distribution": distribution(predictions),
    }


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


def bootstrap(labels: np.ndarray, predictions: np.ndarray) -> list[dict[str, Any]]:
    """Standard deviation and 95 % percentile interval of every metric, in the order of METRICS; always the same."""
    return resampled(
        len(labels),
        lambda rows: [function(labels[rows], predictions[rows]) for function in METRICS.values()],
    )


def resampled(size: int, measure: Callable[[np.ndarray], list[float]]) -> list[dict[str, Any]]:
    """Spread of each figure that `measure` takes of a draw of rows, with replacement; always the same draws."""
    random = np.random.default_rng(SEED)
    resamples = max(100, min(RESAMPLES, MOST_DRAWS // size))
    draws = np.array([measure(random.integers(size, size=size)) for _ in range(resamples)])
    return [summarise(column[np.isfinite(column)]) for column in draws.T]


def compare(
    options: argparse.Namespace,
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
        other = predict(load_model(options.champion, theirs.shape[1]), theirs)
    except NotSharedError as error:
        return {"problem": str(error)}
    except Exception as error:  # noqa: BLE001  whatever is wrong with it, ours can still be judged
        return {"problem": f"{type(error).__name__}: {error}"[:500]}
    predictions, found = predict(booster, features), []
    # One row has no spread.
    for name, inside in cut_all(features, options.features, slices):
        if inside.sum() > 1:
            one = differences(labels[inside], predictions[inside], other[inside], [options.metric])
            found += [{"slice": name, "rows": int(inside.sum()), **value} for value in one.values()]
    metrics = differences(labels, predictions, other, list(METRICS))
    doubts: dict[str, Any] = {key: told[key] for key in ("doubt", "foreign") if key in told}
    result = {"metrics": metrics, "slices": found, "rows": len(labels), "answers": apart(predictions, other), **doubts}
    live = json.loads(os.environ.get("CHAMPION_EDGES") or "[]")
    return {**result, "table": table(other, predictions, live, bins)} if live else result


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
    labels: np.ndarray, ours: np.ndarray, theirs: np.ndarray, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Metrics of the champion by name, where both are defined, each with the difference of ours to it."""
    spreads = dict(zip(names, paired(labels, ours, theirs, names)))  # noqa: B905  # as above
    values = {name: (METRICS[name](labels, ours), METRICS[name](labels, theirs)) for name in names}
    return {
        name: {"value": value, "difference": {"value": own - value, **spreads[name]}}
        for name, (own, value) in values.items()
        if np.isfinite(own) and np.isfinite(value)
    }


def paired(labels: np.ndarray, ours: np.ndarray, theirs: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """Spread of the difference of each metric, both models measured on the same resampled rows each time.

    What makes rows hard is hard for both: the difference varies far less than either metric does.
    """
    functions = [METRICS[name] for name in names]

    def measure(rows: np.ndarray) -> list[float]:
        target, own, other = labels[rows], ours[rows], theirs[rows]
        return [function(target, own) - function(target, other) for function in functions]

    return resampled(len(labels), measure)


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
    cuts = edges or sorted(set(np.quantile(column, np.arange(1, quantiles) / quantiles).tolist()))
    place = np.searchsorted(cuts, column, side="right")
    return [(label(name, cuts, number), place == number) for number in range(len(cuts) + 1) if (place == number).any()]


def label(name: str, edges: Sequence[float], number: int) -> str:
    """What a person reads: `2 <= distance < 5`."""
    low: float | None = edges[number - 1] if number else None
    high: float | None = edges[number] if number < len(edges) else None
    start = "" if low is None else f"{low:.4g} <= "
    end = "" if high is None else f" < {high:.4g}"
    return start + name + end


def golden(features: np.ndarray, predictions: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Rows with different predictions, distributed as the predictions are: replaying them looks like traffic."""
    order = np.argsort(predictions, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, GOLDEN_ROWS).round().astype(int)]
    _, first = np.unique(predictions[chosen], return_index=True)
    records = [
        {"features": dict(zip(names, features[row].tolist())), "prediction": float(predictions[row])}  # noqa: B905
        for row in chosen[first]
    ]
    return {"tolerance": TOLERANCE, "records": records}


def write(folder: str, name: str, document: dict[str, Any]) -> None:
    """Write one JSON file."""
    with open(os.path.join(folder, name), "w") as file:
        json.dump(document, file, indent=2, allow_nan=False)


if __name__ == "__main__":
    main(sys.argv[1:])
