"""Which objects are data, which of them start a run, and what a set of files says of itself in their paths."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

LINES = (".csv", ".csv.gz")
"""Endings of files that are read line by line, in small letters."""
PARQUET = (".parquet",)
ENDINGS = (*LINES, *PARQUET)
"""Of files of data."""
SUCCESS = "_SUCCESS"
"""What Spark, Hadoop and Glue write once all files of a folder are there:
https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/mapreduce/lib/output/FileOutputCommitter.html"""
MANIFEST = ".manifest.json"
"""Ending of an object that lists the files of a set."""
MOST_FILES = 1000
"""Of a set. One function looks at each and copies it within its 15 minutes, at some tenths of a second each; and more
files are small ones, which cost every reader after it more than what is in them. Join them."""
NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""In a folder's name, what stands for an empty value (Hive, Spark)."""
RUN, PART, QUIET, UNKNOWN = "run", "part", "quiet", "unknown"
"""What becomes of a new object: it starts a run; it waits for its set to be complete; it is nobody's concern; it is of
no kind that is read."""


def role(key: str, prefix: str) -> str:
    """What becomes of a new object below the prefix: a file directly below it is a dataset, one in a folder a part."""
    path = key.removeprefix(prefix)
    name = path.rpartition("/")[2]
    if not name or name.endswith("_$folder$") or (hidden(name) and name != SUCCESS):
        return QUIET
    if "/" not in path and is_data(name):
        return RUN
    if name == SUCCESS and "/" in path and not hidden(path.rpartition("/")[0]):
        return RUN
    if hidden(path):
        return QUIET
    if name.lower().endswith(MANIFEST):
        return RUN
    return PART if is_data(name) else UNKNOWN


def is_data(key: str) -> bool:
    """Whether a file is read, by its name."""
    return key.lower().endswith(ENDINGS)


def is_set(key: str) -> bool:
    """Whether an object stands for a set of files."""
    return key.endswith(f"/{SUCCESS}") or key.lower().endswith(MANIFEST)


def hidden(path: str) -> bool:
    """Whether Spark passes a file by: https://github.com/apache/spark/blob/v3.5.6/core/src/main/scala/org/apache/spark/util/HadoopFSUtils.scala"""
    return any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in path.split("/"))


def folder_of(key: str, prefix: str) -> str:
    """The folder of the set that a part belongs to, without the folders of values (`year=2019/`)."""
    parts = key.removeprefix(prefix).split("/")[:-1]
    while parts and "=" in parts[-1]:
        parts.pop()
    return prefix + "".join(f"{part}/" for part in parts)


def folder_values(path: str) -> dict[str, str]:
    """Columns that the folders of a path have: `year=2019/month=3/a.csv`. Raises ValueError.

    As Hive writes them: https://spark.apache.org/docs/3.5.6/sql-data-sources-parquet.html#partition-discovery
    """
    pairs = [part.partition("=")[::2] for part in path.split("/")[:-1] if part.partition("=")[1]]
    found = {unquote(name): "" if value == NOTHING else unquote(value) for name, value in pairs}
    for name, value in found.items():
        if not name or any(ord(character) < 32 for character in name + value):
            raise ValueError(f"has a folder {name!r}={value!r}, which is no column and its value")
    if len(found) < len(pairs):
        raise ValueError("stands in two folders of the same column")
    return found


def folder_columns(paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The columns that the folders of all paths have, with one value for each path. Raises ValueError."""
    values = []
    for path in paths:
        try:
            values.append(folder_values(path))
        except ValueError as error:
            raise ValueError(f"{path} {error}") from None
        if values[-1].keys() != values[0].keys():
            raise ValueError(
                f"{path} stands in folders of {_listed(values[-1])}, and {paths[0]} in folders of {_listed(values[0])}:"
                " all files of a set stand in folders of the same columns"
            )
    return {name: tuple(value[name] for value in values) for name in values[0]}


def _listed(names: dict[str, str]) -> str:
    return ", ".join(sorted(names)) or "no columns"
