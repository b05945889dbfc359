"""Whose code a stack's state would run.

A state is code: Pulumi keeps a dynamic provider in it as a pickle, which every refresh, destroy and delete loads (SDK,
`pulumi/dynamic/__main__.py`, `get_provider`), and it names the plugins that the engine starts, with the address to
fetch them from. Whoever could write to a state could have that run by whoever updates the stack next. So before an
engine acts on what a state alone says, everything in it must be the project's own.
"""

import base64
import importlib.metadata
import json
import pickletools
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from contracts.errors import UserError
from operate.exported import State

_DYNAMIC = "pulumi-python"
_OWN = ("providers.", "components.")
"""Packages whose classes are providers; the second holds those of older states."""
_OPERATIONS = frozenset({
    "PROTO", "FRAME", "SHORT_BINUNICODE", "MEMOIZE", "STACK_GLOBAL", "EMPTY_TUPLE", "NEWOBJ", "STOP",
})  # fmt: skip
"""What a pickle needs that makes an object of a class, and calls nothing else."""
_REDIRECTS = ("customCaBundle", "endpoints", "httpProxy", "httpsProxy", "parameterization", "pluginDownloadURL")
"""Settings of a provider that fetch its plugin, or send its requests, somewhere else."""


def refuse_foreign(stack: str, state: State) -> None:
    """Raises UserError where the state, or what an update was at, holds code that is not the project's."""
    found = list(foreign(state))
    if found:
        raise UserError(
            f"the state of {stack} would run code that is not this project's:\n"
            + "\n".join(f"  {urn.rpartition('::')[2]}: {reason}" for urn, reason in found),
            "nothing was run. Find out who wrote it (the state's bucket keeps every version), and bring the last good"
            f" one back: pulumi stack import --stack {stack} --file <good state>",
        )


def foreign(state: State) -> Iterator[tuple[str, str]]:
    """URN of each resource that is not the project's to run, and why."""
    for resource in [*state.resources, *(resource for _, resource in state.operations)]:
        reason = _why(resource) if resource.get("custom") else ""
        if reason:
            yield str(resource.get("urn", "")), reason


def _why(resource: Mapping[str, Any]) -> str:
    kind = str(resource.get("type", ""))
    package, _, rest = kind.partition(":")
    if kind.startswith("pulumi:providers:"):
        return _provider(kind.rpartition(":")[2], resource)
    if package == _DYNAMIC:
        held = [values.get("__provider") for values in _values(resource)]
        if not held or not all(is_own(each) for each in held):
            return "its provider is not one of this project's"
        return ""
    if package not in known_packages() or not rest:
        return f"its provider {package!r} is not one that this project installs"
    return ""


def _provider(package: str, resource: Mapping[str, Any]) -> str:
    if package not in known_packages():
        return f"provider {package!r} is not one that this project installs"
    for values in _values(resource):
        inner = values.get("__internal")
        for name in _REDIRECTS:
            if values.get(name) or (isinstance(inner, Mapping) and inner.get(name)):
                return f"provider {package!r} is redirected by {name}"
    return ""


def _values(resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [values for name in ("inputs", "outputs") if isinstance(values := resource.get(name), Mapping) and values]


def is_own(held: object) -> bool:
    """Whether a pickle makes an object of one of the project's classes, and does nothing else. It is not loaded."""
    if not isinstance(held, str):
        return False
    try:
        operations = [
            (code.name, value) for code, value, _ in pickletools.genops(base64.b64decode(held, validate=True))
        ]
    except (ValueError, IndexError, UnicodeDecodeError):
        return False
    names = [value for name, value in operations if name == "SHORT_BINUNICODE"]
    return (
        {name for name, _ in operations} <= _OPERATIONS
        and [name for name, _ in operations].count("STACK_GLOBAL") == 1
        and len(names) == 2
        and str(names[0]).startswith(_OWN)
        and str(names[1]).isidentifier()
    )


@cache
def known_packages() -> frozenset[str]:
    """Pulumi packages whose SDK is installed beside this project, and the engine's own."""
    found = {"pulumi", _DYNAMIC}
    for distribution in importlib.metadata.distributions():
        if not distribution.name.lower().startswith("pulumi"):
            continue
        for file in distribution.files or ():
            if file.name == "pulumi-plugin.json":
                described = json.loads(Path(file.locate()).read_text(encoding="utf-8"))
                found.add(str(described.get("name", "pulumi")))
    return frozenset(found)
