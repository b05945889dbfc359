"""Generic mapping between Pulumi's camelCase properties and botocore's shapes.

Names match when they are equal without case and separators (`kmsKeyArn` = `KMSKeyArn`), or but for a plural s. What
differs by more is renamed by the resource type: `{"productionVariants.variantName": "VariantName"}`, list indexes left
out. An object meets a list of one, and a list of one an object, as Terraform's blocks do.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from typing import Any

from rehearsal.provider.errors import ProviderError, Unsupported
from rehearsal.provider.schema import Property, Type

Renames = Mapping[str, str]
PAIR_NAMES = (("key", "value"), ("tagkey", "tagvalue"))


@functools.cache
def plain(name: str) -> str:
    """The name as it is compared: lower case, letters and digits only."""
    return "".join(c for c in name.lower() if c.isalnum())


def find_key(names: Any, wanted: str) -> str | None:
    """The name that means the same as `wanted`, or None."""
    by_plain = {plain(name): name for name in names}
    key = plain(wanted)
    for candidate in (key, key.removesuffix("s"), key + "s", key.removesuffix("es"), key.removesuffix("ies") + "y"):
        if candidate in by_plain:
            return str(by_plain[candidate])
    return None


def to_aws(shape: Any, value: Any, renames: Renames, path: str = "") -> Any:
    """The request form of a Pulumi value for a botocore shape; raises ProviderError for what has no place in it."""
    if value is None:
        return None
    if shape.type_name == "structure":
        return _to_structure(shape, value, renames, path)
    if shape.type_name == "list":
        return _to_list(shape, value, renames, path)
    if shape.type_name == "map":
        return {key: to_aws(shape.value, item, renames, f"{path}.{key}") for key, item in value.items()}
    return _to_scalar(shape.type_name, value)


def _to_scalar(kind: str, value: Any) -> Any:
    if kind in ("integer", "long") and isinstance(value, (str, float)):
        return int(value)
    if kind in ("float", "double") and isinstance(value, (str, int)) and not isinstance(value, bool):
        return float(value)
    if kind == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, (int, float)):
        return str(value)
    return value


def _to_structure(shape: Any, value: Any, renames: Renames, path: str) -> dict[str, Any]:
    if isinstance(value, list):
        if len(value) > 1:
            raise ProviderError(f"{path}: at most one element, got {len(value)}")
        value = value[0] if value else {}
    request: dict[str, Any] = {}
    for key, item in value.items():
        if item is None:
            continue
        inner = f"{path}.{key}" if path else key
        member = renames.get(inner) or find_key(shape.members, key)
        if member is None or member not in shape.members:
            raise Unsupported(inner, f"the rehearsal does not support this property (no {shape.name} member)")
        request[member] = to_aws(shape.members[member], item, renames, inner)
    return request


def _to_list(shape: Any, value: Any, renames: Renames, path: str) -> list[Any]:
    if isinstance(value, dict):
        pair = _pair_members(shape.member)
        if pair:
            return [{pair[0]: key, pair[1]: str(item)} for key, item in sorted(value.items())]
    items = value if isinstance(value, list) else [value]
    return [to_aws(shape.member, item, renames, path) for item in items]


def _pair_members(shape: Any) -> tuple[str, str] | None:
    """The key and value members when a list of this shape is a map in disguise (tags)."""
    if shape.type_name != "structure":
        return None
    names = {plain(name): name for name in shape.members}
    return next(((names[k], names[v]) for k, v in PAIR_NAMES if k in names and v in names), None)


def from_aws(
    answer: Mapping[str, Any], properties: Mapping[str, Property], renames: Renames, path: str = ""
) -> dict[str, Any]:
    """The properties that an AWS answer holds, in Pulumi's names and types."""
    found: dict[str, Any] = {}
    for name, prop in properties.items():
        inner = f"{path}.{name}" if path else name
        key = renames.get(inner) or find_key(answer, name)
        if key is not None and answer.get(key) is not None:
            found[name] = _from_value(answer[key], prop.type, renames, inner)
    return found


def _from_value(value: Any, kind: Type, renames: Renames, path: str) -> Any:
    if kind.kind == "object":
        item = value[0] if isinstance(value, list) and value else value
        return from_aws(item, kind.properties(), renames, path) if isinstance(item, Mapping) else None
    if kind.kind == "list":
        items = value if isinstance(value, (list, tuple)) else [value]
        return [_from_value(item, kind.items[0], renames, path) for item in items]
    if kind.kind == "map":
        pairs = pairs_to_map(value) if isinstance(value, list) else value
        return {key: _from_value(item, kind.items[0], renames, path) for key, item in pairs.items()}
    return _from_scalar(value, kind.kind)


def _from_scalar(value: Any, kind: str) -> Any:
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind == "str" and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "int" and isinstance(value, (str, float)):
        return int(value)
    return value


def pairs_to_map(pairs: Any) -> dict[str, Any]:
    """`[{"Key": k, "Value": v}]` (or TagKey/TagValue, or a map already) -> `{k: v}`."""
    if isinstance(pairs, Mapping):
        return dict(pairs)
    result: dict[str, Any] = {}
    for pair in pairs:
        low = {plain(key): item for key, item in pair.items()}
        result[str(low.get("key", low.get("tagkey")))] = low.get("value", low.get("tagvalue"))
    return result
