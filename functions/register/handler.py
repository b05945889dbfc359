"""Entry point of the registration: `functions.register.handler.handle`.

| environment variable | meaning |
|---|---|
| `PACKAGE_GROUP` | model package group |

Event: `{"run", "reason", "commit", "artifact", "image", "evaluation", "baseline": {"statistics", "constraints"},
"data", "gate", "features"}`: addresses are `s3://` URIs, `data` and `gate` the answers of those steps, `features` the
folder of the features job.
Answer: `{"package": <ARN>}`. The run's id is the idempotency token: a repeated call registers nothing new.
"""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

from functions.register.package import package_request
from functions.shared.store import read_text


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    rows = json.loads(read_text(boto3.client("s3"), f"{event['features']}/rows.json"))
    request = package_request(event, os.environ["PACKAGE_GROUP"], rows)
    return {"package": boto3.client("sagemaker").create_model_package(**request)["ModelPackageArn"]}
