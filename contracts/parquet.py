"""What a Parquet file holds, read from its end: the columns and their types, and how many records there are.

Nothing of the records is read, and no library that could: in a function of the workflow there is none. The end of a
file is `FileMetaData` in Thrift's compact protocol, its length in four bytes, and `PAR1`:
https://parquet.apache.org/docs/file-format/, https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAGIC = b"PAR1"
TAIL = 8
"""Bytes behind the metadata."""
(BOOL, INT, UNSIGNED, DOUBLE, DECIMAL, DATE, INSTANT, LOCAL, INSTANT_NANOS, LOCAL_NANOS, TEXT, NOTHING) = KINDS = (
    "bool", "int", "unsigned", "double", "decimal", "date", "instant", "local", "instant_nanos", "local_nanos", "text",
    "nothing",
)  # fmt: skip
"""What a column holds, for the plan: `unsigned` are of 64 bits, `instant` is a point in time and `local` what a clock
showed, `nothing` is a column in which every cell is empty."""
NESTED, BYTES, TIME, OTHER = "nested", "bytes", "time", "other"
"""What the plan does not read."""

_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_WHOLE = (4, 5, 6)
_DEEPEST = 64
_SCHEMA, _ROWS = 2, 3
_BOOLEAN, _INT32, _INT64, _INT96, _FLOAT, _REAL, _BYTE_ARRAY, _FIXED = range(8)
_REPEATED = 2
# Members of SchemaElement, and of the union LogicalType.
_TYPE, _REPETITION, _NAME, _CHILDREN, _CONVERTED, _SCALE, _PRECISION, _LOGICAL = 1, 3, 4, 5, 6, 7, 8, 10
_AS_STRING, _AS_ENUM, _AS_DECIMAL, _AS_DATE, _AS_TIME, _AS_TIMESTAMP, _AS_INTEGER, _AS_NULL, _AS_JSON = (
    1, 4, 5, 6, 7, 8, 10, 11, 12,
)  # fmt: skip
_NANOS = 3
# ConvertedType → the member of LogicalType that took its place, with what that says.
_CONVERSIONS: Mapping[int, Mapping[int, Any]] = {
    0: {_AS_STRING: {}}, 4: {_AS_ENUM: {}}, 5: {_AS_DECIMAL: {}}, 6: {_AS_DATE: {}}, 7: {_AS_TIME: {}},
    8: {_AS_TIME: {}}, 9: {_AS_TIMESTAMP: {1: True, 2: {1: {}}}}, 10: {_AS_TIMESTAMP: {1: True, 2: {2: {}}}},
    **{11 + place: {_AS_INTEGER: {1: 8 << place, 2: False}} for place in range(4)},
    **{15 + place: {_AS_INTEGER: {1: 8 << place, 2: True}} for place in range(4)},
    19: {_AS_JSON: {}},
}  # fmt: skip
_MOST_DIGITS = 38
"""Of a decimal, in Spark and DuckDB alike."""


class ParquetError(ValueError):
    """A file whose end cannot be read; the message goes on after the file's name."""


@dataclass(frozen=True)
class Field:
    """A column of the file: `kind` is one of KINDS or of what is not read; `spark` is the type by which Spark reads it.

    Which type fits which: https://github.com/apache/spark/blob/v3.5.6/sql/core/src/main/java/org/apache/spark/sql/execution/datasources/parquet/ParquetVectorUpdaterFactory.java
    """

    name: str
    kind: str
    spark: str = ""


@dataclass(frozen=True)
class Contents:
    """The columns in their order, and how many records there are."""

    fields: tuple[Field, ...]
    rows: int


def metadata_size(end: bytes) -> int:
    """How many bytes of metadata stand before the last eight, by these. Raises ParquetError."""
    if end[-4:] == b"PARE":
        raise ParquetError("is encrypted Parquet, which is not read: write it without a key")
    if len(end) < TAIL or end[-4:] != MAGIC:
        raise ParquetError("does not end as Parquet does: it is cut off, or something else. Upload it anew")
    return int.from_bytes(end[-8:-4], "little")


def contents(metadata: bytes) -> Contents:
    """Reads the metadata, or the first part of it: the columns stand before the places of what is in them.

    Raises ParquetError.
    """
    try:
        found = _Thrift(metadata).members(0, last=_ROWS)
        return Contents(tuple(_fields(found[_SCHEMA])), int(found[_ROWS]))
    except (IndexError, KeyError, TypeError, UnicodeDecodeError, AttributeError, ValueError, OverflowError):
        raise ParquetError("has metadata at its end that cannot be read: write it anew") from None


def _fields(elements: Sequence[Mapping[int, Any]]) -> list[Field]:
    found, place = [], 1
    for _ in range(elements[0][_CHILDREN]):
        found.append(_field(elements[place]))
        place = _behind(elements, place)
    return found


def _behind(elements: Sequence[Mapping[int, Any]], place: int) -> int:
    """The place behind an element and all that is in it."""
    waiting = 1
    while waiting:
        waiting += elements[place].get(_CHILDREN, 0) - 1
        place += 1
    return place


def _field(element: Mapping[int, Any]) -> Field:
    name = element[_NAME].decode("utf-8")
    if _CHILDREN in element or element.get(_REPETITION) == _REPEATED:
        return Field(name, NESTED)
    logical = element.get(_LOGICAL) or _CONVERSIONS.get(element.get(_CONVERTED, -1), {})
    as_what = next(iter(logical), 0)
    return Field(name, *_kind(element, as_what, logical.get(as_what, {})))


def _kind(element: Mapping[int, Any], as_what: int, told: Mapping[int, Any]) -> tuple[str, str]:
    """What a column holds, and Spark's type for it."""
    physical = element[_TYPE]
    if as_what == _AS_NULL:
        return NOTHING, ""
    if as_what == _AS_DECIMAL:
        digits, scale = told.get(2, element.get(_PRECISION, 0)), told.get(1, element.get(_SCALE, 0))
        return (DECIMAL, f"decimal({digits},{scale})") if 0 < digits <= _MOST_DIGITS else (OTHER, "")
    if as_what == _AS_TIME:
        return TIME, ""
    if as_what == _AS_TIMESTAMP and physical == _INT64:
        return _moment(told)
    if as_what == _AS_DATE and physical == _INT32:
        return DATE, "date"
    if as_what == _AS_INTEGER and told.get(2) is False and physical in (_INT32, _INT64):
        return _unsigned(physical, int(told[1]))
    if physical == _BYTE_ARRAY and as_what in (_AS_STRING, _AS_ENUM, _AS_JSON):
        return TEXT, "string"
    if as_what not in (0, _AS_INTEGER):
        return OTHER, ""
    return _PLAIN[physical]


_PLAIN = {
    _BOOLEAN: (BOOL, "boolean"), _INT32: (INT, "int"), _INT64: (INT, "bigint"), _INT96: (INSTANT, "timestamp"),
    _FLOAT: (DOUBLE, "float"), _REAL: (DOUBLE, "double"), _BYTE_ARRAY: (BYTES, ""), _FIXED: (BYTES, ""),
}  # fmt: skip
"""INT96 is what Spark and Hive wrote for a point in time before there was a type for it."""


def _moment(told: Mapping[int, Any]) -> tuple[str, str]:
    instant = told.get(1, False)
    if _NANOS in told.get(2, {}):
        # Spark 3.5 has no type for them, and reads the number.
        return (INSTANT_NANOS if instant else LOCAL_NANOS), "bigint"
    return (INSTANT if instant else LOCAL), "timestamp"


def _unsigned(physical: int, bits: int) -> tuple[str, str]:
    if physical == _INT64:
        return UNSIGNED, "decimal(20,0)"
    return INT, "bigint" if bits == 32 else "int"


class _Thrift:
    """Values of Thrift's compact protocol, one after another. Raises IndexError where the bytes end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def members(self, depth: int, last: int | None = None) -> dict[int, Any]:
        """A struct's members by their numbers, up to the member `last` where one is given."""
        found: dict[int, Any] = {}
        number = 0
        while True:
            head = self._byte()
            kind = head & 15
            if kind == _STOP:
                return found
            number = number + (head >> 4) if head >> 4 else self._whole()
            found[number] = self._value(kind, depth) if kind not in (_TRUE, _FALSE) else kind == _TRUE
            if number == last:
                return found

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        if kind in _WHOLE:
            return self._whole()
        if kind in (_BYTE, _TRUE, _FALSE):
            return self._byte()
        if kind == _BINARY:
            return self._take(self._length())
        if kind == _DOUBLE:
            return self._take(8)
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _MAP:
            return self._map(depth)
        if kind == _STRUCT:
            return self.members(depth + 1)
        raise ValueError(f"no kind of value: {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._length()
        return [self._value(head & 15, depth + 1) for _ in range(size)]

    def _map(self, depth: int) -> dict[Any, Any]:
        size = self._length()
        kinds = self._byte() if size else 0
        return {str(self._value(kinds >> 4, depth + 1)): self._value(kinds & 15, depth + 1) for _ in range(size)}

    def _byte(self) -> int:
        byte = self._data[self._place]
        self._place += 1
        return byte

    def _take(self, size: int) -> bytes:
        if self._place + size > len(self._data):
            raise IndexError(size)
        self._place += size
        return self._data[self._place - size : self._place]

    def _length(self) -> int:
        """A number without sign, seven bits a byte, the lowest first."""
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _whole(self) -> int:
        """A number with a sign: 0, -1, 1, -2, … are 0, 1, 2, 3, …"""
        found = self._length()
        return found >> 1 ^ -(found & 1)
