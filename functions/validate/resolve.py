"""Which object version a run uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from contracts.datasets import ENDINGS, RUN, role
from contracts.s3 import S3Location

LATEST = "latest"
# What S3 answers for a key, a version or a shape of version that does not exist, and for a delete marker.
# Who may not list an object's name is told 403: list rights hold for prefixes, which a HEAD has none of.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
_ABSENT = ("403", "404", "NoSuchKey", "NoSuchVersion", "400", "InvalidArgument", "405", "MethodNotAllowed")


class DataError(Exception):
    """The data cannot be used; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Source:
    """One version of one object, its size in bytes, and when it was written."""

    bucket: str
    key: str
    version: str
    size: int
    written: datetime

    @property
    def uri(self) -> str:
        """Where it lies, without the version."""
        return str(S3Location(self.bucket, self.key))


def resolve(s3: Any, bucket: str, prefixes: Sequence[str], key: str, version: str) -> Source:
    """The version asked for; `latest` as key is the newest dataset below the first prefix, as version the key's."""
    if key == LATEST:
        key, version = newest(s3, bucket, prefixes[0]), LATEST
    if not key.startswith(tuple(prefixes)):
        places = " or ".join(map(repr, prefixes))
        raise DataError(f"{key!r} is not below {places} in bucket {bucket}: only data there may be trained on.")
    wanted = {} if version == LATEST else {"VersionId": version}
    try:
        head = s3.head_object(Bucket=bucket, Key=key, **wanted)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise
        raise DataError(f"s3://{bucket}/{key} has no version {version!r}: it does not exist or was deleted.") from error
    found = head.get("VersionId", "null")
    if found == "null":
        raise DataError(f"s3://{bucket}/{key} has no version id: switch on versioning for bucket {bucket}.")
    return Source(bucket, key, found, head["ContentLength"], head["LastModified"])


def newest(s3: Any, bucket: str, prefix: str) -> str:
    """Key of the dataset that was written last below `prefix`: a file, or what completes a set. Raises DataError."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = [
        (entry["LastModified"], entry["Key"])
        for page in pages
        for entry in page.get("Contents", ())
        if role(entry["Key"], prefix) == RUN
    ]
    if not found:
        raise DataError(
            f"There is no file that ends in {', '.join(ENDINGS)} directly below s3://{bucket}/{prefix}, and no set of"
            " files that is complete: upload the data, then start the run again."
        )
    return str(max(found)[1])
