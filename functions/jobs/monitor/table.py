"""Columns of numbers and texts, read from CSV lines as fast as numpy can."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

# A cell with nothing in it: numpy's reader wants a word for it.
_EMPTY = re.compile(r"(?<![^,\n])(?=[,\n]|\Z)")


@dataclass
class Table:
    """Rows as numbers; a cell that is none is NaN, and its text, if it has one, is counted in `texts` by column."""

    numbers: np.ndarray
    texts: dict[int, Counter[str]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.numbers)

    @property
    def width(self) -> int:
        """How many columns."""
        return int(self.numbers.shape[1])


def empty(width: int) -> Table:
    """A table without rows."""
    return Table(np.empty((0, width)))


def join(tables: Sequence[Table], width: int) -> Table:
    """One table of several that have `width` columns."""
    texts: dict[int, Counter[str]] = {}
    for table in tables:
        for column, counts in table.texts.items():
            texts.setdefault(column, Counter()).update(counts)
    return Table(np.concatenate([table.numbers for table in tables]) if tables else np.empty((0, width)), texts)


def beside(left: Table, right: Table) -> Table:
    """The columns of one table, then those of another with as many rows."""
    texts = {**left.texts, **{column + left.width: counts for column, counts in right.texts.items()}}
    return Table(np.hstack([left.numbers, right.numbers]), texts)


def most_probable(table: Table, classes: int) -> Table:
    """The first `classes` columns, probabilities, as one: the place of the largest; NaN where one is no number."""
    if classes < 2:
        return table
    told = table.numbers[:, :classes]
    place = np.where(np.isnan(told).any(axis=1), np.nan, np.nan_to_num(told).argmax(axis=1))
    texts = {column - classes + 1: counts for column, counts in table.texts.items() if column >= classes}
    return Table(np.column_stack([place, table.numbers[:, classes:]]), texts)


def parse(lines: Sequence[str]) -> Table | None:
    """CSV lines of one width as a table; None where their widths differ."""
    if not lines:
        return empty(0)
    width = lines[0].count(",") + 1
    numbers = _all_numbers("\n".join(lines), len(lines), width)
    if numbers is not None:
        return Table(numbers)
    rows = list(csv.reader(lines))
    return _mixed(rows) if len({len(row) for row in rows}) == 1 and len(rows) == len(lines) else None


def from_rows(rows: Sequence[Sequence[str]]) -> Table:
    """Cells of rows of one width as a table."""
    return _mixed(rows) if rows else empty(0)


def _all_numbers(text: str, rows: int, width: int) -> np.ndarray | None:
    """What is in the lines where all of it is numbers or nothing."""
    if width > 1 and (",," in text or text[0] == "," or text[-1] == "," or "\n," in text or ",\n" in text):
        text = _EMPTY.sub("nan", text)
    try:
        found = np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, comments=None)
    except ValueError:
        return None
    # numpy passes over empty lines, and infinity is no number to judge.
    return None if found.shape != (rows, width) or np.isinf(found).any() else found


def _mixed(rows: Sequence[Sequence[str]]) -> Table:
    numbers = np.full((len(rows), len(rows[0])), np.nan)
    texts: dict[int, Counter[str]] = {}
    for index, row in enumerate(rows):
        for column, cell in enumerate(row):
            number = number_in(cell)
            if number is None:
                texts.setdefault(column, Counter())[cell] += 1
            else:
                numbers[index, column] = number
    return Table(numbers, texts)


def number_in(cell: str) -> float | None:
    """The number that a cell holds, NaN where it holds nothing, None where it holds a text."""
    stripped = cell.strip()
    if not stripped:
        return math.nan
    try:
        value = float(stripped) if "_" not in stripped else math.inf
    except ValueError:
        return None
    return None if math.isinf(value) else value


def read_csv(texts: Iterable[str]) -> tuple[list[str], Table]:
    """Names and rows of CSV files that each begin with the same header. Raises ValueError."""
    names: list[str] = []
    tables = []
    for text in texts:
        head, _, body = text.partition("\n")
        found = next(csv.reader([head]))
        if names and found != names:
            raise ValueError(f"the files' headers differ: {','.join(names)} and {','.join(found)}")
        names = found
        table = parse(body.splitlines())
        if table is None or (table.rows and table.width != len(names)):
            raise ValueError(f"a row does not have the {len(names)} columns of the header")
        tables += [table] if table.rows else []
    return names, join(tables, len(names))
