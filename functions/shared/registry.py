"""The model registry: which package is a run's, and under which names its metrics are kept."""

from __future__ import annotations

from typing import Any

RUN_KEY = "run"
"""Name of the run that made a package, in its metadata."""


def metric_key(metric: str) -> str:
    """Name of a metric in a package's metadata."""
    return f"metric:{metric}"


def package_of_run(sagemaker: Any, group: str, run: str) -> str | None:
    """ARN of the group's package that a run made; None where it made none.

    A list holds no metadata, so each package is described, the newest first.
    """
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    for arn in (str(found["ModelPackageArn"]) for page in pages for found in page["ModelPackageSummaryList"]):
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        if (package.get("CustomerMetadataProperties") or {}).get(RUN_KEY) == run:
            return arn
    return None
