"""Kinds of config values: what each accepts, and the words for it.

Reading collects what is wrong instead of stopping at the first problem, and never raises, whatever JSON it is given.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from contracts.fields import FieldError, parse_json

FAULTY: Any = object()
"""What a value that was refused is read as; its problem is noted."""
_DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_SHOWN = 120
"""Characters of a refused value that a message repeats."""


@dataclass
class Problems:
    """Everything that is wrong with the config of `stack`, a line each: key, value, what it must be, and the fix."""

    stack: str = ""
    lines: list[str] = field(default_factory=list)

    def refuse(self, path: str, value: object, reason: str) -> Any:
        """Note that a value is not accepted; gives what it is read as."""
        return self.note(path, f"{shown(value)} {reason}")

    def note(self, path: str, reason: str) -> Any:
        """Note a problem of a key whose value need not be repeated."""
        # A key may hold anything; a line must stay one line.
        self.lines.append(re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]", "?", f"{path}: {reason}"))
        return FAULTY


def shown(value: object) -> str:
    """A value as a message repeats it, cut where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Python refuses to write numbers of more than 4300 digits.
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@dataclass(frozen=True)
class Kind:
    """What a value may be. `wanted` words it, to stand after "is not" and "set it to"."""

    @property
    def wanted(self) -> str:
        """The range, in words."""
        raise NotImplementedError

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        """The value as the program uses it, or FAULTY with a problem noted."""
        try:
            return self.convert(value)
        except (ValueError, OverflowError):
            return problems.refuse(path, value, f"is not {self.wanted}")

    def convert(self, value: Any) -> Any:
        """The value as the program uses it. Raises ValueError or OverflowError for any other."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Kind):
    """A text that matches `pattern` as a whole. YAML's numbers count as text: a branch may be called 12."""

    words: str = "a text"
    pattern: str = r".+"

    @property
    def wanted(self) -> str:
        return self.words

    def convert(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError
        if not re.fullmatch(self.pattern, str(value), re.ASCII):
            raise ValueError
        return str(value)


@dataclass(frozen=True)
class Scalar(Kind):
    """A text, a number or a boolean, kept as text: what a training container is handed."""

    @property
    def wanted(self) -> str:
        return "a text, a number, true or false"

    def convert(self, value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else Text(pattern=r"[^\0]*").convert(value)


@dataclass(frozen=True)
class Choice(Kind):
    """One of `options`."""

    options: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.options)}"

    def convert(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise ValueError
        return value


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `low` to `high`, or one of `options`. May be written as text, unless it is `strict`."""

    low: int
    high: int
    options: tuple[int, ...] = ()
    strict: bool = False

    @property
    def wanted(self) -> str:
        if self.options:
            return f"one of {', '.join(map(str, self.options))}"
        return f"a whole number from {self.low} to {self.high}"

    def convert(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        if isinstance(value, str) and (self.strict or not re.fullmatch(r"-?[0-9]{1,20}", value)):
            raise ValueError
        if isinstance(value, float) and not value.is_integer():
            raise ValueError
        number = int(value)
        if not self.low <= number <= self.high or (self.options and number not in self.options):
            raise ValueError
        return number


@dataclass(frozen=True)
class Number(Kind):
    """A finite number from `low` to `high`. May be written as text, unless it is `strict`."""

    low: float = -math.inf
    high: float = math.inf
    strict: bool = False

    @property
    def wanted(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}" if math.isfinite(self.low) else "a number"

    def convert(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        if isinstance(value, str) and (self.strict or not re.fullmatch(_DECIMAL, value)):
            raise ValueError
        number = float(value)
        if not math.isfinite(number) or not self.low <= number <= self.high:
            raise ValueError
        return number


@dataclass(frozen=True)
class Flag(Kind):
    """true or false."""

    @property
    def wanted(self) -> str:
        return "true or false"

    def convert(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        raise ValueError


@dataclass(frozen=True)
class Structure(Kind):
    """A list or an object. Pulumi hands these over as JSON text; what is nested in them arrives parsed."""

    shape: ClassVar[type] = object
    words: ClassVar[str] = ""

    @property
    def wanted(self) -> str:
        return self.words

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            try:
                value = parse_json(value, path)
            except FieldError as error:
                return problems.note(path, error.reason)
        if not isinstance(value, self.shape):
            return problems.refuse(path, value, f"is not {self.wanted}")
        return self.members(value, path, problems)

    def members(self, value: Any, path: str, problems: Problems) -> Any:
        """The members, each read; FAULTY where one is."""
        raise NotImplementedError


@dataclass(frozen=True)
class ListOf(Structure):
    """A list of values of one kind; `least` of them at least."""

    item: Kind
    plural: str
    least: int = 0

    shape = list

    @property
    def wanted(self) -> str:
        return f"a list of {self.plural}"

    def members(self, value: Any, path: str, problems: Problems) -> Any:
        if len(value) < self.least:
            return problems.refuse(path, value, f"must hold at least {self.least}; add {self.item.wanted}")
        read = tuple(self.item.read(item, f"{path}[{index}]", problems) for index, item in enumerate(value))
        return FAULTY if any(item is FAULTY for item in read) else read


@dataclass(frozen=True)
class TableOf(Structure):
    """An object whose members have names of the user's choice and values of one kind; `least` members at least."""

    item: Kind
    plural: str
    name: Kind = field(default_factory=Text)
    least: int = 0

    shape = dict

    @property
    def wanted(self) -> str:
        return f"an object of {self.plural}"

    def members(self, value: Any, path: str, problems: Problems) -> Any:
        if len(value) < self.least:
            return problems.note(path, f"is empty; set it to {self.wanted}")
        read = {}
        for name, item in value.items():
            named = self.name.read(name, f"{path}.{name}", problems)
            found = self.item.read(item, f"{path}.{name}", problems)
            read[name] = FAULTY if named is FAULTY else found
        return FAULTY if any(item is FAULTY for item in read.values()) else read
