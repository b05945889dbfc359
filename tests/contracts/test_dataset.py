"""The dataset's schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.dataset import Also, parse_dataset
from contracts.evaluation_arguments import evaluation_arguments
from contracts.fields import FieldError
from contracts.tasks import needed_rows
from functions.jobs.evaluate.evaluate import parse, slice_definition
from tests.functions import samples


def changed(**members: Any) -> str:
    return json.dumps({**json.loads(samples.DATASET_TEXT), **members})


def test_reads_the_shipped_schema() -> None:
    dataset = parse_dataset(samples.DATASET_TEXT)
    assert dataset.columns["pickup"].kind == "timestamp"
    assert dataset.metric.lower_is_better
    assert parse_dataset(json.loads(samples.DATASET_TEXT)) == dataset


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"target": "fare"}, "dataset.target: 'fare' is not among the columns"),
        ({"features": ["total"]}, "contain the target 'total'"),
        ({"features": ["split"]}, "may not be called 'split'"),
        ({"columns": {}}, "dataset.columns: must not be empty"),
        ({"columns": {"total": "float"}}, "dataset.columns.total: 'float' must be one of number, integer"),
        ({"slices": [{"feature": "fare", "edges": [1]}]}, r"slices\[0\].feature: 'fare' is not among the features"),
        ({"slices": [{"feature": "distance", "edges": [2, 1]}]}, "must be increasing numbers"),
        ({"slices": [{"feature": "distance"}]}, "needs either edges"),
        ({"slices": [{"feature": "distance", "quantiles": 11}]}, "must be at most 10, not 11"),
        ({"metric": {"name": "accuracy", "threshold": 1}}, "'accuracy' must be one of rmse, mae, r2"),
        ({"metric": {"name": "rmse", "threshold": "10"}}, "dataset.metric.threshold: must be a number"),
        ({"colour": 1}, "dataset.colour: is not known here"),
    ],
)
def test_refuses(members: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        parse_dataset(changed(**members))


def test_evaluation_reads_the_arguments_made_for_it() -> None:
    dataset = parse_dataset(samples.DATASET_TEXT)
    options = parse(evaluation_arguments(dataset))
    assert options.metric == "rmse"
    assert options.features == samples.FEATURES
    assert [slice_definition(text, options.features) for text in options.slice] == [
        ("distance", [2.0, 5.0, 10.0], 0),
        ("duration_minutes", [], 4),
    ]


def test_refuses_arguments_that_sagemaker_would_refuse() -> None:
    edges = list(range(1000, 1100))
    dataset = parse_dataset(changed(slices=[{"feature": "distance", "edges": edges}]))
    with pytest.raises(ValueError, match="longer than 256 characters"):
        evaluation_arguments(dataset)


def test_a_schema_without_a_task_is_a_regressions() -> None:
    dataset = parse_dataset(json.loads(samples.DATASET_TEXT))
    assert (dataset.task, dataset.classes, dataset.class_count) == ("regression", (), 0)
    assert "--task" not in evaluation_arguments(dataset)


@pytest.mark.parametrize(
    ("change", "count"),
    [({"task": "binary"}, 2), ({"task": "multiclass", "classes": ["a", "b c", "d+"]}, 3)],
)
def test_a_task_of_classes_is_told_to_the_evaluation(change: dict[str, Any], count: int) -> None:
    dataset = parse_dataset(
        json.loads(samples.DATASET_TEXT) | {"metric": {"name": "accuracy", "threshold": 0.5}} | change
    )
    assert dataset.class_count == count
    found = evaluation_arguments(dataset)
    assert found[found.index("--task") + 1 :][:3] == [dataset.task, "--classes", str(count)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"task": "ranking"}, "dataset.task: 'ranking' must be one of regression, binary, multiclass"),
        ({"task": "multiclass"}, "dataset.classes: are missing, and task multiclass needs them"),
        ({"task": "multiclass", "classes": ["a", "b"]}, "dataset.classes: are 2: multiclass needs three or more"),
        ({"task": "binary", "classes": ["a"]}, "dataset.classes: are 1, and task binary has two"),
        ({"task": "binary", "classes": ["a", 1]}, r"dataset.classes\[1\]: must be a name of 1 to 40 letters.* not 1"),
        (
            {"task": "multiclass", "classes": [f"class {place}" for place in range(51)]},
            "dataset.classes: are 51 names of .* characters in all, and there is room for 50 of 400",
        ),
        (
            {"task": "binary", "metric": {"name": "auc_macro", "threshold": 1}},
            "'auc_macro' must be one of auc, .* binary",
        ),
    ],
)
def test_a_task_and_its_classes_agree(change: dict[str, Any], reason: str) -> None:
    metric = {"metric": {"name": "logloss", "threshold": 0.5}} if change["task"] != "ranking" else {}
    with pytest.raises(FieldError, match=reason):
        parse_dataset(json.loads(samples.DATASET_TEXT) | metric | change)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([10, 10], ""),
        ([40, 0], "which takes at least 139 test rows where none of 40 is of the rarest"),
        ([0, 0], "which takes at least 11 test rows where none of 0 is of the rarest"),
        ([396, 4], "which takes about 1,000 test rows at the share of the rarest"),
    ],
)
def test_what_a_test_part_needs_is_worked_out(rows: list[int], words: str) -> None:
    assert needed_rows(rows) == words


@pytest.mark.parametrize(
    ("also", "reason"),
    [
        ([{"name": "mae"}], r"metric\.also\[0\]: needs a threshold, or nonInferior"),
        ([{"name": "f1", "threshold": 1}], r"metric\.also\[0\]\.name: 'f1' must be one of rmse, mae, r2, mape"),
        ([{"name": "mae", "nonInferior": -1}], r"metric\.also\[0\]\.nonInferior: must be 0 or more"),
        ([{"name": "rmse", "threshold": 1}], r"metric\.also: must name each metric once, and not rmse"),
        ([{"name": "mae", "threshold": 1}] * 2, r"metric\.also: must name each metric once"),
    ],
)
def test_further_metrics_are_checked(also: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(FieldError, match=reason):
        parse_dataset(changed(metric={"name": "rmse", "threshold": 10, "also": also}))


def test_reads_further_metrics() -> None:
    also = [{"name": "mae", "threshold": 3}, {"name": "r2", "nonInferior": 0.02}]
    found = parse_dataset(changed(metric={"name": "rmse", "threshold": 10, "also": also})).metric.also
    assert found == (Also("mae", 3.0), Also("r2", None, 0.02))
    assert [each.lower_is_better for each in found] == [True, False]
