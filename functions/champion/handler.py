"""Entry point of the search for the champion: `functions.champion.handler.handle`.

| environment variable | meaning |
|---|---|
| `PACKAGE_GROUP`    | model package group; its newest approved package is the champion |
| `ARTIFACTS_BUCKET` | bucket of the runs: the champion's manifest and artifact |
| `DATASET_URI`      | address of the dataset's schema: target and features |

Event: `{"run"}`. Answer: `{"package": <ARN> | null, "artifact": "s3://…/model.tar.gz" | null, "problem": ""}`: an
artifact only where the evaluation job can load it for the same rows; else `problem` says what is wrong with it.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import boto3

from functions.champion.find import find
from functions.shared.dataset import read_dataset
from functions.shared.log import log


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    s3 = boto3.client("s3")
    dataset = read_dataset(s3, os.environ)
    group, bucket = os.environ["PACKAGE_GROUP"], os.environ["ARTIFACTS_BUCKET"]
    found = find(s3, boto3.client("sagemaker"), group, bucket, dataset)
    if found.problem:
        log("WARNING", f"no comparison with the champion: {found.problem}", run=event["run"], package=found.package)
    return asdict(found)
