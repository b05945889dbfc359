"""Entry point of the manifest: `functions.manifest.handler.handle`.

| environment variable | meaning |
|---|---|
| `ARTIFACTS_BUCKET` | bucket of the runs |
| `DATASET_URI`      | address of the dataset's schema: target and features |

Event: `{"run", "reason", "commit", "artifact", "image", "golden", "baseline": {"statistics", "constraints"},
"package", "data", "gate"}`: addresses are `s3://` URIs, `artifact` that of the training job; `data` and `gate` are the
answers of those steps, `package` the registered package's ARN.
Copies the artifact to `runs/<run>/release/model.tar.gz`: reads `runs/*/training/*`, writes `runs/*/release/*`.
Answer: `{"manifest": "s3://…/manifest.json", "sha256": <of its text, hex>, "id", "summary"}`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from contracts.s3 import S3Location
from functions.manifest.build import build_release, summary
from functions.manifest.publish import copy_artifact, publish
from functions.shared.dataset import read_dataset


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    return write_manifest(boto3.client("s3"), event, os.environ, datetime.now(UTC))


def write_manifest(s3: Any, event: Mapping[str, Any], environment: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Copy the artifact, then write the manifest that vouches for it."""
    folder = S3Location(environment["ARTIFACTS_BUCKET"], f"runs/{event['run']}/release")
    artifact, target = folder.join("model.tar.gz"), folder.join("manifest.json")
    sha256 = copy_artifact(s3, event["artifact"], artifact)
    wanted = build_release(event, read_dataset(s3, environment), str(artifact), sha256, now)
    release, text = publish(s3, wanted, target)
    return {
        "manifest": str(target),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "id": release.id,
        "summary": summary(release),
    }
