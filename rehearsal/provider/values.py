"""Pulumi's wire format: protobuf structs with marked secrets, assets and unknowns <-> plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
# One mark per kind of unknown value (bool, number, string, list, asset, archive, object).
UNKNOWN_MARKS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that a preview cannot know."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that must stay encrypted in the state."""

    value: Any


@dataclass(frozen=True)
class Asset:
    """A file or text (`kind` asset) or an archive of them; `fields` is what the engine sent, its hash included."""

    kind: str
    fields: Mapping[str, Any]

    @property
    def hash(self) -> str:
        return str(self.fields.get("hash") or "")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Asset):
            return NotImplemented
        if self.hash and other.hash:
            return self.kind == other.kind and self.hash == other.hash
        return self.kind == other.kind and dict(self.fields) == dict(other.fields)

    def __hash__(self) -> int:
        return hash((self.kind, self.hash))


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The Python form of a struct; secrets stay wrapped."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWN_MARKS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _from_object({key: _from_value(item) for key, item in value.struct_value.fields.items()})
    return None


def _from_object(fields: dict[str, Any]) -> Any:
    signature = fields.pop(SIGNATURE, None)
    if signature is None:
        return fields
    if signature == SECRET:
        return Secret(fields.get("value"))
    if signature in (ASSET, ARCHIVE):
        return Asset("asset" if signature == ASSET else "archive", fields)
    if signature == OUTPUT:
        value = fields.get("value", UNKNOWN)
        return Secret(value) if fields.get("secret") else value
    if signature == RESOURCE:
        return fields.get("id", UNKNOWN)
    return fields


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """The wire form of a mapping; absent (None) values are left out."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        if value is not None:
            struct.fields[key].CopyFrom(_to_value(value))
    return struct


def _to_value(value: Any) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=UNKNOWN_TEXT)
    if isinstance(value, Secret):
        return struct_pb2.Value(struct_value=to_struct({SIGNATURE: SECRET, "value": value.value}))
    if isinstance(value, Asset):
        mark = ASSET if value.kind == "asset" else ARCHIVE
        return struct_pb2.Value(struct_value=to_struct({SIGNATURE: mark, **value.fields}))
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=to_struct(value))
    if isinstance(value, (list, tuple)):
        items = struct_pb2.ListValue(values=[_to_value(item) for item in value])
        return struct_pb2.Value(list_value=items)
    raise TypeError(f"cannot send a {type(value).__name__} to the engine")


def reveal(value: Any) -> Any:
    """The value without its secret marks, at every depth."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def holds_secret(value: Any) -> bool:
    """Whether a secret lies anywhere in the value."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(holds_secret(item) for item in value)


def holds_unknown(value: Any) -> bool:
    """Whether an unknown lies anywhere in the value."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return holds_unknown(value.value)
    if isinstance(value, Asset):
        return holds_unknown(dict(value.fields))
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    return isinstance(value, list) and any(holds_unknown(item) for item in value)


def seal(outputs: Mapping[str, Any], *sources: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs with every property marked secret that is, or holds, a secret in one of the sources."""
    names = {key for source in sources for key, value in source.items() if holds_secret(value)}
    if "tags" in names:
        names.add("tagsAll")
    return {key: Secret(value) if key in names and value is not None else value for key, value in outputs.items()}
