"""What can be fixed without asking: an end for logs, and tags. Only what is missing is added."""

from collections.abc import Mapping
from typing import Any

from .model import UNKNOWN, Resource, Unknown
from .operations import LOG_GROUPS, TAGGABLE, tagged

REMEDIATION: dict[str, dict[str, Any]] = {
    "retentionInDays": {"type": "number", "minimum": 1, "default": 90},
    "tags": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
}


def remediate(resource: Resource, config: Mapping[str, Any]) -> dict[str, Any]:
    """Properties to set; empty where nothing is missing, or where it is not known whether."""
    changed: dict[str, Any] = {}
    days = resource.props.get("retentionInDays")
    if resource.type in LOG_GROUPS and days is not UNKNOWN and not days:
        changed["retentionInDays"] = config.get("retentionInDays", 90)
    wanted = config.get("tags") or {}
    found = tagged(resource)
    if TAGGABLE.match(resource.kind) and not isinstance(found, Unknown):
        missing = {key: value for key, value in wanted.items() if key not in found}
        if missing:
            changed["tags"] = {**(resource.props.get("tags") or {}), **missing}
    return changed
