"""The model registry: which package is the champion, and under which names its metrics are kept."""

from __future__ import annotations

from typing import Any

RUN_KEY = "run"
"""Name of the run that made a package, in its metadata."""


def metric_key(metric: str) -> str:
    """Name of a metric in a package's metadata."""
    return f"metric:{metric}"


def champion_package(sagemaker: Any, group: str) -> tuple[str, str] | None:
    """ARN of the newest approved package of the group, and the run that made it ("" where it does not say so).

    None where none is approved.
    """
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
    return arn, (package.get("CustomerMetadataProperties") or {}).get(RUN_KEY, "")
