"""S3 behind the frames, with the credentials of the process."""

import os
import tempfile
from pathlib import Path
from typing import Any

import boto3


def _client() -> Any:
    return boto3.client("s3")


def _split(path: str) -> tuple[str, str]:
    for scheme in ("s3://", "s3a://", "s3n://"):
        if path.startswith(scheme):
            bucket, _, key = path[len(scheme) :].partition("/")
            return bucket, key.rstrip("/")
    raise NotImplementedError(f"not implemented by the rehearsal: path {path} outside S3")


def _keys(bucket: str, prefix: str) -> list[str]:
    pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def download(path: str, suffixes: tuple[str, ...]) -> list[Path]:
    """Local copies of a file, or of a folder's files; names that begin with `_` or `.` are hidden, as in Spark."""
    return [file for _, file in named(path, suffixes)]


def named(path: str, suffixes: tuple[str, ...]) -> list[tuple[str, Path]]:
    """The same, each with its address."""
    bucket, key = _split(path)
    found = [name for name in _keys(bucket, key) if name == key or name.startswith(f"{key}/")]
    names = [name for name in found if not name.rsplit("/", 1)[-1].startswith(("_", ".")) and not name.endswith("/")]
    names = [name for name in names if name.endswith(suffixes)]
    if not names:
        raise RuntimeError(f"[PATH_NOT_FOUND] Path does not exist: {path}.")
    folder = Path(tempfile.mkdtemp())
    files = []
    for index, name in enumerate(sorted(names)):
        file = folder / f"{index:05d}{Path(name).suffix}"
        _client().download_file(bucket, name, str(file))
        files.append((f"s3://{bucket}/{name}", file))
    return files


def exists(path: str) -> bool:
    bucket, key = _split(path)
    return bool(_keys(bucket, f"{key}/"))


def make_folder(path: str) -> None:
    """What making a folder leaves: up to Glue 5.0, EMRFS marks each one that was not there by an object beside it.

    From 5.1 on `s3://` is S3A, which leaves nothing. github.com/apache/hudi/issues/7909 has the stack of a marker
    that was refused; docs.aws.amazon.com/glue/latest/dg/migrating-version-51.html names the default connector.
    """
    if tuple(map(int, os.environ.get("GLUE_VERSION", "5.1").split("."))) >= (5, 1):
        return
    bucket, key = _split(path)
    folders = key.rstrip("/").split("/")
    for depth in range(1, len(folders) + 1):
        folder = "/".join(folders[:depth])
        if not _keys(bucket, f"{folder}/"):
            put(f"s3://{bucket}/{folder}_$folder$", b"")


def clear(path: str) -> None:
    bucket, key = _split(path)
    for name in _keys(bucket, f"{key}/"):
        _client().delete_object(Bucket=bucket, Key=name)


def put(path: str, body: bytes) -> None:
    bucket, key = _split(path)
    _client().put_object(Bucket=bucket, Key=key, Body=body)
