"""Strict reading of JSON documents: every error names the path of the value, the value and what was expected."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from contracts.s3 import parse_s3_uri

T = TypeVar("T")
_KINDS = {dict: "an object", list: "a list", str: "a string", int: "a whole number", bool: "true or false"}


class FieldError(ValueError):
    """A value that is not as agreed: `path` says where it stands, `reason` what is wrong with it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class Fields:
    """The members of one JSON object, each read exactly once; `done` refuses whatever is left over."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise FieldError(path or "document", f"must be an object, not {describe(value)}")
        self._left: dict[str, Any] = dict(value)
        self._path = path

    def at(self, name: str) -> str:
        """The path of a member, for messages."""
        return f"{self._path}.{name}" if self._path else name

    def has(self, name: str) -> bool:
        """Whether the member is there and not yet read."""
        return name in self._left

    def raw(self, name: str) -> Any:
        """The member as it stands."""
        if name not in self._left:
            raise FieldError(self.at(name), "is missing")
        return self._left.pop(name)

    def null(self, name: str) -> bool:
        """Whether the member is null, which then is read with that."""
        if name in self._left and self._left[name] is None:
            self._left.pop(name)
            return True
        return False

    def text(self, name: str, pattern: str | None = None, hint: str = "") -> str:
        """A string that is not empty, optionally one that matches `pattern` in full."""
        value = self.raw(name)
        if not isinstance(value, str) or not value:
            raise FieldError(self.at(name), f"must be a string that is not empty, not {describe(value)}")
        if pattern is not None and not re.fullmatch(pattern, value):
            raise FieldError(self.at(name), f"{value!r} must be {hint or f'of the form {pattern}'}")
        return value

    def uri(self, name: str) -> str:
        """An S3 URI with bucket and key."""
        value = self.text(name)
        try:
            parse_s3_uri(value)
        except ValueError as error:
            raise FieldError(self.at(name), str(error)) from None
        return value

    def number(self, name: str) -> float:
        """A finite number."""
        return number(self.raw(name), self.at(name))

    def flag(self, name: str, default: bool) -> bool:
        """True or false; `default` where the member is not there."""
        if name not in self._left:
            return default
        value = self.raw(name)
        if not isinstance(value, bool):
            raise FieldError(self.at(name), f"must be true or false, not {describe(value)}")
        return value

    def count(self, name: str, least: int = 0) -> int:
        """A whole number of at least `least`."""
        return whole(self.raw(name), self.at(name), least)

    def items(self, name: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
        """A list, each member read with its own path."""
        return items(self.raw(name), self.at(name), read)

    def done(self) -> None:
        """Refuse members nobody asked for: they are misspelt or from another version."""
        if self._left:
            raise FieldError(self.at(min(self._left)), "is not known here: remove it, or correct its spelling")


def parse_json(text: str, what: str) -> object:
    """JSON without NaN, infinity or repeated members; a FieldError says where it breaks."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        reason = f"is not valid JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        raise FieldError(what, reason) from None
    except RecursionError:
        raise FieldError(what, "is not valid JSON (nested too deeply)") from None
    except FieldError:
        raise
    except ValueError:
        # Python turns at most 4,300 digits into a whole number.
        raise FieldError(what, "has a whole number of more digits than can be read") from None


def items(value: object, path: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
    """A list, each member read with its own path."""
    if not isinstance(value, list):
        raise FieldError(path, f"must be a list, not {describe(value)}")
    return tuple(read(item, f"{path}[{index}]") for index, item in enumerate(value))


def whole(value: object, path: str, least: int = 0) -> int:
    """A whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(path, f"must be a whole number, not {describe(value)}")
    if value < least:
        raise FieldError(path, f"must be at least {least}, not {value}")
    return value


def number(value: object, path: str) -> float:
    """A finite number, as float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldError(path, f"must be a number, not {describe(value)}")
    try:
        result = float(value)
    except OverflowError:
        raise FieldError(path, "is too large for a number") from None
    if not math.isfinite(result):
        raise FieldError(path, f"must be finite, not {value}")
    return result


def name(value: object, path: str) -> str:
    """A column or feature name: letters, digits and underscores, not starting with a digit."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", value):
        raise FieldError(path, f"must be a name of letters, digits and underscores, not {describe(value)}")
    return value


def unique(values: tuple[str, ...], path: str) -> tuple[str, ...]:
    """The same names, refused if empty or repeated."""
    if not values:
        raise FieldError(path, "must not be empty")
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise FieldError(path, f"names {', '.join(repeated)} more than once")
    return values


def describe(value: object) -> str:
    """A value for a message: its kind, and the value itself where it is short."""
    if value is None:
        return "null"
    kind = next((text for known, text in _KINDS.items() if type(value) is known), "a number")
    if isinstance(value, dict | list):
        return kind
    shown = json.dumps(value)
    return f"{kind} ({shown if len(shown) <= 60 else shown[:57] + '…'})"


def _refuse_constant(constant: str) -> float:
    raise FieldError("document", f"contains {constant}, which is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [key for key, _ in pairs]
        repeated = next(key for key in names if names.count(key) > 1)
        raise FieldError("document", f"has the member {repeated!r} more than once")
    return members
