"""What keys about the training say of one another."""

from typing import Any

import numpy
import pytest
import xgboost

from settings.load import parse, review
from settings.training import OWN_METRICS, with_metric
from tests.settings.configs import DATASET, config

TREES = {"objective": "reg:squarederror", "num_round": 10}


def problems(**changes: Any) -> list[str]:
    return review("delivery", config("delivery", **changes))[1]


def test_the_wait_for_spot_machines_holds_the_training() -> None:
    assert parse("delivery", config("delivery", training={"spot": True})).training.max_wait_minutes == 120
    given = {"spot": True, "minutes": 30, "maxWaitMinutes": 45}
    assert parse("delivery", config("delivery", training=given)).training.max_wait_minutes == 45
    short = "is less than training.minutes, 30, which it holds beside the wait for machines; raise it"
    assert problems(training={**given, "maxWaitMinutes": 29}) == [f"glidepath:training.maxWaitMinutes: 29 {short}"]
    none = "is of Spot machines alone: set training.spot to true, or take it out"
    assert problems(training={**given, "spot": False}) == [f"glidepath:training.maxWaitMinutes: 45 {none}"]


@pytest.mark.parametrize("exact", [{"tree_method": "exact"}, {"updater": "grow_colmaker,prune"}])
def test_the_exact_method_trains_on_one_machine(exact: dict[str, str]) -> None:
    given = {**TREES, **exact}
    reason = "are too many for the exact tree method, which trains on one machine: take 1, or tree_method hist"
    found = problems(training={"instanceCount": 2}, hyperparameters=given)
    assert found == [f"glidepath:training.instanceCount: 2 {reason}"]
    assert problems(training={"instanceCount": 1}, hyperparameters=given) == []
    assert problems(training={"instanceCount": 2}, hyperparameters=TREES) == []


TUNING = {"trials": 8, "ranges": {"eta": [0.05, 0.5], "max_depth": [2, 10]}}


def test_a_tuning_has_defaults_and_takes_the_place_of_what_it_varies() -> None:
    assert parse("delivery", config("delivery")).tuning is None
    tuning = parse("delivery", config("delivery", tuning=TUNING)).tuning
    assert tuning is not None
    assert (tuning.trials, tuning.parallel, tuning.strategy) == (8, 2, "bayesian")
    assert tuning.ranges == {"eta": (0.05, 0.5), "max_depth": (2.0, 10.0)}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"parallel": 9}, "parallel: 9 is more than tuning.trials, 8; lower it"),
        (
            {"ranges": {"eta": [0.5, 0.1]}},
            "ranges.eta: [0.5, 0.1] must be two numbers, the smaller one first",
        ),
        ({"ranges": {"eta": [1, 2, 3]}}, "ranges.eta: [1.0, 2.0, 3.0] must be two numbers, the smaller one first"),
        ({"ranges": {"eta": [0.1, 1.5]}}, "ranges.eta: 1.5 is not a number from 0 to 1"),
        ({"ranges": {"max_depth": [1.5, 4]}}, "ranges.max_depth: 1.5 is not a whole number of at least 0"),
        ({"ranges": {"seed": [1, 4]}}, "ranges.seed: 'seed' is not one of num_round, max_depth, eta, "),
        ({"ranges": {}}, "ranges: is empty"),
        ({"trials": 1}, "trials: 1 is not a whole number from 2 to 750"),
    ],
)
def test_what_a_tuning_job_could_not_do_is_refused(change: dict[str, Any], line: str) -> None:
    (found,) = problems(tuning={**TUNING, **change})
    assert found.startswith(f"glidepath:tuning.{line}")


def test_a_tuning_looks_for_what_the_container_measures_and_not_on_spot_machines() -> None:
    metric = {**DATASET, "metric": {"name": "r2", "threshold": 0.5}}
    (found,) = problems(tuning=TUNING, dataset=metric)
    assert found.startswith("glidepath:dataset.metric.name: 'r2' is not written by XGBoost's container")
    (found,) = problems(tuning=TUNING, training={"spot": True})
    assert found.startswith("glidepath:training.spot: True cannot stand beside glidepath:tuning")


def test_a_tuning_job_stops_early_by_what_it_looks_for() -> None:
    assert problems(tuning=TUNING, hyperparameters={**TREES, "early_stopping_rounds": 5}) == []


MISSING = (
    "glidepath:hyperparameters.eval_metric: is missing, and without it early_stopping_rounds stops nothing: set it to"
    " what the training stops by"
)
UPSIDE_DOWN = (
    "glidepath:hyperparameters.eval_metric: 'ndcg@5' is last, and the container would stop by it as if less were"
    " better; put another metric last"
)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"early_stopping_rounds": 5, "eval_metric": "mae,rmse"}, None),
        ({"eval_metric": "rmse"}, None),
        ({"early_stopping_rounds": 5}, None),
        ({"early_stopping_rounds": 5, "objective": "reg:tweedie"}, MISSING),
        ({"early_stopping_rounds": 5, "eval_metric": "rmse,ndcg@5"}, UPSIDE_DOWN),
    ],
)
def test_early_stopping_needs_a_metric_that_the_container_knows(more: dict[str, Any], line: str | None) -> None:
    assert problems(hyperparameters={**TREES, **more}) == ([line] if line else [])


@pytest.mark.parametrize("objective", OWN_METRICS)
def test_a_training_that_stops_early_measures_what_xgboost_measures_by_itself(objective: str) -> None:
    labels = [0, 1, 0, 1] if objective.startswith(("binary:", "multi:", "reg:logistic")) else [1, 2, 1, 2]
    data = xgboost.DMatrix(numpy.array([[0.0], [1.0], [2.0], [3.0]]), label=labels)
    more = {"num_class": 2} if objective.startswith("multi:") else {}
    if objective == "survival:aft":
        data.set_float_info("label_lower_bound", numpy.ones(4))
        data.set_float_info("label_upper_bound", numpy.ones(4))
    measured: dict[str, dict[str, list[float]]] = {}
    named = {"objective": objective, **more}
    xgboost.train(named, data, 1, evals=[(data, "v")], evals_result=measured, verbose_eval=False)
    assert list(measured["v"]) == [OWN_METRICS[objective]]
    given = {**named, "num_round": "5", "early_stopping_rounds": "2"}
    assert with_metric({"hyperparameters": given, "tuning": None}) == {**given, "eval_metric": OWN_METRICS[objective]}
    chosen = {**given, "eval_metric": "mae"}
    assert with_metric({"hyperparameters": chosen, "tuning": None}) == chosen
