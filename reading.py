"""Reads config values one by one, with type and range, and collects what is wrong instead of stopping at the first."""

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
MISSING: Any = object()
"""Default of a key that must be given."""


@dataclass
class Reader:
    """A view of one config object. Children share `problems`; every key asked for counts as known."""

    values: Mapping[str, Any]
    path: str
    problems: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def text(self, key: str, default: Any = MISSING, pattern: str = r".+", hint: str = "a text") -> str:
        """A text that matches `pattern` as a whole; `hint` words the range."""
        return self._read(key, default, lambda value: _text(value, pattern), hint, "")

    def choice(self, key: str, default: Any, options: Sequence[str]) -> str:
        """One of `options`."""
        hint = f"one of {', '.join(options)}"
        return self._read(key, default, lambda value: _choice(value, options), hint, options[0])

    def integer(self, key: str, default: Any = MISSING, low: int = 0, high: int = 2**31) -> int:
        """A whole number from `low` to `high`."""
        hint = f"a whole number from {low} to {high}"
        return self._read(key, default, lambda value: _integer(value, low, high), hint, low)

    def number(self, key: str, default: Any = MISSING, low: float = 0.0, high: float = float("inf")) -> float:
        """A number from `low` to `high`."""
        hint = f"a number from {low:g} to {high:g}"
        return self._read(key, default, lambda value: _number(value, low, high), hint, low)

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false."""
        return self._read(key, default, _flag, "true or false", default)

    def texts(self, key: str, default: Any = MISSING, pattern: str = r".+", hint: str = "texts") -> tuple[str, ...]:
        """A list of texts that match `pattern`."""
        return self._read(key, default, lambda value: _texts(value, pattern), f"a list of {hint}", ())

    def mapping(self, key: str, default: Any = MISSING, pattern: str = r".*", hint: str = "texts") -> dict[str, str]:
        """An object whose values are texts (numbers and booleans are written as text)."""
        return self._read(key, default, lambda value: _mapping(value, pattern), f"an object of {hint}", {})

    def raw(self, key: str, default: Any = MISSING) -> Any:
        """An object, unchecked: for documents with a parser of their own."""
        empty: dict[str, Any] = {}
        return self._read(key, default, _object, "an object", empty)

    def child(self, key: str) -> "Reader":
        """A nested object, empty where it is not given."""
        empty: dict[str, Any] = {}
        values = self._read(key, empty, _object, "an object", empty)
        return Reader(values, f"{self.path}{key}.", self.problems)

    def children(self, key: str) -> list["Reader"]:
        """A list of objects."""
        empty: list[dict[str, Any]] = []
        items = self._read(key, empty, _objects, "a list of objects", empty)
        return [Reader(item, f"{self.path}{key}[{index}].", self.problems) for index, item in enumerate(items)]

    def reject(self, key: str, value: object, reason: str) -> None:
        """Note a problem that a reading alone cannot see."""
        self.problems.append(f"{self.path}{key}: {value!r} {reason}")

    def done(self) -> None:
        """Note every given key that nobody asked for."""
        for key in self.values:
            if key in self.known:
                continue
            near = difflib.get_close_matches(key, sorted(self.known), n=1, cutoff=0.6)
            fix = f"did you mean {self.path}{near[0]}?" if near else f"known are {', '.join(sorted(self.known))}"
            self.problems.append(f"{self.path}{key}: unknown key; {fix}")

    def _read(self, key: str, default: Any, convert: Callable[[Any], T], hint: str, stand_in: T) -> T:
        self.known.add(key)
        value = self.values.get(key)
        if value is None:
            if default is not MISSING:
                return default  # type: ignore[no-any-return]
            self.problems.append(f"{self.path}{key}: is missing; set it to {hint}")
            return stand_in
        try:
            return convert(value)
        except ValueError:
            self.problems.append(f"{self.path}{key}: {value!r} is not {hint}")
            return stand_in


def _text(value: Any, pattern: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    if not re.fullmatch(pattern, str(value)):
        raise ValueError
    return str(value)


def _choice(value: Any, options: Sequence[str]) -> str:
    if value not in options:
        raise ValueError
    return str(value)


def _integer(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    if not isinstance(value, str | int | float):
        raise ValueError
    number = int(value)
    if not low <= number <= high:
        raise ValueError
    return number


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    number = float(value)
    if not low <= number <= high:
        raise ValueError
    return number


def _flag(value: Any) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise ValueError


def _texts(value: Any, pattern: str) -> tuple[str, ...]:
    items = _json(value)
    if not isinstance(items, list):
        raise ValueError
    return tuple(_text(item, pattern) for item in items)


def _mapping(value: Any, pattern: str) -> dict[str, str]:
    return {key: _text(_plain(item), pattern) for key, item in _object(value).items()}


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _object(value: Any) -> dict[str, Any]:
    item = _json(value)
    if not isinstance(item, dict):
        raise ValueError
    return item


def _objects(value: Any) -> list[dict[str, Any]]:
    items = _json(value)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError
    return items


def _json(value: Any) -> Any:
    # Pulumi hands structured config over as JSON text; nested values arrive parsed.
    return json.loads(value) if isinstance(value, str) else value
