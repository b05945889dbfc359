"""What keys about the training say of one another."""

from typing import Any

import pytest

from settings.load import parse, review
from tests.settings.configs import config

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
        ({"early_stopping_rounds": 5}, MISSING),
        ({"early_stopping_rounds": 5, "eval_metric": "rmse,ndcg@5"}, UPSIDE_DOWN),
    ],
)
def test_early_stopping_needs_a_metric_that_the_container_knows(more: dict[str, Any], line: str | None) -> None:
    assert problems(hyperparameters={**TREES, **more}) == ([line] if line else [])
