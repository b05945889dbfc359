"""DataFrames: SQL over DuckDB."""

import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql.storage import clear, exists, make_folder, put

if TYPE_CHECKING:
    from pyspark.sql.session import SparkSession

# Options of a write are Hadoop's configuration for it as well (Spark, InsertIntoHadoopFsRelationCommand).
_MARK_SUCCESS = "mapreduce.fileoutputcommitter.marksuccessfuljobs"
_PARTITIONS, _FEWEST = 3, 20
"""Of what nobody has made one: so many, of so many rows at least. Whoever reads must read all of them."""
_WRITE_OPTIONS = frozenset({"header", "sep", "delimiter", "compression", _MARK_SUCCESS})


class DataFrame:
    """A query that has not run yet."""

    def __init__(self, session: "SparkSession", query: str, hidden: tuple[str, ...] = (), one: bool = False) -> None:
        """`hidden`: columns that are there for expressions alone, such as `_metadata`; `one`: of one partition."""
        self._one = one
        self._session = session
        self._source = query
        self._hidden = hidden
        self._query = f"SELECT * EXCLUDE ({', '.join(hidden)}) FROM ({query})" if hidden else query

    @property
    def columns(self) -> list[str]:
        rows = self._session.connection.execute(f"DESCRIBE {self._query}").fetchall()
        return [str(row[0]) for row in rows]

    @property
    def write(self) -> "Writer":
        return Writer(self)

    def createOrReplaceTempView(self, name: str) -> None:
        self._session.connection.execute(f"CREATE OR REPLACE TEMP VIEW {_quoted(name)} AS {self._query}")

    def select(self, *columns: Any) -> "DataFrame":
        names = list(columns[0]) if len(columns) == 1 and isinstance(columns[0], list | tuple) else list(columns)
        return self._over(", ".join("*" if _string(name) == "*" else _quoted(name) for name in names))

    def selectExpr(self, *expressions: str) -> "DataFrame":
        return DataFrame(self._session, f"SELECT {', '.join(map(_string, expressions))} FROM ({self._source})")

    def toDF(self, *names: str) -> "DataFrame":
        """The same columns under other names, one for each."""
        if len(names) != len(self.columns):
            raise RuntimeError(f"[ASSIGNMENT_ARITY_MISMATCH] {len(self.columns)} columns, {len(names)} names")
        renamed = [f"{_quoted(old)} AS {_quoted(_string(new))}" for old, new in zip(self.columns, names, strict=True)]
        chosen = ", ".join([*renamed, *self._hidden])
        return DataFrame(self._session, f"SELECT {chosen} FROM ({self._source})", hidden=self._hidden)

    def drop(self, *names: Any) -> "DataFrame":
        dropped = {_string(name) for name in names}
        return self._over(", ".join(_quoted(name) for name in self.columns if name not in dropped))

    def where(self, condition: Any) -> "DataFrame":
        return self._over("*", f" WHERE {_string(condition)}")

    filter = where

    def coalesce(self, partitions: int) -> "DataFrame":
        """The same rows, written as one file."""
        if partitions != 1:
            raise NotImplementedError("not implemented by the rehearsal: coalesce to more than one partition")
        return DataFrame(self._session, self._source, self._hidden, one=True)

    repartition = coalesce

    def cache(self) -> "DataFrame":
        return self

    def persist(self) -> "DataFrame":
        """The rows are kept: what is asked of them again is not read again."""
        return self.localCheckpoint()

    def localCheckpoint(self, eager: bool = True) -> "DataFrame":
        """The rows as they are now, whatever they were made from."""
        kept: DataFrame = self._session.table(f"({self._query})")
        return kept

    def collect(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._session.connection.execute(self._query).fetchall()
        return rows

    def count(self) -> int:
        row = self._session.connection.execute(f"SELECT count(*) FROM ({self._query})").fetchone()
        assert row is not None
        return int(row[0])

    def _over(self, columns: str, rest: str = "") -> "DataFrame":
        return DataFrame(self._session, f"SELECT {columns} FROM ({self._query}){rest}")

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"not implemented by the rehearsal: DataFrame.{name}")


class Writer:
    """`frame.write`: a folder with a file for each partition, and `_SUCCESS`, as Spark leaves it."""

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame
        self._mode = "errorifexists"
        self._options: dict[str, str] = {}

    def mode(self, name: str) -> "Writer":
        if name not in ("overwrite", "append", "error", "errorifexists"):
            raise NotImplementedError(f"not implemented by the rehearsal: write mode {name}")
        self._mode = "errorifexists" if name == "error" else name
        return self

    def option(self, key: str, value: Any) -> "Writer":
        if key.lower() not in _WRITE_OPTIONS or (key.lower() == "compression" and value != "none"):
            raise NotImplementedError(f"not implemented by the rehearsal: write option {key}={value}")
        self._options[key.lower()] = str(value).lower() if key.lower() == "header" else str(value)
        return self

    def options(self, **values: Any) -> "Writer":
        for key, value in values.items():
            self.option(key, value)
        return self

    def csv(self, path: str, mode: str | None = None, header: Any = None, sep: str | None = None) -> None:
        if mode is not None:
            self.mode(mode)
        if header is not None:
            self.option("header", header)
        if sep is not None:
            self.option("sep", sep)
        separator = self._options.get("sep", self._options.get("delimiter", ",")).replace("'", "''")
        header_flag = self._options.get("header", "false")
        self._save(path, "csv", f"FORMAT csv, HEADER {header_flag}, DELIMITER '{separator}', NULLSTR ''")

    def parquet(self, path: str, mode: str | None = None) -> None:
        if mode is not None:
            self.mode(mode)
        self._save(path, "snappy.parquet", "FORMAT parquet, COMPRESSION snappy")

    def _save(self, path: str, suffix: str, how: str) -> None:
        if self._mode == "overwrite":
            clear(path)
        elif self._mode == "errorifexists" and exists(path):
            raise RuntimeError(f'[PATH_ALREADY_EXISTS] Path {path} already exists. Set mode as "overwrite".')
        make_folder(path)
        name, rows = uuid.uuid4(), self._frame.count()
        parts = 1 if self._frame._one else max(1, min(_PARTITIONS, rows // _FEWEST))
        size = -(-rows // parts)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "part"
            for part in range(parts):
                chosen = f"SELECT * FROM ({self._frame._query}) LIMIT {size} OFFSET {part * size}"
                self._frame._session.connection.execute(f"COPY ({chosen}) TO '{file}' ({how})")
                put(f"{path.rstrip('/')}/part-{part:05d}-{name}-c000.{suffix}", file.read_bytes())
        if self._options.get(_MARK_SUCCESS, "true").lower() == "true":
            put(f"{path.rstrip('/')}/_SUCCESS", b"")

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"not implemented by the rehearsal: DataFrame.write.{name}")


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise NotImplementedError("not implemented by the rehearsal: Column expressions; give names and SQL conditions")
    return value


def _quoted(value: Any) -> str:
    return '"' + _string(value).replace('"', '""') + '"'
