"""Parquet as Spark reads it with a schema: what fits which type, and where a record stands."""

import re
from pathlib import Path
from typing import Any

_FIELD = re.compile(r"`((?:[^`]|``)+)` (\w+(?:\(\d+,\d+\))?)(?:, |\Z)")
# Spark's type → DuckDB's types of files that it reads so, and DuckDB's for it. Nothing is cast that Spark would not:
# https://github.com/apache/spark/blob/v3.5.6/sql/core/src/main/java/org/apache/spark/sql/execution/datasources/parquet/ParquetVectorUpdaterFactory.java
_FITS = {
    "boolean": ({"BOOLEAN"}, "BOOLEAN"),
    "int": ({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT"}, "INTEGER"),
    "bigint": ({"BIGINT", "UINTEGER", "TIMESTAMP_NS", "TIMESTAMPTZ_NS"}, "BIGINT"),
    "float": ({"FLOAT"}, "FLOAT"),
    "double": ({"DOUBLE"}, "DOUBLE"),
    "date": ({"DATE"}, "DATE"),
    "timestamp": ({"TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}, "TIMESTAMP"),
    "string": ({"VARCHAR", "JSON"}, "VARCHAR"),
}


def listed(schema: str) -> list[tuple[str, str]]:
    """Names and Spark's types of a schema whose names stand in its quotes."""
    found = [(name.replace("``", "`"), kind) for name, kind in _FIELD.findall(schema)]
    if ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in found) != schema:
        raise NotImplementedError(f"not implemented by the rehearsal: schema {schema!r}")
    return found


def reader(connection: Any, uri: str, file: Path, fields: list[tuple[str, str]]) -> str:
    """A query for the records of one file. Raises RuntimeError where a type does not fit, as Spark does."""
    source = f"read_parquet({_text(str(file))}, file_row_number = true)"
    types = dict(
        connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {source})").fetchall()
    )
    columns = ", ".join(f"{_column(name, kind, types.get(name))} AS {_name(name)}" for name, kind in fields)
    place = f"{{'file_path': {_text(uri)}, 'row_index': file_row_number}} AS _metadata"
    return f"SELECT {', '.join(part for part in (columns, place) if part)} FROM {source}"


def _column(name: str, kind: str, found: str | None) -> str:
    if found is None:
        return f"CAST(NULL AS {_FITS[kind][1] if kind in _FITS else kind})"
    if kind.startswith("decimal"):
        fitting, target = ({kind.upper(), "UBIGINT"} if kind == "decimal(20,0)" else {kind.upper()}), kind
    else:
        fitting, target = _FITS[kind]
    if found not in fitting:
        raise RuntimeError(f"[PARQUET_COLUMN_DATA_TYPE_MISMATCH] column [{name}], expected {kind}, actual {found}")
    if found.endswith("_NS"):
        return f"epoch_ns({_name(name)})"
    return f"CAST({_name(name)} AS {target})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
