"""Tabular data as a table of text columns: CSV files, or what an endpoint captured."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb


class DataError(Exception):
    """Data that cannot be analyzed; the message says which and why."""


@dataclass(frozen=True)
class Dataset:
    """`columns` in order; the rows are in the table `data` of `connection`, all text, NULL where nothing was given."""

    connection: duckdb.DuckDBPyConnection
    columns: list[str]

    def one(self, sql: str) -> tuple[Any, ...]:
        """The single row of a query."""
        row = self.connection.execute(sql).fetchone()
        assert row is not None
        return tuple(row)


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def load(dataset_format: dict[str, Any], source: Path, names: list[str] | None) -> Dataset:
    """Read a source. `names` are the baseline's columns, which data without a header is taken to have in this order.

    Raises DataError.
    """
    files = sorted(path for path in ([source] if source.is_file() else source.rglob("*")) if path.is_file())
    if not files:
        raise DataError(f"no data found below {source}")
    if "csv" in dataset_format:
        return _csv(files, bool(dataset_format["csv"].get("header", False)), names)
    if "sagemakerCaptureJson" in dataset_format:
        indexes = dataset_format["sagemakerCaptureJson"].get("captureIndexNames", ["endpointInput", "endpointOutput"])
        return _captured(files, indexes, names)
    raise DataError(f"not implemented by the rehearsal: dataset format {sorted(dataset_format)}")


def _csv(files: list[Path], header: bool, names: list[str] | None) -> Dataset:
    files = [path for path in files if path.stat().st_size and not path.name.startswith(("_", "."))]
    if not files:
        raise DataError("no data found: every file is empty")
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    try:
        connection.execute(
            "CREATE TABLE data AS SELECT * FROM read_csv(?, header = ?, all_varchar = true, delim = ',')",
            [[str(path) for path in files], header],
        )
    except duckdb.Error as error:
        raise DataError(f"the CSV cannot be read: {str(error).splitlines()[0]}") from None
    found = [str(row[0]) for row in connection.execute("DESCRIBE data").fetchall()]
    if header:
        return Dataset(connection, found)
    columns = _named(len(found), names)
    for old, new in zip(found, columns, strict=True):
        connection.execute(f"ALTER TABLE data RENAME COLUMN {quoted(old)} TO {quoted(new)}")
    return Dataset(connection, columns)


def _named(count: int, names: list[str] | None) -> list[str]:
    known = list(names or [])[:count]
    return known + [f"_c{index}" for index in range(len(known), count)]


def _captured(files: list[Path], indexes: list[str], names: list[str] | None) -> Dataset:
    """Rows of captured requests: output columns first, then input columns, as the analyzer orders them."""
    rows: list[list[str]] = []
    header: list[str] | None = None
    for record in _records(files):
        data = record["captureData"]
        sides = [side for side in ("endpointOutput", "endpointInput") if side in indexes and side in data]
        keys, found = _merge([_side(side, data[side]) for side in sides])
        header = header or keys
        rows += found
    if not rows:
        raise DataError("the captured data holds no row")
    width = max(len(row) for row in rows)
    columns = header if header else _named(width, names)
    return _table(columns, [row + [""] * (len(columns) - len(row)) for row in rows])


def _records(files: list[Path]) -> Iterator[dict[str, Any]]:
    for path in files:
        if path.suffix != ".jsonl":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                record: dict[str, Any] = json.loads(line)
                record["captureData"]
            except (json.JSONDecodeError, KeyError, TypeError):
                raise DataError(f"{path.name}, line {number}: not a capture record") from None
            yield record


def _side(name: str, captured: dict[str, Any]) -> tuple[list[str] | None, list[list[str]]]:
    """Column names (None where there are none) and rows of one side of an exchange."""
    text, encoding = captured["data"], captured["encoding"]
    if encoding == "CSV":
        lines = text.strip()
        # One score a row: older containers separate them by commas, newer ones by line ends.
        if name == "endpointOutput" and "\n" not in lines:
            lines = lines.replace(",", "\n")
        return None, list(csv.reader(io.StringIO(lines)))
    if encoding == "JSON":
        return _json_side(name, text)
    size = len(base64.b64decode(text))
    raise DataError(
        f"{name} has encoding {encoding} ({size} bytes of {captured.get('observedContentType')}): the endpoint's"
        " CaptureContentTypeHeader must list this content type as CSV or JSON"
    )


def _json_side(name: str, text: str) -> tuple[list[str], list[list[str]]]:
    documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    if not documents:
        raise DataError(f"{name}: empty JSON")
    keys: list[str] = []
    rows = []
    for document in documents:
        nested = not isinstance(document, dict) or any(isinstance(value, dict | list) for value in document.values())
        if nested:
            raise DataError(
                f"{name}: encountered nested JSON, only flat JSON is supported without a preprocessing script"
            )
        keys = keys or list(document)
        rows.append(["" if document.get(key) is None else str(document[key]) for key in keys])
    return keys, rows


def _merge(sides: list[tuple[list[str] | None, list[list[str]]]]) -> tuple[list[str] | None, list[list[str]]]:
    if not sides:
        return None, []
    counts = {len(rows) for _, rows in sides}
    if len(counts) != 1:
        raise DataError(f"a captured exchange has input and output of different lengths: {sorted(counts)} rows")
    names: list[str] | None = []
    for keys, _ in sides:
        names = None if names is None or keys is None else [*names, *keys]
    joined = [[cell for row in rows for cell in row] for rows in zip(*(rows for _, rows in sides), strict=True)]
    return names, joined


def _table(columns: list[str], rows: list[list[str]]) -> Dataset:
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    declared = ", ".join(f"{quoted(name)} VARCHAR" for name in columns)
    connection.execute(f"CREATE TABLE data ({declared})")
    if len(rows) > 500:
        _copy(connection, rows)
    else:
        marks = ", ".join("NULLIF(?, '')" for _ in columns)
        connection.executemany(f"INSERT INTO data VALUES ({marks})", rows)
    return Dataset(connection, columns)


def _copy(connection: duckdb.DuckDBPyConnection, rows: list[list[str]]) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        csv.writer(file).writerows(rows)
        file.flush()
        connection.execute(
            "INSERT INTO data SELECT * FROM read_csv(?, header = false, all_varchar = true, delim = ',')", [file.name]
        )
