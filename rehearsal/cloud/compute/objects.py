"""Objects in and out of a job, always with the credentials of the job's role."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError


class TransferError(Exception):
    """An object that cannot be read or written; the message is what the job's FailureReason says."""


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`. Raises TransferError."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise TransferError(f"Invalid S3 URI {uri!r}: expected s3://<bucket>/<key>")
    return bucket, key


def keys(client: Any, uri: str) -> Iterator[tuple[str, str]]:
    """Keys below a prefix, each with its path relative to the prefix. Folder markers are left out."""
    bucket, prefix = split(uri)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            key = item["Key"]
            if not key.endswith("/"):
                yield key, key[len(prefix) :].lstrip("/") or key.rsplit("/", 1)[-1]


def download(client: Any, uri: str, folder: Path, role: str, share: tuple[int, int] = (0, 1)) -> int:
    """Copy the objects below `uri` into `folder`; returns how many there are. Raises TransferError, also for none.

    share: of (1, 3) it is every third object that is copied, from the second on.
    """
    bucket, _ = split(uri)
    first, of = share
    count = 0
    try:
        for key, relative in keys(client, uri):
            count += 1
            if (count - 1) % of != first:
                continue
            path = folder / relative
            if ".." in path.parts:
                raise TransferError(f"Data download failed: key {key} leaves the folder of the channel")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        raise TransferError(f"Data download failed: {uri}: {_reason(error)} (role {role})") from None
    if not count:
        raise TransferError(nothing_there(uri, role))
    return count


def nothing_there(uri: str, role: str) -> str:
    """AWS's own sentence for an input that holds no object."""
    bucket = uri.removeprefix("s3://").partition("/")[0]
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in'
        f' the selected region, that objects exist under that S3 prefix, and that the role "{role}" has'
        f' "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def read(client: Any, uri: str) -> bytes:
    """One object. Raises TransferError."""
    bucket, key = split(uri)
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise TransferError(f"{uri}: {_reason(error)}") from None
    return body


def write(client: Any, uri: str, body: bytes, kms_key: str | None = None, **more: Any) -> None:
    """One object, encrypted with `kms_key` where one is given. Raises TransferError."""
    bucket, key = split(uri)
    if kms_key:
        more |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
    try:
        client.put_object(Bucket=bucket, Key=key, Body=body, **more)
    except ClientError as error:
        raise TransferError(f"{uri}: {_reason(error)}") from None


def upload(client: Any, folder: Path, uri: str, kms_key: str | None = None) -> int:
    """Copy every file of `folder` below `uri`; returns how many. Raises TransferError."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        write(client, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", path.read_bytes(), kms_key)
    return len(files)


def _reason(error: ClientError) -> str:
    details = error.response["Error"]
    return f"{details.get('Code', 'Error')}: {details.get('Message', '')}"
