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
    "from_utc_timestamp(t, z) AS (t AT TIME ZONE 'UTC') AT TIME ZONE z",
)
"""What a plan uses (contracts/plan.py) and DuckDB lacks, or has otherwise: what stands after CREATE MACRO."""
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


class Frame:
    """A query."""

    def __init__(self, session: Session, query: str) -> None:
        self._session = session
        self._query = query

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


def _doubled(text: str) -> str:
    return text.replace("'", "''")
