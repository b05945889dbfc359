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
_FEWEST = 5000
"""Rows from which on the gate's interval is narrow enough to tell two models apart."""


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


def mixed(rows: Rows, column: int, share: float) -> Rows:
    """The rows, a share of them with the target of another row; several times, so that a small file is enough."""
    chance, found = random.Random(2), Rows()  # noqa: S311
    for _ in range(max(1, math.ceil(_FEWEST / len(rows)))):
        found += [
            _with(row, column, chance.choice(rows)[column]) if chance.random() < share else list(row) for row in rows
        ]
    return found


def share_between(labels: Any, predictions: Any, measure: Measure, value: float, threshold: float) -> float:
    """How many targets must be mixed up for a model that is clearly worse than `value`, and still passes.

    `labels` and `predictions` (numpy arrays) are those of held-out rows. The model that is trained on mixed targets
    is taken to answer what the good one does, drawn to the mean by as much.
    """

    def after(share: float) -> float:
        chance = random.Random(3)  # noqa: S311
        moved = labels.copy()
        for index in range(len(moved)):
            if chance.random() < share:
                moved[index] = labels[chance.randrange(len(labels))]
        return measure(moved, (1 - share) * predictions + share * labels.mean())

    worst = after(1.0)
    end = threshold if abs(threshold - value) < abs(worst - value) else worst
    wanted = (value + end) / 2
    shares = [step / _STEPS for step in range(_STEPS + 1)]
    return min(shares, key=lambda share: abs(after(share) - wanted))


def _with(row: Sequence[str], column: int, cell: str) -> list[str]:
    return [*row[:column], cell, *row[column + 1 :]]


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
