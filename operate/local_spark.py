"""What the features job asks of Spark, over DuckDB and files of this machine.

`./glidepath dataset` runs the job's own code with it. On AWS the job runs in Spark; tests compare the two
(tests/functions/test_reading.py).
"""

from __future__ import annotations

import codecs
import gzip
import re
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

FUNCTIONS = (
    "split(s, d) AS string_split(s, d)",
    "get(a, i) AS a[i + 1]",
    "size(a) AS len(a)",
    "sort_array(a) AS list_sort(a)",
    "regexp_like(s, p) AS regexp_matches(s, p)",
    "array_join(a, d) AS array_to_string(a, d)",
    # Lines have been decoded as they were read.
    "encode(s, c) AS s",
    "decode(b, c) AS b",
    "monotonically_increasing_id() AS row_number() OVER () - 1",
    # Of a time that clocks show twice Spark takes the first, DuckDB the second.
    """to_utc_timestamp(t, z) AS CASE WHEN ((t AT TIME ZONE z) - INTERVAL 1 HOUR) AT TIME ZONE z = t
    THEN ((t AT TIME ZONE z) - INTERVAL 1 HOUR) AT TIME ZONE 'UTC' ELSE (t AT TIME ZONE z) AT TIME ZONE 'UTC' END""",
    "timestamp_micros(n) AS make_timestamp(n)",
    "unix_micros(t) AS epoch_us(t)",
    # Java writes 0x1.0p0 where C writes 0x1p+0: https://docs.oracle.com/javase/8/docs/api/java/lang/Double.html#toHexString-double-
    """format_string(f, x) AS CASE WHEN x IS NULL THEN 'null' ELSE CASE f WHEN '%.6e' THEN printf(f, x) WHEN '%a' THEN
    regexp_replace(replace(printf('%a', x), 'p+', 'p'), '^(-?0x[01])p', '\\1.0p')
    ELSE error('format_string is known for %.6e and %a alone') END END""",
    "from_utc_timestamp(t, z) AS (t AT TIME ZONE 'UTC') AT TIME ZONE z",
)
"""What a plan uses (contracts/plan.py) and DuckDB lacks, or has otherwise: what stands after CREATE MACRO."""
_FIELD = re.compile(r"`((?:[^`]|``)+)` (\w+(?:\(\d+,\d+\))?)")
_TYPES = {"string": "VARCHAR"}
"""Of Spark's types those that DuckDB calls otherwise."""
_CHUNK = 1 << 24
_LONGEST = 1 << 26
# Control characters that no text has: what parts cells, of which a line is one, and what stands for an empty line.
_NEVER, _EMPTY = "\x01", "\x02"


class Session:
    """One connection. Raises duckdb.Error for what is wrong with a query."""

    def __init__(self, folder: Path) -> None:
        """`folder` takes copies of files whose lines DuckDB would read otherwise; whoever made it removes it."""
        # Only who looks at data needs it, and it is in none of the environments' functions.
        import duckdb

        self.error: type[Exception] = duckdb.Error
        self.connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute(f"SET temp_directory = '{folder}'")
        for function in FUNCTIONS:
            self.connection.execute(f"CREATE TEMP MACRO {function}")
        self.read = self.catalog = self
        self._folder = folder
        self._made = 0

    def text(self, files: Sequence[str]) -> Frame:
        """The lines of files, with where each stands."""
        parts = (
            "SELECT coalesce(value, '') AS value,"
            f" {{'file_path': '{_doubled(file)}', 'file_block_start': 0}} AS _metadata FROM {self._lines(Path(file))}"
            for file in files
        )
        return Frame(self, " UNION ALL ".join(parts))

    def schema(self, fields: str) -> Records:
        """Parquet whose columns are read by these types."""
        return Records(self, fields)

    def sql(self, query: str) -> Frame:
        """A query; it is bound when it is used."""
        return Frame(self, query)

    def createDataFrame(self, rows: list[tuple[str]], schema: str) -> Frame:  # noqa: N802  Spark's name
        """One row of one text."""
        self.connection.execute("CREATE OR REPLACE TEMP TABLE __given AS SELECT ? AS __value", list(rows[0]))
        return Frame(self, f"SELECT __value AS {schema.partition(' ')[0]} FROM __given")

    def dropTempView(self, name: str) -> None:  # noqa: N802  Spark's name
        """Forgets a view. What was made of it stays."""
        self.connection.execute(f"DROP VIEW IF EXISTS {name}")

    def keep(self, query: str) -> Frame:
        """The rows as they are now."""
        self._made += 1
        self.connection.execute(f"CREATE TEMP TABLE __kept_{self._made} AS {query}")
        return Frame(self, f"SELECT * FROM __kept_{self._made}")

    def write_parquet(self, query: str, file: Path) -> None:
        """One file. Raises duckdb.Error where it cannot be written."""
        self.connection.execute(f"COPY ({query}) TO '{_doubled(str(file))}' (FORMAT parquet)")

    def _lines(self, file: Path) -> str:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=self._folder, suffix=".txt", delete=False
        ) as made:
            for text in _texts(file):
                made.write(text)
        return (
            f"read_csv('{_doubled(made.name)}', auto_detect = false, header = false, columns = {{'value': 'VARCHAR'}},"
            f" quote = '', escape = '', delim = '{_NEVER}', nullstr = '{_EMPTY}', new_line = '\\n',"
            f" strict_mode = false, max_line_size = {_LONGEST}, buffer_size = {_LONGEST * 2})"
        )


class Records:
    """Parquet that is read by a schema: a name in Spark's quotes and a type for each column."""

    def __init__(self, session: Session, fields: str) -> None:
        self._session = session
        self._fields = [(name.replace("``", "`"), kind) for name, kind in _FIELD.findall(fields)]

    def option(self, name: str, value: str) -> Records:
        """DuckDB reads days as they stand in the file."""
        return self

    def parquet(self, *files: str) -> Frame:
        """The records of files, with where each stands."""
        return Frame(self._session, " UNION ALL ".join(self._records(file) for file in files), ("_metadata",))

    def _records(self, file: str) -> str:
        source = f"read_parquet('{_doubled(file)}', file_row_number = true)"
        described = self._session.connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        nanos = {name for name, kind, *_ in described if kind.endswith("_NS")}
        columns = (
            f"{'epoch_ns' if name in nanos else ''}({_name(name)})::{_TYPES.get(kind, kind)} AS {_name(name)}, "
            for name, kind in self._fields
        )
        place = f"{{'file_path': '{_doubled(file)}', 'row_index': file_row_number}} AS _metadata"
        return f"SELECT {''.join(columns)}{place} FROM {source}"


class Frame:
    """A query; `hidden` columns are there for expressions alone."""

    def __init__(self, session: Session, query: str, hidden: tuple[str, ...] = ()) -> None:
        self._session = session
        self._query = query
        self._hidden = hidden

    def toDF(self, *names: str) -> Frame:  # noqa: N802  Spark's name
        """The same columns under other names, one for each."""
        given = ", ".join(map(_name, [*names, *self._hidden]))
        return Frame(self._session, f"SELECT * FROM ({self._query}) AS t({given})", self._hidden)

    def selectExpr(self, *expressions: str) -> Frame:  # noqa: N802  Spark's name
        """Expressions over the rows."""
        return Frame(self._session, f"SELECT {', '.join(expressions)} FROM ({self._query})")

    def select(self, *columns: str) -> Frame:
        """Some columns."""
        return self.selectExpr(*columns)

    def where(self, condition: str) -> Frame:
        """Some rows."""
        return Frame(self._session, f"SELECT * FROM ({self._query}) WHERE {condition}")

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        described = self._session.connection.execute(f"DESCRIBE {self._query}").fetchall()
        return [str(row[0]) for row in described]

    def createOrReplaceTempView(self, name: str) -> None:  # noqa: N802  Spark's name
        """Calls the rows something."""
        self._session.connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {self._query}")

    def persist(self) -> Frame:
        """The rows, read once."""
        return self._session.keep(self._query)

    localCheckpoint = persist  # noqa: N815  Spark's name

    def collect(self) -> list[tuple[Any, ...]]:
        """The rows."""
        return self._session.connection.execute(self._query).fetchall()


def _texts(file: Path) -> Iterator[str]:
    """The file's text with LF after each line and a mark in each empty one; what is not UTF-8 is U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    opener: Any = gzip.open if file.suffix.lower() == ".gz" else open
    with opener(file, "rb") as source:
        start = source.read(_CHUNK).removeprefix(codecs.BOM_UTF8)
        pending, last = "", "\n"
        # DuckDB takes one mark of byte order off a file's start: of a second one, that is in Spark's text, it is none.
        yield codecs.BOM_UTF8.decode()
        for chunk in chain([start], iter(lambda: source.read(_CHUNK), b"")):
            text = pending + decoder.decode(chunk)
            pending = "\r" if text.endswith("\r") else ""
            text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
            yield _marked(last, text)
            last = text[-1:] or last
        yield _marked(last, decoder.decode(b"", final=True) + ("\n" if pending else ""))


def _marked(before: str, text: str) -> str:
    # A control character within a line would part it; it is refused as a character that no text has.
    text = text.replace(_NEVER, "\ufffd").replace(_EMPTY, "\ufffd")
    if "\n\n" not in before + text:
        return text
    return re.sub("(?<=\n)(?=\n)", _EMPTY, before + text)[1:]


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _doubled(text: str) -> str:
    return text.replace("'", "''")
