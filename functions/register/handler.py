"""Entry point of the registration: `functions.register.handler.handle`.

| environment variable | meaning |
|---|---|
| `PACKAGE_GROUP` | model package group |

Event: `{"run", "reason", "commit", "artifact", "image", "evaluation", "baseline": {"statistics", "constraints"},
"data", "gate"}`: addresses are `s3://` URIs, `data` and `gate` the answers of those steps.
Answer: `{"package": <ARN>}`. The run's id is the idempotency token: a repeated call registers nothing new.
"""

from __future__ import annotations

import os
from typing import Any

import boto3

from functions.register.package import package_request


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    request = package_request(event, os.environ["PACKAGE_GROUP"])
    return {"package": boto3.client("sagemaker").create_model_package(**request)["ModelPackageArn"]}
