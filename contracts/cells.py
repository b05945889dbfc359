"""How a cell of raw data is written: the spellings that validation, Spark and DuckDB read alike, and no other.

Each of the three reads more than the others: Python takes `1_000`, digits of other scripts and `20190323T202109`, Spark
takes `1d`, DuckDB `1_000`, and of a time with an offset DuckDB's TIMESTAMP drops the offset while Spark reckons with
it. A cell of another spelling does not fit the schema: validation counts it, and features.sql gets NULL for it, in the
rehearsal as on AWS (`readable` of functions/jobs/features/features_job.py, which has the same patterns: a job is one
file).

Spark: https://spark.apache.org/docs/3.5.6/sql-ref-ansi-compliance.html#cast, and `stringToTimestamp` in
https://github.com/apache/spark/blob/v3.5.6/sql/api/src/main/scala/org/apache/spark/sql/catalyst/util/SparkDateTimeUtils.scala
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from contracts.float32 import LARGEST, holds

_MINUTE = "([01][0-9]|2[0-3]):[0-5][0-9]"
_SECOND = ":[0-5][0-9]([.][0-9]{1,6})?"
_DATE = "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
PATTERNS: Mapping[str, str] = {
    "number": "[ ]*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?[ ]*",
    "integer": "[ ]*[+-]?[0-9]+([.]0*)?[ ]*",
    "timestamp": f"{_DATE}([ T]{_MINUTE}({_SECOND}(Z|[+]00:00)?)?)?",
}
"""Type → what the whole cell matches, in a form that Java, RE2 and Python read alike, and SQL without escapes.

`1.0` is an integer: so a column of whole numbers with gaps looks when pandas wrote it. Spark reads a zone after seconds
alone.
"""
_READ = {kind: re.compile(pattern) for kind, pattern in PATTERNS.items()}
_OFFSET = re.compile(f"[ ]*{_DATE}[ T]{_MINUTE}({_SECOND})?[ ]?([+-][0-9]{{2}}(:?[0-9]{{2}})?|[A-Z][A-Za-z/_]+)[ ]*")
_SEPARATED = re.compile("[ ]*[+-]?[0-9]{1,3}([,' \u00a0][0-9]{3})+([.][0-9]*)?[ ]*")


def fitting(kind: str) -> Callable[[str], bool]:
    """Tells of a cell whether it is of a column's type: looked up once, and asked for each row.

    Any text is a `string`, the empty one included.
    """
    if kind == "string":
        return lambda _: True
    matches = _READ[kind].fullmatch
    if kind == "timestamp":
        return lambda cell: matches(cell) is not None and _is_a_day(cell)
    return lambda cell: matches(cell) is not None and holds(float(cell))


def fits(kind: str, cell: str) -> bool:
    """Whether a cell is of a column's type."""
    return fitting(kind)(cell)


def why_not(kind: str, cell: str) -> str:
    """What is wrong with a cell that does not fit, to stand after it."""
    if kind == "timestamp":
        if _OFFSET.fullmatch(cell):
            return "is not in UTC: write the time in UTC, like 2019-03-23 18:21:09"
        return "is not a timestamp like 2019-03-23 20:21:09"
    # Infinity is larger, too; NaN is not.
    if abs(number(cell)) > LARGEST:
        return f"is larger than a model can compute with ({LARGEST:.3g})"
    if _SEPARATED.fullmatch(cell):
        return "has separators within the number: write it without, like 1012.40"
    return "is not a whole number like 12" if kind == "integer" else "is not a number like 1012.40"


def number(cell: str) -> float:
    """The value of a cell that fits; NaN for what Python cannot read."""
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _is_a_day(cell: str) -> bool:
    """No 30th of February."""
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True
