"""The data of the tour: the rows that the first release sees, and the longer window that the second one sees."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import UserError
from contracts.retraining import UPLOADED

# The share of the rows that the first release is trained on; the rest arrives later, as new data does.
FIRST_SHARE = 0.6
MIX = (0.4, 0.95)
"""Which shares of the rows, by target, are another mix of them."""
DEARER = 1.25
"""How much larger the target is in it: a model of before is wrong about it, one that is trained on it is not."""
_FEW_VALUES = 20
DATA_KEY = f"{UPLOADED}rehearsed.csv"
"""Where uploads lie in the data bucket."""


@dataclass(frozen=True)
class Table:
    """Rows of a CSV file: `source` says where they come from, `header` and `rows` are as read."""

    source: str
    header: list[str]
    rows: list[list[str]]

    def window(self, share: float) -> str:
        """The first `share` of the rows, as CSV text with header."""
        return to_csv(self.header, self.rows[: self.share(share)])

    def share(self, share: float) -> int:
        """How many rows the first `share` of them are; at least one."""
        return max(1, int(len(self.rows) * share))


def another_mix(table: Table, target: str) -> str:
    """Rows as they come when the world has changed: those with larger targets, without the very largest, and dearer.

    Where the target is no column of its own, or not a number, the later rows. Where it has few values it stays as is.
    """
    try:
        column = table.header.index(target)
        ordered = sorted(table.rows, key=lambda row: float(row[column]))
    except (ValueError, IndexError):
        return to_csv(table.header, table.rows[int(len(table.rows) * MIX[0]) :])
    low, high = (int(len(ordered) * share) for share in MIX)
    chosen = {id(row) for row in ordered[low:high]}
    dearer = len({row[column] for row in table.rows}) > _FEW_VALUES
    rows = [row for row in table.rows if id(row) in chosen]
    return to_csv(table.header, [_dearer(row, column) for row in rows] if dearer else rows)


def _dearer(row: list[str], column: int) -> list[str]:
    value = float(row[column]) * DEARER
    text = f"{value:.2f}" if "." in row[column] else str(round(value))
    return [*row[:column], text, *row[column + 1 :]]


def to_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV text with a header line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def read_table(path: Path) -> Table:
    """Rows of `path`, as they stand.

    What is wrong with the *contents* (a missing column, rows that do not parse) is for the pipeline to say: the tour
    refuses only what it cannot deliver at all.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"no data file at {path}", "name a CSV file that exists: make rehearse DATA=<csv>") from None
    except (UnicodeDecodeError, IsADirectoryError, PermissionError) as error:
        raise UserError(f"{path} cannot be read as UTF-8 text: {error}", "give a CSV file in UTF-8") from None
    try:
        lines = [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:
        raise UserError(f"{path} cannot be read as CSV: {error}", "give a CSV file with a header line") from None
    if not lines:
        raise UserError(f"{path} is empty", "give a CSV file with a header line and at least one row")
    return Table(path.as_posix(), lines[0], lines[1:])
