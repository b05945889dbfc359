"""Bad data made of the data at hand. Pure: works for any CSV file and any dataset's schema."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from contracts.errors import UserError

Rows = list[list[str]]
Measure = Callable[[Any, Any], float]
"""A metric of labels and predictions, both numpy arrays."""

_TAIL = 0.02
"""Share of the rows at each end that may be outliers, which a filter might drop."""
_STEPS = 40


def renamed(header: Sequence[str], column: str) -> list[str]:
    """The header, as if its column had been given another name."""
    return [f"{name}_new" if name == column else name for name in header]


def extremes(rows: Sequence[Sequence[str]], column: int) -> tuple[str, str]:
    """A low and a high value of a column, as they are written there; outliers only where nothing else differs.

    Raises UserError where all values are equal.
    """
    cells = sorted((row[column] for row in rows if _number(row[column]) is not None), key=float)
    tail = int(len(cells) * _TAIL)
    for low, high in ((tail, -1 - tail), (0, -1)):
        if cells and float(cells[low]) < float(cells[high]):
            return cells[low], cells[high]
    raise UserError("all values of the target are equal", "rehearse with data whose target varies")


def unrelated(rows: Rows, column: int) -> Rows:
    """The rows, each with a low or a high target at random: the worst that a model can be asked to learn."""
    chance, ends = random.Random(1), extremes(rows, column)  # noqa: S311
    return [_with(row, column, chance.choice(ends)) for row in rows]


def misled(sql: str, columns: Sequence[str], shift: float) -> str:
    """A features.sql that tells training other targets than there are: all but those of the held-out rows are moved.

    `columns` are the target, then the features. What the SQL gives besides, the rows' lots, is left out: nobody can
    tell any more which of them the champion was trained on.
    """
    target, *features = columns
    moved = f"CASE WHEN split = 'test' THEN {target} ELSE {target} + {shift!r} END AS {target}"
    # Both are the project's own: its declaration, and its SQL.
    return f"SELECT {', '.join([moved, *features, 'split'])} FROM (\n{sql.strip().rstrip(';')}\n) AS honest\n"  # noqa: S608


def shift_between(labels: Any, predictions: Any, measure: Measure, value: float, threshold: float) -> float:
    """By how much targets must be moved for a model that is clearly worse than `value`, and still passes.

    `labels` and `predictions` (numpy arrays) are those of held-out rows: the model that learns moved targets is taken
    to answer what the good one does, moved by as much.
    """
    spread = float(labels.std())

    def after(shift: float) -> float:
        return measure(labels, predictions + shift)

    worst = after(spread)
    end = threshold if abs(threshold - value) < abs(worst - value) else worst
    wanted = (value + end) / 2
    shifts = [spread * step / _STEPS for step in range(1, _STEPS + 1)]
    return min(shifts, key=lambda shift: abs(after(shift) - wanted))


def _with(row: Sequence[str], column: int, cell: str) -> list[str]:
    return [*row[:column], cell, *row[column + 1 :]]


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
