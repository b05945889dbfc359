"""Addresses of objects in S3, and how it refuses to overwrite one."""

from __future__ import annotations

import re
from typing import NamedTuple

EXISTS = ("PreconditionFailed", "ConditionalRequestConflict")
"""Codes that a write with `IfNoneMatch` is refused with: something is there, or is just being written.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class S3Location(NamedTuple):
    """A bucket and a key (or a prefix, where the key ends with a slash)."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def join(self, *parts: str) -> S3Location:
        """The location below this one: `s3://b/a`.join("c", "d") is `s3://b/a/c/d`."""
        return S3Location(self.bucket, "/".join([self.key.rstrip("/"), *parts]).lstrip("/"))


def bucket_of(address: str) -> str:
    """The bucket of `s3://bucket`, with or without a key or a query (as Pulumi's state backends have one)."""
    return address.removeprefix("s3://").partition("?")[0].partition("/")[0]


def parse_s3_uri(uri: str) -> S3Location:
    """Split `s3://bucket/key`; a ValueError names what is wrong with anything else."""
    if not uri.startswith("s3://"):
        raise ValueError(f"{uri!r} is not an S3 URI: it must look like s3://bucket/key")
    bucket, key = uri[5:].partition("/")[::2]
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(f"{uri!r} has no valid bucket name ({bucket!r}): it must look like s3://bucket/key")
    if not key:
        raise ValueError(f"{uri!r} names a bucket but no key: it must look like s3://bucket/key")
    return S3Location(bucket, key)
