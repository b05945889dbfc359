"""Datasets in the project's data bucket, for people who look at them and bring new ones."""

from typing import Any

FOLDER = "datasets/"
"""Where uploads start a run."""


def newest(s3: Any, bucket: str) -> str | None:
    """Key of the dataset that was uploaded last; None where there is none yet."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=FOLDER)
    found = [item for page in pages for item in page.get("Contents", [])]
    return max(found, key=lambda item: item["LastModified"])["Key"] if found else None


def feature_rows(s3: Any, bucket: str, execution: str, part: str, most: int) -> list[list[float]]:
    """Up to `most` rows of one part (train, validation, test) of a run's features: the target first, in their order.

    Rows with a missing value are left out: a request cannot hold one.
    """
    rows: list[list[float]] = []
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"runs/{execution}/features/{part}/")
    for item in (item for page in pages for item in page.get("Contents", [])):
        for line in s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode().splitlines():
            cells = line.split(",")
            if len(rows) < most and all(cells):
                rows.append([float(cell) for cell in cells])
    return rows
