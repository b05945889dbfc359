"""How a file of raw data is written: what config declares of it, and what was found in the file itself."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.fields import FieldError, Fields

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""What stands between cells, and what it is called."""
DECLARED = {",": ",", ";": ";", "|": "|", "tab": "\t"}
"""As config has it → as the file has it."""
DECIMALS = (".", ",")
THOUSANDS = (",", ".", "'", " ")
NULLS = (
    "", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>", "n/a", "na", "null",
    "nan", "none",
)  # fmt: skip
"""What stands for nothing in a column of numbers, times or truths, in small letters: as pandas reads it
(https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html, `na_values`). In a text `NA` may be Namibia."""


@dataclass(frozen=True)
class Format:
    """What config declares: None is found in the file. `nulls` replaces NULLS, and is then text's as well."""

    separator: str | None = None
    decimal: str | None = None
    thousands: str = ""
    line_breaks: bool = False
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dialect:
    """How one run's files are written: `header` is the header's line as it stands, `skipped` lines before it.

    `places` says at which place (from 0) of a row a column's cell stands, by SQL's names; `width` is a row's values.
    `others` are the places of columns that nobody declared: features.sql may read them, as texts. `folders` are columns
    that stand in the paths of the files (`year=2019/`) and not in them: one value for each file, empty for none.
    """

    separator: str
    decimal: str
    thousands: str
    line_breaks: bool
    nulls: tuple[str, ...]
    header: str
    skipped: tuple[str, ...]
    places: Mapping[str, int]
    width: int
    others: Mapping[str, int] = field(default_factory=dict)
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def other_folders(self, columns: Container[str]) -> list[str]:
        """Those of `folders` that nobody declared."""
        return [name for name in self.folders if name not in columns]

    def words(self) -> str:
        """For a person."""
        decimal = "" if self.decimal == "." else ", decimal comma"
        thousands = f", thousands by {self.thousands!r}" if self.thousands else ""
        breaks = ", line breaks within quotes" if self.line_breaks else ""
        return f"UTF-8, {SEPARATORS[self.separator]}{decimal}{thousands}{breaks}, {self.width} columns"


def parse_format(value: object, path: str) -> Format:
    """What config declares. Raises FieldError."""
    fields = Fields(value, path)
    separator = _one_of(fields, "separator", tuple(DECLARED))
    decimal = _one_of(fields, "decimal", DECIMALS)
    thousands = _one_of(fields, "thousands", THOUSANDS) or ""
    breaks: Any = fields.raw("lineBreaks") if fields.has("lineBreaks") else False
    nulls = fields.items("nulls", _spelling) if fields.has("nulls") else ()
    fields.done()
    if not isinstance(breaks, bool):
        raise FieldError(f"{path}.lineBreaks", f"must be true or false, not {breaks!r}")
    if thousands and thousands == decimal:
        raise FieldError(f"{path}.thousands", f"is {thousands!r}, as the decimal sign is")
    return Format(DECLARED[separator] if separator else None, decimal, thousands, breaks, nulls)


def _one_of(fields: Fields, member: str, known: tuple[str, ...]) -> str | None:
    if not fields.has(member):
        return None
    value = fields.raw(member)
    if value not in known:
        raise FieldError(fields.at(member), f"{value!r} must be one of {', '.join(map(repr, known))}")
    return str(value)


def _spelling(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise FieldError(path, f"{value!r} must be a text: put it in quotes")
    return value.strip().lower()
