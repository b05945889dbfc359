"""XGBoost's hyperparameters as the built-in algorithm's container checks them: names, ranges, and what goes together.

What the container refuses fails a training job, minutes after a run has begun; so config is refused before. The table
is the container's own for the image that trains, 3.2-0 (contracts/images.py):
https://github.com/aws/sagemaker-xgboost-container/blob/8450838/src/sagemaker_xgboost_container/algorithm_mode/hyperparameter_validation.py

Stricter than the container, each in words: what the container lets pass and XGBoost 3.2 refuses (`gpu_hist`, two
updaters, an objective, `interaction_constraints`, classes without a `multi:` objective), and what makes several models
or belongs to a tuning job (names with an underscore).
"""

import ast
import difflib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from settings.kinds import FAULTY, Kind, Problems, Scalar, TableOf

Given = Mapping[str, str]
"""Sound hyperparameters by the container's first name for each; values as they are handed to it."""

ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
ROUNDS = "num_round"
_MEANT = {"n_estimators": ROUNDS, "num_boost_round": ROUNDS, "random_state": "seed", "n_jobs": "nthread"}
"""XGBoost's names in Python, which the container does not know."""
_SCALAR = Scalar()
_NOT_HERE = {
    "_kfold": "is not supported: cross-validation makes several models, and one is released",
    "_num_cv_round": "is not supported: cross-validation makes several models, and one is released",
    "_tuning_objective_metric": "is not supported: a tuning job sets it",
    "use_dask_gpu_training": "is not supported: it trains by Dask on several GPUs",
    "interaction_constraints": "is not supported: XGBoost 3.2 wants names of features, and the container's have none",
}
_GPU_HIST = "is not known to XGBoost 3: set tree_method to hist, and device to cuda"


@dataclass(frozen=True)
class Interval(Kind):
    """A number between bounds, of which `above` and `below` say that they do not belong to it; or a `whole` one."""

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False
    whole: bool = False

    @property
    def wanted(self) -> str:
        noun = "a whole number" if self.whole else "a number"
        if math.isfinite(self.high) and not (self.above or self.below):
            return f"{noun} from {self.low:.15g} to {self.high:.15g}"
        low = f"{'above' if self.above else 'of at least'} {self.low:.15g}"
        if not math.isfinite(self.high):
            return f"{noun} {low}"
        return f"{noun} {low} and {'below' if self.below else 'at most'} {self.high:.15g}"

    def convert(self, value: Any) -> str:
        if isinstance(value, bool):
            raise ValueError
        whole = self.whole and isinstance(value, float) and value.is_integer()
        # As the container reads them: int() takes no "100.0".
        text = _SCALAR.convert(int(value) if whole else value)
        number = int(text) if self.whole else float(text)
        if not (math.isfinite(number) and self._holds(number)):
            raise ValueError
        return text

    def _holds(self, number: float) -> bool:
        low = number > self.low if self.above else number >= self.low
        return low and (number < self.high if self.below else number <= self.high)


@dataclass(frozen=True)
class OneOf(Kind):
    """One of some texts; true and false among them may be written without quotes."""

    options: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.options)}"

    def convert(self, value: Any) -> str:
        text = _SCALAR.convert(value)
        if text not in self.options:
            raise ValueError
        return text


@dataclass(frozen=True)
class Several(Kind):
    """Some of `options`, with commas between them and no spaces; those of `at` may have a threshold, as error@0.7."""

    options: tuple[str, ...]
    at: tuple[str, ...] = ()

    @property
    def wanted(self) -> str:
        more = f"; {', '.join(self.at)} may have a threshold, like {self.at[0]}@0.7" if self.at else ""
        return f"a text of one or more of {', '.join(self.options)}, with commas between them and no spaces{more}"

    def convert(self, value: Any) -> str:
        text = _SCALAR.convert(value)
        for item in text.split(","):
            name, threshold, number = item.partition("@")
            if name not in (self.at if threshold else self.options):
                raise ValueError
            if threshold:
                float(number)
        return text


@dataclass(frozen=True)
class Constraints(Kind):
    """A Python literal: a tuple of -1, 0 and 1 for each feature."""

    @property
    def wanted(self) -> str:
        return 'a text in quotes with -1, 0 or 1 for each feature, like "(1, 0, -1)"'

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError
        try:
            found = ast.literal_eval(value)
        except (SyntaxError, MemoryError, RecursionError, TypeError):
            raise ValueError from None
        if not isinstance(found, tuple) or not all(type(sign) is int and sign in (-1, 0, 1) for sign in found):
            raise ValueError
        return value


def _whole(low: float, high: float = math.inf) -> Interval:
    return Interval(low, high, whole=True)


_TREE_UPDATERS = ("grow_colmaker", "grow_histmaker", "sync", "refresh", "prune")
_GROWING = ("grow_colmaker", "grow_histmaker")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_TO_BE_MAXIMISED = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2",
    "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro",
)  # fmt: skip
_TO_BE_MINIMISED = (
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy",
    "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle",
    "tweedie-nloglik",
)  # fmt: skip
_OBJECTIVES = (
    "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob",
    "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma",
    "reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox",
)  # fmt: skip
_CONSTRAINED = "monotone_constraints"
_METHODS = ("exact", "hist")
"""By which trees must be made for that."""
_SHARE, _PART = Interval(0, 1), Interval(0, 1, above=True)
_SWITCH, _FLAG = _whole(0, 1), OneOf(("true", "false"))

KINDS: Mapping[str, Kind] = {
    ROUNDS: _whole(1),
    "csv_weights": _SWITCH,
    "early_stopping_rounds": _whole(1),
    "booster": OneOf(("gbtree", "gblinear", "dart")),
    "verbosity": _whole(0, 3),
    "nthread": _whole(1),
    "eta": _SHARE,
    "gamma": Interval(0),
    "max_depth": _whole(0),
    "min_child_weight": Interval(0),
    "max_delta_step": Interval(0),
    "subsample": _PART,
    "colsample_bytree": _PART,
    "colsample_bylevel": _PART,
    "colsample_bynode": _PART,
    "lambda": Interval(0),
    "alpha": Interval(0),
    "tree_method": OneOf(("auto", "exact", "approx", "hist")),
    "device": OneOf(("cpu", "cuda", "gpu")),
    "sketch_eps": Interval(0, 1, above=True, below=True),
    "scale_pos_weight": Interval(0, above=True),
    "updater": Several((*_TREE_UPDATERS, *_LINEAR_UPDATERS)),
    "dsplit": OneOf(("row", "col")),
    "refresh_leaf": _SWITCH,
    "process_type": OneOf(("default", "update")),
    "grow_policy": OneOf(("depthwise", "lossguide")),
    "max_leaves": _whole(0),
    "max_bin": _whole(0),
    "predictor": OneOf(("auto", "cpu_predictor", "gpu_predictor")),
    _CONSTRAINED: Constraints(),
    "sample_type": OneOf(("uniform", "weighted")),
    "normalize_type": OneOf(("tree", "forest")),
    "rate_drop": _SHARE,
    "one_drop": _SWITCH,
    "skip_drop": _SHARE,
    "lambda_bias": _SHARE,
    "tweedie_variance_power": Interval(1, 2, above=True, below=True),
    "objective": OneOf(_OBJECTIVES),
    "num_class": _whole(2),
    "base_score": Interval(0),
    "eval_metric": Several((*_TO_BE_MAXIMISED, *_TO_BE_MINIMISED), at=("error", "ndcg", "map")),
    "seed": Interval(-(2**31), 2**31 - 1, above=True, below=True, whole=True),
    "num_parallel_tree": _whole(1),
    "save_model_on_termination": _FLAG,
    "aft_loss_distribution": OneOf(("normal", "logistic", "extreme")),
    "aft_loss_distribution_scale": Interval(0),
    "deterministic_histogram": _FLAG,
    "sampling_method": OneOf(("uniform", "gradient_based")),
    "prob_buffer_row": Interval(1, above=True, whole=True),
}


@dataclass(frozen=True)
class Hyperparameters(TableOf):
    """The object of hyperparameters. It is read as `Given`."""

    item: Kind = _SCALAR
    plural: str = "hyperparameters and their values"

    def members(self, value: Any, path: str, problems: Problems) -> Any:
        read: dict[str, Any] = {}
        before = len(problems.lines)
        for name, item in value.items():
            self._member(name, item, path, read, problems)
        if ROUNDS not in map(_first, value):
            problems.note(f"{path}.{ROUNDS}", f"is missing; set it to {KINDS[ROUNDS].wanted}")
        if len(problems.lines) > before:
            return FAULTY
        wrong = [found for rule in _RULES for found in rule(read)]
        for name, reason in wrong:
            problems.note(f"{path}.{name}", reason)
        return FAULTY if wrong else read

    def _member(self, name: Any, item: Any, path: str, read: dict[str, Any], problems: Problems) -> None:
        own, first = f"{path}.{name}", _first(name)
        if name in _NOT_HERE:
            problems.note(own, _NOT_HERE[name])
        elif first not in KINDS:
            close = [_MEANT[name]] if name in _MEANT else difflib.get_close_matches(str(name), [*KINDS, *ALIASES], n=1)
            problems.note(own, "unknown hyperparameter" + (f"; did you mean {close[0]}?" if close else ""))
        elif first in read:
            problems.note(own, f"is another name of {first}, which is given as well; remove one of them")
        elif (first, item) == ("tree_method", "gpu_hist"):
            read[first] = problems.refuse(own, item, _GPU_HIST)
        else:
            read[first] = KINDS[first].read(item, own, problems)


def _first(name: Any) -> Any:
    return ALIASES.get(name, name)


# --- what goes together: hyperparameter and reason, of sound values -------------------------------------------------

Rule = Callable[[Given], Iterator[tuple[str, str]]]


def _classes(given: Given) -> Iterator[tuple[str, str]]:
    objective = given.get("objective", "")
    several = objective.startswith("multi:")
    if several and "num_class" not in given:
        yield "num_class", f"is missing, and objective {objective} needs it; set it to {KINDS['num_class'].wanted}"
    if "num_class" in given and not several:
        yield "num_class", f"needs an objective that begins with multi:, not {objective or 'none'}; take one out"


def _metrics(given: Given) -> Iterator[tuple[str, str]]:
    """The container looks the objective up, and fails without one."""
    if "eval_metric" not in given:
        return
    if "objective" not in given:
        yield "objective", "is missing, and eval_metric needs it; set it"
        return
    metrics, objective = given["eval_metric"].split(","), given["objective"]
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        yield "eval_metric", f"auc needs an objective that begins with binary: or rank:, not {objective}"
    if "aft-nloglik" in metrics and objective != "survival:aft":
        yield "eval_metric", f"aft-nloglik needs the objective survival:aft, not {objective}"


def _trees(given: Given) -> Iterator[tuple[str, str]]:
    method = given.get("tree_method")
    if _CONSTRAINED in given and method not in _METHODS:
        found = f"is {method}" if method else "is missing"
        yield "tree_method", f"{found}, and {_CONSTRAINED} needs one of {', '.join(_METHODS)}; set it"


def _updaters(given: Given) -> Iterator[tuple[str, str]]:
    if "updater" not in given:
        return
    updaters = given["updater"].split(",")
    if given.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in _LINEAR_UPDATERS:
            yield "updater", f"booster gblinear takes one of {', '.join(_LINEAR_UPDATERS)}"
    elif given.get("process_type") == "update":
        if not set(updaters) <= {"refresh", "prune"}:
            yield "updater", "process_type update takes refresh and prune alone"
    elif not set(updaters) <= set(_TREE_UPDATERS):
        yield "updater", f"trees take {', '.join(_TREE_UPDATERS)}"
    elif sum(name in _GROWING for name in updaters) > 1:
        yield "updater", f"only one of {', '.join(_GROWING)} can grow trees"


_RULES: tuple[Rule, ...] = (_classes, _metrics, _trees, _updaters)
