"""Rows as the features job reads them, for tests: files in memory, DuckDB in place of Spark."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.dataset import parse_dataset
from operate.dataset import Looked, look
from tests.functions import samples

HEADER = ["pickup", "dropoff", "passengers", "distance", "total"]
ROW = ["2019-03-23 20:21:09", "2019-03-23 20:27:24", "1", "1.6", "12.95"]
OTHER = [*ROW[:4], "8.5"]
SECRET = "5ec4e7"


def document(**changes: Any) -> dict[str, Any]:
    """The shipped dataset, with some members changed; those of `columns` one by one, and without those of `without`."""
    found: dict[str, Any] = json.loads(samples.DATASET_TEXT)
    left_out = changes.pop("without", ())
    found["columns"] |= changes.pop("columns", {})
    found["columns"] = {name: kind for name, kind in found["columns"].items() if name not in left_out}
    return found | {"maxBadShare": 0.5} | changes


def as_csv(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    """Rows as Python writes them."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode("utf-8", "surrogatepass")


@contextmanager
def reading(folder: Path, content: bytes, name: str = "data.csv", **changes: Any) -> Iterator[Looked]:
    """A file, read by the shipped dataset with changes."""
    file = folder / name
    file.write_bytes(content)
    with look(file, parse_dataset(document(**changes)), SECRET) as looked:
        yield looked


def account(folder: Path, content: bytes, name: str = "data.csv", **changes: Any) -> dict[str, Any]:
    """What became of a file's rows: counts, rules, examples, and why a run would stop."""
    with reading(folder, content, name, **changes) as looked:
        return {**looked.rows, "problem": looked.problem}


def values(folder: Path, content: bytes, query: str = "SELECT * FROM input", **changes: Any) -> list[tuple[Any, ...]]:
    """What a query gives over the rows that keep every rule."""
    with reading(folder, content, **changes) as looked:
        return looked.session.sql(query).collect()
