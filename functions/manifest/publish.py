"""Storing a release: the artifact with its checksum, then the manifest, once."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Any

from botocore.exceptions import ClientError

from contracts.release import Release, parse_release, render_release
from contracts.s3 import EXISTS, S3Location, parse_s3_uri
from functions.shared.store import read_text

_CHUNK = 1 << 20


class ManifestError(Exception):
    """The release cannot be written down as it should; the message says why."""


def copy_artifact(s3: Any, source: str, target: S3Location) -> str:
    """Copy the artifact in one part with an S3 SHA-256 checksum; that checksum in hex, checked against the bytes.

    `s3` is a boto3 S3 client. Raises ManifestError where S3's checksum is not that of the bytes read.
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
        TaggingDirective="REPLACE",
    )
    stored = base64.b64decode(answer["CopyObjectResult"]["ChecksumSHA256"]).hex()
    if stored != digest.hexdigest():
        raise ManifestError(
            f"{source} changed while it was copied to {target}: read SHA-256 {digest.hexdigest()}, stored {stored}."
            " Start the run again."
        )
    return stored


def publish(s3: Any, release: Release, target: S3Location) -> tuple[Release, str]:
    """Write the manifest unless it is already there; the release as it stands there, and its text.

    A repeated step finds its own manifest and keeps it, first date and all. Raises ManifestError for a different one.
    """
    text = render_release(release)
    parse_release(text)  # nothing is published that its readers would refuse
    try:
        s3.put_object(
            Bucket=target.bucket,
            Key=target.key,
            Body=text.encode(),
            ContentType="application/json",
            ChecksumAlgorithm="SHA256",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in EXISTS:
            raise
    else:
        return release, text
    there = read_text(s3, str(target))
    existing = parse_release(there)
    if dataclasses.replace(release, id=existing.id, created=existing.created) != existing:
        raise ManifestError(f"{target} already holds another release ({existing.id}): a manifest is never overwritten.")
    return existing, there
