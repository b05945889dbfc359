"""Columns of raw data as config declares them: what a cell must be, and what SQL calls the column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.fields import FieldError, Fields, describe, name
from contracts.timestamps import Layout, parse_layout, parse_moment

NUMBER, INTEGER, TIMESTAMP, BOOLEAN, CATEGORY, TEXT = (
    "number",
    "integer",
    "timestamp",
    "boolean",
    "category",
    "text",
)
KINDS = (NUMBER, INTEGER, TIMESTAMP, BOOLEAN, CATEGORY, TEXT)
NUMERIC = (NUMBER, INTEGER)
TYPES = (*KINDS, "string")
"""What config may write: `string` is `text`, as it was called at first."""
NOW = "now"
"""In place of a timestamp's `min` or `max`: the moment at which the run began."""

# DuckDB's reserved words (`duckdb_keywords()` of 2.0.0, category reserved) and Spark's that no alias may be
# (https://spark.apache.org/docs/3.5.6/sql-ref-ansi-compliance.html#sql-keywords-optional-disabled-by-default, strict).
_KEYWORDS = frozenset({
    "all", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast",
    "check", "collate", "column", "constraint", "create", "cross", "default", "deferrable", "desc", "describe",
    "distinct", "do", "else", "end", "except", "false", "fetch", "for", "foreign", "from", "full", "grant", "group",
    "having", "in", "initially", "inner", "intersect", "into", "join", "lambda", "lateral", "leading", "left",
    "limit", "minus", "natural", "not", "null", "offset", "on", "only", "or", "order", "pivot", "placing", "primary",
    "qualify", "references", "returning", "right", "select", "semi", "show", "some", "summarize", "symmetric",
    "table", "then", "to", "trailing", "true", "union", "unique", "unpivot", "using", "variadic", "when", "where",
    "window", "with",
    # DuckDB's words for types and functions, which no column may be called without quotes either.
    "asof", "at", "authorization", "binary", "collation", "concurrently", "freeze", "glob", "ilike", "is", "isnull",
    "like", "notnull", "overlaps", "positional", "similar", "tablesample", "verbose",
    # Words that no features.sql may hold (functions/jobs/features/features_job.py), and names of our own.
    "insert", "delete", "update", "merge", "reflect", "try_reflect", "java_method", "identifier", "row", "rule",
})  # fmt: skip
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Column:
    """One column: `name` is SQL's, `header` the file's.

    `minimum` and `maximum` are numbers, or of a timestamp its text in UTC or `now`; `allowed` are texts as they stand
    in the file; `max_null_share` is a share of rows, 0 to 1. `zone` is that of times without an offset.
    """

    name: str
    header: str
    kind: str
    nullable: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    unique: bool = False
    unit: str = ""
    max_null_share: float | None = None
    zone: str = "UTC"
    layout: Layout | None = None


def parse_columns(value: object, path: str) -> dict[str, Column]:
    """The columns by SQL's names, in the order in which config has them. Raises FieldError."""
    if not isinstance(value, Mapping) or not value:
        raise FieldError(path, "must not be empty")
    columns = [parse_column(str(header), given, f"{path}.{header}") for header, given in value.items()]
    found: dict[str, Column] = {}
    for column in columns:
        # Engines do not tell capitals apart.
        other = next((known for known in found.values() if known.name.lower() == column.name.lower()), None)
        if other:
            raise FieldError(
                f"{path}.{column.header}",
                f"is {column.name} in SQL, as {other.header!r} is: give one of them another name by `as`",
            )
        found[column.name] = column
    return found


def parse_column(header: str, value: object, path: str) -> Column:
    """One column: its type alone, or an object. Raises FieldError."""
    if _FORBIDDEN.search(header) or header != header.strip() or not header:
        raise FieldError(path, f"{header!r} is no name of a column: take out spaces around it and control characters")
    if isinstance(value, str):
        return Column(sql_name(header), header, _kind(value, path), nullable=_kind(value, path) == TEXT)
    fields = Fields(value, path)
    kind = _kind(fields.text("type"), f"{path}.type")
    may_be_null = kind == TEXT or fields.has("maxNullShare")
    column = Column(
        name=_named(fields, header),
        header=header,
        kind=kind,
        nullable=fields.flag("nullable", may_be_null),
        minimum=_bound(fields, "min", kind),
        maximum=_bound(fields, "max", kind),
        allowed=_allowed(fields, kind),
        pattern=_pattern(fields, kind),
        unique=fields.flag("unique", False),
        unit=fields.text("unit") if fields.has("unit") else "",
        max_null_share=_share(fields, "maxNullShare"),
        zone=_zone(fields, kind),
        layout=_layout(fields, kind),
    )
    fields.done()
    _agree(column, path)
    return column


def sql_name(header: str) -> str:
    """What SQL calls a column that config gives no name: the header itself where it can be, else a likeness of it.

    `Total Amount` becomes `total_amount`, `größe` `grosse`, `1st` `c_1st`, `order` `c_order`.
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", header) and header.lower() not in _KEYWORDS:
        return header
    plain = unicodedata.normalize("NFKD", header.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60]
    return words if re.match(r"[a-z]", words) and words not in _KEYWORDS else f"c_{words}"


def _kind(value: str, path: str) -> str:
    if value not in TYPES:
        raise FieldError(path, f"{value!r} must be one of {', '.join(TYPES)}")
    return TEXT if value == "string" else value


def _named(fields: Fields, header: str) -> str:
    if not fields.has("as"):
        return sql_name(header)
    found = name(fields.raw("as"), fields.at("as"))
    if found.lower() in _KEYWORDS:
        raise FieldError(fields.at("as"), f"{found!r} is a word of SQL: take another")
    return found


def _bound(fields: Fields, member: str, kind: str) -> float | str | None:
    if not fields.has(member):
        return None
    if kind in (NUMBER, INTEGER):
        return fields.number(member)
    if kind != TIMESTAMP:
        raise FieldError(fields.at(member), f"is for numbers and timestamps, not for {kind}")
    text = fields.text(member)
    if text != NOW and parse_moment(text) is None:
        raise FieldError(fields.at(member), f"{text!r} must be a time in UTC like 2019-03-23 20:21:09, or {NOW}")
    return text


def _allowed(fields: Fields, kind: str) -> tuple[str, ...]:
    if not fields.has("allowed"):
        return ()
    if kind not in (INTEGER, CATEGORY, TEXT):
        raise FieldError(fields.at("allowed"), f"is for integer, category and text, not for {kind}")
    values = fields.items("allowed", _text)
    for value in values:
        if kind == INTEGER and not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise FieldError(fields.at("allowed"), f"{value!r} must be a whole number")
    if not values or len(set(values)) < len(values):
        raise FieldError(fields.at("allowed"), "must be different values, at least one")
    return values


def _text(value: object, path: str) -> str:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise FieldError(path, f"must be a text that is not empty, or a whole number, not {describe(value)}")


def _pattern(fields: Fields, kind: str) -> str:
    if not fields.has("pattern"):
        return ""
    text = fields.text("pattern")
    if kind not in (CATEGORY, TEXT):
        raise FieldError(fields.at("pattern"), f"is for category and text, not for {kind}")
    # Spark has Java's, DuckDB has RE2, which reads none of these, or otherwise: https://github.com/google/re2/wiki/Syntax
    bare = re.sub(r"\\[^0-9A-Za-z]", "x", text)
    odd = re.search(r"\(\?[^:]|\\(?![dDwWsSbBnrt])[0-9A-Za-z]|[*+?}]\+|\[\[|&&|\{,|\{(?![0-9])", bare)
    if odd:
        raise FieldError(
            fields.at("pattern"), f"{text!r} has {odd[0]!r}, which engines read differently, or not at all"
        )
    try:
        re.compile(text)
    except re.error as error:
        raise FieldError(fields.at("pattern"), f"{text!r} is not a regular expression: {error}") from None
    return text


def _share(fields: Fields, member: str) -> float | None:
    if not fields.has(member):
        return None
    value = fields.number(member)
    if not 0 <= value <= 1:
        raise FieldError(fields.at(member), f"must be a share from 0 to 1, not {value:g}")
    return value


def _zone(fields: Fields, kind: str) -> str:
    if not fields.has("zone"):
        return "UTC"
    zone = fields.text("zone", r"UTC|[A-Za-z]+(/[A-Za-z0-9_+-]+)+", "UTC or a time zone like Europe/Berlin")
    if kind != TIMESTAMP:
        raise FieldError(fields.at("zone"), f"is for timestamps, not for {kind}")
    # Half the start-up of the functions that only read a dataset would be the table of zones.
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise FieldError(fields.at("zone"), f"{zone!r} is not a time zone like Europe/Berlin") from None
    return zone


def _layout(fields: Fields, kind: str) -> Layout | None:
    if not fields.has("format"):
        return None
    text = fields.text("format")
    if kind != TIMESTAMP:
        raise FieldError(fields.at("format"), f"is for timestamps, not for {kind}")
    try:
        return parse_layout(text)
    except ValueError as error:
        raise FieldError(fields.at("format"), str(error)) from None


def _agree(column: Column, path: str) -> None:
    low, high = column.minimum, column.maximum
    moments = [parse_moment(bound) if isinstance(bound, str) else bound for bound in (low, high)]
    if None not in moments and moments[0] > moments[1]:  # type: ignore[operator]
        raise FieldError(f"{path}.min", f"{low} is above max, {high}")
    if column.max_null_share is not None and not column.nullable:
        raise FieldError(f"{path}.maxNullShare", "contradicts nullable: false: take one of them out")
