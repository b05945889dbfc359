"""Reading texts from S3."""

from __future__ import annotations

from typing import Any

from contracts.s3 import parse_s3_uri


def read_text(s3: Any, uri: str) -> str:
    """The object's text. `s3` is a boto3 S3 client."""
    location = parse_s3_uri(uri)
    body: bytes = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    return body.decode("utf-8")
