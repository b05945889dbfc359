"""Property names and types of pulumi-aws, read from the text of the installed SDK.

Importing `pulumi_aws` costs more than half a second and one of its services a quarter more; the generated classes are
regular, so the text of the one class asked for is found and only its property signatures are parsed.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.provider.errors import ProviderError
from rehearsal.provider.values import UNKNOWN, Asset, Secret

GETTER = re.compile(r'@pulumi\.getter(?:\(name="(\w+)"\))?\n(?:    @[^\n]+\n)*    def (\w+)\(self\) -> ([^\n]+):\n')
_NEXT = re.compile(r"^(?:@|class |if )", re.MULTILINE)
SCALARS = {"str": "str", "int": "int", "float": "float", "bool": "bool"}
PYTHON_KEYWORD_MODULES = {"lambda": "lambda_"}


@dataclass(frozen=True)
class Type:
    """`kind`: str, int, float, bool, any, asset, list, map, object or union; `items` are its element types."""

    kind: str
    items: tuple[Type, ...] = ()
    service: str = ""
    name: str = ""

    def properties(self) -> dict[str, Property]:
        """The properties of an object type."""
        stem = "outputs" if self.name.startswith("outputs.") else "_inputs"
        return _class_properties(self.service, stem, self.name.removeprefix("outputs."))


@dataclass(frozen=True)
class Property:
    """One property: its type, and whether the SDK lets it be absent."""

    type: Type
    optional: bool


@dataclass(frozen=True)
class ResourceSchema:
    """Inputs (what a program may set) and outputs (what the provider answers) of a resource."""

    inputs: dict[str, Property]
    outputs: dict[str, Property]

    @functools.cached_property
    def computed(self) -> frozenset[str]:
        """Outputs that AWS fills in when the program does not set them."""
        return frozenset(
            name
            for name, output in self.outputs.items()
            if name not in self.inputs or (not output.optional and self.inputs[name].optional)
        )


def snake(name: str) -> str:
    """`bucketObjectv2` -> `bucket_objectv2`, as the SDK names its modules."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def split_token(token: str) -> tuple[str, str, str]:
    """`aws:s3/bucket:Bucket` -> (`s3`, `bucket`, `Bucket`)."""
    match = re.fullmatch(r"aws:(\w+)/(\w+):(\w+)", token)
    if not match:
        raise ProviderError(f"{token!r} is not a type of the AWS provider (expected aws:<service>/<name>:<Name>)")
    return match[1], match[2], match[3]


@functools.cache
def resource_schema(token: str) -> ResourceSchema:
    """The schema of a resource type; raises ProviderError for a type the SDK does not have."""
    service, module, name = split_token(token)
    package = PYTHON_KEYWORD_MODULES.get(service, service)
    # Where a nested type already has the name, the generator calls the resource's own arguments InitArgs.
    suffix = "InitArgs" if f"\nclass {name}InitArgs:" in _text(package, snake(module)) else "Args"
    inputs = _class_properties(package, snake(module), name + suffix)
    outputs = _class_properties(package, snake(module), name)
    return ResourceSchema(inputs, outputs)


@functools.cache
def provider_properties() -> dict[str, Property]:
    """The properties of the provider's own configuration."""
    return _parse_class(_text("", "provider"), "ProviderArgs", "")


@functools.cache
def _class_properties(service: str, stem: str, name: str) -> dict[str, Property]:
    return _parse_class(_text(service, stem), name, service)


@functools.cache
def _root() -> Path:
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise ProviderError("pulumi-aws is not installed: `pip install pulumi-aws`")
    return Path(spec.origin).parent


@functools.cache
def _text(service: str, stem: str) -> str:
    path = _root() / service / f"{stem}.py"
    if not path.is_file():
        raise ProviderError(f"pulumi-aws has no {service}/{stem}")
    return path.read_text()


def _parse_class(text: str, name: str, service: str) -> dict[str, Property]:
    start = _start_of(text, name)
    if start < 0:
        raise ProviderError(f"pulumi-aws has no class {name} in {service or 'its provider'}")
    end = _NEXT.search(text, start + 1)
    body = text[start : end.start() if end else len(text)]
    found: dict[str, Property] = {}
    for camel, python, annotation in GETTER.findall(body):
        expression = ast.parse(annotation, mode="eval").body
        found[camel or python] = Property(_parse_type(expression, service), _is_optional(expression))
    return found


def _start_of(text: str, name: str) -> int:
    """Where a class begins, or -1. Modules have up to a megabyte, too much for an expression to search."""
    return next((at + 1 for mark in "(:" if (at := text.find(f"\nclass {name}{mark}")) >= 0), -1)


def _is_optional(node: ast.expr) -> bool:
    if not isinstance(node, ast.Subscript):
        return False
    head = _head(node.value)
    return head == "Optional" or (head in ("Input", "Output") and _is_optional(node.slice))


def _head(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _parse_type(node: ast.expr, service: str) -> Type:
    if isinstance(node, ast.Constant):
        return Type("object", service=service, name=str(node.value))
    if isinstance(node, ast.Subscript):
        return _parse_generic(_head(node.value), node.slice, service)
    head = _head(node)
    if head in ("Asset", "Archive"):
        return Type("asset")
    return Type(SCALARS.get(head, "any"))


def _parse_generic(head: str, argument: ast.expr, service: str) -> Type:
    if head in ("Input", "Output", "Optional"):
        return _parse_type(argument, service)
    if head == "Sequence":
        return Type("list", (_parse_type(argument, service),))
    parts = argument.elts if isinstance(argument, ast.Tuple) else [argument]
    if head == "Mapping":
        return Type("map", (_parse_type(parts[1], service),))
    members = tuple(_parse_type(part, service) for part in parts)
    # A union with an enum is a plain string on the wire.
    plain = tuple(m for m in members if not (m.kind == "object" and not m.name.endswith("Args")))
    if len(plain) == 1 or (plain and all(m.kind == "asset" for m in plain)):
        return plain[0]
    return Type("union", plain)


def check(properties: dict[str, Property], values: dict[str, Any], path: str = "") -> list[tuple[str, str]]:
    """What does not fit, as (property path, reason)."""
    failures: list[tuple[str, str]] = []
    for key, value in values.items():
        if key.startswith("__"):
            continue
        if key not in properties:
            failures.append((path + key, f"unknown property; known here: {', '.join(sorted(properties))}"))
        elif value is not None:
            failures += _check_value(properties[key].type, value, path + key)
    for key, prop in properties.items():
        if not prop.optional and values.get(key) is None:
            failures.append((path + key, "missing: this property is required"))
    return failures


def _check_value(kind: Type, value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, Secret):
        return _check_value(kind, value.value, path)
    if value is UNKNOWN or value is None or kind.kind == "any":
        return []
    if kind.kind == "union":
        tries = [_check_value(item, value, path) for item in kind.items]
        return min(tries, key=len, default=[])
    if kind.kind == "list" and isinstance(value, list):
        return [f for i, item in enumerate(value) for f in _check_value(kind.items[0], item, f"{path}[{i}]")]
    if kind.kind == "map" and isinstance(value, dict):
        return [f for key, item in value.items() for f in _check_value(kind.items[0], item, f"{path}.{key}")]
    if kind.kind == "object" and isinstance(value, dict):
        return check(kind.properties(), value, path + ".")
    if _fits(kind.kind, value):
        return []
    return [(path, f"expected {kind.kind}, got {_name(value)} {_short(value)}")]


def _fits(kind: str, value: Any) -> bool:
    """Scalars; a string that reads as the number or boolean wanted is accepted, as the real provider does."""
    if kind == "asset":
        return isinstance(value, Asset)
    if kind == "bool":
        return isinstance(value, bool) or value in ("true", "false")
    if kind == "str":
        return isinstance(value, (str, int, float, bool))
    if kind == "int":
        return _is_number(value, whole=True)
    return kind == "float" and _is_number(value, whole=False)


def _is_number(value: Any, whole: bool) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return re.fullmatch(r"-?\d+" if whole else r"-?\d+(\.\d+)?", value) is not None
    return isinstance(value, int) if whole else isinstance(value, (int, float))


def _name(value: Any) -> str:
    return {dict: "object", list: "list", str: "string", bool: "bool"}.get(type(value), type(value).__name__)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def coerce(kind: Type, value: Any) -> Any:
    """The value in the type the schema asks for: "3" -> 3, true -> "true"."""
    if isinstance(value, Secret):
        return Secret(coerce(kind, value.value))
    if isinstance(value, list) and kind.kind == "list":
        return [coerce(kind.items[0], item) for item in value]
    if isinstance(value, dict) and kind.kind == "map":
        return {key: coerce(kind.items[0], item) for key, item in value.items()}
    if isinstance(value, dict) and kind.kind == "object":
        known = kind.properties()
        return {key: coerce(known[key].type, item) if key in known else item for key, item in value.items()}
    return _coerce_scalar(kind.kind, value)


def _coerce_scalar(kind: str, value: Any) -> Any:
    if kind == "bool" and value in ("true", "false"):
        return value == "true"
    if kind == "str" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "str" and isinstance(value, (int, float)):
        return str(value)
    if kind == "int" and isinstance(value, str):
        return int(value)
    return float(value) if kind == "float" and isinstance(value, str) else value
