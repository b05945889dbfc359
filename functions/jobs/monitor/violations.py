"""Where an hour breaks its baseline's constraints, in Model Monitor's format (constraint_violations.json).

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from functions.jobs.monitor.constraints import CONFIG
from functions.jobs.monitor.statistics import categories, common_of, sketch
from functions.jobs.monitor.table import Table

Violation = dict[str, str]

# What two samples of n and m rows differ by at most, but once in 300 times, when nothing has changed, times
# sqrt((n + m) / (n * m)): the bound of the two-sample Kolmogorov-Smirnov test at 2 * exp(-2 * 1.8**2).
_CHANCE = 1.8
# Of a column that was never missing in the baseline: how often it may be after all.
_FEW = 0.01
# What a share of n rows is below the true one by at most, but once in 300 times, times sqrt(n): Hoeffding's inequality,
# exp(-2 * 1.69**2).
_ONE_SIDED = 1.69


def violations(
    constraints: Mapping[str, Any], found: Mapping[str, Any], table: Table, distances: Mapping[str, float]
) -> list[Violation]:
    """Every violation, in the order of the baseline's features."""
    config = constraints.get("monitoring_config", CONFIG)
    if config.get("evaluate_constraints", "Enabled") != "Enabled":
        return []
    broken = _columns(constraints, found)
    columns = {feature["name"]: (column, feature) for column, feature in enumerate(found["features"])}
    for wanted in constraints["features"]:
        name = wanted["name"]
        if name not in columns:
            continue
        column, feature = columns[name]
        settings = {**config, **wanted.get("monitoringConfigOverrides", {})}
        broken += _type(wanted, table, column, settings)
        broken += _completeness(wanted, feature)
        broken += _domain(wanted, feature, settings)
        broken += _drift(name, distances.get(name, 0.0), settings)
    return broken


def _columns(constraints: Mapping[str, Any], found: Mapping[str, Any]) -> list[Violation]:
    wanted = [feature["name"] for feature in constraints["features"]]
    names = [feature["name"] for feature in found["features"]]
    counts = (
        f"Number of columns in current dataset: {len(names)}, Number of columns in baseline constraints: {len(wanted)}"
    )
    broken = []
    if set(wanted) - set(names):
        text = f"There are missing columns in current dataset. {counts}"
        broken.append(_violation("Missing columns", "missing_column_check", text))
    if set(names) - set(wanted):
        text = f"There are extra columns in current dataset. {counts}"
        broken.append(_violation("Extra columns", "extra_column_check", text))
    return broken


def _type(wanted: Mapping[str, Any], table: Table, column: int, settings: Mapping[str, Any]) -> list[Violation]:
    expected = wanted["inferred_type"]
    cells = table.numbers[:, column]
    numbers = cells[~np.isnan(cells)]
    present = len(numbers) + sum(table.texts.get(column, {}).values())
    if expected not in ("Integral", "Fractional") or not present:
        return []
    # Whole numbers are fractional ones too; not the other way round.
    matching = len(numbers) if expected == "Fractional" else int(np.sum(numbers == np.floor(numbers)))
    share, threshold = matching / present, settings.get("datatype_check_threshold", 1.0)
    if share >= threshold:
        return []
    text = (
        f"Data type match requirement is not met. Expected data type: {expected}, Expected match: {threshold * 100}%."
        f" Observed: Only {share * 100}% of data is {expected}."
    )
    return [_violation(wanted["name"], "data_type_check", text)]


def _completeness(wanted: Mapping[str, Any], feature: dict[str, Any]) -> list[Violation]:
    common = common_of(feature)
    rows = common["num_present"] + common["num_missing"]
    share, expected = (common["num_present"] / rows if rows else 0.0), wanted.get("completeness", 0.0)
    # Of a column that may be missing now and then, chance alone leaves more of it out in every other hour.
    chance = _FEW if expected == 1 else _ONE_SIDED / math.sqrt(rows) if rows else 0.0
    if share >= expected - chance:
        return []
    text = f"Value: {share} does not meet the constraint requirement! Expected completeness: {expected}"
    return [_violation(wanted["name"], "completeness_check", text)]


def _domain(wanted: Mapping[str, Any], feature: dict[str, Any], settings: Mapping[str, Any]) -> list[Violation]:
    domain = wanted.get("string_constraints", {}).get("domains")
    present = common_of(feature)["num_present"]
    if not domain or not present:
        return []
    # More texts than are listed cannot all be known ones: those that are counted stand for the rest.
    counts = categories(feature) or {}
    share = sum(counts.get(value, 0) for value in domain) / present
    threshold = settings.get("domain_content_threshold", 1.0)
    if share >= threshold:
        return []
    text = f"Value: {share} does not meet the constraint requirement! Expected match: {threshold * 100}%."
    return [_violation(wanted["name"], "categorical_values_check", text)]


def _drift(name: str, distance: float, settings: Mapping[str, Any]) -> list[Violation]:
    comparison = settings.get("distribution_constraints", {})
    threshold = comparison.get("comparison_threshold", 0.1)
    if comparison.get("perform_comparison", "Enabled") != "Enabled" or distance <= threshold:
        return []
    text = f"Baseline drift distance: {distance} exceeds threshold: {threshold}"
    return [_violation(name, "baseline_drift_check", text)]


def _violation(feature: str, check: str, text: str) -> Violation:
    return {"feature_name": feature, "constraint_check_type": check, "description": text}


def distances(
    baseline: Mapping[str, Any], found: Mapping[str, Any], constraints: Mapping[str, Any]
) -> dict[str, float]:
    """How far each column is from the baseline's, 0 to 1, of those that both have, of one kind."""
    config = constraints.get("monitoring_config", CONFIG).get("distribution_constraints", {})
    robust = config.get("comparison_method", "Robust") != "Simple"
    before = {feature["name"]: feature for feature in baseline["features"]}
    measured = {
        feature["name"]: _distance(before[feature["name"]], feature, robust=robust)
        for feature in found["features"]
        if feature["name"] in before
    }
    return {name: distance for name, distance in measured.items() if distance is not None}


def _distance(before: dict[str, Any], now: dict[str, Any], *, robust: bool) -> float | None:
    """How far the values are apart, or how much more or less often there is none: the larger of both."""
    values, missing = _of_values(before, now, robust=robust), _of_gaps(before, now, robust=robust)
    return missing if values is None and missing else values if values is None else max(values, missing)


def _of_gaps(before: dict[str, Any], now: dict[str, Any], *, robust: bool) -> float:
    counts = [common_of(each) for each in (before, now)]
    n, m = (each["num_present"] + each["num_missing"] for each in counts)
    if not n or not m:
        return 0.0
    gap = abs(counts[0]["num_missing"] / n - counts[1]["num_missing"] / m)
    return max(0.0, gap - _CHANCE * math.sqrt((n + m) / (n * m))) if robust else gap


def _of_values(before: dict[str, Any], now: dict[str, Any], *, robust: bool) -> float | None:
    if "numerical_statistics" in before and "numerical_statistics" in now:
        gap = _largest_gap(sketch(before), sketch(now))
    else:
        old, new = categories(before), categories(now)
        if not old or not new:
            return None
        gap = _largest_share(old, new)
    if not robust:
        return gap
    n, m = common_of(before)["num_present"], common_of(now)["num_present"]
    # Taken off, so that a handful of records never looks like drift.
    return max(0.0, gap - _CHANCE * math.sqrt((n + m) / (n * m)))


def _largest_gap(left: tuple[np.ndarray, np.ndarray], right: tuple[np.ndarray, np.ndarray]) -> float:
    """The largest distance between two cumulative distributions, of sorted values with weights."""
    points = np.union1d(left[0], right[0])
    return float(np.max(np.abs(_cumulative(*left, points) - _cumulative(*right, points))))


def _cumulative(values: np.ndarray, weights: np.ndarray, points: np.ndarray) -> np.ndarray:
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    shares: np.ndarray = sums[np.searchsorted(values, points, side="right")] / sums[-1]
    return shares


def _largest_share(old: Mapping[str, int], new: Mapping[str, int]) -> float:
    """The largest distance between a text's shares."""
    first, second = sum(old.values()), sum(new.values())
    return max(abs(old.get(value, 0) / first - new.get(value, 0) / second) for value in {*old, *new})
