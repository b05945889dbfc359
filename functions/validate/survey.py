"""From files to the plan by which they are read: their first bytes, or of Parquet the last, tell how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts import plan, plan_parquet
from contracts.dataset import Dataset
from contracts.datasets import LINES, PARQUET, folder_columns
from functions.validate.head import BYTES, common, look
from functions.validate.records import group, read_contents
from functions.validate.resolve import DataError

_ALL_HEADS = 64 << 20
_SMALLEST_HEAD = 1 << 16


@dataclass(frozen=True)
class File:
    """One file: `name` is how people call it, `path` where it stands in its set; `read` gives its bytes from a place up
    to another one."""

    name: str
    path: str
    size: int
    read: Callable[[int, int], bytes]


def ending(files: Sequence[File]) -> str:
    """What the files of a set end with, `.csv` also where some are packed. Raises DataError."""
    names = [file.name.lower() for file in files]
    if all(name.endswith(PARQUET) for name in names):
        return PARQUET[0]
    if not any(name.endswith(PARQUET) for name in names):
        return LINES[0]
    one = next(file.name for file in files if file.name.lower().endswith(PARQUET))
    other = next(file.name for file in files if not file.name.lower().endswith(PARQUET))
    raise DataError(f"{one} is Parquet and {other} is CSV: files of one set are of one kind. Write them alike.")


def names(files: Sequence[File]) -> list[str]:
    """What copies of the files are called: so the plan and Spark know them (contracts/plan.py, `build`)."""
    kind = ending(files)
    # Spark unpacks by the name.
    tails = [".csv.gz" if file.name.lower().endswith(".gz") else kind for file in files]
    return [f"data{tail}" if len(files) == 1 else f"part-{place:05d}{tail}" for place, tail in enumerate(tails)]


def survey(files: Sequence[File], copies: Sequence[str], dataset: Dataset, now: datetime) -> dict[str, Any]:
    """The plan for files that are read from `copies`. Raises DataError for what cannot be read."""
    told = [{"uri": copy, "source": file.name} for file, copy in zip(files, copies, strict=True)]
    try:
        folders = folder_columns([file.path for file in files])
    except ValueError as error:
        raise DataError(f"{error}.") from None
    if ending(files) == PARQUET[0]:
        found = [
            (copy, file.name, read_contents(file.read, file.size, file.name))
            for file, copy in zip(files, copies, strict=True)
        ]
        return plan_parquet.build(dataset, group(found, dataset, folders), told, now)
    most = min(BYTES, max(_SMALLEST_HEAD, _ALL_HEADS // len(files)))
    heads = [look(file.read(0, min(most, file.size)), dataset, file.name, folders, most) for file in files]
    return plan.build(dataset, common(heads, dataset, folders), told, now)
