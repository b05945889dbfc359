"""Entry point of the registration: `functions.register.handler.handle`.

| environment variable | meaning |
|---|---|
| `PACKAGE_GROUP`    | model package group |
| `ARTIFACTS_BUCKET` | bucket of the runs |

Event: `{"run", "reason", "commit", "artifact", "image", "evaluation", "baseline": {"statistics", "constraints"},
"data", "gate"}`: addresses are `s3://` URIs (`artifact` is the training job's), `data` and `gate` the answers of those
steps. Copies the artifact to `runs/<run>/release/model.tar.gz`, and registers that copy.
Answer: `{"package": <ARN>, "artifact": <copy>, "sha256": <hex>}`. The run's id is the idempotency token: a repeated
call registers nothing new.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3

from functions.register.artifact import copy_artifact
from functions.register.package import package_request
from functions.shared.s3 import S3Location


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    return register(boto3.client("s3"), boto3.client("sagemaker"), event, os.environ)


def register(s3: Any, sagemaker: Any, event: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Copy, then register the copy."""
    artifact = S3Location(environment["ARTIFACTS_BUCKET"], f"runs/{event['run']}/release/model.tar.gz")
    sha256 = copy_artifact(s3, event["artifact"], artifact)
    request = package_request({**event, "artifact": str(artifact)}, environment["PACKAGE_GROUP"])
    package = sagemaker.create_model_package(**request)["ModelPackageArn"]
    return {"package": package, "artifact": str(artifact), "sha256": sha256}
