"""Datasets and features in buckets."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from operate.datasets import feature_rows, newest

START = datetime(2026, 11, 21, tzinfo=UTC)


class Bucket:
    """S3 whose keys have an age in hours, or a text."""

    def __init__(self, ages: dict[str, int], texts: dict[str, str] | None = None) -> None:
        self.ages, self.texts = ages, texts or {}

    def get_paginator(self, operation: str) -> "Bucket":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        ages = {key: age for key, age in self.ages.items() if key.startswith(Prefix)}
        return [{"Contents": [{"Key": k, "LastModified": START - timedelta(hours=age)} for k, age in ages.items()]}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": BytesIO(self.texts[Key].encode())}


def test_the_newest_dataset_is_the_one_uploaded_last() -> None:
    assert newest(Bucket({"datasets/a.csv": 3, "datasets/b.csv": 1, "source/source.zip": 0}), "b") == "datasets/b.csv"
    assert newest(Bucket({"source/source.zip": 0}), "b") is None


def test_rows_are_numbers_and_none_where_one_is_missing() -> None:
    key = "runs/r/features/test/part-0.csv"
    bucket = Bucket({key: 0, "runs/r/features/train/part-0.csv": 0}, {key: "1,2,3\n4,,5\n6,7,8\n9,9,9\n"})
    assert feature_rows(bucket, "b", "r", "test", 2) == [[1, 2, 3], [4, None, 5]]
