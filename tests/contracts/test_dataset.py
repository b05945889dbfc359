"""The dataset's schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.dataset import parse_dataset
from contracts.evaluation_arguments import evaluation_arguments
from contracts.fields import FieldError
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
