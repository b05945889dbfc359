"""Entry point of the data validation: `functions.validate.handler.handle`.

| environment variable | meaning |
|---|---|
| `DATA_BUCKET`      | bucket with the data; versioning is on |
| `DATA_PREFIX`      | optional, default `datasets/` |
| `ARTIFACTS_BUCKET` | bucket of the runs |
| `DATASET_URI`      | address of the dataset's schema |
| `MAX_BAD_SHARE`    | optional, default 0.1: share of rows (0 to 1) that may not fit the schema |

Event: `{"input": …}`, the whole input of the workflow; `latest` as key or version stands for the newest. The reasons
`drift` and `schedule` are believed only where `functions.retrain` wrote down that it began the run.
Answer: `{"uri", "version", "rows", "bad_rows", "sha256", "input"}`: the source, its exact version, and the copy of
that version at `runs/<run>/input/data.csv`. Raises RequestError or DataError with a sentence for a person.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3

from contracts.s3 import S3Location
from functions.shared.dataset import read_dataset
from functions.validate.check import check
from functions.validate.request import parse_request, prove
from functions.validate.resolve import DataError, resolve

_CHUNK = 1 << 20


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return validate(boto3.client("s3"), event, os.environ)


def validate(s3: Any, event: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Check the request, resolve, check the data and copy it. `s3` is a boto3 S3 client."""
    dataset = read_dataset(s3, environment)
    wanted = parse_request(event["input"])
    prove(s3, environment["ARTIFACTS_BUCKET"], wanted)
    prefixes = wanted.prefixes(environment.get("DATA_PREFIX", "datasets/"))
    source = resolve(s3, environment["DATA_BUCKET"], prefixes, wanted.key, wanted.version)
    if source.size == 0:
        raise DataError(f"{source.uri} is empty: it needs a header with {', '.join(dataset.columns)}, and rows.")
    body = s3.get_object(Bucket=source.bucket, Key=source.key, VersionId=source.version)["Body"]
    share = float(environment.get("MAX_BAD_SHARE", "0.1"))
    checked = check(body.iter_chunks(_CHUNK), dataset, share, source.uri)
    target = S3Location(environment["ARTIFACTS_BUCKET"], f"runs/{wanted.run}/input/data.csv")
    original = {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version}
    # Tags would be copied by default, for which the role has no right: an account's malware protection may set some.
    s3.copy(original, Bucket=target.bucket, Key=target.key, ExtraArgs={"TaggingDirective": "REPLACE"})
    return {
        "uri": source.uri,
        "version": source.version,
        "rows": checked.rows,
        "bad_rows": checked.bad_rows,
        "sha256": checked.sha256,
        "input": str(target),
    }
