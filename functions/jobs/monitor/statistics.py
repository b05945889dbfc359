"""Statistics in Model Monitor's format (statistics.json).

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-statistics.html
A whole number counts as Integral however it is written: what features.sql computes as a float is `2008.0` there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from functions.jobs.monitor.table import Table

SKETCH = 2048
"""Most values of a column that its sketch keeps."""
BUCKETS = 10
DOMAIN = 100
"""Most different texts of a column that are listed."""


def statistics(names: Sequence[str], table: Table) -> dict[str, Any]:
    """The content of statistics.json. Columns beyond the names are called `_c<index>`."""
    known = [*names[: table.width], *(f"_c{index}" for index in range(len(names), table.width))]
    features = [_feature(name, table, column) for column, name in enumerate(known)]
    return {"version": 0.0, "dataset": {"item_count": table.rows}, "features": features}


def _feature(name: str, table: Table, column: int) -> dict[str, Any]:
    cells = table.numbers[:, column]
    numbers = cells[~np.isnan(cells)]
    texts = table.texts.get(column, Counter())
    present = len(numbers) + sum(texts.values())
    common = {"num_present": present, "num_missing": table.rows - present}
    if not present:
        return {
            "name": name,
            "inferred_type": "Unknown",
            "string_statistics": {"common": common, "distinct_count": 0.0},
        }
    if texts:
        return {"name": name, "inferred_type": "String", "string_statistics": _strings(numbers, texts, common)}
    kind = "Integral" if np.array_equal(numbers, np.floor(numbers)) else "Fractional"
    return {"name": name, "inferred_type": kind, "numerical_statistics": _numbers(numbers, common)}


def _numbers(numbers: np.ndarray, common: dict[str, int]) -> dict[str, Any]:
    low, high = float(np.min(numbers)), float(np.max(numbers))
    return {
        "common": common,
        "mean": float(np.mean(numbers)),
        "sum": float(np.sum(numbers)),
        "std_dev": float(np.std(numbers)),
        "min": low,
        "max": high,
        "distribution": {"kll": _kll(numbers, low, high)},
    }


def _kll(numbers: np.ndarray, low: float, high: float) -> dict[str, Any]:
    edges = np.linspace(low, high, BUCKETS + 1)
    inside = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, BUCKETS - 1)
    counts = np.bincount(inside, minlength=BUCKETS)
    buckets = [
        {"lower_bound": float(edges[index]), "upper_bound": float(edges[index + 1]), "count": float(counts[index])}
        for index in range(BUCKETS)
    ]
    return {"buckets": buckets, "sketch": {"parameters": {"c": 0.64, "k": float(SKETCH)}, "data": _levels(numbers)}}


def _levels(numbers: np.ndarray) -> list[list[float]]:
    """Levels of the sketch: a value of level n stands for 2**n of the column."""
    level = max(0, math.ceil(math.log2(len(numbers) / SKETCH)))
    ordered = np.sort(numbers)
    kept = ordered[2**level // 2 :: 2**level] if level else ordered
    return [*([] for _ in range(level)), kept.tolist()]


def sketch(feature: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Values and weights of a numerical feature's sketch, sorted by value."""
    levels = feature["numerical_statistics"]["distribution"]["kll"]["sketch"]["data"]
    values = np.array([value for values in levels for value in values], dtype=np.float64)
    weights = np.array([2.0**level for level, values in enumerate(levels) for _ in values], dtype=np.float64)
    order = np.argsort(values, kind="stable")
    return values[order], weights[order]


def _strings(numbers: np.ndarray, texts: Counter[str], common: dict[str, int]) -> dict[str, Any]:
    counts = Counter(texts)
    for value, count in zip(*np.unique(numbers, return_counts=True), strict=True):
        counts[f"{float(value):.15g}"] += int(count)
    answer: dict[str, Any] = {"common": common, "distinct_count": float(len(counts))}
    if len(counts) <= DOMAIN:
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        buckets = [{"value": value, "count": count} for value, count in ordered]
        answer["distribution"] = {"categorical": {"buckets": buckets}}
    return answer


def common_of(feature: dict[str, Any]) -> dict[str, int]:
    """How many values of a feature are there, and how many are missing."""
    found: dict[str, int] = (feature.get("numerical_statistics") or feature["string_statistics"])["common"]
    return found


def categories(feature: dict[str, Any]) -> dict[str, int] | None:
    """Count by text of a feature whose texts are listed; None for any other."""
    distribution = feature.get("string_statistics", {}).get("distribution")
    if distribution is None:
        return None
    return {bucket["value"]: bucket["count"] for bucket in distribution["categorical"]["buckets"]}
