"""How two models put the same held-out rows into bins: what the evaluation knows of the pair, and what a shift from the
one to the other is held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.distribution import check_bins
from contracts.fields import FieldError, Fields, items, number, whole


@dataclass(frozen=True)
class CrossTable:
    """`edges` cut the old model's predictions into bins, as its predict function counts them (a prediction on an edge
    lies above it); `rows` has, for each of its bins, the held-out rows by the new model's bin."""

    edges: tuple[float, ...]
    rows: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """All held-out rows of the table."""
        return sum(map(sum, self.rows))


def parse_table(value: object, path: str) -> CrossTable:
    """`{"edges": [...], "rows": [[...], ...]}`; a FieldError names place and reason."""
    fields = Fields(value, path)
    found = CrossTable(fields.items("edges", number), fields.items("rows", _row))
    fields.done()
    check_bins(found.edges, len(found.rows), path, "rows")
    if not found.edges:
        raise FieldError(f"{path}.edges", "must not be empty: predictions in one bin say nothing")
    width = len(found.rows[0])
    for place, row in enumerate(found.rows):
        if len(row) != width:
            raise FieldError(f"{path}.rows[{place}]", f"must have {width} numbers as the first row has, not {len(row)}")
    return found


def check_table(table: CrossTable, bins: int, rows: int, path: str) -> None:
    """Whether it is of a new model with so many bins and of so many rows. Raises FieldError."""
    if len(table.rows[0]) != bins:
        reason = f"must have one number for each of the new model's {bins} bins, not {len(table.rows[0])}"
        raise FieldError(f"{path}.rows[0]", reason)
    if table.total != rows:
        raise FieldError(f"{path}.rows", f"must add up to the {rows} rows of the pair, not {table.total}")


def render_table(table: CrossTable) -> dict[str, Any]:
    """What `parse_table` reads."""
    return {"edges": list(table.edges), "rows": [list(row) for row in table.rows]}


def _row(value: object, path: str) -> tuple[int, ...]:
    return items(value, path, whole)
