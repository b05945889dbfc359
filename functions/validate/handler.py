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
checks the copies at `runs/<run>/input/`. Of a set of files the source is what completes it (contracts/datasets.py).
Raises RequestError or DataError with a sentence for a person.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import boto3

from contracts.s3 import S3Location
from functions.shared.dataset import read_dataset
from functions.validate.members import members
from functions.validate.request import parse_request, prove
from functions.validate.resolve import Source, resolve
from functions.validate.survey import File, names, survey

_AT_ONCE = 8


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
    found = members(
        s3, source, prefixes[0] if source.key.startswith(prefixes[0]) else source.key.rpartition("/")[0] + "/"
    )
    files = [_file(s3, each, found.folder) for each in found.files]
    folder = S3Location(environment["ARTIFACTS_BUCKET"], f"runs/{wanted.run}/input")
    targets = [folder.join(name) for name in names(files)]
    plan = survey(files, [str(target) for target in targets], dataset, now)
    plan["empty"] = found.empty
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda pair: _copy(s3, *pair), zip(found.files, targets, strict=True)))
    place = folder.join("plan.json")
    s3.put_object(Bucket=place.bucket, Key=place.key, Body=json.dumps(plan).encode(), ContentType="application/json")
    return {"uri": source.uri, "version": source.version, "plan": str(place)}


def _file(s3: Any, source: Source, folder: str) -> File:
    def read(begin: int, end: int) -> bytes:
        # Nothing has no range: S3 would answer InvalidRange.
        if begin >= end:
            return b""
        wanted = {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version}
        body: bytes = s3.get_object(**wanted, Range=f"bytes={begin}-{end - 1}")["Body"].read()
        return body

    return File(source.uri, source.key.removeprefix(folder), source.size, read)


def _copy(s3: Any, source: Source, target: S3Location) -> None:
    # Tags would be copied by default, for which the role has no right: an account's malware protection may set some.
    original = {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version}
    s3.copy(original, Bucket=target.bucket, Key=target.key, ExtraArgs={"TaggingDirective": "REPLACE"})
