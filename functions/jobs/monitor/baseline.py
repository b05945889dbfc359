"""The baseline of a release: what its own requests and answers look like, from the rows that were set aside for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from functions.jobs.monitor.constraints import constraints
from functions.jobs.monitor.statistics import statistics
from functions.jobs.monitor.table import Table, read_csv


class BaselineError(Exception):
    """No baseline can be made; the message says why."""


def baseline(folder: str, features: Sequence[str], predict: Callable[[np.ndarray], np.ndarray], output: str) -> int:
    """Write statistics.json and constraints.json; the number of rows.

    The rows have the label first, as captured records have the answer. In its place comes what the model answers: the
    labels are distributed otherwise, and of a classification they are whole numbers where answers are probabilities.
    """
    names, table = _rows(folder)
    if names[1:] != list(features):
        raise BaselineError(f"the baseline's columns are {', '.join(names)}, not the target and {', '.join(features)}")
    answers = predict(table.numbers[:, 1:]).reshape(-1, 1)
    texts = {column: counts for column, counts in table.texts.items() if column}
    answered = Table(np.hstack([answers, table.numbers[:, 1:]]), texts)
    found = statistics(names, answered)
    os.makedirs(output, exist_ok=True)
    for name, content in (("statistics.json", found), ("constraints.json", constraints(found))):
        Path(output, name).write_text(json.dumps(content, indent=2, allow_nan=False), encoding="utf-8")
    return answered.rows


def _rows(folder: str) -> tuple[list[str], Table]:
    paths = sorted(path for path in Path(folder).iterdir() if not path.name.startswith(("_", ".")))
    texts = (path.read_text(encoding="utf-8") for path in paths if path.stat().st_size)
    try:
        names, table = read_csv(texts)
    except ValueError as error:
        raise BaselineError(f"the baseline's rows cannot be read: {error}") from None
    if not table.rows:
        raise BaselineError(f"there are no rows in {folder}: is the baseline part of the features empty?")
    return names, table
