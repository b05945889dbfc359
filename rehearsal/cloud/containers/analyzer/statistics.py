"""Statistics and suggested constraints in the model monitor's JSON layout."""

import math
from typing import Any

from rehearsal.cloud.containers.analyzer.dataset import Dataset, quoted

SKETCH_SIZE = 2048
_BUCKETS = 10
_INTEGRAL = r"^\s*[+-]?[0-9]+\s*$"
_MAX_DOMAIN = 100
MONITORING_CONFIG: dict[str, Any] = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 1.0,
    "domain_content_threshold": 1.0,
    "distribution_constraints": {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
    },
}


def statistics(data: Dataset) -> dict[str, Any]:
    """The content of statistics.json."""
    rows = data.one("SELECT count(*) FROM data")[0]
    features = [_feature(data, name) for name in data.columns]
    return {"version": 0.0, "dataset": {"item_count": rows}, "features": features}


def type_counts(data: Dataset, name: str) -> dict[str, int]:
    """How many values of a column are of which type; empty ones are of none."""
    column = quoted(name)
    integral, number, present = data.one(
        f"SELECT count(*) FILTER (regexp_matches({column}, '{_INTEGRAL}')),"
        f" count(*) FILTER (TRY_CAST({column} AS DOUBLE) IS NOT NULL), count({column}) FROM data"
    )
    return {"Integral": integral, "Fractional": number - integral, "String": present - number, "present": present}


def _feature(data: Dataset, name: str) -> dict[str, Any]:
    counts = type_counts(data, name)
    missing = data.one("SELECT count(*) FROM data")[0] - counts["present"]
    common = {"num_present": counts["present"], "num_missing": missing}
    kind = _inferred(counts)
    if kind in ("Integral", "Fractional"):
        return {"name": name, "inferred_type": kind, "numerical_statistics": _numbers(data, name, common)}
    return {"name": name, "inferred_type": kind, "string_statistics": _strings(data, name, common)}


def _inferred(counts: dict[str, int]) -> str:
    if not counts["present"]:
        return "Unknown"
    if counts["String"]:
        return "String"
    return "Fractional" if counts["Fractional"] else "Integral"


def _numbers(data: Dataset, name: str, common: dict[str, int]) -> dict[str, Any]:
    values = f"(SELECT CAST({quoted(name)} AS DOUBLE) AS v FROM data WHERE {quoted(name)} IS NOT NULL)"
    mean, total, deviation, low, high = data.one(f"SELECT avg(v), sum(v), stddev_pop(v), min(v), max(v) FROM {values}")
    return {
        "common": common, "mean": mean, "sum": total, "std_dev": deviation, "min": low, "max": high,
        "distribution": {"kll": _kll(data, values, common["num_present"], low, high)},
    }  # fmt: skip


def _kll(data: Dataset, values: str, count: int, low: float, high: float) -> dict[str, Any]:
    width = (high - low) / _BUCKETS
    edges = [low + width * index for index in range(_BUCKETS)] + [high]
    if width == 0:
        counts = [0] * (_BUCKETS - 1) + [count]
    else:
        found = data.connection.execute(
            f"SELECT least({_BUCKETS - 1}, CAST(floor((v - {low!r}) / {width!r}) AS INTEGER)), count(*)"
            f" FROM {values} GROUP BY 1"
        ).fetchall()
        by_bucket = dict(found)
        counts = [int(by_bucket.get(index, 0)) for index in range(_BUCKETS)]
    return {
        "buckets": [
            {"lower_bound": edges[index], "upper_bound": edges[index + 1], "count": float(counts[index])}
            for index in range(_BUCKETS)
        ],
        "sketch": {"parameters": {"c": 0.64, "k": float(SKETCH_SIZE)}, "data": _sketch(data, values, count)},
    }


def _sketch(data: Dataset, values: str, count: int) -> list[list[float]]:
    """Levels of a KLL sketch: an item of level n stands for 2**n values."""
    level = max(0, math.ceil(math.log2(count / SKETCH_SIZE))) if count > SKETCH_SIZE else 0
    stride = 2**level
    rows = data.connection.execute(
        f"SELECT v FROM (SELECT v, row_number() OVER (ORDER BY v) AS n FROM {values})"
        f" WHERE n % {stride} = {stride // 2} ORDER BY v"
        if stride > 1
        else f"SELECT v FROM {values} ORDER BY v"
    ).fetchall()
    return [[] for _ in range(level)] + [[float(row[0]) for row in rows]]


def _strings(data: Dataset, name: str, common: dict[str, int]) -> dict[str, Any]:
    column = quoted(name)
    distinct = data.one(f"SELECT count(DISTINCT {column}) FROM data")[0]
    answer: dict[str, Any] = {"common": common, "distinct_count": float(distinct)}
    if 0 < distinct <= _MAX_DOMAIN:
        found = data.connection.execute(
            f"SELECT {column}, count(*) FROM data WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
        buckets = [{"value": value, "count": number} for value, number in found]
        answer["distribution"] = {"categorical": {"buckets": buckets}}
    return answer


def constraints(found: dict[str, Any], data: Dataset) -> dict[str, Any]:
    """The content of constraints.json, suggested by the statistics `found` in `data`."""
    rows = found["dataset"]["item_count"]
    features = []
    for feature in found["features"]:
        numbers = feature.get("numerical_statistics")
        common = (numbers or feature["string_statistics"])["common"]
        entry: dict[str, Any] = {
            "name": feature["name"],
            "inferred_type": feature["inferred_type"],
            "completeness": common["num_present"] / rows if rows else 0.0,
        }
        if numbers:
            entry["num_constraints"] = {"is_non_negative": numbers["min"] >= 0}
        elif "distribution" in feature["string_statistics"]:
            buckets = feature["string_statistics"]["distribution"]["categorical"]["buckets"]
            entry["string_constraints"] = {"domains": [bucket["value"] for bucket in buckets]}
        features.append(entry)
    return {"version": 0.0, "features": features, "monitoring_config": MONITORING_CONFIG}
