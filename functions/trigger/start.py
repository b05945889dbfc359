"""From an event to the request that starts the pipeline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from contracts.datasets import RUN, role


def commit_request(detail: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Input of StartPipelineExecution for the detail of a CodeCommit branch that moved."""
    commit = str(detail["commitId"])
    place = f"{detail['repositoryName']}/{detail['referenceName']}@{commit}"
    revision = _revision(environment, "COMMIT_ID", commit)
    return {"name": environment["PIPELINE_NAME"], "clientRequestToken": _token(place), **revision}


def start_request(detail: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any] | None:
    """Input of StartPipelineExecution for an `Object Created` detail; None for an object that starts nothing."""
    key, version = detail["object"]["key"], detail["object"].get("version-id")
    change = _change(key, version, environment)
    if change is None:
        return None
    if not version:
        raise ValueError(f"the event for {key!r} names no version: switch on versioning for the data bucket")
    token = _token(f"{detail['bucket']['name']}/{key}@{version}")
    return {"name": environment["PIPELINE_NAME"], "clientRequestToken": token, **change}


def _token(place: str) -> str:
    """The same version never starts two runs, however often the event is delivered."""
    return hashlib.sha256(place.encode()).hexdigest()


def _revision(environment: Mapping[str, str], kind: str, value: str | None) -> dict[str, Any]:
    action = environment.get("SOURCE_ACTION", "Source")
    return {"sourceRevisions": [{"actionName": action, "revisionType": kind, "revisionValue": value}]}


def _change(key: str, version: str | None, environment: Mapping[str, str]) -> dict[str, Any] | None:
    if key == environment.get("SOURCE_KEY"):
        return _revision(environment, "S3_OBJECT_VERSION_ID", version)
    prefix = environment.get("DATA_PREFIX", "datasets/")
    if key.startswith(prefix) and role(key, prefix) == RUN:
        # A variable is put into the workflow's input as it stands: a quotation mark would end the text there.
        values = {"REASON": "data", "DATA_KEY": json.dumps(key)[1:-1], "DATA_VERSION": version}
        return {"variables": [{"name": name, "value": value} for name, value in values.items()]}
    return None
