"""What an administrator of the delivery account can do to a release: make one up and sign it, or tamper with one.

No role of the project can do either.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contracts.names import DELIVERY
from contracts.s3 import parse_s3_uri
from contracts.signature import sign, signature_of
from operate.clients import Clients
from operate.plans import write_once
from operate.project import Project


def publish(clients: Clients, project: Project, uri: str, text: bytes) -> None:
    """Writes a manifest that the training workflow did not make, and signs it all the same."""
    s3, kms = clients.of(DELIVERY, "s3"), clients.of(DELIVERY, "kms")
    write_once(s3, uri, text, "application/json")
    signature = sign(kms, project.names.signing_key, uri, hashlib.sha256(text).hexdigest())
    write_once(s3, signature_of(uri), signature.encode(), "text/plain")


def overwrite(s3: Any, uri: str, body: bytes, content_type: str = "application/json") -> list[str]:
    """Puts something else where nothing is ever overwritten: it is taken away first. The versions that this makes."""
    bucket, key = parse_s3_uri(uri)
    away = s3.delete_object(Bucket=bucket, Key=key)["VersionId"]
    put = s3.put_object(
        Bucket=bucket, Key=key, Body=body, ContentType=content_type, ChecksumAlgorithm="SHA256", IfNoneMatch="*"
    )
    return [away, put["VersionId"]]


@contextmanager
def overwritten(s3: Any, uri: str, body: bytes, content_type: str = "application/json") -> Iterator[None]:
    """Something else lies there until the block ends."""
    made = overwrite(s3, uri, body, content_type)
    try:
        yield
    finally:
        restore(s3, uri, made)


def restore(s3: Any, uri: str, versions: list[str]) -> None:
    """What lay there before these versions lies there again."""
    bucket, key = parse_s3_uri(uri)
    for version in reversed(versions):
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
