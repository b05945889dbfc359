"""Secrets of a plan, as hashes: an approval covers what they are, and nobody reads them.

The engine's JSON shows every secret as `[secret]`, whatever it is. Its plan (`--save-plan --show-secrets`) has what
each resource's inputs change to, in plain text. It is read once, and never kept.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from preview.values import SECRET

Sealed = dict[str, dict[str, Any]]
"""URN → what its inputs change to, every secret in it a hash."""

INTERNAL = ("__defaults", "__provider")
"""Inputs that the SDK adds: which of the others it made up, and a reference to a class of the project's source."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_IS_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the mark of one
_PREFIX = f"{SECRET} scrypt:"
# RFC 7914, as OWASP's Password Storage Cheat Sheet has it: a secret may be short, and a plan has many readers.
_COST = {"n": 2**14, "r": 8, "p": 5, "dklen": 32}


def sealed(plan: Mapping[str, Any], salt: str) -> Sealed:
    """Of the engine's plan, what each resource's inputs change to. One salt and one secret make one hash."""
    found: Sealed = {}
    for urn, resource in (plan.get("resourcePlans") or {}).items():
        change = (resource.get("goal") or {}).get("inputDiff") or {}
        inputs = {**(change.get("adds") or {}), **(change.get("updates") or {})}
        hashed = {key: _hashed(value, salt.encode()) for key, value in inputs.items() if key not in INTERNAL}
        if hashed:
            found[urn] = hashed
    return found


def covered(inputs: Any, changes: Any) -> Any:
    """Inputs as a preview shows them, with the hash of each secret that changes. The others stay `[secret]`."""
    if inputs == SECRET and is_hash(changes):
        return changes
    if isinstance(inputs, Mapping) and isinstance(changes, Mapping):
        return {key: covered(value, changes.get(key)) for key, value in inputs.items()}
    if isinstance(inputs, list) and isinstance(changes, list) and len(inputs) == len(changes):
        return [covered(value, change) for value, change in zip(inputs, changes, strict=True)]
    return inputs


def is_hash(value: Any) -> bool:
    """Whether a value stands for a secret whose hash is known."""
    return isinstance(value, str) and value.startswith(_PREFIX)


def _hashed(value: Any, salt: bytes) -> Any:
    if isinstance(value, list):
        return [_hashed(each, salt) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.get(_SIGNATURE) != _IS_SECRET:
        return {key: _hashed(each, salt) for key, each in value.items()}
    text = str(value.get("plaintext", value.get("ciphertext", "")))
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), sort_keys=True)
    return _PREFIX + hashlib.scrypt(text.encode(), salt=salt, **_COST, maxmem=2**26).hex()
