"""Entry point of the manifest: `functions.manifest.handler.handle`.

| environment variable | meaning |
|---|---|
| `ARTIFACTS_BUCKET` | bucket of the runs |
| `DATASET_URI`      | address of the dataset's schema: target and features |
| `SIGNING_KEY`      | ARN, or that of an alias, of the key that signs manifests |

Event: `{"run", "reason", "commit", "artifact", "image", "golden", "baseline": {"statistics", "constraints"}, "sql",
"features", "package", "data", "gate"}`: addresses are `s3://` URIs, `artifact` that of the training job, `features` the
folder of the features job; `data` and `gate` are the answers of those steps, `package` the registered package's ARN.
Copies artifact, golden records, baseline and features.sql to `runs/<run>/release/`, writes the manifest that vouches
for them beside them, and signs it (`contracts/signature.py`). Nothing there is ever overwritten.
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
from functions.manifest.publish import keep_parts, publish, publish_signature
from functions.shared.dataset import read_dataset


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    return write_manifest(boto3.client("s3"), boto3.client("kms"), event, os.environ, datetime.now(UTC))


def write_manifest(
    s3: Any, kms: Any, event: Mapping[str, Any], environment: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """Keep what the release is made of, then write the manifest that vouches for it, and sign that."""
    folder = S3Location(environment["ARTIFACTS_BUCKET"], f"runs/{event['run']}/release")
    target = folder.join("manifest.json")
    wanted = build_release(event, read_dataset(s3, environment), keep_parts(s3, event, folder), now)
    release, text = publish(s3, wanted, target)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    publish_signature(s3, kms, environment["SIGNING_KEY"], str(target), sha256)
    return {
        "manifest": str(target),
        "sha256": sha256,
        "id": release.id,
        "summary": summary(release),
    }
