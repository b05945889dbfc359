"""The session: readers and SQL."""

from pathlib import Path
from typing import Any

import duckdb

from pyspark.context import SparkContext
from pyspark.sql.frame import DataFrame
from pyspark.sql.lines import MACROS, readable
from pyspark.sql.records import listed, reader
from pyspark.sql.storage import download, named

_READ_OPTIONS = frozenset({"header", "sep", "delimiter", "inferschema", "encoding", "escape"})
_REBASE = frozenset({"datetimerebasemode", "int96rebasemode"})
_TYPES = {
    "string": "VARCHAR", "double": "DOUBLE", "float": "FLOAT", "int": "INTEGER", "integer": "INTEGER",
    "bigint": "BIGINT", "long": "BIGINT", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP", "date": "DATE",
}  # fmt: skip


class SparkSession:
    """One session a process."""

    _active: "SparkSession | None" = None

    class Builder:
        """`SparkSession.builder`."""

        def appName(self, name: str) -> "SparkSession.Builder":
            return self

        def config(self, key: str = "", value: Any = None) -> "SparkSession.Builder":
            if key != "spark.sql.session.timeZone" or value != "UTC":
                raise NotImplementedError(f"not implemented by the rehearsal: Spark setting {key}={value}")
            return self

        def getOrCreate(self) -> "SparkSession":
            if SparkSession._active is None:
                SparkSession._active = SparkSession()
            return SparkSession._active

    builder = Builder()

    def __init__(self) -> None:
        # DuckDB would try to download what it lacks. Time stamps without a zone need no extension.
        self.connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self.connection.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            self.connection.execute(f"CREATE TEMP MACRO {macro}")
        self.sparkContext = SparkContext()
        self.catalog = Catalog(self)
        self._made = 0

    @property
    def read(self) -> "Reader":
        return Reader(self)

    def sql(self, query: str) -> DataFrame:
        """Runs now, not lazily: the result is a table that every later action reads."""
        return self.table(f"({query.strip().rstrip(';')}\n)")

    def createDataFrame(self, data: list[tuple[Any, ...]], schema: str) -> DataFrame:
        """Rows that the program has itself; the schema is a DDL string."""
        columns = typed_columns(schema)
        empty = ", ".join(f"CAST(NULL AS {kind}) AS {_name(name)}" for name, kind in columns)
        made = self.table(f"(SELECT {empty}) LIMIT 0")
        marks = ", ".join("?" * len(columns))
        self.connection.executemany(f"INSERT INTO __frame_{self._made} VALUES ({marks})", data)
        return made

    def table(self, source: str) -> DataFrame:
        """A temporary table made from something that can stand after FROM."""
        self._made += 1
        name = f"__frame_{self._made}"
        self.connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM {source}")
        return DataFrame(self, f"SELECT * FROM {name}")

    def stop(self) -> None:
        self.connection.close()
        SparkSession._active = None

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"not implemented by the rehearsal: SparkSession.{name}")


class Catalog:
    """`spark.catalog`."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def dropTempView(self, name: str) -> bool:
        """Whether there was one. What was made of it before stays."""
        there = self._session.connection.execute(
            "SELECT count(*) FROM duckdb_views() WHERE view_name = ? AND temporary", [name]
        ).fetchone()
        self._session.connection.execute(f"DROP VIEW IF EXISTS {_name(name)}")
        return bool(there and there[0])

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"not implemented by the rehearsal: spark.catalog.{name}")


class Reader:
    """`spark.read`."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self._options: dict[str, str] = {}
        self._schema: str | None = None

    def option(self, key: str, value: Any) -> "Reader":
        if key.lower() not in _READ_OPTIONS | _REBASE or (key.lower() in _REBASE and value != "CORRECTED"):
            raise NotImplementedError(f"not implemented by the rehearsal: read option {key}")
        if key.lower() == "escape" and value != '"':
            raise NotImplementedError(f"not implemented by the rehearsal: read option {key}={value}")
        self._options[key.lower()] = str(value)
        return self

    def options(self, **values: Any) -> "Reader":
        for key, value in values.items():
            self.option(key, value)
        return self

    def schema(self, schema: Any) -> "Reader":
        if not isinstance(schema, str):
            raise NotImplementedError("not implemented by the rehearsal: a schema other than a DDL string")
        self._schema = schema
        return self

    def csv(self, path: str, schema: Any = None, sep: str | None = None, header: Any = None) -> DataFrame:
        if schema is not None:
            self.schema(schema)
        if sep is not None:
            self.option("sep", sep)
        if header is not None:
            self.option("header", header)
        if self._flag("inferschema"):
            raise NotImplementedError("not implemented by the rehearsal: read option inferSchema")
        files = download(path, (".csv", ""))
        separator = self._options.get("sep", self._options.get("delimiter", ","))
        names = ", ".join(_text(str(file)) for file in files)
        head = "true" if self._flag("header") else "false"
        # Like Spark, a row that is too short ends in NULLs. What else than a quote may escape one does not.
        reader = (
            f"read_csv([{names}], header = {head}, delim = {_text(separator)}, all_varchar = true, null_padding = true,"
            f" quote = '\"', nullstr = ''{self._names(files)})"
        )
        if self._schema is None:
            return self._session.table(reader)
        columns = typed_columns(self._schema)
        casts = ", ".join(f"TRY_CAST({_name(name)} AS {kind}) AS {_name(name)}" for name, kind in columns)
        return self._session.table(f"(SELECT {casts} FROM {reader})")

    def text(self, paths: str | list[str]) -> DataFrame:
        """One row a line, in column `value`; `_metadata` says where it was read, as one block each file."""
        if self._options or self._schema is not None:
            raise NotImplementedError("not implemented by the rehearsal: options or a schema when reading text")
        parts = []
        for path in [paths] if isinstance(paths, str) else paths:
            for uri, file in named(path, ("",)):
                place = f"{{'file_path': {_text(uri)}, 'file_block_start': 0}}"
                parts.append(f"SELECT coalesce(value, '') AS value, {place} AS _metadata FROM {readable(file)}")
        return DataFrame(self._session, " UNION ALL ".join(parts), hidden=("_metadata",))

    def parquet(self, *paths: str) -> DataFrame:
        """Records; `_metadata` says in which file, and at which place (from 0) there."""
        files = [found for path in paths for found in named(path, (".parquet",))]
        if self._schema is None:
            return self._session.table(f"read_parquet([{', '.join(_text(str(file)) for _, file in files)}])")
        if not self._options.keys() >= _REBASE:
            raise NotImplementedError("not implemented by the rehearsal: Parquet without its rebase modes")
        fields = listed(self._schema)
        parts = (reader(self._session.connection, uri, file, fields) for uri, file in files)
        return DataFrame(self._session, " UNION ALL ".join(parts), hidden=("_metadata",))

    def _flag(self, key: str) -> bool:
        return self._options.get(key, "false").lower() == "true"

    def _names(self, files: list[Path]) -> str:
        if self._schema is not None and not self._flag("header"):
            return f", names = [{', '.join(_text(name) for name, _ in typed_columns(self._schema))}]"
        if self._flag("header") or self._schema is not None:
            return ""
        count = self._session.connection.execute(
            f"SELECT count(*) FROM (DESCRIBE SELECT * FROM read_csv({_text(str(files[0]))}, header = false))"
        ).fetchone()
        assert count is not None
        return f", names = [{', '.join(_text(f'_c{index}') for index in range(count[0]))}]"

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"not implemented by the rehearsal: spark.read.{name}")


def typed_columns(schema: str) -> list[tuple[str, str]]:
    """Names and DuckDB's types of a schema that is a DDL string."""
    columns = []
    for part in schema.split(","):
        name, _, kind = part.strip().partition(" ")
        if kind.strip().lower() not in _TYPES:
            raise NotImplementedError(f"not implemented by the rehearsal: column type {kind!r} in a schema")
        columns.append((name.strip("`"), _TYPES[kind.strip().lower()]))
    return columns


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
