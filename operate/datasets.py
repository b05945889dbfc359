"""Datasets in the project's data bucket, for people who look at them and bring new ones."""

import itertools
from collections.abc import Iterator
from typing import Any

from contracts.datasets import RUN, role
from contracts.retraining import UPLOADED


def newest(s3: Any, bucket: str) -> str | None:
    """Key of the dataset that was uploaded last, or of what completes it; None where there is none yet."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=UPLOADED)
    every = (item for page in pages for item in page.get("Contents", []))
    found = [item for item in every if role(item["Key"], UPLOADED) == RUN]
    return max(found, key=lambda item: item["LastModified"])["Key"] if found else None


def feature_rows(s3: Any, bucket: str, execution: str, part: str, most: int | None = None) -> list[list[float | None]]:
    """The rows (at most `most`) of one part (train, validation, test) of a run's features: the target, then they.

    None is what features.sql gave no value for.
    """
    return list(itertools.islice(_rows(s3, bucket, f"runs/{execution}/features/{part}/"), most))


def _rows(s3: Any, bucket: str, prefix: str) -> Iterator[list[float | None]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            for line in s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode().splitlines():
                yield [float(cell) if cell else None for cell in line.split(",")]
