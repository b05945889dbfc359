"""What a tuning job may vary, and what it may look for."""

from __future__ import annotations

from contracts.tasks import MULTICLASS

WHOLE = ("num_round", "max_depth")
TUNABLE = (
    *WHOLE, "eta", "gamma", "min_child_weight", "subsample", "colsample_bytree", "colsample_bylevel",
    "colsample_bynode", "lambda", "alpha",
)  # fmt: skip
"""Hyperparameters that XGBoost's container calls tunable, whole numbers first. Without `max_delta_step`, which is a
whole number on AWS's page and none in the container:
https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html
https://github.com/aws/sagemaker-xgboost-container/blob/8450838/src/sagemaker_xgboost_container/algorithm_mode/hyperparameter_validation.py
"""
MAXIMIZE, MINIMIZE = "Maximize", "Minimize"
_MEASURED = {
    "rmse": ("rmse", MINIMIZE),
    "mae": ("mae", MINIMIZE),
    "auc": ("auc", MAXIMIZE),
    "logloss": ("logloss", MINIMIZE),
    "accuracy": ("accuracy", MAXIMIZE),
}
MEASURED = tuple(_MEASURED)
"""Metrics of the gate that the container writes of the validation part too, by the page above."""


def objective_of(metric: str, task: str) -> tuple[str, str]:
    """What the container calls a metric of the gate, and whether more of it is better. Raises KeyError for others."""
    name, direction = _MEASURED[metric]
    return ("mlogloss" if (metric, task) == ("logloss", MULTICLASS) else name), direction
