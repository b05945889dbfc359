"""Keys, and objects with known keys: a model's fields, each annotated with what is known of it.

`Annotated[int, Key(Whole(1, 99), "size of a step", 10, "percent")]` is a key's whole description.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from settings.kinds import FAULTY, Kind, ListOf, Problems, Structure, Text

REQUIRED: Any = object()
"""Default of a key that must be given."""
INLINE = object()
"""Marks a field whose own fields are keys of the object around it."""


@dataclass(frozen=True)
class Section(Structure):
    """An object with known keys: the annotated fields of `model`. `defaults` replaces some of the model's own."""

    model: type
    defaults: Mapping[str, Any] = field(default_factory=dict)

    shape = dict
    words = "an object"

    @functools.cached_property
    def keys(self) -> "tuple[Key, ...]":
        """The keys, in the order of the model's fields."""
        return tuple(
            replace(key, default=self.defaults[key.name]) if key.name in self.defaults else key
            for key in described(self.model)
        )

    def members(self, value: Any, path: str, problems: Problems) -> Any:
        return self.values(value, f"{path}.", problems)

    def values(self, given: Mapping[str, Any], prefix: str, problems: Problems) -> dict[str, Any]:
        """Every key's value by its name, faulty ones included, so that rules can look at the sound ones."""
        read = {key.name: key.value(given, path_of(prefix, key.name), problems) for key in self.keys}
        for name in given:
            if name not in read:
                problems.note(path_of(prefix, name), f"unknown key; {_remedy(str(name), prefix, sorted(read))}")
        return read


@dataclass(frozen=True)
class WordOr(Section):
    """An object with known keys, or a word in place of it that says the first of them."""

    word: Kind = field(default_factory=Text)

    @property
    def wanted(self) -> str:
        return f"{self.word.wanted}, or an object with more"

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, Mapping) or (isinstance(value, str) and value.lstrip()[:1] == "{"):
            return super().read(value, path, problems)
        return self.word.read(value, path, problems)


@dataclass(frozen=True)
class Document(Section):
    """An object that is checked like a section, and handed on as it was given."""

    def members(self, value: Any, path: str, problems: Problems) -> Any:
        before = len(problems.lines)
        self.values(value, f"{path}.", problems)
        return value if len(problems.lines) == before else FAULTY


@dataclass(frozen=True)
class Key:
    """One key: its kind, what it is for, and its default.

    `unit` is of a number. `instead` words a default that is computed where the settings are built, from None. `only`
    names the stack that must give a key which the others may leave out. `name` is the key's, where it is not the
    field's in camel case.
    """

    kind: Kind
    purpose: str
    default: Any = REQUIRED
    unit: str = ""
    instead: str = ""
    only: str = ""
    name: str = ""

    def value(self, given: Mapping[str, Any], path: str, problems: Problems) -> Any:
        """The given value, read, or the default."""
        optional = self.default is None and isinstance(self.kind, Section)
        if self.name in given and not (optional and given[self.name] in ({}, "{}")):
            value = given[self.name]
            if value is None:
                return problems.note(path, f"is null; set it to {self.kind.wanted}, or take the key out")
            return self.kind.read(value, path, problems)
        if self.default is REQUIRED or (self.only and self.only == problems.stack):
            return problems.note(path, f"is missing; set it to {self.kind.wanted}")
        if isinstance(self.kind, Section) and not optional:
            return self.kind.values({}, f"{path}.", problems)
        return self.default


@functools.cache
def described(model: type) -> tuple[Key, ...]:
    """The keys that a model's fields are annotated with, named, those of inlined models among them."""
    found: list[Key] = []
    for field_name, mark, model_of in _marks(model):
        if mark is INLINE:
            found += described(model_of)
        else:
            found.append(mark if mark.name else replace(mark, name=_camel_case(field_name)))
    return tuple(found)


def build(kind: Kind, value: Any, **others: Any) -> Any:
    """What the program uses: models for objects with known keys. `others` are fields that no key describes."""
    if value is None:
        return None
    if isinstance(kind, ListOf):
        return tuple(build(kind.item, item) for item in value)
    if not isinstance(kind, Section) or isinstance(kind, Document):
        return value
    arguments = dict(others)
    for field_name, mark, model_of in _marks(kind.model):
        if mark is INLINE:
            arguments[field_name] = build(Section(model_of), value)
        elif field_name not in others:
            arguments[field_name] = build(mark.kind, value[mark.name or _camel_case(field_name)])
    return kind.model(**arguments)


def path_of(prefix: str, name: str) -> str:
    """How messages call a key: a name with a namespace of its own stands for itself."""
    return name if ":" in str(name) else f"{prefix}{name}"


def _marks(model: type) -> Iterator[tuple[str, Any, type]]:
    """Field, its key (or INLINE) and its type, for each field that has one."""
    for each in fields(model):
        annotation: Any = each.type
        mark = getattr(annotation, "__metadata__", (None,))[0]
        if mark is not None:
            yield each.name, mark, annotation.__origin__


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _remedy(name: str, prefix: str, known: Sequence[str]) -> str:
    import difflib  # only a faulty config needs it

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {path_of(prefix, near[0])}?" if near else f"known are {', '.join(known)}"
