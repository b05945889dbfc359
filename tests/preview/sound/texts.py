"""Symbolic texts of the SMT model: any text there is, or one of a list that has an example for each pattern."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import z3

Pieces = tuple[tuple[str, str], ...]
"""`text` with a letter, `star`, `one`."""
HEAD = 5
"""Parts of an ARN before its last."""
_PLAIN = z3.Union(z3.Range("a", "z"), z3.Range("A", "Z"), z3.Range("0", "9"), *(z3.Re(c) for c in "/*_.${}, '?-"))
_ANY = z3.Union(_PLAIN, z3.Re(":"))


class Text(Protocol):
    """A text of a request."""

    def equals(self, text: str, any_case: bool = False) -> Any:
        """When it is this one."""

    def matches(self, pieces: Pieces, mode: str) -> Any:
        """When a pattern matches it. `mode`: `like`, or `arn` and `resource`, where wildcards stay in their part."""

    def world(self) -> Any:
        """What always holds."""

    def read(self, model: Any) -> str:
        """Its value in an answer of the solver."""


class Listed:
    """One of a list."""

    def __init__(self, name: str, texts: Sequence[str]) -> None:
        self._texts = tuple(dict.fromkeys(texts))
        self._at = z3.BitVec(name, 11)
        self._known: dict[tuple[Pieces, str], Any] = {}
        assert len(self._texts) < 2048

    def equals(self, text: str, any_case: bool = False) -> Any:
        wanted = text.lower() if any_case else text
        return self._one_of(n for n, each in enumerate(self._texts) if (each.lower() if any_case else each) == wanted)

    def matches(self, pieces: Pieces, mode: str) -> Any:
        if (pieces, mode) not in self._known:
            found = python(pieces, mode)
            self._known[pieces, mode] = self._one_of(n for n, each in enumerate(self._texts) if found.fullmatch(each))
        return self._known[pieces, mode]

    def _one_of(self, places: Any) -> Any:
        return z3.Or(*(self._at == place for place in places))

    def world(self) -> Any:
        return z3.ULT(self._at, len(self._texts))

    def read(self, model: Any) -> str:
        return str(self._texts[model.eval(self._at, model_completion=True).as_long()])


class Free:
    """Any text; an ARN, or the star of a request about no resource, where `arn`."""

    def __init__(self, name: str, arn: bool = False) -> None:
        self._value, self._arn = z3.String(name), arn

    def equals(self, text: str, any_case: bool = False) -> Any:
        if not any_case:
            return self._value == z3.StringVal(text)
        letters = [z3.Union(z3.Re(c.lower()), z3.Re(c.upper())) if c.isalpha() else z3.Re(c) for c in text]
        return z3.InRe(self._value, z3.Concat(*letters) if len(letters) > 1 else letters[0])

    def matches(self, pieces: Pieces, mode: str) -> Any:
        return z3.InRe(self._value, _symbolic(pieces, mode))

    def world(self) -> Any:
        if not self._arn:
            return z3.InRe(self._value, z3.Star(_ANY))
        part = z3.Concat(z3.Star(_PLAIN), z3.Re(":"))
        arn = z3.Concat(z3.Re("arn:"), *([part] * (HEAD - 1)), z3.Plus(_ANY))
        return z3.Or(self._value == "*", z3.InRe(self._value, arn))

    def read(self, model: Any) -> str:
        return str(model.eval(self._value, model_completion=True).as_string())


def _free(pieces: Pieces, mode: str) -> list[tuple[str, bool]]:
    """Each piece's letter, and whether a wildcard there takes colons."""
    found, colons = [], HEAD if mode == "like" else 0
    for n, (kind, letter) in enumerate(pieces):
        ends = n + 1 == len(pieces) or pieces[n + 1] == ("text", ":")
        everywhere = colons >= HEAD or (mode == "resource" and kind == "star" and ends)
        colons += kind == "text" and letter == ":"
        found.append((letter, everywhere))
    return found


@cache
def python(pieces: Pieces, mode: str) -> re.Pattern[str]:
    """A pattern as a regular expression."""
    parts = []
    for (kind, _), (letter, everywhere) in zip(pieces, _free(pieces, mode), strict=True):
        one = "." if everywhere else "[^:]"
        parts.append({"star": f"{one}*", "one": one}.get(kind, re.escape(letter)))
    least = "(?=(?:[^:]*:){5})" if mode == "arn" else ""
    return re.compile(least + "".join(parts), re.DOTALL)


@cache
def _symbolic(pieces: Pieces, mode: str) -> Any:
    parts = []
    for (kind, _), (letter, everywhere) in zip(pieces, _free(pieces, mode), strict=True):
        one = _ANY if everywhere else _PLAIN
        parts.append(z3.Star(one) if kind == "star" else one if kind == "one" else z3.Re(letter))
    found = z3.Concat(*parts) if len(parts) > 1 else parts[0] if parts else z3.Re("")
    if mode != "arn":
        return found
    return z3.Intersect(found, z3.Concat(*([z3.Star(_PLAIN), z3.Re(":")] * HEAD), z3.Star(_ANY)))
