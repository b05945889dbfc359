"""Constraints that a baseline's statistics suggest, in Model Monitor's format (constraints.json).

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
"""

from __future__ import annotations

from typing import Any

from functions.jobs.monitor.statistics import categories, common_of

CONFIG: dict[str, Any] = {
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
"""What the prebuilt analyzer writes beside its suggestions."""


def constraints(statistics: dict[str, Any]) -> dict[str, Any]:
    """The content of constraints.json."""
    rows = statistics["dataset"]["item_count"]
    features = [_constraint(feature, rows) for feature in statistics["features"]]
    return {"version": 0.0, "features": features, "monitoring_config": CONFIG}


def _constraint(feature: dict[str, Any], rows: int) -> dict[str, Any]:
    present = common_of(feature)["num_present"]
    entry: dict[str, Any] = {
        "name": feature["name"],
        "inferred_type": feature["inferred_type"],
        "completeness": present / rows if rows else 0.0,
    }
    numbers, listed = feature.get("numerical_statistics"), categories(feature)
    if numbers:
        entry["num_constraints"] = {"is_non_negative": numbers["min"] >= 0}
    elif listed:
        entry["string_constraints"] = {"domains": list(listed)}
    return entry
