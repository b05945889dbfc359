"""Reading an AppSpec for Lambda."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from rehearsal.cloud.core.api import AwsError

_HOOKS = ("BeforeAllowTraffic", "AfterAllowTraffic")
_PROPERTIES = ("Name", "Alias", "CurrentVersion", "TargetVersion")


@dataclass(frozen=True)
class AppSpec:
    """Which alias goes from which version to which, and the functions called before and after (name or ARN)."""

    function: str
    alias: str
    current: str
    target: str
    hooks: dict[str, str]


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidRevisionException", f"The AppSpec file is not valid: {message}")


def parse(text: str) -> AppSpec:
    """Reads JSON or YAML. Raises InvalidRevisionException naming what is wrong."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as problem:
        raise _invalid(str(problem)) from None
    if not isinstance(document, dict):
        raise _invalid("it is no mapping")
    if str(document.get("version")) != "0.0":
        raise _invalid(f"version is {document.get('version')!r}, and must be 0.0")
    unknown = set(document) - {"version", "Resources", "Hooks"}
    if unknown:
        raise _invalid(f"unknown key(s) {', '.join(sorted(map(str, unknown)))}")
    properties = _resource(document.get("Resources"))
    missing = [name for name in _PROPERTIES if not properties.get(name)]
    if missing:
        raise _invalid(f"Properties lack {', '.join(missing)}")
    return AppSpec(
        str(properties["Name"]),
        str(properties["Alias"]),
        str(properties["CurrentVersion"]),
        str(properties["TargetVersion"]),
        _hooks(document.get("Hooks")),
    )


def _resource(resources: Any) -> dict[str, Any]:
    if not isinstance(resources, list) or len(resources) != 1 or not isinstance(resources[0], dict):
        raise _invalid("Resources must be a list with exactly one function")
    (resource,) = resources[0].values()
    if not isinstance(resource, dict) or resource.get("Type") != "AWS::Lambda::Function":
        raise _invalid("the resource's Type must be AWS::Lambda::Function")
    properties = resource.get("Properties")
    if not isinstance(properties, dict):
        raise _invalid("the resource has no Properties")
    return properties


def _hooks(hooks: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    if hooks is None:
        return found
    if not isinstance(hooks, list):
        raise _invalid("Hooks must be a list")
    for entry in hooks:
        if not isinstance(entry, dict):
            raise _invalid("each hook must be a mapping of its event to a function")
        for event, function in entry.items():
            if event not in _HOOKS:
                raise _invalid(f"{event!r} is no lifecycle event; there are {' and '.join(_HOOKS)}")
            found[event] = str(function)
    return found
