"""Where data breaks the constraints of its baseline."""

import bisect
import itertools
import math
from collections.abc import Mapping
from typing import Any

from rehearsal.cloud.containers.analyzer.dataset import Dataset, quoted
from rehearsal.cloud.containers.analyzer.statistics import MONITORING_CONFIG, type_counts

Violation = dict[str, str]


def violations(
    baseline: dict[str, Any], found: dict[str, Any], data: Dataset, distances: Mapping[str, float]
) -> list[Violation]:
    """Every violation of the baseline's constraints, in the order of the features."""
    config = baseline.get("monitoring_config", MONITORING_CONFIG)
    if config.get("evaluate_constraints", "Enabled") != "Enabled":
        return []
    broken = _columns(baseline, data)
    by_name = {feature["name"]: feature for feature in found["features"]}
    for wanted in baseline["features"]:
        name = wanted["name"]
        if name not in by_name:
            continue
        settings = {**config, **wanted.get("monitoringConfigOverrides", {})}
        broken += _type(wanted, data, settings)
        broken += _completeness(wanted, by_name[name])
        broken += _domain(wanted, data, settings)
        if name in distances:
            broken += _drift(name, distances[name], settings)
    return broken


def _columns(baseline: dict[str, Any], data: Dataset) -> list[Violation]:
    wanted = [feature["name"] for feature in baseline["features"]]
    missing = [name for name in wanted if name not in data.columns]
    extra = [name for name in data.columns if name not in wanted]
    counts = (
        f"Number of columns in current dataset: {len(data.columns)}, Number of columns in baseline constraints:"
        f" {len(wanted)}"
    )
    broken = [
        _violation("Missing columns", "missing_column_check", f"There are missing columns in current dataset. {counts}")
    ] * bool(missing)
    if extra:
        text = f"There are extra columns in current dataset. {counts}"
        broken.append(_violation("Extra columns", "extra_column_check", text))
    return broken


def _type(wanted: dict[str, Any], data: Dataset, settings: dict[str, Any]) -> list[Violation]:
    expected = wanted["inferred_type"]
    counts = type_counts(data, wanted["name"])
    if expected not in ("Integral", "Fractional") or not counts["present"]:
        return []
    # Whole numbers are fractional ones too; not the other way round.
    matching = counts["Integral"] + (counts["Fractional"] if expected == "Fractional" else 0)
    share = matching / counts["present"]
    threshold = settings.get("datatype_check_threshold", 1.0)
    if share >= threshold:
        return []
    return [
        _violation(
            wanted["name"], "data_type_check",
            f"Data type match requirement is not met. Expected data type: {expected}, Expected match:"
            f" {threshold * 100}%. Observed: Only {share * 100}% of data is {expected}.",
        )
    ]  # fmt: skip


def _completeness(wanted: dict[str, Any], feature: dict[str, Any]) -> list[Violation]:
    common = (feature.get("numerical_statistics") or feature["string_statistics"])["common"]
    rows = common["num_present"] + common["num_missing"]
    share = common["num_present"] / rows if rows else 0.0
    expected = wanted.get("completeness", 0.0)
    if share >= expected:
        return []
    text = f"Value: {share} does not meet the constraint requirement! Expected completeness: {expected}"
    return [_violation(wanted["name"], "completeness_check", text)]


def _domain(wanted: dict[str, Any], data: Dataset, settings: dict[str, Any]) -> list[Violation]:
    domain = wanted.get("string_constraints", {}).get("domains")
    if not domain:
        return []
    column = quoted(wanted["name"])
    marks = ", ".join("?" for _ in domain)
    row = data.connection.execute(
        f"SELECT count(*) FILTER ({column} IN ({marks})), count({column}) FROM data", domain
    ).fetchone()
    inside, present = row or (0, 0)
    threshold = settings.get("domain_content_threshold", 1.0)
    if not present or inside / present >= threshold:
        return []
    text = f"Value: {inside / present} does not meet the constraint requirement! Expected match: {threshold * 100}%."
    return [_violation(wanted["name"], "categorical_values_check", text)]


def _drift(name: str, distance: float, settings: dict[str, Any]) -> list[Violation]:
    comparison = settings.get("distribution_constraints", {})
    threshold = comparison.get("comparison_threshold", 0.1)
    if comparison.get("perform_comparison", "Enabled") != "Enabled" or distance <= threshold:
        return []
    text = f"Baseline drift distance: {distance} exceeds threshold: {threshold}"
    return [_violation(name, "baseline_drift_check", text)]


def _violation(feature: str, check: str, text: str) -> Violation:
    return {"feature_name": feature, "constraint_check_type": check, "description": text}


def drift_distances(
    baseline: dict[str, Any] | None, found: dict[str, Any], constraints: dict[str, Any]
) -> dict[str, float]:
    """Distance between baseline and current distribution of every numerical feature that both have."""
    if baseline is None:
        return {}
    method = constraints.get("monitoring_config", {}).get("distribution_constraints", {}).get("comparison_method")
    old = {feature["name"]: feature for feature in baseline["features"] if "numerical_statistics" in feature}
    distances = {}
    for feature in found["features"]:
        before = old.get(feature["name"])
        if before is not None and "numerical_statistics" in feature:
            distances[feature["name"]] = distance(_sketch(before), _sketch(feature), robust=method != "Simple")
    return distances


def distance(first: list[tuple[float, int]], second: list[tuple[float, int]], *, robust: bool) -> float:
    """The largest gap between two cumulative distributions, given as `(value, weight)` pairs.

    `robust` takes off what samples of this size differ by even when nothing has changed (the bound of a two-sample
    Kolmogorov-Smirnov test), so that a handful of records never looks like drift.
    """
    if not first or not second:
        return 0.0
    left, right = _Cumulative(first), _Cumulative(second)
    points = {value for value, _ in itertools.chain(first, second)}
    gap = max(abs(left.share(point) - right.share(point)) for point in points)
    if not robust:
        return gap
    n, m = left.total, right.total
    return max(0.0, gap - 1.8 * math.sqrt((n + m) / (n * m)))


class _Cumulative:
    def __init__(self, pairs: list[tuple[float, int]]) -> None:
        ordered = sorted(pairs)
        self._values = [value for value, _ in ordered]
        self._sums = list(itertools.accumulate(weight for _, weight in ordered))
        self.total = self._sums[-1]

    def share(self, value: float) -> float:
        """The share of values up to and including `value`."""
        index = bisect.bisect_right(self._values, value)
        return self._sums[index - 1] / self.total if index else 0.0


def _sketch(feature: dict[str, Any]) -> list[tuple[float, int]]:
    levels = feature["numerical_statistics"]["distribution"]["kll"]["sketch"]["data"]
    return [(value, 2**level) for level, values in enumerate(levels) for value in values]
