"""What a model is asked for: a number, which of two classes, or which of several; and what it is measured by.

Features.sql gives a class as a number: 0, 1, …, the place of its name among the `classes`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from contracts.fields import FieldError

REGRESSION, BINARY, MULTICLASS = TASKS = ("regression", "binary", "multiclass")
METRICS = {
    REGRESSION: ("rmse", "mae", "r2", "mape"),
    BINARY: ("auc", "pr_auc", "logloss", "f1", "f1_macro", "accuracy", "balanced_accuracy", "rmse", "mae", "r2"),
    MULTICLASS: ("auc_macro", "pr_auc_macro", "logloss", "f1_macro", "accuracy", "balanced_accuracy"),
}
"""By task. What measures numbers takes a binary model's probability as one: its squared rmse is the Brier score."""
NAMES = tuple(dict.fromkeys(name for names in METRICS.values() for name in names))
"""All of them, each once."""
LOWER_IS_BETTER = {name: name in ("rmse", "mae", "mape", "logloss") for name in NAMES}
CLASS_ROWS = 10
"""Fewest test rows of a class that anything is judged by.

What is said of a share by its normal form (an interval, the loss that would have been seen) needs ten rows on either
side: Moore, The Basic Practice of Statistics, 4th edition, chapter 13 (np >= 10 and n(1 - p) >= 10),
http://www.gocolumbia.org/landessm/Basic_Practive_of_Statistics/BPS4e_chapter13_files/slide0879.htm
"""
CLASS_NAME = r"[A-Za-z0-9_][A-Za-z0-9_ .+-]{0,39}"
MOST_CLASSES, CLASS_CHARACTERS = 50, 400
"""Of classes, and of their names as JSON: they share the 4,096 bytes of a Lambda function's environment with the
features' names (settings/limits.py)."""
_ANSWERS = {BINARY: ("binary:logistic", "reg:logistic"), MULTICLASS: ("multi:softprob",)}
"""Objectives by which a model answers probabilities, and not a score or a bare class.

https://xgboost.readthedocs.io/en/release_3.2.0/parameter.html#learning-task-parameters
"""
_SETTLED = {"binary:logistic": BINARY, "multi:softprob": MULTICLASS, "multi:softmax": MULTICLASS}
"""Objectives that are of one task. The others answer a number, whatever it means."""


def task_of(objective: str) -> str:
    """The task that goes without saying."""
    return _SETTLED.get(objective, REGRESSION)


def disagreement(task: str, objective: str) -> str:
    """Why a task cannot be learned by an objective, and what to do; empty where it can."""
    settled = task_of(objective)
    if objective == "multi:softmax":
        return "answers a class without probabilities, and those are what is measured; set it to multi:softprob"
    if task == REGRESSION:
        return "" if settled == REGRESSION else f"is of {settled}, and dataset.task is {task}; make them agree"
    if objective in _ANSWERS[task]:
        return ""
    wanted = " or ".join(_ANSWERS[task])
    return f"gives no probabilities for dataset.task {task}; set it to {wanted}, or set another task"


def needed_rows(rows: Sequence[int]) -> str:
    """What a test part lacks that has so many `rows` of each class, in words; empty where it has enough.

    Where a class has no row, how rare it is can only be bounded: with 95 % confidence its share is below
    1 - 0.05^(1/n), since otherwise one would have been seen (Hanley and Lippman-Hand, If nothing goes wrong, is
    everything all right?, JAMA 249, 1983: the rule of three).
    """
    total, fewest = sum(rows), min(rows)
    if fewest >= CLASS_ROWS:
        return ""
    if fewest:
        return f"which takes about {math.ceil(CLASS_ROWS * total / fewest):,} test rows at the share of the rarest"
    least = math.ceil(CLASS_ROWS / (1 - 0.05 ** (1 / max(1, total))))
    return f"which takes at least {least:,} test rows where none of {total} is of the rarest"


def wrong_classes(task: str, classes: tuple[str, ...]) -> str:
    """What is wrong with the number of classes."""
    count, length = len(classes), len(json.dumps(classes))
    if task == MULTICLASS and not count:
        return "are missing, and task multiclass needs them: name those of the target's values 0, 1, 2, … in order"
    if task == MULTICLASS and count < 3:
        return f"are {count}: multiclass needs three or more; set task to binary for two"
    if task == BINARY and count not in (0, 2):
        return f"are {count}, and task binary has two: name those of the target's values 0 and 1, or leave them out"
    if task == REGRESSION and count:
        return "are of no use to task regression: take them out, or set task"
    if len(set(classes)) < count:
        return "name one twice: take it out, or rename it"
    if count > MOST_CLASSES or length > CLASS_CHARACTERS:
        room = f"there is room for {MOST_CLASSES} of {CLASS_CHARACTERS}"
        return f"are {count} names of {length} characters in all, and {room}: join some, or take shorter names"
    return ""


def class_name(value: object, path: str) -> str:
    """One name; a FieldError says where it stands and what is wrong."""
    if not isinstance(value, str) or not re.fullmatch(CLASS_NAME, value):
        raise FieldError(path, f"must be a name of 1 to 40 letters, digits, spaces and _.+-, not {value!r}")
    return value
