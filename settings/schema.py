"""The JSON schema of stack files (`Pulumi.<stack>.yaml`), from the description of the keys.

Whatever it accepts, the check accepts too, but for what one key says of another (rules.py). It is the stricter one in
a few places: numbers are written as numbers, and what only the delivery stack must give is not asked for.
"""

import math
from typing import Any

from settings.hyperparameters import (
    ALIASES,
    KINDS,
    ROUNDS,
    Constraints,
    Hyperparameters,
    Interval,
    OneOf,
    Several,
)
from settings.keys import REQUIRED, Key, Section, WordOr, path_of
from settings.kinds import Choice, Flag, Kind, ListOf, Number, Scalar, TableOf, Text, Whole
from settings.load import CONFIG
from settings.sections import NAMESPACE

Schema = dict[str, Any]
_OTHERS = rf"^(?!{NAMESPACE}:)"


def stack_file() -> Schema:
    """Schema of a whole stack file. Keys of other namespaces, and Pulumi's own, are anything."""
    config = _object(CONFIG, f"{NAMESPACE}:", top=True)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Glidepath's config of one stack",
        "$comment": "Generated from settings/ by `make document`.",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {**config, "patternProperties": {_OTHERS: {}}},
        },
    }


def _object(section: Section, prefix: str = "", top: bool = False) -> Schema:
    names = {key.name: path_of(prefix, key.name) for key in section.keys}
    required = [names[key.name] for key in section.keys if key.default is REQUIRED]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {names[key.name]: _key(key, top) for key in section.keys},
        **({"required": required} if required else {}),
    }


def _key(key: Key, top: bool) -> Schema:
    unit = f" ({key.unit})" if key.unit else ""
    schema: Schema = {"description": f"{key.purpose}{unit}: {key.kind.wanted}", **_value(key.kind)}
    if key.instead or key.default is REQUIRED or isinstance(key.kind, Section) or key.default in ("", ()):
        return _as_set(schema) if top else schema
    schema["default"] = _default(key)
    return _as_set(schema) if top else schema


def _default(key: Key) -> Any:
    if isinstance(key.kind, Hyperparameters):
        return {name: _plain(KINDS[name], text) for name, text in key.default.items()}
    return list(key.default) if isinstance(key.default, tuple) else key.default


def _plain(kind: Kind, text: str) -> str | int | float:
    """A hyperparameter as a person writes it in YAML."""
    if not isinstance(kind, Interval):
        return text
    return int(text) if text.isdigit() else float(text)


def _as_set(schema: Schema) -> Schema:
    """`pulumi config set` writes every plain value as text."""
    if schema.get("type") not in ("integer", "number", "boolean"):
        return schema
    described: Schema = {name: schema.pop(name) for name in ("description", "default") if name in schema}
    text = r"^(true|false)$" if schema["type"] == "boolean" else r"^[0-9]+$"
    if "enum" in schema:
        text = f"^({'|'.join(map(str, schema['enum']))})$"
    return {**described, "anyOf": [schema, {"type": "string", "pattern": text}]}


def _value(kind: Kind) -> Schema:
    match kind:
        case WordOr():
            return {"anyOf": [_value(kind.word), _object(kind)]}
        case Section():
            return _object(kind)
        case Choice():
            return {"type": "string", "enum": list(kind.options)}
        case Whole() if kind.options:
            return {"type": "integer", "enum": list(kind.options)}
        case Whole():
            return {"type": "integer", "minimum": kind.low, "maximum": kind.high}
        case Number():
            bounds = {"minimum": kind.low, "maximum": kind.high}
            return {"type": "number", **{name: bound for name, bound in bounds.items() if math.isfinite(bound)}}
        case Flag():
            return {"type": "boolean"}
        case Scalar():
            return {"type": ["string", "number", "boolean"]}
        case Text():
            return {"type": "string", "pattern": f"^({kind.pattern})$"}
        case _:
            return _collection(kind)


def _collection(kind: Kind) -> Schema:
    match kind:
        case Hyperparameters():
            names = {**{name: name for name in KINDS}, **ALIASES}
            return {
                "type": "object",
                "properties": {name: _hyperparameter(KINDS[first]) for name, first in names.items()},
                "additionalProperties": False,
                "required": [ROUNDS],
            }
        case ListOf():
            least = {"minItems": kind.least} if kind.least else {}
            return {"type": "array", "items": _value(kind.item), **least}
        case TableOf():
            least = {"minProperties": kind.least} if kind.least else {}
            return {
                "type": "object",
                "propertyNames": _name(kind.name),
                "additionalProperties": _value(kind.item),
                **least,
            }
    raise TypeError(f"no schema for {type(kind).__name__}")


def _name(kind: Kind) -> Schema:
    """What members may be called."""
    return {"pattern": f"^({kind.pattern})$"} if isinstance(kind, Text) else _value(kind)


def _hyperparameter(kind: Kind) -> Schema:
    """What goes together is the check's to say."""
    about = {"description": kind.wanted}
    match kind:
        case Interval():
            low, high = "exclusiveMinimum" if kind.above else "minimum", "exclusiveMaximum" if kind.below else "maximum"
            bounds = {name: bound for name, bound in ((low, kind.low), (high, kind.high)) if math.isfinite(bound)}
            return {"type": "integer" if kind.whole else "number", **bounds, **about}
        case OneOf():
            flags = [True, False] if "true" in kind.options else []
            return {"enum": [*kind.options, *flags], **about}
        case Several():
            item = "|".join([*kind.options, *(f"{name}@[0-9]+([.][0-9]+)?" for name in kind.at)])
            return {"type": "string", "pattern": f"^({item})(,({item}))*$", **about}
        case Constraints():
            sign = "(-1|0|1)"
            return {"type": "string", "pattern": rf"^\({sign}(,|(, *{sign})+,?)\)$", **about}
    raise TypeError(f"no schema for {type(kind).__name__}")
