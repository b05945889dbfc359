"""What a cell's text is worth: SQL that makes a value of it, NULL where it is of no such type."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.columns import BOOLEAN, CATEGORY, INTEGER, NUMBER, TEXT, TIMESTAMP, Column
from contracts.float32 import LARGEST
from contracts.format import NULLS, Dialect
from contracts.literal import literal
from contracts.timestamps import PLAIN, WITH_OFFSET

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def stands_for_nothing(column: Column, text: str, dialect: Dialect) -> str:
    """Whether a text stands for nothing. By a pattern: of a list DuckDB makes a join, for every row."""
    nulls = dialect.nulls or (("",) if column.kind in (TEXT, CATEGORY) else NULLS)
    if not any(nulls):
        return f"({text} IS NULL OR TRIM({text}) = '')"
    spelled = "|".join(map(re.escape, dict.fromkeys(("", *nulls))))
    return f"({text} IS NULL OR {like(f'LOWER({text})', f'[ ]*(?:{spelled})[ ]*')})"


def typed(columns: Sequence[Column], dialect: Dialect) -> str:
    """Each column's value from its text."""
    return ", ".join(f"{value(column, f'__t_{column.name}', dialect)} AS {column.name}" for column in columns)


def value(column: Column, text: str, dialect: Dialect) -> str:
    """The value of a text; NULL where it is of no such type."""
    if dialect.nulls and column.kind not in (TEXT, CATEGORY):
        # What config says stands for nothing may be a value otherwise, like -999.
        return (
            f"CASE WHEN NOT {stands_for_nothing(column, text, dialect)} THEN {_typed_value(column, text, dialect)} END"
        )
    return _typed_value(column, text, dialect)


def _typed_value(column: Column, text: str, dialect: Dialect) -> str:
    if column.kind == NUMBER:
        plain = _plain(text, dialect)
        fits = f"{like(text, number_pattern(dialect))} AND ABS(TRY_CAST({plain} AS DOUBLE)) <= {LARGEST!r}"
        return f"CASE WHEN {fits} THEN TRY_CAST({plain} AS DOUBLE) END"
    if column.kind == INTEGER:
        whole = f"SPLIT_PART({_plain(text, dialect)}, '.', 1)"
        return f"CASE WHEN {like(text, integer_pattern(dialect))} THEN TRY_CAST({whole} AS BIGINT) END"
    if column.kind == BOOLEAN:
        said = (like(f"LOWER({text})", f"[ ]*(?:{'|'.join(words)})[ ]*") for words in (_TRUE, _FALSE))
        return "CASE WHEN {} THEN TRUE WHEN {} THEN FALSE END".format(*said)
    if column.kind == TIMESTAMP:
        return _moment(column, text)
    return f"CASE WHEN NOT {stands_for_nothing(column, text, dialect)} THEN {text} END"


def _plain(text: str, dialect: Dialect) -> str:
    """A number's text as engines write it."""
    plain = f"REPLACE({text}, {literal(dialect.thousands)}, '')" if dialect.thousands else text
    return plain if dialect.decimal == "." else f"REPLACE({plain}, {literal(dialect.decimal)}, '.')"


def number_pattern(dialect: Dialect) -> str:
    """What a number matches as a whole."""
    point = f"[{dialect.decimal}]"
    digits = _digits(dialect)
    return f"[ ]*[+-]?(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?[ ]*"


def integer_pattern(dialect: Dialect) -> str:
    """What a whole number matches; `1.0` is one: so pandas writes a column that has gaps."""
    return f"[ ]*[+-]?{_digits(dialect)}(?:[{dialect.decimal}]0*)?[ ]*"


def _digits(dialect: Dialect) -> str:
    if not dialect.thousands:
        return "[0-9]+"
    return f"(?:[0-9]{{1,3}}(?:[{dialect.thousands}][0-9]{{3}})+|[0-9]+)"


def _moment(column: Column, text: str) -> str:
    """A time in UTC."""
    if column.layout:
        parts = dict(column.layout.places)
        cut = {part: f"SUBSTR({text}, {place}, {len(part)})" for part, place in parts.items()}
        clock = [cut.get(part, "'00'") for part in ("HH", "mm", "ss")]
        day, time = ", '-', ".join(cut[part] for part in ("yyyy", "MM", "dd")), ", ':', ".join(clock)
        fraction = f", '.', {cut['SSS']}" if "SSS" in cut else ""
        local = f"TRY_CAST(CONCAT({day}, ' ', {time}{fraction}) AS TIMESTAMP)"
        return f"CASE WHEN {like(text, column.layout.pattern)} THEN {in_utc(local, column.zone)} END"
    offset = f"REGEXP_EXTRACT({text}, {whole(WITH_OFFSET)}, 2)"
    local = f"TRY_CAST(REGEXP_EXTRACT({text}, {whole(WITH_OFFSET)}, 1) AS TIMESTAMP)"
    digits = f"REPLACE({offset}, ':', '')"
    minutes = (
        f"(CASE WHEN {offset} = 'Z' THEN 0 ELSE CAST(CONCAT(SUBSTR({digits}, 1, 1), '1') AS INT) *"
        f" (60 * CAST(SUBSTR({digits}, 2, 2) AS INT) +"
        f" CASE WHEN LENGTH({digits}) > 3 THEN CAST(SUBSTR({digits}, 4, 2) AS INT) ELSE 0 END) END)"
    )
    return (
        f"CASE WHEN {like(text, PLAIN)} THEN {in_utc(f'TRY_CAST({text} AS TIMESTAMP)', column.zone)}"
        f" WHEN {like(text, WITH_OFFSET)} THEN {local} - {minutes} * INTERVAL '1' MINUTE END"
    )


def in_utc(local: str, zone: str) -> str:
    """NULL for a time that the clocks leave out."""
    if zone == "UTC":
        return local
    moment = f"TO_UTC_TIMESTAMP({local}, '{zone}')"
    return f"CASE WHEN FROM_UTC_TIMESTAMP({moment}, '{zone}') = {local} THEN {moment} END"


def like(text: str, pattern: str) -> str:
    """Whether a text matches a pattern as a whole."""
    return f"REGEXP_LIKE({text}, {whole(pattern)})"


def whole(pattern: str) -> str:
    """Not `$`, which to Java stands before a last line's end as well."""
    return literal(f"^(?:{pattern})\\z")
