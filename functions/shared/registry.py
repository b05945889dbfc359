"""The model registry: which package is the champion, and under which names its metrics are kept."""

from __future__ import annotations

import math
from typing import Any


def metric_key(metric: str) -> str:
    """Name of a metric in a package's metadata."""
    return f"metric:{metric}"


def champion_package(sagemaker: Any, group: str, metric: str) -> tuple[str, float | None] | None:
    """ARN of the newest approved package of the group, and its metric if it has one. None where none is approved."""
    found = sagemaker.list_model_packages(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    if not found:
        return None
    arn = found[0]["ModelPackageArn"]
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    return arn, _number((package.get("CustomerMetadataProperties") or {}).get(metric_key(metric)))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
