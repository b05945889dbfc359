"""Storing a release's manifest, once."""

from __future__ import annotations

import dataclasses
from typing import Any

from botocore.exceptions import ClientError

from functions.shared.release import Release, parse_release, render_release
from functions.shared.s3 import S3Location
from functions.shared.store import read_text

_EXISTS = ("PreconditionFailed", "ConditionalRequestConflict")


class ManifestError(Exception):
    """The release cannot be written down as it should; the message says why."""


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
        if error.response["Error"]["Code"] not in _EXISTS:
            raise
    else:
        return release, text
    there = read_text(s3, str(target))
    existing = parse_release(there)
    if dataclasses.replace(release, id=existing.id, created=existing.created) != existing:
        raise ManifestError(f"{target} already holds another release ({existing.id}): a manifest is never overwritten.")
    return existing, there
