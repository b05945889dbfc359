"""Hyperparameters of the built-in XGBoost algorithm: names, types, ranges, dependencies, as its container checks them.

https://github.com/aws/sagemaker-xgboost-container/blob/8450838/src/sagemaker_xgboost_container/algorithm_mode/hyperparameter_validation.py
"""

import ast
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


def _number(
    low: float = -math.inf, high: float = math.inf, *, open_low: bool = False, open_high: bool = False
) -> Check:
    def check(name: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise HyperparameterError(f"Hyperparameter {name}: could not parse value") from None
        inside = (low < value if open_low else low <= value) and (value < high if open_high else value <= high)
        if not inside:
            span = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
            raise HyperparameterError(f"Hyperparameter {name}: value {text} not in range {span}")
        return value

    return check


def _one_of(*values: str) -> Check:
    def check(name: str, text: str) -> str:
        if text not in values:
            raise HyperparameterError(f"Hyperparameter {name}: value {text} not in range {list(values)}")
        return text

    return check


def _list_of(*values: str) -> Check:
    def check(name: str, text: str) -> str:
        if not set(text.split(",")) <= set(values):
            raise HyperparameterError(f"Hyperparameter {name}: value {text.split(',')} not in range {list(values)}")
        return text

    return check


def _signs(name: str, text: str) -> Any:
    signs = _literal(name, text)
    if not isinstance(signs, tuple | list):
        raise HyperparameterError(f"Hyperparameter {name}: unexpected failure when validating {text}")
    if not all(sign in (-1, 0, 1) for sign in signs):
        raise HyperparameterError(f"Hyperparameter {name}: value {text} not in range [-1, 0, 1]")
    return signs


def _groups(name: str, text: str) -> Any:
    try:
        groups = _literal(name, text)
        inside = all(number >= 1 for group in groups for number in group)
    except TypeError:
        raise HyperparameterError(f"Hyperparameter {name}: unexpected failure when validating {text}") from None
    if not inside:
        raise HyperparameterError(f"Hyperparameter {name}: value {text} not in range [1, +inf)")
    return groups  # as the container does: XGBoost 3 then wants names of features


def _literal(name: str, text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        raise HyperparameterError(f"Hyperparameter {name}: could not parse value") from None


def _metrics(name: str, text: str) -> list[str]:
    """The container's list is cut at commas alone: a space belongs to the name."""
    metrics = text.split(",")
    for metric in metrics:
        own, at, number = metric.partition("@")
        if (own not in ("error", "ndcg", "map")) if at else (own not in METRICS):
            raise HyperparameterError(f"Hyperparameter {name}: value {metrics} not in range {sorted(METRICS)}")
        if at:
            _number()(name, number)
        if own in _CONTAINERS_OWN:
            raise HyperparameterError(f"not implemented by the rehearsal: metric {own}, which XGBoost alone has not")
    return metrics


def _objective_metric(name: str, text: str) -> str:
    """What a tuning job looks for; it sets this itself."""
    part, _, metric = text.partition(":")
    if part != "validation":
        raise HyperparameterError(f"Hyperparameter {name}: value {text} not in range of the metrics")
    _metrics(name, metric)
    return metric


_CONTAINERS_OWN = frozenset({
    "accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "mse", "precision", "precision_macro",
    "precision_micro", "r2", "recall", "recall_macro", "recall_micro",
})  # fmt: skip
MAXIMISED = (_CONTAINERS_OWN - {"mse"}) | {"auc", "aucpr", "map", "ndcg"}
METRICS = MAXIMISED | {
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy",
    "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle",
    "tweedie-nloglik",
}  # fmt: skip

_TREE_UPDATERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
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
    "device": _one_of("cpu"),
    "sketch_eps": _number(0, 1, open_low=True, open_high=True),
    "dsplit": _one_of("row", "col"),
    "predictor": _one_of("auto", "cpu_predictor"),
    "prob_buffer_row": _integer(2),
    "scale_pos_weight": _number(0, open_low=True),
    "updater": _list_of(*_TREE_UPDATERS, *_LINEAR_UPDATERS),
    "refresh_leaf": _integer(0, 1),
    "process_type": _one_of("default", "update"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "max_leaves": _integer(0),
    "max_bin": _integer(0),
    "monotone_constraints": _signs,
    "interaction_constraints": _groups,
    "sample_type": _one_of("uniform", "weighted"),
    "normalize_type": _one_of("tree", "forest"),
    "rate_drop": _number(0, 1),
    "one_drop": _integer(0, 1),
    "skip_drop": _number(0, 1),
    "lambda_bias": _number(0, 1),
    "tweedie_variance_power": _number(1, 2, open_low=True, open_high=True),
    "objective": _one_of(*_OBJECTIVES),
    "num_class": _integer(2),
    "base_score": _number(0),
    "eval_metric": _metrics,
    "_tuning_objective_metric": _objective_metric,
    "seed": _integer(-(2**31) + 1, 2**31 - 2),
    "num_parallel_tree": _integer(1),
    "deterministic_histogram": _one_of("true", "false"),
    "save_model_on_termination": _one_of("true", "false"),
    "aft_loss_distribution": _one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _number(0),
}
"""Without what the rehearsal cannot do: k-fold cross-validation, external memory and GPUs are refused as unknown."""


def parse(given: Mapping[str, str]) -> dict[str, Any]:
    """Typed values of `given`. Raises HyperparameterError for an unknown, missing or bad one."""
    given = {_ALIASES.get(name, name): text for name, text in given.items()}
    if "num_round" not in given:
        raise HyperparameterError("Missing required hyperparameter: num_round")
    for name in given:
        if name not in CHECKS and not name.startswith("sagemaker_"):
            raise HyperparameterError(f"Extraneous hyperparameter found: {name}")
    values = {name: CHECKS[name](name, text) for name, text in given.items() if name in CHECKS}
    _objective(values)
    _trees(values)
    return values


def _objective(values: Mapping[str, Any]) -> None:
    objective, metrics = values.get("objective", ""), values.get("eval_metric", ())
    if objective.startswith("multi:") and "num_class" not in values:
        raise HyperparameterError("Require input for parameter 'num_class' for multi-classification")
    if metrics and not objective:
        raise HyperparameterError("'objective'")  # a KeyError of the container's, which nobody catches
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise HyperparameterError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise HyperparameterError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _trees(values: Mapping[str, Any]) -> None:
    method, updaters = values.get("tree_method"), str(values.get("updater", "")).split(",")
    for name, methods in (
        ("monotone_constraints", ("exact", "hist")), ("interaction_constraints", ("exact", "hist", "approx")),
    ):  # fmt: skip
        if name in values and method not in methods:
            raise HyperparameterError(
                f"{name} can be used only when the tree_method parameter is set to either "
                + " or ".join([", ".join(f"'{each}'" for each in methods[:-1]), f"'{methods[-1]}'"])
                + "."
            )
    if updaters == [""]:
        return
    if values.get("booster") == "gblinear":
        if len(updaters) > 1 or updaters[0] not in _LINEAR_UPDATERS:
            raise HyperparameterError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif values.get("process_type") == "update":
        if not set(updaters) <= {"refresh", "prune"}:
            raise HyperparameterError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif not set(updaters) <= set(_TREE_UPDATERS):
        raise HyperparameterError("Tree updater should be selected from these options")
    elif sum(name in ("grow_colmaker", "distcol", "grow_histmaker") for name in updaters) > 1:
        raise HyperparameterError("Only one tree grow plugin can be selected")
