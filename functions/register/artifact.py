"""Putting the artifact in its place: a copy of its own in the release, with a checksum that S3 keeps."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from functions.shared.s3 import S3Location, parse_s3_uri

_CHUNK = 1 << 20


class ArtifactError(Exception):
    """The artifact cannot be stored as it should; the message says why."""


def copy_artifact(s3: Any, source: str, target: S3Location) -> str:
    """Copy the artifact in one part with an S3 SHA-256 checksum; that checksum in hex, checked against the bytes.

    `s3` is a boto3 S3 client. Raises ArtifactError where S3's checksum is not that of the bytes read.
    """
    location = parse_s3_uri(source)
    digest = hashlib.sha256()
    for chunk in s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].iter_chunks(_CHUNK):
        digest.update(chunk)
    answer = s3.copy_object(
        Bucket=target.bucket,
        Key=target.key,
        CopySource={"Bucket": location.bucket, "Key": location.key},
        ChecksumAlgorithm="SHA256",
    )
    stored = base64.b64decode(answer["CopyObjectResult"]["ChecksumSHA256"]).hex()
    if stored != digest.hexdigest():
        raise ArtifactError(
            f"{source} changed while it was copied to {target}: read SHA-256 {digest.hexdigest()}, stored {stored}."
            " Start the run again."
        )
    return stored
