"""Valid documents for tests to start from, and small fakes."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import functions.jobs.features

FEATURES = ["duration_minutes", "passengers", "distance"]
DATASET_URI = "s3://artifacts/dataset/1.json"
DATASET_TEXT = (Path(functions.jobs.features.__file__).parent / "dataset.json").read_text()
FEATURES_SQL = (Path(functions.jobs.features.__file__).parent / "features.sql").read_text()
PACKAGE = "arn:aws:sagemaker:eu-west-1:111111111111:model-package/glidepath/1"
DISTRIBUTION = {"edges": [8.0, 11.5, 15.25, 22.0], "shares": [0.2, 0.21, 0.19, 0.2, 0.2]}

_MANIFEST: dict[str, Any] = {
    "schema": 1,
    "id": "20261121-1a2b3c4d",
    "reason": "commit",
    "commit": "4f2a",
    "created": "2026-11-21T03:45:00Z",
    "execution": "run-1",
    "data": {
        "uri": "s3://data-bucket/datasets/trips.csv",
        "version": "v1",
        "rows": 6433,
        "bad_rows": 12,
        "filtered": 146,
        "rules": {"total.null": 10, "row.width": 2},
    },
    "model": {"package": PACKAGE, "artifact": "s3://artifacts/runs/1/m.tar.gz", "sha256": "ab" * 32, "image": "xgb:1"},
    "metrics": {
        "name": "rmse",
        "value": 4.97,
        "ci": [3.3, 6.9],
        "threshold": 10,
        "rows": 597,
        "slices": [{"slice": "distance < 2", "value": 1.9, "rows": 348}],
        "class_rows": [],
    },
    "champion": None,
    "baseline": {"statistics": "s3://artifacts/b/statistics.json", "constraints": "s3://artifacts/b/constraints.json"},
    "golden": "s3://artifacts/runs/1/evaluation/golden.json",
    "target": "total",
    "features": FEATURES,
    "distribution": DISTRIBUTION,
    "hashes": {"golden": "01" * 32, "statistics": "02" * 32, "constraints": "03" * 32},
    "split": {
        "sql": "s3://artifacts/runs/1/release/features.sql",
        "rule": "04" * 32,
        "salt": "05" * 8,
        "test": "06" * 32,
    },
    "pair": {
        "release": "20261101-0a0b0c0d",
        "sha256": "cd" * 32,
        "differences": {
            "edges": [10.0, 20.0],
            "bins": [{"rows": 200, "quantiles": [0.2, 0.5, 0.9, 1.5]} for _ in range(3)],
        },
        "table": {
            "edges": [7.5, 11.0, 15.0, 21.5],
            "rows": [
                [100, 20, 0, 0, 0],
                [20, 90, 10, 0, 0],
                [0, 10, 95, 15, 0],
                [0, 0, 15, 95, 10],
                [0, 0, 0, 10, 110],
            ],
        },
    },
    "task": "regression",
    "classes": [],
}


def manifest() -> dict[str, Any]:
    """A valid release manifest, free to be changed."""
    return copy.deepcopy(_MANIFEST)


def golden(records: int = 3) -> dict[str, Any]:
    """Golden records whose prediction is the sum of their features: what FakeModel answers."""
    rows = [[10.5 + index, 1.0, 2.25 * (index + 1)] for index in range(records)]
    return {
        "tolerance": 1e-4,
        "records": [{"features": dict(zip(FEATURES, row, strict=True)), "prediction": sum(row)} for row in rows],
    }


def evaluation(value: float = 4.97, low: float = 3.3, high: float = 6.9) -> dict[str, Any]:
    """An evaluation of rmse."""
    return {
        "regression_metrics": {"rmse": {"value": value, "standard_deviation": 1.0, "ci": [low, high]}},
        "metric": "rmse",
        "rows": 597,
        "slices": [{"slice": "distance < 2", "value": 1.9, "rows": 348}],
        "distribution": copy.deepcopy(DISTRIBUTION),
    }


class FakeModel:
    """A sagemaker-runtime client whose model adds up a row's features; keeps what it was asked."""

    def __init__(self, answer: bytes | Exception | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self.answer = answer

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        """The real client's method."""
        self.calls.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return {"Body": io.BytesIO(self.answer)}
        rows = request["Body"].decode().split("\n")
        sums = [repr(sum(map(float, row.split(",")))) for row in rows]
        return {"Body": io.BytesIO("\n".join(sums).encode())}


def proxy_event(body: str | None, content_type: str | None = "application/json", **headers: str) -> dict[str, Any]:
    """A request as API Gateway passes it on."""
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        found["Content-Type"] = content_type
    return {
        "httpMethod": "POST",
        "path": "/predict",
        "headers": found,
        "requestContext": {"apiId": "a1b2c3d4e5", "stage": "live"},
        "body": body,
        "isBase64Encoded": False,
    }


def instances(*rows: Any) -> str:
    """A JSON body."""
    return json.dumps({"instances": list(rows)})
