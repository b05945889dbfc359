"""A beat of the schedule: the job of the hour before is started, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from contracts.monitoring import ARCHIVE, REPORTS, stamp
from functions.jobs.monitor.summary import Asked, Seen, document
from functions.monitor.metrics import nothing
from functions.monitor.request import request
from functions.monitor.window import Release, Window, before
from functions.shared.analyzer import archive
from functions.shared.log import log

_ROOT = Path(__file__).resolve().parents[2]


def start(scheduled: str, release: Release, environment: Mapping[str, str]) -> dict[str, str]:
    """Start the job, or say that there is nothing to look at."""
    window = before(scheduled)
    s3, bucket = boto3.client("s3"), environment["CAPTURE_BUCKET"]
    if not _any(s3, bucket, window.captured(release)):
        return _nothing(s3, bucket, release, window, environment)
    wanted = request(release, window, _code(s3, bucket, environment["KEY_ARN"]), environment)
    name = wanted["ProcessingJobName"]
    try:
        boto3.client("sagemaker").create_processing_job(**wanted)
    except ClientError as error:
        # The beat was delivered twice, or tried again: the hour has its job.
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise
        log("INFO", "was started before", job=name)
        return {"job": name}
    log("INFO", "started", job=name, start=stamp(window.start))
    return {"job": name}


def _any(s3: Any, bucket: str, prefix: str) -> bool:
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"))


def _code(s3: Any, bucket: str, key_arn: str) -> str:
    """The address of the analyzer that this function came with; it is put there when it is first needed."""
    content = archive(_ROOT)
    key = f"{REPORTS}/code/{hashlib.sha256(content).hexdigest()}/{ARCHIVE}"
    if not _any(s3, bucket, key):
        _put(s3, bucket, key, content, key_arn)
    return f"s3://{bucket}/{key}"


def _put(s3: Any, bucket: str, key: str, content: bytes, key_arn: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=content, ServerSideEncryption="aws:kms", SSEKMSKeyId=key_arn)


def _nothing(s3: Any, bucket: str, release: Release, window: Window, environment: Mapping[str, str]) -> dict[str, str]:
    """SageMaker refuses a job without input, so an hour without requests is told from here."""
    asked = Asked(
        release.service, release.id, release.endpoint, stamp(window.start), stamp(window.end),
        int(environment["LEAST_RECORDS"]), float(environment["DRIFT_LIMIT"]),
    )  # fmt: skip
    summary = document(asked, Seen(0, judged=False))
    sentence = summary["sentence"]
    texts = {"summary.json": json.dumps(summary, indent=2), "summary.txt": f"{sentence}\n"}
    for name, text in texts.items():
        _put(s3, bucket, window.reports(release) + name, text.encode(), environment["KEY_ARN"])
    log("INFO", sentence)
    nothing(release.service)
    return {"nothing": window.folder}
