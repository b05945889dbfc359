"""Entry point of the data validation: `functions.validate.handler.handle`.

| environment variable | meaning |
|---|---|
| `DATA_BUCKET`      | bucket with the data; versioning is on |
| `DATA_PREFIX`      | optional, default `datasets/` |
| `ARTIFACTS_BUCKET` | bucket of the runs |
| `DATASET_URI`      | address of the dataset's schema |

Event: `{"input": …}`, the whole input of the workflow; `latest` as key or version stands for the newest. The reasons
`drift` and `schedule` are believed only where `functions.retrain` wrote down that it began the run.
Answer: `{"uri", "version", "plan"}`: the source, its exact version, and the plan by which the features job reads and
checks the copy of that version at `runs/<run>/input/`. Raises RequestError or DataError with a sentence for a person.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from contracts.plan import build
from contracts.s3 import S3Location
from functions.shared.dataset import read_dataset
from functions.validate.head import BYTES, find_dialect
from functions.validate.request import parse_request, prove
from functions.validate.resolve import resolve


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return validate(boto3.client("s3"), event, os.environ, datetime.now(UTC))


def validate(s3: Any, event: dict[str, Any], environment: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Check the request, resolve, find out how the data is written, copy it. `s3` is a boto3 S3 client."""
    dataset = read_dataset(s3, environment)
    wanted = parse_request(event["input"])
    prove(s3, environment["ARTIFACTS_BUCKET"], wanted)
    prefixes = wanted.prefixes(environment.get("DATA_PREFIX", "datasets/"))
    source = resolve(s3, environment["DATA_BUCKET"], prefixes, wanted.key, wanted.version)
    original = {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version}
    # Nothing has no range: S3 would answer InvalidRange.
    head = s3.get_object(**original, Range=f"bytes=0-{BYTES - 1}")["Body"].read() if source.size else b""
    dialect = find_dialect(head, dataset, source.uri)
    folder = S3Location(environment["ARTIFACTS_BUCKET"], f"runs/{wanted.run}/input")
    # Spark unpacks by the name.
    target = folder.join("data.csv.gz" if source.key.lower().endswith(".gz") else "data.csv")
    # Tags would be copied by default, for which the role has no right: an account's malware protection may set some.
    s3.copy(original, Bucket=target.bucket, Key=target.key, ExtraArgs={"TaggingDirective": "REPLACE"})
    plan = build(dataset, dialect, [{"uri": str(target), "source": source.uri}], now)
    place = folder.join("plan.json")
    s3.put_object(Bucket=place.bucket, Key=place.key, Body=json.dumps(plan).encode(), ContentType="application/json")
    return {"uri": source.uri, "version": source.version, "plan": str(place)}
