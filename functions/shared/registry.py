"""The model registry: which package is a run's, and under which names its metrics are kept."""

from __future__ import annotations

from typing import Any

from contracts.packages import run_of


def metric_key(metric: str) -> str:
    """Name of a metric in a package's metadata."""
    return f"metric:{metric}"


def package_of_run(sagemaker: Any, group: str, run: str) -> dict[str, Any] | None:
    """The group's package that a run made, described; None where it made none.

    A list holds no metadata, so each package is described, the newest first.
    """
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    for arn in (found["ModelPackageArn"] for page in pages for found in page["ModelPackageSummaryList"]):
        package: dict[str, Any] = sagemaker.describe_model_package(ModelPackageName=arn)
        if run_of(package) == run:
            return package
    return None
