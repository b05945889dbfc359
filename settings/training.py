"""What keys about the training say of one another, and of XGBoost's container (docs/training.md has it for people)."""

from collections.abc import Mapping
from typing import Any

from contracts.tuning import MEASURED
from settings.hyperparameters import KINDS
from settings.kinds import FAULTY, Problems
from settings.limits import Values
from settings.sections import NAMESPACE

_MEASURED = " or ".join([", ".join(MEASURED[:-1]), MEASURED[-1]])
_PATH = f"{NAMESPACE}:training"


OWN_METRICS = {
    "binary:hinge": "error",
    "binary:logistic": "logloss",
    "binary:logitraw": "logloss",
    "count:poisson": "poisson-nloglik",
    "multi:softprob": "mlogloss",
    "reg:absoluteerror": "mae",
    "reg:gamma": "gamma-deviance",
    "reg:linear": "rmse",
    "reg:logistic": "rmse",
    "reg:pseudohubererror": "mphe",
    "reg:squarederror": "rmse",
    "reg:squaredlogerror": "rmsle",
    "survival:aft": "aft-nloglik",
    "survival:cox": "cox-nloglik",
}
"""Objective → the metric that XGBoost itself measures where none is named: the objectives' `DefaultEvalMetric`.

https://github.com/dmlc/xgboost/tree/master/src/objective
"""


def with_metric(values: Values) -> Any:
    """The hyperparameters, with the objective's own metric where a training is to stop early and none is named.

    XGBoost would measure by it, and its container stop by none (`_stopping`).
    """
    given: Any = values["hyperparameters"]
    if not isinstance(given, Mapping) or values["tuning"] is not None:
        return given
    own = OWN_METRICS.get(given.get("objective", ""))
    if own is None or "early_stopping_rounds" not in given or given.get("eval_metric"):
        return given
    return {**given, "eval_metric": own}


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


def _tuning(values: Values, problems: Problems) -> None:
    """What AWS's tuning takes, of XGBoost's own table: ranges, a metric that the container writes, and no more at once
    than there are trials."""
    tuning = values["tuning"]
    if tuning is FAULTY or tuning is None:
        return
    path = f"{NAMESPACE}:tuning"
    if _sound(tuning, "trials", "parallel") and tuning["parallel"] > tuning["trials"]:
        reason = f"is more than tuning.trials, {tuning['trials']}; lower it"
        problems.refuse(f"{path}.parallel", tuning["parallel"], reason)
    for name, ends in tuning["ranges"].items() if _sound(tuning, "ranges") else ():
        _range(f"{path}.ranges.{name}", name, ends, problems)
    dataset, training = values["dataset"], values["training"]
    if dataset is not FAULTY and dataset and (metric := dataset["metric"]["name"]) not in MEASURED:
        reason = f"is not written by XGBoost's container, and tuning looks for the gate's metric: take {_MEASURED}, or"
        problems.refuse(f"{NAMESPACE}:dataset.metric.name", metric, f"{reason} leave tuning out")
    if _sound(training, "spot") and training["spot"]:
        reason = "cannot stand beside glidepath:tuning: its trainings would share checkpoints; take out the one or the"
        problems.refuse(f"{_PATH}.spot", True, f"{reason} other")


def _range(path: str, name: str, ends: tuple[float, ...], problems: Problems) -> None:
    if len(ends) != 2 or not ends[0] < ends[1]:
        problems.refuse(path, list(ends), "must be two numbers, the smaller one first; correct it")
        return
    for end in ends:
        # As a job is given it: what is whole has no point.
        KINDS[name].read(int(end) if end.is_integer() else end, path, problems)


def _stopping(values: Values, problems: Problems) -> None:
    """The container stops by the last of eval_metric, and by none where there is none.

    https://github.com/aws/sagemaker-xgboost-container/blob/8450838/src/sagemaker_xgboost_container/algorithm_mode/train.py
    (train_job). It knows which way a metric is better by its whole name: `ndcg@5` would be minimised (callback.py).
    """
    given = values["hyperparameters"]
    # A tuning job has the container stop by what it looks for.
    if values["tuning"] is not None or given is FAULTY or "early_stopping_rounds" not in given:
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


RULES = (_spot, _several, _tuning, _stopping)
