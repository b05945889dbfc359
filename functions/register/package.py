"""The request that registers a model package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contracts.packages import PENDING, RUN_KEY
from functions.shared.registry import metric_key

_NOT_ALLOWED = re.compile(r"[^\w .:/=+\-@]")


def package_request(event: Mapping[str, Any], group: str, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Input of CreateModelPackage; `rows` is what became of them, as the features job wrote it.

    The package waits: what becomes of it is decided by the pipeline's approval and by production, and
    `functions.outcome` writes it down.
    """
    gate = event["gate"]
    metrics = gate["metrics"]
    metadata = {
        RUN_KEY: event["run"],
        "reason": event["reason"],
        "commit": event["commit"],
        "data": event["data"]["uri"],
        "data-version": event["data"]["version"],
        metric_key(metrics["name"]): repr(float(metrics["value"])),
        "ci-low": repr(float(metrics["ci"][0])),
        "ci-high": repr(float(metrics["ci"][1])),
        "rows": str(metrics["rows"]),
        **{f"data-{name}": str(rows[name]) for name in ("read", "used", "filtered", "quarantined")},
    }
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": gate["reason"][:1024],
        "ModelApprovalStatus": PENDING,
        "InferenceSpecification": {
            "Containers": [{"Image": event["image"], "ModelDataUrl": event["artifact"]}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": _json(event["evaluation"])},
            "ModelDataQuality": {
                "Statistics": _json(event["baseline"]["statistics"]),
                "Constraints": _json(event["baseline"]["constraints"]),
            },
        },
        "CustomerMetadataProperties": {key: _NOT_ALLOWED.sub("_", value)[:256] for key, value in metadata.items()},
        "ClientToken": re.sub(r"[^a-zA-Z0-9-]", "-", event["run"])[:36],
    }


def _json(uri: str) -> dict[str, str]:
    return {"ContentType": "application/json", "S3Uri": uri}
