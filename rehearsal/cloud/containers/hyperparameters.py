"""Hyperparameters of the built-in XGBoost algorithm: names, types and ranges as its container checks them."""

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[str, str], Any]


class HyperparameterError(Exception):
    """A hyperparameter that the container refuses; the message is the container's own."""


def _integer(low: float = -math.inf, high: float = math.inf) -> Check:
    def check(name: str, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise HyperparameterError(f"Hyperparameter {name}: could not parse value") from None
        if not low <= value <= high:
            raise HyperparameterError(f"Hyperparameter {name}: value {text} not in range [{low}, {high}]")
        return value

    return check


def _number(low: float = -math.inf, high: float = math.inf, *, open_low: bool = False) -> Check:
    def check(name: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise HyperparameterError(f"Hyperparameter {name}: could not parse value") from None
        inside = (low < value if open_low else low <= value) and value <= high
        if not inside:
            raise HyperparameterError(
                f"Hyperparameter {name}: value {text} not in range {'(' if open_low else '['}{low}, {high}]"
            )
        return value

    return check


def _one_of(*values: str) -> Check:
    def check(name: str, text: str) -> str:
        if text not in values:
            raise HyperparameterError(f"Hyperparameter {name}: value {text} not in range {list(values)}")
        return text

    return check


def _text(_: str, text: str) -> str:
    return text


def _metrics(name: str, text: str) -> list[str]:
    metrics = [metric.strip() for metric in text.strip("[]").split(",")]
    for metric in metrics:
        if metric.split("@")[0] not in METRICS:
            raise HyperparameterError(f"Hyperparameter {name}: value {metric} not in range {sorted(METRICS)}")
    return metrics


MAXIMISED = frozenset({"accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "map", "ndcg", "precision", "r2"})
METRICS = MAXIMISED | {
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy",
    "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle",
    "tweedie-nloglik",
}  # fmt: skip

_OBJECTIVES = (
    "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob",
    "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma",
    "reg:absoluteerror", "reg:pseudohubererror", "reg:squaredlogerror", "reg:tweedie", "survival:aft", "survival:cox",
)  # fmt: skip

CHECKS: Mapping[str, Check] = {
    "num_round": _integer(1),
    "csv_weights": _integer(0, 1),
    "early_stopping_rounds": _integer(1),
    "booster": _one_of("gbtree", "gblinear", "dart"),
    "verbosity": _integer(0, 3),
    "nthread": _integer(1),
    "eta": _number(0, 1),
    "gamma": _number(0),
    "max_depth": _integer(0),
    "min_child_weight": _number(0),
    "max_delta_step": _number(0),
    "subsample": _number(0, 1, open_low=True),
    "sampling_method": _one_of("uniform", "gradient_based"),
    "colsample_bytree": _number(0, 1, open_low=True),
    "colsample_bylevel": _number(0, 1, open_low=True),
    "colsample_bynode": _number(0, 1, open_low=True),
    "lambda": _number(0),
    "alpha": _number(0),
    "tree_method": _one_of("auto", "exact", "approx", "hist"),
    "scale_pos_weight": _number(0, open_low=True),
    "updater": _text,
    "refresh_leaf": _integer(0, 1),
    "process_type": _one_of("default", "update"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "max_leaves": _integer(0),
    "max_bin": _integer(0),
    "monotone_constraints": _text,
    "interaction_constraints": _text,
    "sample_type": _one_of("uniform", "weighted"),
    "normalize_type": _one_of("tree", "forest"),
    "rate_drop": _number(0, 1),
    "one_drop": _integer(0, 1),
    "skip_drop": _number(0, 1),
    "lambda_bias": _number(0, 1),
    "tweedie_variance_power": _number(1, 2, open_low=True),
    "objective": _one_of(*_OBJECTIVES),
    "num_class": _integer(2),
    "base_score": _number(0),
    "eval_metric": _metrics,
    "seed": _integer(-(2**31), 2**31 - 1),
    "num_parallel_tree": _integer(1),
    "deterministic_histogram": _one_of("true", "false"),
    "save_model_on_termination": _one_of("true", "false"),
    "aft_loss_distribution": _one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _number(0, open_low=True),
}
"""Without what the rehearsal cannot do: k-fold cross-validation, external memory and GPUs are refused as unknown."""


def parse(given: Mapping[str, str]) -> dict[str, Any]:
    """Typed values of `given`. Raises HyperparameterError for an unknown, missing or bad one."""
    for name in given:
        if name not in CHECKS and not name.startswith("sagemaker_"):
            raise HyperparameterError(f"Extraneous hyperparameter found: {name}")
    if "num_round" not in given:
        raise HyperparameterError("Missing required hyperparameter: num_round")
    values = {name: CHECKS[name](name, text) for name, text in given.items() if name in CHECKS}
    if str(values.get("objective", "")).startswith("multi:") and "num_class" not in values:
        raise HyperparameterError("Require input for parameter 'num_class' for multi-classification")
    return values
