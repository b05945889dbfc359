"""The task of a dataset, and the objective that trains for it: they agree, or one line says how they do not."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from settings import parse
from settings.model import Settings
from tests.settings.configs import DATASET, config

SOFTPROB = {"objective": "multi:softprob", "num_class": 3, "num_round": 10}
LOGISTIC = {"objective": "binary:logistic", "num_round": 10}
SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


def read(metric: str, hyperparameters: dict[str, Any], **dataset: Any) -> Settings:
    document = DATASET | {"metric": {"name": metric, "threshold": 0.5}} | dataset
    return parse("delivery", config("delivery", dataset=document, hyperparameters=hyperparameters))


def problems(metric: str, hyperparameters: dict[str, Any], **dataset: Any) -> list[str]:
    with pytest.raises(pulumi.RunError) as caught:
        read(metric, hyperparameters, **dataset)
    return [line.removeprefix("  - glidepath:") for line in str(caught.value).splitlines()[1:]]


def test_a_regression_is_stored_as_it_was_before_there_were_tasks() -> None:
    """Config of today goes on, and what is stored of it has the same name."""
    found = parse("delivery", config("delivery"))
    assert found.dataset is not None
    assert found.dataset.task == "regression"
    assert json.loads(json.dumps(found.dataset_document)) == DATASET


@pytest.mark.parametrize("metric", ["rmse", "mae", "r2", "auc", "f1"])
def test_the_task_follows_from_a_binary_objective(metric: str) -> None:
    """Those by which a probability was measured as a number still do so."""
    found = read(metric, LOGISTIC)
    assert found.dataset is not None
    assert (found.dataset.task, found.dataset.class_count) == ("binary", 2)
    assert found.dataset_document["task"] == "binary"


@pytest.mark.parametrize("objective", ["binary:logitraw", "binary:hinge", "reg:logistic", "count:poisson"])
def test_what_answers_a_number_is_a_regression_unless_config_says_otherwise(objective: str) -> None:
    found = read("rmse", {"objective": objective, "num_round": 10})
    assert found.dataset is not None
    assert found.dataset.task == "regression"


def test_several_classes_are_named() -> None:
    found = read("f1_macro", SOFTPROB, classes=SPECIES)
    assert found.dataset is not None
    assert (found.dataset.task, found.dataset.classes) == ("multiclass", tuple(SPECIES))
    assert found.dataset_document == DATASET | {
        "metric": {"name": "f1_macro", "threshold": 0.5}, "classes": SPECIES, "task": "multiclass",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "hyperparameters", "dataset", "expected"),
    [
        (
            "rmse",
            LOGISTIC,
            {"task": "regression"},
            (
                "hyperparameters.objective: 'binary:logistic' is of binary, and dataset.task is regression; make them"
                " agree"
            ),
        ),
        (
            "auc",
            LOGISTIC | {"objective": "binary:hinge"},
            {"task": "binary"},
            ("hyperparameters.objective: 'binary:hinge' gives no probabilities for dataset.task binary; set it to"
            " binary:logistic or reg:logistic, or set another task"),
        ),
        (
            "auc_macro",
            LOGISTIC,
            {"task": "multiclass", "classes": SPECIES},
            ("hyperparameters.objective: 'binary:logistic' gives no probabilities for dataset.task multiclass; set"
            " it to multi:softprob, or set another task"),
        ),
        (
            "accuracy",
            SOFTPROB | {"objective": "multi:softmax"},
            {"classes": SPECIES},
            ("hyperparameters.objective: 'multi:softmax' answers a class without probabilities, and those are what is"
            " measured; set it to multi:softprob"),
        ),
        (
            "accuracy",
            SOFTPROB | {"num_class": 4},
            {"classes": SPECIES},
            "hyperparameters.num_class: '4' is not the number of dataset.classes, 3; make them agree",
        ),
        (
            "accuracy",
            SOFTPROB,
            {},
            ("dataset.classes: are missing, and task multiclass needs them: name those of the target's values 0, 1, 2,"
            " … in order"),
        ),
        (
            "f1_macro",
            {"objective": "reg:squarederror", "num_round": 10},
            {},
            "dataset.metric.name: 'f1_macro' must be one of rmse, mae, r2, mape for task regression",
        ),
        ("auc", LOGISTIC, {"classes": ["no"]}, ("dataset.classes: are 1, and task binary has two: name those of the"
         " target's values 0 and 1, or leave them out")),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_named_before_anything_is_trained(
    metric: str, hyperparameters: dict[str, Any], dataset: dict[str, Any], expected: str
) -> None:
    assert problems(metric, hyperparameters, **dataset) == [expected]
