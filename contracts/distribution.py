"""How a model's predictions are distributed: the bins that live traffic is held against."""

from __future__ import annotations

import math
from dataclasses import dataclass

from contracts.fields import FieldError, Fields, number

MOST_BINS = 9
"""An alarm takes ten metrics at most, and each bin is one."""


@dataclass(frozen=True)
class Distribution:
    """`edges` cut the predictions into bins (a prediction on an edge lies above it); `shares` of the rows in each.

    A model that predicts one value for everything has no edges, and one bin.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]


def check_bins(edges: tuple[float, ...], bins: int, path: str, member: str) -> None:
    """Edges increase, and a document's `member` has one entry for each bin between them. Raises FieldError."""
    if list(edges) != sorted(set(edges)):
        raise FieldError(f"{path}.edges", f"must be increasing numbers, not {list(edges)}")
    if bins != len(edges) + 1 or bins > MOST_BINS:
        raise FieldError(f"{path}.{member}", f"must be one more than edges and at most {MOST_BINS}, not {bins}")


def parse_distribution(value: object, path: str) -> Distribution:
    """`{"edges": [...], "shares": [...]}`; a FieldError names place and reason."""
    fields = Fields(value, path)
    found = Distribution(fields.items("edges", number), fields.items("shares", number))
    fields.done()
    check_bins(found.edges, len(found.shares), path, "shares")
    if min(found.shares) <= 0 or not math.isclose(sum(found.shares), 1.0, abs_tol=1e-6):
        raise FieldError(f"{path}.shares", f"must be above 0 and add up to 1, not {list(found.shares)}")
    return found
