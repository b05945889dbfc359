"""The plan by which records of Parquet become rows: as contracts/plan.py for lines, with the same rules and outcome.

Files differ in the types by which they hold a column (pandas writes whole numbers with gaps as doubles), so those that
are alike are a group, read with one schema. Of each group SQL expressions make the values that the dataset declares;
what is checked then is one SQL text over all, the view `records`:
    one column for each declared column, of its type
    __b_…      of each: the rule that its cell breaks because it is no such value, NULL where it is one
    __t_…      of each: the cell for a person
    one column for each that nobody declared and the job asks for, as text
    __file, __block, __place  where the record stands; `__place` counts from 0 within the file
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts import parquet as p
from contracts.breaking import CHARACTERS, broken_rules, outside, outside_words, rule_words, unread, words
from contracts.cells import in_utc, stands_for_nothing, value
from contracts.columns import BOOLEAN, CATEGORY, INTEGER, NUMBER, TEXT, TIMESTAMP, Column, sql_name
from contracts.dataset import Dataset
from contracts.float32 import LARGEST
from contracts.format import Dialect
from contracts.literal import literal
from contracts.plan import MOST_SHOWN, NO_TEXT, OTHERS, RECORDS, by_file, repeated, sample, shared, source

_COUNTED = (p.INT, p.UNSIGNED)
_NUMBERS = (*_COUNTED, p.DOUBLE, p.DECIMAL)
_LOCAL = (p.DATE, p.LOCAL, p.LOCAL_NANOS)
FITS: Mapping[str, tuple[str, ...]] = {
    NUMBER: _NUMBERS,
    INTEGER: _NUMBERS,
    BOOLEAN: (p.BOOL, p.INT),
    TIMESTAMP: (*_LOCAL, p.INSTANT, p.INSTANT_NANOS),
    TEXT: (p.TEXT, p.BOOL, *_COUNTED),
    CATEGORY: (p.TEXT, p.BOOL, *_COUNTED),
}
"""By what a declared column may be held in Parquet, beside `nothing`."""
_INFINITE = "CAST('1.7976931348623157e308' AS DOUBLE)"
_BEYOND_64_BITS = "CAST('9223372036854775808' AS DOUBLE)"


@dataclass(frozen=True)
class Group:
    """Files whose columns are the same: `files` are addresses of copies, `fields` the columns."""

    files: tuple[str, ...]
    fields: tuple[p.Field, ...]


@dataclass(frozen=True)
class Records:
    """What is read: `folders` as in a Dialect."""

    groups: tuple[Group, ...]
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def build(dataset: Dataset, records: Records, files: Sequence[Mapping[str, str]], now: datetime) -> dict[str, Any]:
    """The plan as a document; `files` as for lines."""
    return {
        "kind": RECORDS,
        "place": "record",
        "dialect": f"Parquet, {len(records.groups[0].fields)} columns",
        "sql": reading(dataset, records, now),
        "broken": "",
        "groups": [_group(dataset, records, group) for group in records.groups],
        "others": {name: name for name in [*_others(dataset, records), *_other_folders(dataset, records)]},
        "where": _where(dataset, records),
        "rules": dict(_words(dataset)),
        "quarantine": (
            f"SELECT {source(files)} AS file, CAST(q.__place + 1 AS BIGINT) AS line, q.__problem AS rule,"
            " q.__sample AS cell, q.__text AS text FROM checked q WHERE q.__problem IS NOT NULL"
        ),
        **shared(dataset, files),
    }


def reading(dataset: Dataset, records: Records, now: datetime) -> str:
    """The SQL that checks `records`."""
    columns = list(dataset.columns.values())
    names = ", ".join(column.name for column in columns)
    foldered = [column for column in columns if column.name in records.folders]
    texts = "".join(f", {by_file(records.folders[it.name])} AS __t_{it.name}" for it in foldered)
    texts += "".join(
        f", NULLIF({by_file(records.folders[name])}, '') AS {name}" for name in _other_folders(dataset, records)
    )
    values = "".join(f", {value(it, f'__t_{it.name}', _none(dataset))} AS {it.name}" for it in foldered)
    keys = ", ".join(f"COALESCE({_exact(column)}, '')" for column in columns)
    cells = ", ".join(f"COALESCE(__t_{column.name}, '')" for column in columns)
    line = f"CONCAT_WS(',', {cells})"
    whens = [f"WHEN {_odd_characters(columns, foldered)} THEN '{CHARACTERS}'"]
    for column in columns:
        whens += unread(column, _none(dataset)) if column in foldered else [_broken(column)]
        whens += outside(column, now)
    return (
        f"WITH placed AS (SELECT *{texts} FROM records), typed AS (SELECT *{values} FROM placed),"
        f" checked AS (SELECT *, CASE {' '.join([*whens, *broken_rules(dataset.rules)])} END AS __problem,"
        f" {line} AS __text FROM typed)"
        f" SELECT {names} {OTHERS}, CONCAT_WS('|', {keys}) AS __key, __problem,"
        f" CASE WHEN __problem IS NOT NULL THEN SUBSTR({sample(columns)}, 1, {MOST_SHOWN}) END AS __sample,"
        f" {'__text' if repeated(columns) else 'CASE WHEN __problem IS NOT NULL THEN __text END AS __text'}, __file,"
        " __block, __place FROM checked"
    )


def _where(dataset: Dataset, records: Records) -> dict[str, int]:
    names = [it.name for it in records.groups[0].fields]
    return {it.name: 0 if it.name in records.folders else names.index(it.header) + 1 for it in dataset.columns.values()}


def _group(dataset: Dataset, records: Records, group: Group) -> dict[str, Any]:
    """How one group is read: `fields` by what SQL calls their raw values, with what Spark is told of each."""
    by_name = {it.name: it for it in group.fields}
    columns = [column for column in dataset.columns.values() if column.name not in records.folders]
    held = {column.name: by_name[column.header] for column in columns}
    named = {sql_name(it.name): it for it in group.fields}
    others = {name: named[name] for name in _others(dataset, records)}
    raw = {**held, **others}
    return {
        "files": list(group.files),
        "fields": {name: f"{_quoted(it.name)} {it.spark}" for name, it in raw.items() if it.kind != p.NOTHING},
        "values": [expression for column in columns for expression in _read(column, held[column.name].kind, dataset)],
        "others": {name: _other_text(f"__c_{name}", it.kind) for name, it in others.items()},
    }


def _others(dataset: Dataset, records: Records) -> list[str]:
    """Columns that nobody declared and every group has, but for those whose name in SQL would not be theirs alone."""
    taken = {name.lower() for name in dataset.columns} | {"draw", "split"}
    found: list[str] = []
    for group in records.groups:
        named = [sql_name(it.name) for it in group.fields if it.name and _has_text(it)]
        low = [name.lower() for name in named]
        own = [name for name in named if low.count(name.lower()) == 1 and name.lower() not in taken]
        found = [name for name in own if group is records.groups[0] or name in found]
    return [name for name in found if not name.startswith("__") and name not in records.folders]


def _other_folders(dataset: Dataset, records: Records) -> list[str]:
    return [name for name in records.folders if name not in dataset.columns]


def _has_text(it: p.Field) -> bool:
    return it.kind in (*_NUMBERS, p.BOOL, p.TEXT, p.DATE, p.LOCAL, p.INSTANT, p.NOTHING)


def _other_text(raw: str, kind: str) -> str:
    """The text of a column that nobody declared, which may be read as what it was again."""
    if kind == p.NOTHING:
        return "CAST(NULL AS STRING)"
    if kind == p.DOUBLE:
        return f"CASE WHEN NOT ISNAN({raw}) THEN CAST({raw} AS STRING) END"
    text = _clean(raw) if kind == p.TEXT else f"CAST({raw} AS STRING)"
    return f"CASE WHEN TRIM({text}) <> '' THEN {text} END"


def _read(column: Column, kind: str, dataset: Dataset) -> Iterator[str]:
    """Expressions over a group's raw values: the value, what is wrong with it, and the cell for a person."""
    found = _Cell(column, kind, dataset)
    yield f"{found.value} AS {column.name}"
    yield f"{found.broken()} AS __b_{column.name}"
    yield f"{found.shown()} AS __t_{column.name}"


_TYPES = {NUMBER: "DOUBLE", INTEGER: "BIGINT", TIMESTAMP: "TIMESTAMP", BOOLEAN: "BOOLEAN"}


class _Cell:
    """SQL for one column's cells, as one group holds them."""

    def __init__(self, column: Column, kind: str, dataset: Dataset) -> None:
        self._column = column
        self._kind = kind
        self._nulls = dataset.format.nulls
        self._raw = f"__c_{column.name}"
        self._text = _clean(self._raw) if kind == p.TEXT else f"CAST({self._raw} AS STRING)"
        self._dialect = _none(dataset)
        present = self._present()
        told = f"CASE WHEN NOT {self._named_null(present)} THEN {present} END" if self._numbers() else present
        self.value = told if kind != p.NOTHING else f"CAST(NULL AS {_TYPES.get(column.kind, 'STRING')})"

    def _numbers(self) -> list[float]:
        """Numbers that config says stand for nothing."""
        if self._column.kind not in (NUMBER, INTEGER) or self._kind == p.NOTHING:
            return []
        return [number for number in map(_number, self._nulls) if number is not None]

    def _named_null(self, present: str) -> str:
        same = (f"CAST({present} AS DOUBLE) = CAST('{number!r}' AS DOUBLE)" for number in self._numbers())
        return f"COALESCE({' OR '.join(same)}, FALSE)"

    def _present(self) -> str:
        """The value, where the cell is one; NULL otherwise."""
        if self._column.kind == NUMBER:
            return self._as_number()
        if self._column.kind == INTEGER:
            return self._as_integer()
        if self._column.kind == BOOLEAN:
            whole = f"CASE WHEN {self._raw} = 1 THEN TRUE WHEN {self._raw} = 0 THEN FALSE END"
            return self._raw if self._kind == p.BOOL else whole
        if self._column.kind == TIMESTAMP:
            return self._as_moment()
        return f"CASE WHEN NOT {stands_for_nothing(self._column, self._text, self._dialect)} THEN {self._text} END"

    def _as_number(self) -> str:
        if self._kind == p.DOUBLE:
            return (
                f"CASE WHEN {self._finite()} AND ABS({self._raw}) <= {LARGEST!r} THEN CAST({self._raw} AS DOUBLE) END"
            )
        # By its text, which both engines round alike: a decimal may have more digits than a double.
        return f"CAST({self._text if self._kind != p.INT else self._raw} AS DOUBLE)"

    def _as_integer(self) -> str:
        if self._kind == p.DOUBLE:
            fits = f"{self._finite()} AND {self._whole()} AND ABS({self._raw}) < {_BEYOND_64_BITS}"
            return f"CASE WHEN {fits} THEN CAST({self._raw} AS BIGINT) END"
        if self._kind == p.DECIMAL:
            return f"CASE WHEN {self._whole()} THEN TRY_CAST({self._raw} AS BIGINT) END"
        return f"TRY_CAST({self._raw} AS BIGINT)"

    def _as_moment(self) -> str:
        moment = self._moment()
        local = in_utc(moment, self._column.zone) if self._kind in _LOCAL else moment
        return f"CASE WHEN {_in_calendar(moment)} THEN {local} END"

    def _moment(self) -> str:
        if self._kind not in (p.INSTANT_NANOS, p.LOCAL_NANOS):
            return f"CAST({self._raw} AS TIMESTAMP)"
        # A double cannot hold so many nanoseconds; it holds the seconds, and what is left of them.
        seconds = f"CAST(FLOOR({self._raw} / 1e9) AS BIGINT)"
        return (
            f"TIMESTAMP_MICROS({seconds} * 1000000 +"
            f" CAST(FLOOR(({self._raw} - {seconds} * 1000000000) / 1e3) AS BIGINT))"
        )

    def _finite(self) -> str:
        return f"(NOT ISNAN({self._raw}) AND ABS({self._raw}) <= {_INFINITE})"

    def _whole(self) -> str:
        # From 2^53 on every double is one; Spark makes 64 bits of what it rounds.
        beyond = f"ABS({self._raw}) >= 9007199254740992 OR " if self._kind == p.DOUBLE else ""
        return f"({beyond}{self._raw} = FLOOR({self._raw}))"

    def broken(self) -> str:
        """The rule that the cell breaks, NULL where it is a value or may be nothing."""
        column, name = self._column, self._column.name
        nothing = f"'{name}.null'" if not column.nullable else "CAST(NULL AS STRING)"
        if self._kind == p.NOTHING:
            return nothing
        whens = [f"WHEN {self.value} IS NOT NULL THEN NULL", f"WHEN {self._empty()} THEN {nothing}"]
        if column.kind in (NUMBER, INTEGER) and self._kind == p.DOUBLE:
            whens.append(f"WHEN NOT {self._finite()} THEN '{name}.type'")
        if column.kind == INTEGER and self._kind in (p.DOUBLE, p.DECIMAL):
            whens.append(f"WHEN NOT {self._whole()} THEN '{name}.decimal'")
        if column.kind in (NUMBER, INTEGER):
            whens.append(f"WHEN TRUE THEN '{name}.large'")
        if column.kind == TIMESTAMP and self._kind in _LOCAL and column.zone != "UTC":
            whens.append(f"WHEN {_in_calendar(self._moment())} THEN '{name}.skipped'")
        return f"CASE {' '.join(whens)} ELSE '{name}.type' END"

    def _empty(self) -> str:
        """Whether the cell is nothing."""
        empty = f"{self._raw} IS NULL"
        if self._kind == p.DOUBLE:
            empty += f" OR ISNAN({self._raw})"
        if self._column.kind in (TEXT, CATEGORY):
            empty += f" OR {stands_for_nothing(self._column, self._text, self._dialect)}"
        if self._numbers():
            empty += f" OR {self._named_null(self._present())}"
        return f"({empty})"

    def shown(self) -> str:
        """The cell for a person, spelt alike by both engines."""
        if self._kind == p.NOTHING:
            return "CAST(NULL AS STRING)"
        if self._kind in (p.DOUBLE, p.DECIMAL):
            return shown_number(f"CAST({self._raw} AS DOUBLE)")
        if self._column.kind != TIMESTAMP:
            return self._text
        moment = self._moment()
        far = f"CONCAT('year ', CAST(YEAR({moment}) AS STRING))"
        return (
            f"CASE WHEN {_in_calendar(moment)} THEN CAST({moment} AS STRING) WHEN {moment} IS NOT NULL THEN {far} END"
        )


def shown_number(number: str) -> str:
    """A number for a person: engines write doubles in different ways."""
    plain = f"REGEXP_REPLACE(CAST(CAST({number} AS DECIMAL(38, 6)) AS STRING), {literal('[.]?0+$')}, '')"
    return (
        f"CASE WHEN {number} IS NULL THEN NULL WHEN ISNAN({number}) THEN 'NaN'"
        f" WHEN {number} > {_INFINITE} THEN 'Infinity' WHEN {number} < -{_INFINITE} THEN '-Infinity'"
        f" WHEN {number} = 0 THEN '0'"
        f" WHEN ABS({number}) >= 0.001 AND ABS({number}) < 1e9 THEN {plain} ELSE FORMAT_STRING('%.6e', {number}) END"
    )


def _exact(column: Column) -> str:
    """A value as a text from which it could be made again, and that both engines write alike."""
    name = column.name
    if column.kind == NUMBER:
        # -0 is 0.
        plain = f"CASE WHEN {name} = 0 THEN CAST('0' AS DOUBLE) ELSE {name} END"
        return f"CASE WHEN {name} IS NOT NULL THEN FORMAT_STRING('%a', {plain}) END"
    if column.kind == TIMESTAMP:
        return f"CAST(UNIX_MICROS({name}) AS STRING)"
    return name if column.kind in (TEXT, CATEGORY) else f"CAST({name} AS STRING)"


def _clean(raw: str) -> str:
    """Bytes that are no UTF-8 stay what they are in Spark until a text is made of them: then each is U+FFFD."""
    return f"DECODE(ENCODE({raw}, 'UTF-8'), 'UTF-8')"


def _in_calendar(moment: str) -> str:
    """Years of four digits, as texts of times have."""
    return f"YEAR({moment}) BETWEEN 1000 AND 9999"


def _odd_characters(columns: Sequence[Column], foldered: Sequence[Column]) -> str:
    found = [
        f"INSTR({column.name}, {literal(character)}) > 0"
        for column in columns
        if column.kind in (TEXT, CATEGORY) and column not in foldered
        for character in NO_TEXT
    ]
    return f"({' OR '.join(found)})" if found else "FALSE"


def _broken(column: Column) -> str:
    return f"WHEN __b_{column.name} IS NOT NULL THEN __b_{column.name}"


def _none(dataset: Dataset) -> Dialect:
    """How values in the names of folders are written, and which texts stand for nothing."""
    return Dialect(",", ".", "", False, dataset.format.nulls, "", (), {}, 0)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _quoted(name: str) -> str:
    """A name in Spark's list of columns: https://spark.apache.org/docs/3.5.6/sql-ref-identifier.html"""
    return "`" + name.replace("`", "``") + "`"


def _words(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Rule → what is said of a record that breaks it."""
    said = dict(words(dataset, _none(dataset)))
    yield CHARACTERS, "has a text that is not UTF-8, or has a control character"
    for column in dataset.columns.values():
        name = column.header
        yield f"{column.name}.null", said[f"{column.name}.null"]
        yield f"{column.name}.decimal", f"{name} is no whole number (declare it as number)"
        for rule in ("large", "skipped"):
            if f"{column.name}.{rule}" in said:
                yield f"{column.name}.{rule}", said[f"{column.name}.{rule}"]
        yield f"{column.name}.type", f"{name} is {_no_value(column)}"
        yield from outside_words(column)
    yield from rule_words(dataset)


def _no_value(column: Column) -> str:
    if column.kind in (NUMBER, INTEGER):
        return "infinite"
    if column.kind == TIMESTAMP:
        return "a time before the year 1000 or after 9999"
    return "neither true nor false, nor 1 or 0" if column.kind == BOOLEAN else "no such value"
