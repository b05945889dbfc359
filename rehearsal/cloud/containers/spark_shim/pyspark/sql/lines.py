"""Text files line by line, as Spark reads them, and Spark's functions that DuckDB lacks or has otherwise."""

import codecs
import gzip
import re
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

MACROS = (
    # A literal is split at, which in Spark is a pattern: what means something there is refused.
    """split(s, d) AS CASE WHEN regexp_full_match(d, '[^\\\\|.()*+?{}\\[\\]^$]') THEN string_split(s, d)
    ELSE error('not implemented by the rehearsal: split at more than one plain character') END""",
    "get(a, i) AS a[i + 1]",
    "size(a) AS len(a)",
    "sort_array(a) AS list_sort(a)",
    "regexp_like(s, p) AS regexp_matches(s, p)",
    "array_join(a, d) AS array_to_string(a, d)",
    # Lines have been decoded as they were read, as Java decodes them.
    "encode(s, c) AS s",
    "decode(b, c) AS b",
    "monotonically_increasing_id() AS row_number() OVER () - 1",
    # Of a time that clocks show twice Java takes the first, ICU the second:
    # https://docs.oracle.com/javase/8/docs/api/java/time/ZonedDateTime.html#ofLocal-java.time.LocalDateTime-java.time.ZoneId-java.time.ZoneOffset-
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
"""What stands after CREATE MACRO: https://spark.apache.org/docs/3.5.6/api/sql/"""
_CHUNK = 1 << 24
_LONGEST = 1 << 26
_MARKS = "\x01\x02\x03\x04"


def readable(file: Path) -> str:
    """What can stand after FROM: the lines of a file in column `value`, NULL for an empty one.

    Any of LF, CRLF and CR ends a line, a byte order mark at the start is none of it (Hadoop's LineRecordReader), and
    what is not UTF-8 becomes U+FFFD as soon as a text is made of it.
    """
    plain, marks = _look(file)
    free = [mark for mark in _MARKS if mark not in marks]
    if len(free) < 2:
        raise NotImplementedError("not implemented by the rehearsal: a text with each of the first control characters")
    path = file if plain else _rewritten(file, free[1])
    return (
        f"read_csv('{path}', auto_detect = false, header = false, columns = {{'value': 'VARCHAR'}}, quote = '',"
        f" escape = '', delim = '{free[0]}', new_line = '\\n', nullstr = '{free[1]}', strict_mode = false,"
        f" max_line_size = {_LONGEST}, buffer_size = {_LONGEST * 2})"
    )


def _look(file: Path) -> tuple[bool, set[str]]:
    """Whether DuckDB reads the lines as they are (it leaves empty ones out), and which of _MARKS are in the file."""
    plain, marks, before = file.suffix != ".gz", set[str](), "\n"
    try:
        for text in _texts(file, "strict"):
            plain = plain and not ("\r" in text or "\ufeff" in text or "\n\n" in before + text)
            marks.update(mark for mark in _MARKS if mark in text)
            before = text[-1:]
    except UnicodeDecodeError:
        plain = False
        for text in _texts(file, "replace"):
            marks.update(mark for mark in _MARKS if mark in text)
    return plain, marks


def _rewritten(file: Path, empty: str) -> Path:
    """The same lines with LF after each, and a mark in each that is empty."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".txt", delete=False) as made:
        last = "\n"
        # DuckDB takes one mark of byte order off the start, and a second one is text to Spark.
        made.write("\ufeff")
        for text in _ended(_texts(file, "replace")):
            made.write(re.sub("(?<=\n)(?=\n)", empty, last + text)[1:])
            last = text[-1:] or last
    return Path(made.name)


def _texts(file: Path, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    opener: Any = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rb") as source:
        start = source.read(_CHUNK).removeprefix(codecs.BOM_UTF8)
        for chunk in chain([start], iter(lambda: source.read(_CHUNK), b"")):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)


def _ended(texts: Iterator[str]) -> Iterator[str]:
    """The same with LF for each line's end, also where a chunk ends between CR and LF."""
    pending = ""
    for text in texts:
        text = pending + text
        pending = "\r" if text.endswith("\r") else ""
        yield text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
    yield "\n" if pending else ""
