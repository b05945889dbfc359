"""What is read of an environment's analyses: Model Monitor's files, the newest first, with or without a sentence."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from operate.monitoring import Histogram, analyses, histograms

START = datetime(2026, 11, 21, tzinfo=UTC)
BUCKETS = [
    {"lower_bound": 0.0, "upper_bound": 1.0, "count": 3.0},
    {"lower_bound": 1.0, "upper_bound": 4.0, "count": 1.0},
]
STATISTICS = {
    "features": [
        {"name": "distance", "numerical_statistics": {"distribution": {"kll": {"buckets": BUCKETS}}}},
        {"name": "color", "string_statistics": {"distinct_count": 2}},
        {"name": "tip", "numerical_statistics": {"common": {"num_present": 0}}},
    ]
}
VIOLATION = {"feature_name": "distance", "constraint_check_type": "baseline_drift_check", "description": "too far"}


class Bucket:
    """S3 with one bucket, whose objects were written one hour after the other."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects

    def get_paginator(self, operation: str) -> "Bucket":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        items = [
            {"Key": key, "LastModified": START + timedelta(hours=number)}
            for number, key in enumerate(self.objects)
            if key.startswith(Prefix)
        ]
        return [{"Contents": items}] if items else [{}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        content = self.objects[Key]
        text = content if isinstance(content, str) else json.dumps(content)
        return {"Body": BytesIO(text.encode())}


def test_nothing_is_read_where_nothing_is_there_yet() -> None:
    assert analyses(Bucket({}), "b", "e") == []
    assert analyses(Bucket({"monitor/e/x/constraints.json": {}}), "b") == []


def test_the_newest_hour_comes_first_with_its_violations() -> None:
    first, second = "monitor/e/schedule/2026/11/21/00", "monitor/e/schedule/2026/11/21/01"
    bucket = Bucket(
        {
            f"{first}/statistics.json": STATISTICS,
            f"{first}/constraint_violations.json": {"violations": []},
            f"{second}/statistics.json": STATISTICS,
            f"{second}/constraint_violations.json": {"violations": [VIOLATION]},
            f"{second}/summary.txt": "drifted\n",
        }
    )
    found = analyses(bucket, "b", "e")
    assert [(item.endpoint, item.folder) for item in found] == [("e", second), ("e", first)]
    assert found[0].lines() == ["drifted", "distance: baseline_drift_check: too far"]
    assert found[1].lines() == ["no violation"]
    assert replace(found[1], sentence="not enough records").lines() == ["not enough records"]
    assert found[0].at == START + timedelta(hours=2)


def test_an_endpoint_is_not_taken_for_one_whose_name_begins_alike() -> None:
    bucket = Bucket({"monitor/e-2/x/statistics.json": STATISTICS})
    assert analyses(bucket, "b", "e") == []
    assert [item.endpoint for item in analyses(bucket, "b")] == ["e-2"]


def test_numbers_have_histograms_and_nothing_else_has() -> None:
    assert histograms(STATISTICS) == {"distance": Histogram((0.0, 1.0, 4.0), (0.75, 0.25))}
