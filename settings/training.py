"""What keys about the training say of one another, and of XGBoost's container (docs/training.md has it for people)."""

from typing import Any

from settings.kinds import FAULTY, Problems
from settings.limits import Values
from settings.sections import NAMESPACE

_PATH = f"{NAMESPACE}:training"


def wait_minutes(training: Values) -> int:
    """When a job on Spot machines is given up: where it is not given, after two whole trainings."""
    given: int | None = training["maxWaitMinutes"]
    return 2 * training["minutes"] if given is None else given


def _spot(values: Values, problems: Problems) -> None:
    """MaxWaitTimeInSeconds is Spot's alone, and holds MaxRuntimeInSeconds.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
    """
    training = values["training"]
    if not _sound(training, "spot", "minutes", "maxWaitMinutes") or training["maxWaitMinutes"] is None:
        return
    path, waits, runs = f"{_PATH}.maxWaitMinutes", training["maxWaitMinutes"], training["minutes"]
    if not training["spot"]:
        problems.refuse(path, waits, "is of Spot machines alone: set training.spot to true, or take it out")
    elif waits < runs:
        reason = f"is less than training.minutes, {runs}, which it holds beside the wait for machines; raise it"
        problems.refuse(path, waits, reason)


def _several(values: Values, problems: Problems) -> None:
    """XGBoost's exact method knows no other machine.

    https://xgboost.readthedocs.io/en/stable/treemethod.html ("Exact solution … can't be used for distributed training")
    """
    training, given = values["training"], values["hyperparameters"]
    if given is FAULTY or not _sound(training, "instanceCount") or training["instanceCount"] == 1:
        return
    exact = given.get("tree_method") == "exact" or "grow_colmaker" in given.get("updater", "").split(",")
    if exact:
        reason = "are too many for the exact tree method, which trains on one machine: take 1, or tree_method hist"
        problems.refuse(f"{_PATH}.instanceCount", training["instanceCount"], reason)


def _stopping(values: Values, problems: Problems) -> None:
    """The container stops by the last of eval_metric, and by none where there is none.

    https://github.com/aws/sagemaker-xgboost-container/blob/8450838/src/sagemaker_xgboost_container/algorithm_mode/train.py
    (train_job). It knows which way a metric is better by its whole name: `ndcg@5` would be minimised (callback.py).
    """
    given = values["hyperparameters"]
    if given is FAULTY or "early_stopping_rounds" not in given:
        return
    metric = given.get("eval_metric", "").split(",")[-1]
    path = f"{NAMESPACE}:hyperparameters"
    if not metric:
        reason = "is missing, and without it early_stopping_rounds stops nothing: set it to what the training stops by"
        problems.note(f"{path}.eval_metric", reason)
    elif metric.startswith(("ndcg@", "map@")):
        reason = "is last, and the container would stop by it as if less were better; put another metric last"
        problems.refuse(f"{path}.eval_metric", metric, reason)


def _sound(values: Any, *names: str) -> bool:
    return values is not FAULTY and all(values[name] is not FAULTY for name in names)


RULES = (_spot, _several, _stopping)
