"""How far the answers of two models lie apart on the same held-out rows: measured by the evaluation, believed before
traffic moves from the one to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.distribution import check_bins
from contracts.fields import FieldError, Fields, number

LEVELS = (0.5, 0.9, 0.99, 1.0)
"""Shares of a bin's rows; its `quantiles` are what the difference does not exceed on so many of them."""
USUAL, LARGEST = LEVELS.index(0.9), LEVELS.index(1.0)
"""Places of the quantiles that live answers are held against: a tenth of the rows lies beyond the one, none beyond the
other."""


@dataclass(frozen=True)
class Bin:
    """Rows whose former answers lie between two edges, and the quantiles of |new - former| on them, by LEVELS."""

    rows: int
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Differences:
    """`edges` cut the former model's answers into bins (an answer on an edge lies above it); no bin is empty."""

    edges: tuple[float, ...]
    bins: tuple[Bin, ...]


def parse_differences(value: object, path: str) -> Differences:
    """`{"edges": [...], "bins": [{"rows", "quantiles"}]}`; a FieldError names place and reason."""
    fields = Fields(value, path)
    found = Differences(fields.items("edges", number), fields.items("bins", _bin))
    fields.done()
    check_bins(found.edges, len(found.bins), path, "bins")
    return found


def render_differences(found: Differences) -> dict[str, Any]:
    """What `parse_differences` reads."""
    bins = [{"rows": each.rows, "quantiles": list(each.quantiles)} for each in found.bins]
    return {"edges": list(found.edges), "bins": bins}


def _bin(value: object, path: str) -> Bin:
    fields = Fields(value, path)
    found = Bin(fields.count("rows", least=1), fields.items("quantiles", number))
    fields.done()
    sound = len(found.quantiles) == len(LEVELS) and list(found.quantiles) == sorted(found.quantiles)
    if not sound or found.quantiles[0] < 0:
        reason = f"must be {len(LEVELS)} numbers of 0 or more that do not fall, not {list(found.quantiles)}"
        raise FieldError(f"{path}.quantiles", reason)
    return found
