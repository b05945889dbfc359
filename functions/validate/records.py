"""Which columns Parquet files have, and whether they are what the dataset declares: before any record is read."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from contracts import parquet
from contracts.columns import BOOLEAN, INTEGER, NUMBER, TIMESTAMP, Column
from contracts.dataset import Dataset
from contracts.parquet import Contents, Field, ParquetError
from contracts.plan_parquet import FITS, Group, Records
from functions.validate.head import named_folders
from functions.validate.resolve import DataError

Bytes = Callable[[int, int], bytes]
"""Gives the bytes of a file from a place up to another one."""
_TAIL = 1 << 16
_MOST = 4 << 20
"""Of the metadata, what is looked at: columns stand at its beginning, a hundred bytes each."""
_HELD = {
    parquet.BOOL: "true or false", parquet.INT: "whole numbers", parquet.UNSIGNED: "whole numbers",
    parquet.DOUBLE: "numbers", parquet.DECIMAL: "decimals", parquet.DATE: "days", parquet.INSTANT: "times",
    parquet.LOCAL: "times", parquet.INSTANT_NANOS: "times", parquet.LOCAL_NANOS: "times", parquet.TEXT: "texts",
    parquet.NESTED: "lists, maps or structs", parquet.BYTES: "bytes that are not marked as text (UTF8)",
    parquet.TIME: "times of day", parquet.OTHER: "values of a type that is not read",
}  # fmt: skip
_WRITTEN = {
    NUMBER: "numbers (double, float, decimal or whole)", INTEGER: "whole numbers",
    TIMESTAMP: "timestamps or dates", BOOLEAN: "booleans",
}  # fmt: skip


def read_contents(read: Bytes, size: int, uri: str) -> Contents:
    """What the end of a file of `size` bytes tells. Raises DataError."""
    try:
        end = read(max(0, size - _TAIL), size)
        told = parquet.metadata_size(end)
        begin = size - parquet.TAIL - told
        if begin < len(parquet.MAGIC):
            raise ParquetError("is cut off: its end names more bytes than it has. Upload it anew")
        known = told + parquet.TAIL <= len(end)
        metadata = end[-told - parquet.TAIL :] if known else read(begin, begin + min(told, _MOST))
        return parquet.contents(metadata)
    except ParquetError as error:
        raise DataError(f"{uri} {error}.") from None


def group(
    files: Sequence[tuple[str, str, Contents]], dataset: Dataset, folders: Mapping[str, tuple[str, ...]]
) -> Records:
    """The files (address of the copy, how people call it, contents) by their columns. Raises DataError."""
    alike: dict[tuple[Field, ...], list[str]] = {}
    for copy, uri, found in files:
        check(found.fields, dataset, uri, folders)
        alike.setdefault(found.fields, []).append(copy)
    groups = tuple(Group(tuple(copies), fields) for fields, copies in alike.items())
    held = [{field.name for field in group.fields} for group in groups]
    for name in folders:
        some = [name in names for names in held]
        if any(some) and not all(some):
            raise DataError(
                f"Some files of the set have the column {name}, and others stand in folders called {name}=…: write them"
                " alike."
            )
    return Records(groups, named_folders(folders, [field.name for field in groups[0].fields], dataset))


def check(fields: Sequence[Field], dataset: Dataset, uri: str, foldered: Container[str] = ()) -> None:
    """Refuse columns that are not there, twice there, or of another type than is declared. Raises DataError."""
    by_name = {field.name: field for field in fields}
    columns = dataset.columns.values()
    missing = [it.header for it in columns if it.header not in by_name and it.header not in foldered]
    if missing:
        raise DataError(_lacks(missing, list(by_name), dataset, uri))
    for column in columns:
        twins = [field.name for field in fields if field.name.lower() == column.header.lower()]
        if len(twins) > 1:
            raise DataError(
                f"{uri} has the column {column.header} more than once ({', '.join(twins)}): which one is meant?"
            )
        if column.header in by_name:
            _refuse_other_types(column, by_name[column.header], uri)


def _lacks(missing: Sequence[str], names: Sequence[str], dataset: Dataset, uri: str) -> str:
    target = dataset.columns[dataset.target].header
    named = f" ({target} is the target)" if target in missing else ""
    lowered = {name.lower(): name for name in names}
    other = [f"{lowered[name.lower()]!r} for {name}" for name in missing if name.lower() in lowered]
    hint = f" It has {', '.join(other)}: write names as they are declared." if other else ""
    many = "s" if len(missing) > 1 else ""
    return f"{uri} lacks the column{many} {', '.join(missing)}{named}. It has: {', '.join(names)[:500]}.{hint}"


def _refuse_other_types(column: Column, field: Field, uri: str) -> None:
    if field.kind in (*FITS[column.kind], parquet.NOTHING):
        return
    wanted = _WRITTEN.get(column.kind, "texts, whole numbers or booleans")
    raise DataError(
        f"{uri} holds {_HELD[field.kind]} in {column.header}, which is declared as {column.kind}: write it as {wanted},"
        f" or declare it as what it is."
    )
