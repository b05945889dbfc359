"""A dataset version is an exact set of object versions: which, is found here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.datasets import MOST_FILES, QUIET, RUN, UNKNOWN, is_data, is_set, role
from contracts.fields import FieldError, Fields, parse_json
from functions.validate.resolve import LATEST, DataError, Source, resolve

_LARGEST_LIST = 1 << 20


@dataclass(frozen=True)
class Members:
    """The files of a dataset; `folder` is what their paths are told from, `empty` how many had no bytes."""

    files: tuple[Source, ...]
    folder: str
    empty: int


def members(s3: Any, source: Source, prefix: str) -> Members:
    """The files that an object stands for: itself, or those of a set. Raises DataError."""
    if not is_set(source.key):
        return Members((source,), source.key.rpartition("/")[0] + "/", 0)
    if role(source.key, prefix) != RUN:
        raise DataError(
            f"{source.uri} is hidden: a set is complete by a marker whose folders begin with neither _ nor ."
        )
    listed = source.key.lower().endswith(".json")
    folder = prefix if listed else source.key.rpartition("/")[0] + "/"
    found = _listed(s3, source, prefix) if listed else _in_folder(s3, source, folder, prefix)
    files = tuple(file for file in found if file.size)
    if not files:
        raise DataError(f"{source.uri} completes a set that has no data: write its files before it.")
    if len(files) > MOST_FILES:
        raise DataError(
            f"{source.uri} completes a set of {len(files)} files, more than the {MOST_FILES} that a function can look"
            " at and copy in its time: write fewer and larger ones."
        )
    return Members(files, folder, len(found) - len(files))


def _in_folder(s3: Any, marker: Source, folder: str, prefix: str) -> list[Source]:
    """The files of a set that a marker completes, in the order of their keys. Raises DataError."""
    found = _below(s3, marker, folder)
    return [_as_data(it, prefix) for it in found if role(it.key, prefix) != QUIET and not is_set(it.key)]


def _below(s3: Any, marker: Source, start: str) -> list[Source]:
    """The newest versions that are no newer than a marker, of keys that start so, in their order.

    Those of today, if the same run is started again tomorrow. S3 counts in seconds; of an upload in parts it is the
    second in which it began: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
    """
    newest: dict[str, Source] = {}
    deleted: dict[str, tuple[datetime, bool]] = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=marker.bucket, Prefix=start):
        for entry in _until(page.get("Versions", ()), marker.written):
            source = Source(marker.bucket, entry["Key"], entry["VersionId"], entry["Size"], entry["LastModified"])
            known = newest.get(source.key)
            # Of one second the first that S3 lists is the newest.
            if not known or source.written > known.written:
                newest[source.key] = source
        for entry in _until(page.get("DeleteMarkers", ()), marker.written):
            known_end = deleted.get(entry["Key"])
            if not known_end or entry["LastModified"] > known_end[0]:
                deleted[entry["Key"]] = entry["LastModified"], entry["IsLatest"]
    return [source for key, source in sorted(newest.items()) if not _gone(source, deleted.get(key))]


def _until(entries: Any, moment: datetime) -> Iterator[Mapping[str, Any]]:
    return (entry for entry in entries if entry["LastModified"] <= moment)


def _gone(source: Source, deleted: tuple[datetime, bool] | None) -> bool:
    """Whether a file was deleted after it was written. Within one second, what is there today tells."""
    return deleted is not None and (deleted[0] > source.written or (deleted[0] == source.written and deleted[1]))


def _as_data(source: Source, prefix: str) -> Source:
    if role(source.key, prefix) == UNKNOWN:
        raise DataError(
            f"{source.uri} is in a set and of no kind that is read (.csv, .csv.gz, .parquet): take it out of the"
            " folder, or give it a name that begins with _, then write the marker again."
        )
    if source.version == "null":
        raise DataError(f"{source.uri} was written before the bucket had versions: write it again.")
    return source


def _listed(s3: Any, manifest: Source, prefix: str) -> list[Source]:
    """The files that a manifest lists. Raises DataError."""
    if manifest.size > _LARGEST_LIST:
        raise DataError(f"{manifest.uri} has {manifest.size} bytes, more than a manifest may: {_LARGEST_LIST}.")
    got = s3.get_object(Bucket=manifest.bucket, Key=manifest.key, VersionId=manifest.version)
    try:
        fields = Fields(parse_json(got["Body"].read().decode("utf-8"), "manifest"), "manifest")
        entries = fields.items("files", _entry)
        fields.done()
    except (FieldError, UnicodeDecodeError) as error:
        raise DataError(f"{manifest.uri} cannot be read: {error}.") from None
    if len({key for key, _, _ in entries}) < len(entries):
        raise DataError(f"{manifest.uri} lists a file twice: take one out.")
    if len(entries) > MOST_FILES:
        raise DataError(f"{manifest.uri} lists {len(entries)} files, more than a set may have: {MOST_FILES}.")
    return [_found(s3, manifest, prefix, *entry) for entry in entries]


def _entry(value: object, path: str) -> tuple[str, str, int | None]:
    """Key, version and size; of a text alone the key."""
    if isinstance(value, str):
        return value, LATEST, None
    fields = Fields(value, path)
    found = (
        fields.text("key"),
        fields.text("version") if fields.has("version") else LATEST,
        fields.count("size", least=0) if fields.has("size") else None,
    )
    fields.done()
    return found


def _found(s3: Any, manifest: Source, prefix: str, key: str, version: str, size: int | None) -> Source:
    """One file of a manifest, as it was when the manifest was written."""
    if not is_data(key):
        raise DataError(f"{manifest.uri} lists {key}, which is none of .csv, .csv.gz and .parquet.")
    if version != LATEST or not key.startswith(prefix):
        source = resolve(s3, manifest.bucket, (prefix,), key, version)
    else:
        known = [_as_data(it, prefix) for it in _below(s3, manifest, key) if it.key == key]
        if not known:
            raise DataError(f"{manifest.uri} lists {key}, which was not there when the manifest was written.")
        source = known[0]
    if size is not None and source.size != size:
        raise DataError(
            f"{manifest.uri} lists {key} with {size} bytes, and it has {source.size}: upload it anew, and then the"
            " manifest."
        )
    return source
