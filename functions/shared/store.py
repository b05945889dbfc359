"""Texts in S3."""

from __future__ import annotations

import hashlib
from typing import Any

from contracts.s3 import parse_s3_uri


class ChangedError(ValueError):
    """An object is not what is vouched for; the message names it and both hashes."""


def read_text(s3: Any, uri: str) -> str:
    """The object's text. `s3` is a boto3 S3 client."""
    return _read(s3, uri).decode("utf-8")


def read_verified(s3: Any, uri: str, sha256: str, voucher: str = "the release's manifest") -> str:
    """The object's text, which must have the SHA-256 that `voucher` holds. Raises ChangedError where it has another.

    An empty one is that of a release from before manifests had hashes: nothing vouches for what it names.
    """
    body = _read(s3, uri)
    found = hashlib.sha256(body).hexdigest()
    if sha256 and found != sha256:
        raise ChangedError(
            f"{uri} has SHA-256 {found}, but {voucher} vouches for {sha256}: it was changed; restore its former"
            " version, or train the release anew"
        )
    return body.decode("utf-8")


def read_if_there(s3: Any, bucket: str, key: str) -> str | None:
    """The object's text; None where there is none.

    Listed first: who may list a prefix alone is told "denied", and not "no such key", of an object that is not there.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents") or []
    if not any(item["Key"] == key for item in listed):
        return None
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")


def write_json(s3: Any, bucket: str, key: str, text: str, key_arn: str) -> None:
    """Put a JSON document, encrypted with a key of ours."""
    s3.put_object(
        Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json",
        ServerSideEncryption="aws:kms", SSEKMSKeyId=key_arn,
    )  # fmt: skip


def _read(s3: Any, uri: str) -> bytes:
    location = parse_s3_uri(uri)
    body: bytes = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    return body
