"""The data of a new window: the newest object, or those of the last days as one."""

from __future__ import annotations

import hashlib
import io
import itertools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.datasets import PARQUET, RUN, hidden, is_data, role
from contracts.retraining import JOINED, UPLOADED, identity
from contracts.s3 import S3Location

_CHUNK = 1 << 20
_LONGEST_HEADER = 1 << 16
_BOM = b"\xef\xbb\xbf"


class WindowError(Exception):
    """There is no data for a new run; the message says why."""


@dataclass(frozen=True)
class Part:
    """One version of one object."""

    bucket: str
    key: str
    version: str
    written: datetime

    @property
    def identity(self) -> str:
        """Its short name."""
        return identity(str(S3Location(self.bucket, self.key)), self.version)


def newest(s3: Any, bucket: str, folder: str) -> list[Part]:
    """The file that was written last below `folder`. Raises WindowError where there is none."""
    found = _listed(s3, bucket, folder)
    if not found:
        raise WindowError(
            f"there is no data (.csv, .csv.gz, .parquet) below s3://{bucket}/{folder}: upload newer rows there"
        )
    return found[-1:]


def recent(s3: Any, bucket: str, folder: str, days: int, now: datetime) -> list[Part]:
    """Every file that was written below `folder` in the last days, the oldest first. Raises WindowError."""
    found = [part for part in _listed(s3, bucket, folder) if part.written > now - timedelta(days=days)]
    if not found:
        raise WindowError(f"no data was written below s3://{bucket}/{folder} in the last {days} days")
    return found


def _listed(s3: Any, bucket: str, folder: str) -> list[Part]:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=folder)
    parts = [
        Part(bucket, entry["Key"], entry["VersionId"], entry["LastModified"])
        for page in pages
        for entry in page.get("Versions", ())
        if entry["IsLatest"] and _is_whole(entry["Key"])
    ]
    return sorted(parts, key=lambda part: (part.written, part.key))


def _is_whole(key: str) -> bool:
    """Whether an object is data by itself, and no part of a set that was uploaded."""
    if hidden(key):
        return False
    return is_data(key) and (not key.startswith(UPLOADED) or role(key, UPLOADED) == RUN)


def place_of(parts: Sequence[Part]) -> tuple[str, str]:
    """Key and version of the parts as one object; the version of a joined one is known once it is there.

    Its name comes of its parts: the same window is the same object, whoever joins it.
    """
    if len(parts) == 1:
        return parts[0].key, parts[0].version
    digest = hashlib.sha256("\n".join(part.identity for part in parts).encode()).hexdigest()
    return f"{JOINED}{digest[:32]}.csv", ""


def join(s3: Any, parts: Sequence[Part], key: str) -> str:
    """Put the parts together, row after row under one header; the version of what is there then.

    Raises WindowError where their headers differ, and for what cannot be put together.
    """
    bucket = parts[0].bucket
    odd = next((part.key for part in parts if part.key.lower().endswith(PARQUET)), "")
    if odd:
        raise WindowError(
            f"{odd} is Parquet, and files of a window are joined as CSV: collect CSV, or set retrain.data to take the"
            " newest file alone"
        )
    known = version_of(s3, bucket, key)
    if known:
        return known
    s3.upload_fileobj(io.BufferedReader(_Stream(_rows(s3, parts)), _CHUNK), bucket, key)
    return version_of(s3, bucket, key)


def version_of(s3: Any, bucket: str, key: str) -> str:
    """The newest version of an object, empty where it is not there."""
    listed = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", ())
    return next((str(entry["VersionId"]) for entry in listed if entry["IsLatest"] and entry["Key"] == key), "")


def _rows(s3: Any, parts: Sequence[Part]) -> Iterator[bytes]:
    first = b""
    for number, part in enumerate(parts):
        body = s3.get_object(Bucket=part.bucket, Key=part.key, VersionId=part.version)["Body"]
        chunks = _plain(body.iter_chunks(_CHUNK), part)
        header, rest = _header(chunks, part)
        if number == 0:
            first = header
            yield first + b"\n"
        elif header != first:
            raise WindowError(
                f"{part.key} has the header {_shown(header)}, and {parts[0].key} has {_shown(first)}: files of one"
                " window must have the same columns in the same order"
            )
        last = b"\n"
        for chunk in itertools.chain((rest,), chunks):
            if chunk:
                last = chunk[-1:]
                yield chunk
        if last != b"\n":
            yield b"\n"


def _plain(chunks: Iterator[bytes], part: Part) -> Iterator[bytes]:
    """The bytes of a file, unpacked where it is packed by gzip, in pieces of no more than a chunk."""
    if not part.key.lower().endswith(".gz"):
        yield from chunks
        return
    unpacking = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            left = chunk
            while left:
                # Several may be packed one behind the other.
                unpacking = zlib.decompressobj(wbits=31) if unpacking.eof else unpacking
                yield unpacking.decompress(left, _CHUNK)
                left = unpacking.unused_data if unpacking.eof else unpacking.unconsumed_tail
        yield unpacking.flush()
    except zlib.error as error:
        raise WindowError(f"{part.key} is not packed by gzip, as its name says ({error}): upload it anew") from None
    if not unpacking.eof:
        raise WindowError(f"{part.key} is cut off: pack it anew")


def _header(chunks: Iterator[bytes], part: Part) -> tuple[bytes, bytes]:
    """The first line, without what a spreadsheet puts around it, and what was read after it."""
    read = b""
    for chunk in chunks:
        read += chunk
        if b"\n" in read or len(read) > _LONGEST_HEADER:
            break
    line, end, rest = read.partition(b"\n")
    if not end and len(line) > _LONGEST_HEADER:
        raise WindowError(f"{part.key} begins with a line of more than {_LONGEST_HEADER} characters: it has no header")
    return line.removeprefix(_BOM).rstrip(b"\r"), rest


def _shown(header: bytes) -> str:
    return header[:200].decode("utf-8", "replace")


class _Stream(io.RawIOBase):
    """Chunks as a file that is read once: a window may be larger than a function's memory."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            try:
                self._left = next(self._chunks)
            except StopIteration:
                return 0
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)
