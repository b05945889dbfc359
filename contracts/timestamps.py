"""How times are written: what is read without a word, and what a declared format reads.

A declared format is built of yyyy, MM, dd, HH, mm, ss and SSS (Java's letters, which Spark's documentation has:
https://spark.apache.org/docs/3.5.6/sql-ref-datetime-pattern.html), each once and each of that width, with spaces, T and
marks between them: so every part stands at a fixed place, and all engines cut it out alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
SECOND = ":[0-5][0-9](?:[.][0-9]{1,6})?"
DATE = "[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
PLAIN = f"{DATE}(?:[ T]{MINUTE}(?:{SECOND})?)?"
"""A time without an offset: `2019-03-23`, `2019-03-23 20:21`, `2019-03-23T20:21:09.5`."""
WITH_OFFSET = f"({DATE}[ T]{MINUTE}(?:{SECOND})?)[ ]?(Z|[+-](?:0[0-9]|1[0-8])(?::?[0-5][0-9])?)"
"""The same, as first group, with an offset as second: `Z`, `+02:00`, `-0330`, `+02`."""
_TOKENS = {
    "yyyy": "[1-9][0-9]{3}",
    "MM": "(?:0[1-9]|1[0-2])",
    "dd": "(?:0[1-9]|[12][0-9]|3[01])",
    "HH": "(?:[01][0-9]|2[0-3])",
    "mm": "[0-5][0-9]",
    "ss": "[0-5][0-9]",
    "SSS": "[0-9]{3}",
}
_NEEDS = {"HH": "dd", "mm": "HH", "ss": "mm", "SSS": "ss"}


@dataclass(frozen=True)
class Layout:
    """A declared format: `pattern` matches the whole text; `places` says where each part begins (from 1)."""

    text: str
    pattern: str
    places: tuple[tuple[str, int], ...]


def parse_layout(text: str) -> Layout:
    """Reads a declared format. Raises ValueError with a sentence."""
    places: dict[str, int] = {}
    pattern = ""
    for found in re.finditer(r"([A-Za-z])\1*|[^A-Za-z]", text):
        part = found[0]
        if part == "T" or not part[0].isalpha():
            if part not in " -./:,_;T":
                raise ValueError(f"{text!r} has {part!r} between its parts, which no format of a time has")
            pattern += f"[{part}]"
            continue
        if part not in _TOKENS or part in places:
            raise ValueError(f"{text!r} must be made of {', '.join(_TOKENS)}, each once, like dd.MM.yyyy HH:mm:ss")
        places[part] = found.start() + 1
        pattern += _TOKENS[part]
    lacking = [part for part in ("yyyy", "MM", "dd") if part not in places]
    lacking += [needed for part, needed in _NEEDS.items() if part in places and needed not in places]
    if lacking:
        raise ValueError(f"{text!r} lacks {lacking[0]}")
    return Layout(text, pattern, tuple(places.items()))


def parse_moment(text: str) -> datetime | None:
    """The time of a text in UTC without an offset; None for any other text."""
    if not re.fullmatch(PLAIN, text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
