"""When two values mean the same, and the detailed diff between two sets of inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rehearsal.provider.values import UNKNOWN, Asset

POLICY_LISTS = ("Action", "NotAction", "Resource", "NotResource")
INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Semantics:
    """Property paths (indexes left out) that hold JSON documents, and lists whose order means nothing."""

    documents: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Change:
    """One difference: `kind` is add, delete or update."""

    path: str
    kind: str


def is_zero(value: Any) -> bool:
    """Absent and empty mean the same to the real provider."""
    return value is None or value is False or value in ("", 0) or (isinstance(value, (list, dict)) and not value)


def canonical_document(text: Any) -> Any:
    """A JSON document in a form in which equal meaning is equality; other text as it is."""
    if isinstance(text, str):
        try:
            text = json.loads(text)
        except ValueError:
            return text
    if isinstance(text, dict) and "Statement" in text:
        return _canonical_policy(text)
    return text


def _canonical_policy(policy: dict[str, Any]) -> dict[str, Any]:
    statements = policy["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    return {**policy, "Statement": sorted((_canonical_statement(s) for s in listed), key=_key)}


def _canonical_statement(statement: Any) -> Any:
    if not isinstance(statement, dict):
        return statement
    result = dict(statement)
    for key in POLICY_LISTS:
        if key in result:
            result[key] = _sorted_list(result[key])
    for key in ("Principal", "NotPrincipal"):
        if isinstance(result.get(key), dict):
            result[key] = {kind: _sorted_list(names) for kind, names in result[key].items()}
    if isinstance(result.get("Condition"), dict):
        result["Condition"] = {
            operator: {key: _sorted_list(values) for key, values in tests.items()}
            for operator, tests in result["Condition"].items()
        }
    return result


def _sorted_list(value: Any) -> list[str]:
    return sorted(str(item).lower() if isinstance(item, bool) else str(item) for item in _listed(value))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def _normal(value: Any) -> Any:
    """A key for matching members of an unordered list."""
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items() if not is_zero(item)}
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def same(old: Any, new: Any, semantics: Semantics, path: str = "", covering: bool = False) -> bool:
    """Whether both mean the same. With `covering`, `new` may hold object members that `old` does not speak of."""
    if old is UNKNOWN or new is UNKNOWN:
        return old is new
    if is_zero(old) and is_zero(new):
        return True
    if path in semantics.documents:
        return bool(canonical_document(old) == canonical_document(new))
    if isinstance(old, dict) and isinstance(new, dict):
        keys = set(old) if covering else set(old) | set(new)
        return all(same(old.get(k), new.get(k), semantics, f"{path}.{k}" if path else k, covering) for k in keys)
    if isinstance(old, list) and isinstance(new, list):
        return _same_lists(old, new, semantics, path, covering)
    if isinstance(old, Asset) or isinstance(new, Asset):
        return bool(old == new)
    if isinstance(old, bool) or isinstance(new, bool):
        return str(old).lower() == str(new).lower()
    return bool(old == new) or (not isinstance(old, (dict, list)) and str(old) == str(new))


def _same_lists(old: list[Any], new: list[Any], semantics: Semantics, path: str, covering: bool) -> bool:
    if len(old) != len(new):
        return False
    if path not in semantics.unordered:
        return all(same(a, b, semantics, path, covering) for a, b in zip(old, new, strict=True))
    rest = list(new)
    for item in old:
        match = next((i for i, other in enumerate(rest) if same(item, other, semantics, path, covering)), None)
        if match is None:
            return False
        del rest[match]
    return True


def changes(old: Any, new: Any, semantics: Semantics, path: str = "") -> list[Change]:
    """The differences between two input values, as deep as they can be separated."""
    plain_path = INDEX.sub("", path)
    if same(old, new, semantics, plain_path):
        return []
    if isinstance(old, dict) and isinstance(new, dict) and plain_path not in semantics.documents:
        return [c for key in _keys(old, new) for c in changes(old.get(key), new.get(key), semantics, _join(path, key))]
    if isinstance(old, list) and isinstance(new, list) and plain_path not in semantics.unordered:
        return _list_changes(old, new, semantics, path)
    if is_zero(old):
        return [Change(path, "add")]
    return [Change(path, "delete" if is_zero(new) else "update")]


def _list_changes(old: list[Any], new: list[Any], semantics: Semantics, path: str) -> list[Change]:
    found: list[Change] = []
    for i in range(max(len(old), len(new))):
        before = old[i] if i < len(old) else None
        after = new[i] if i < len(new) else None
        found += changes(before, after, semantics, f"{path}[{i}]")
    return found


def _keys(old: dict[str, Any], new: dict[str, Any]) -> Iterable[str]:
    return sorted(set(old) | set(new))


def _join(path: str, key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_$][\w$]*", key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def overlay(given: Any, recorded: Any, observed: Any, semantics: Semantics, path: str = "") -> Any:
    """The inputs that describe what AWS now has: the given ones where they still hold, AWS's where it drifted.

    `recorded` is the state's own earlier observation: a member the program did not set counts as drift only when it
    differs from that.
    """
    if path in semantics.documents or not isinstance(given, dict) or not isinstance(observed, dict):
        if _pairwise(given, observed) and path not in semantics.unordered:
            pairs = isinstance(recorded, list) and len(recorded) == len(given)
            earlier: list[Any] = recorded if pairs else [None] * len(given)
            return [overlay(g, r, o, semantics, path) for g, r, o in zip(given, earlier, observed, strict=True)]
        return given if same(given, observed, semantics, path, covering=True) else observed
    before: dict[str, Any] = recorded if isinstance(recorded, dict) else {}
    result: dict[str, Any] = {}
    for key in _keys(given, observed):
        inner = f"{path}.{key}" if path else key
        if key in given:
            value = overlay(given[key], before.get(key), observed.get(key), semantics, inner)
        else:
            untouched = same(before.get(key), observed.get(key), semantics, inner)
            value = None if untouched or recorded is None else observed[key]
        if value is not None:
            result[key] = value
    return result


def _pairwise(given: Any, observed: Any) -> bool:
    return isinstance(given, list) and isinstance(observed, list) and len(given) == len(observed)
