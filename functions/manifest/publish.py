"""Storing a release: its parts with their checksums, then the manifest, then its signature, each of them once."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from contracts.release import Baseline, Hashes, Release, Split, parse_release, render_release
from contracts.s3 import EXISTS, S3Location, parse_s3_uri
from contracts.signature import sign, signature_of
from functions.shared.store import read_text

_CHUNK = 1 << 20


class ManifestError(Exception):
    """The release cannot be written down as it should; the message says why."""


@dataclass(frozen=True)
class Kept:
    """What lies in the release's folder: addresses, and the SHA-256 of each in hex."""

    artifact: str
    sha256: str
    golden: str
    baseline: Baseline
    hashes: Hashes
    split: Split
    rows: Mapping[str, Any]
    """What became of the rows, as the features job wrote it."""


def keep_parts(s3: Any, event: Mapping[str, Any], folder: S3Location) -> Kept:
    """Copy what the run made into the release's folder, from where nobody takes it away. Raises ManifestError."""
    sources = {"golden": event["golden"], **event["baseline"]}
    places = {name: folder.join(f"{name}.json") for name in sources}
    artifact = folder.join("model.tar.gz")
    return Kept(
        str(artifact),
        copy_artifact(s3, event["artifact"], artifact),
        str(places["golden"]),
        Baseline(str(places["statistics"]), str(places["constraints"])),
        Hashes(**{name: copy_document(s3, source, places[name]) for name, source in sources.items()}),
        keep_split(s3, event["sql"], event["features"], folder.join("features.sql")),
        json.loads(read_text(s3, f"{event['features']}/rows.json")),
    )


def keep_split(s3: Any, sql: str, features: str, target: S3Location) -> Split:
    """What decided which rows are tested on, and those rows. `features` is the folder that the job wrote.

    Raises ManifestError where features.sql is not the one that the job ran.
    """
    ran = json.loads(read_text(s3, f"{features}/split.json"))
    rule = copy_document(s3, sql, target, "text/plain")
    if rule != ran["rule"]:
        raise ManifestError(
            f"{sql} has SHA-256 {rule}, but the features were made with {ran['rule']}: it was changed while the run"
            " went on. Start the run again."
        )
    return Split(str(target), rule, ran["salt"], hash_rows(s3, parse_s3_uri(f"{features}/test")))


def hash_rows(s3: Any, folder: S3Location) -> str:
    """The sum of the SHA-256 of each line of all files in a folder, modulo 2^256, as 64 hex digits."""
    total = 0
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=folder.bucket, Prefix=f"{folder.key}/")
    for entry in (entry for page in pages for entry in page.get("Contents", ())):
        body = s3.get_object(Bucket=folder.bucket, Key=entry["Key"])["Body"]
        for line in body.iter_lines(_CHUNK):
            total += int.from_bytes(hashlib.sha256(line).digest())
    return f"{total % (1 << 256):064x}"


def copy_document(s3: Any, source: str, target: S3Location, content_type: str = "application/json") -> str:
    """Copy a small object, with an S3 SHA-256 checksum; that checksum in hex. Raises ManifestError.

    Another one that lies there already stays: a repeated step finds its own.
    """
    location = parse_s3_uri(source)
    body: bytes = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    if (
        not _put_once(s3, target, body, content_type)
        and s3.get_object(Bucket=target.bucket, Key=target.key)["Body"].read() != body
    ):
        raise ManifestError(f"{target} already holds something else than {source}: a release is never overwritten.")
    return hashlib.sha256(body).hexdigest()


def _put_once(s3: Any, target: S3Location, body: bytes, content_type: str) -> bool:
    """Whether it was written: an object that is there stays."""
    try:
        s3.put_object(
            Bucket=target.bucket,
            Key=target.key,
            Body=body,
            ContentType=content_type,
            ChecksumAlgorithm="SHA256",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in EXISTS:
            raise
        return False
    return True


def copy_artifact(s3: Any, source: str, target: S3Location) -> str:
    """Copy the artifact in one part with an S3 SHA-256 checksum; that checksum in hex, checked against the bytes.

    `s3` is a boto3 S3 client. Raises ManifestError where S3's checksum is not that of the bytes read. A copy asks for
    nothing to be there as a write does:
    https://aws.amazon.com/about-aws/whats-new/2025/10/amazon-s3-conditional-write-functionality-copy-operations
    """
    location = parse_s3_uri(source)
    digest = hashlib.sha256()
    for chunk in s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].iter_chunks(_CHUNK):
        digest.update(chunk)
    stored = _copy_once(s3, location, target)
    if stored != digest.hexdigest():
        raise ManifestError(
            f"{source} changed while it was copied to {target}: read SHA-256 {digest.hexdigest()}, stored {stored}."
            " Start the run again."
        )
    return stored


def _copy_once(s3: Any, source: S3Location, target: S3Location) -> str:
    """SHA-256 in hex of what lies at the target then: the copy, or what was there before it.

    The header is set by hand: the SDK in Lambda's runtime may be older than its parameter for a copy.
    """
    s3.meta.events.register("before-call.s3.CopyObject", _only_new, unique_id="copy-once")
    try:
        answer = s3.copy_object(
            Bucket=target.bucket,
            Key=target.key,
            CopySource={"Bucket": source.bucket, "Key": source.key},
            ChecksumAlgorithm="SHA256",
            TaggingDirective="REPLACE",
        )
        checksum = answer["CopyObjectResult"]["ChecksumSHA256"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in EXISTS:
            raise
        checksum = s3.head_object(Bucket=target.bucket, Key=target.key, ChecksumMode="ENABLED")["ChecksumSHA256"]
    return base64.b64decode(checksum).hex()


def publish(s3: Any, release: Release, target: S3Location) -> tuple[Release, str]:
    """Write the manifest unless it is already there; the release as it stands there, and its text.

    A repeated step finds its own manifest and keeps it, first date and all. Raises ManifestError for a different one.
    """
    text = render_release(release)
    parse_release(text)  # nothing is published that its readers would refuse
    if _put_once(s3, target, text.encode(), "application/json"):
        return release, text
    there = read_text(s3, str(target))
    existing = parse_release(there)
    if dataclasses.replace(release, id=existing.id, created=existing.created) != existing:
        raise ManifestError(f"{target} already holds another release ({existing.id}): a manifest is never overwritten.")
    return existing, there


def publish_signature(s3: Any, kms: Any, key: str, manifest: str, sha256: str) -> None:
    """Sign the manifest that lies at an address. A signature that a former attempt left there stays: no two are alike,
    and one that is not good stops every deployment.

    The type says text: what deploys a release reads it so.
    """
    signature = sign(kms, key, manifest, sha256)
    _put_once(s3, parse_s3_uri(signature_of(manifest)), signature.encode(), "text/plain")


def _only_new(params: dict[str, Any], **_: Any) -> None:
    params["headers"]["If-None-Match"] = "*"
