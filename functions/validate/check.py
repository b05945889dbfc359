"""Checking a CSV against the dataset's schema, as a stream: memory does not grow with the data."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contracts.cells import fitting, number, why_not
from contracts.dataset import Dataset
from functions.validate.resolve import DataError

_EXAMPLES = 5
_MAX_CELL = 131_072


@dataclass(frozen=True)
class Checked:
    """Data rows read, rows that do not fit the schema, and the SHA-256 (hex) of all bytes."""

    rows: int
    bad_rows: int
    sha256: str


def check(chunks: Iterable[bytes], dataset: Dataset, max_bad_share: float, uri: str) -> Checked:
    """Read everything once. Raises DataError for a missing column, no rows, too many rows that do not fit, or a target
    that never differs.

    `max_bad_share` is the share of rows (0 to 1) that may fail. In these features.sql gets NULL for the cells that do
    not fit (contracts/cells.py), and decides.
    """
    digest = hashlib.sha256()
    reader = csv.reader(_lines(chunks, digest.update, uri))
    checks, target, width = _header(reader, dataset, uri)
    lines = _next_line(reader, 0, uri)
    rows, bad, problems, examples = 0, 0, Counter[str](), list[str]()
    try:
        for row in reader:
            lines = _next_line(reader, lines, uri)
            if not row:
                continue
            rows += 1
            problem = _problem(row, checks, width)
            if problem is None:
                target.see(row)
                continue
            bad += 1
            problems[problem] += 1
            if len(examples) < _EXAMPLES:
                examples.append(f"line {reader.line_num}: {_example(row, checks, problem)}")
    except csv.Error as error:
        raise DataError(f"{uri} is not valid CSV at line {reader.line_num}: {error}.") from error
    if rows == 0:
        raise DataError(f"{uri} has a header but no rows: upload data, then start the run again.")
    if bad == rows or bad > max_bad_share * rows:
        raise DataError(_too_many(uri, rows, bad, max_bad_share, problems, examples))
    if not target.differs:
        raise DataError(
            f"{dataset.target}, the target, is {target.first!r:.42} in all {rows - bad} rows of {uri} that fit the"
            f" schema: a model of it would be perfect and know nothing. Upload data in which it differs."
        )
    return Checked(rows, bad, digest.hexdigest())


def _next_line(reader: Any, before: int, uri: str) -> int:
    """The number of the line just read; a row of several is refused: the features job would read other rows.

    Spark takes each line for a row (https://spark.apache.org/docs/3.5.6/sql-data-sources-csv.html, `multiLine`).
    """
    line: int = reader.line_num
    if line != before + 1:
        raise DataError(_broken(uri, before + 1))
    return line


def _broken(uri: str, line: int) -> str:
    return f"{uri} has a line break within a cell at line {line}: take it out, since every line is read as a row."


@dataclass(frozen=True)
class _Check:
    column: str
    index: int
    fits: Callable[[str], bool]
    kind: str


class _Target:
    """Whether a column ever differs: as a number where it is one, as text elsewhere."""

    def __init__(self, index: int, kind: str) -> None:
        self._index = index
        self._read: Callable[[str], object] = number if kind in ("number", "integer") else str
        self.first: str | None = None
        self.differs = False

    def see(self, row: list[str]) -> None:
        if self.differs:
            return
        cell = row[self._index]
        if self.first is None:
            self.first = cell
        self.differs = self._read(cell) != self._read(self.first)


def _header(reader: Iterator[list[str]], dataset: Dataset, uri: str) -> tuple[list[_Check], _Target, int]:
    try:
        header = next(reader)
    except StopIteration:
        raise DataError(f"{uri} is empty: it needs a header with {', '.join(dataset.columns)}, and rows.") from None
    except csv.Error as error:
        raise DataError(f"{uri} is not valid CSV in its header: {error}.") from error
    missing = [column for column in dataset.columns if column not in header]
    if missing:
        target = f" ({dataset.target} is the target)" if dataset.target in missing else ""
        raise DataError(
            f"{uri} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}{target}."
            f" Its header is: {', '.join(header)[:500]}."
        )
    # To Spark, capitals make no other column, and of two it calls neither by its name.
    lowered = [column.lower() for column in header]
    repeated = [column for column in dataset.columns if lowered.count(column.lower()) > 1]
    if repeated:
        raise DataError(f"{uri} has the column {repeated[0]} more than once: which one is meant?")
    checks = [
        _Check(column, header.index(column), fitting(kind), kind)
        for column, kind in dataset.columns.items()
        if kind != "string"  # any text is a string, the empty one included
    ]
    return checks, _Target(header.index(dataset.target), dataset.columns[dataset.target]), len(header)


def _problem(row: list[str], checks: list[_Check], width: int) -> str | None:
    if len(row) != width:
        return "number of values"
    for item in checks:
        if not item.fits(row[item.index]):
            return item.column
    return None


def _example(row: list[str], checks: list[_Check], problem: str) -> str:
    for item in checks:
        if item.column == problem:
            return f"{problem} {row[item.index][:40]!r} {why_not(item.kind, row[item.index])}"
    return f"{len(row)} values"


def _too_many(uri: str, rows: int, bad: int, max_bad_share: float, problems: Counter[str], examples: list[str]) -> str:
    amount = "All" if bad == rows else f"{bad} of"
    allowed = "" if bad == rows else f", more than the allowed {max_bad_share:.1%}"
    by_column = ", ".join(f"{column} ({count})" for column, count in problems.most_common())
    return (
        f"{amount} {rows} rows of {uri} do not fit the schema{allowed}. By column: {by_column}."
        f" Examples: {'; '.join(examples)}."
    )


def _lines(chunks: Iterable[bytes], update: Callable[[bytes], None], uri: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    pending, number = "", 0
    try:
        for chunk in chunks:
            update(chunk)
            *complete, pending = (pending + decoder.decode(chunk)).split("\n")
            if len(pending) > _MAX_CELL * 8:
                raise DataError(f"{uri} has a line of more than a million characters: it is not a CSV of rows.")
            for line in complete:
                number += 1
                # A carriage return ends a line, too, wherever it stands.
                if "\r" in line[:-1]:
                    raise DataError(_broken(uri, number))
                yield line + "\n"
        pending += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise DataError(f"{uri} is not UTF-8 text ({error.reason}): save it as UTF-8 CSV.") from error
    if "\r" in pending[:-1]:
        raise DataError(_broken(uri, number + 1))
    if pending:
        yield pending
