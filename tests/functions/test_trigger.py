"""New objects start runs."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from functions.trigger.handler import handle
from functions.trigger.start import commit_request, start_request

ENVIRONMENT = {"PIPELINE_NAME": "glidepath", "SOURCE_KEY": "source/source.zip"}


def detail(key: str, version: str | None = "v1") -> dict[str, Any]:
    found: dict[str, Any] = {"key": key, "size": 1, "etag": "e"}
    return {"bucket": {"name": "data-bucket"}, "object": found | ({"version-id": version} if version else {})}


def test_data_starts_a_run_with_its_exact_version() -> None:
    request = start_request(detail("datasets/2026/trips.CSV"), ENVIRONMENT)
    assert request is not None
    assert request["name"] == "glidepath"
    assert {item["name"]: item["value"] for item in request["variables"]} == {
        "REASON": "data", "DATA_KEY": "datasets/2026/trips.CSV", "DATA_VERSION": "v1",
    }  # fmt: skip
    assert "sourceRevisions" not in request


@pytest.mark.parametrize("key", ['datasets/march "final".csv', r"datasets/2026\new.csv", "datasets/é.csv"])
def test_a_key_is_a_key_however_it_is_spelt(key: str) -> None:
    """The pipeline puts the variable into a JSON text, between quotation marks."""
    request = start_request(detail(key), ENVIRONMENT)
    assert request is not None
    (escaped,) = (item["value"] for item in request["variables"] if item["name"] == "DATA_KEY")
    assert json.loads(f'{{"key": "{escaped}"}}') == {"key": key}


def test_code_starts_a_run_with_its_exact_version() -> None:
    request = start_request(detail("source/source.zip"), ENVIRONMENT)
    assert request is not None
    assert request["sourceRevisions"] == [
        {"actionName": "Source", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "v1"}
    ]
    assert "variables" not in request


def test_one_object_version_starts_one_run() -> None:
    tokens = [
        start_request(detail(key, version), ENVIRONMENT)["clientRequestToken"]  # type: ignore[index]
        for key, version in (("datasets/a.csv", "1"), ("datasets/a.csv", "1"), ("datasets/a.csv", "2"))
    ]
    assert tokens[0] == tokens[1] != tokens[2]


def test_a_commit_starts_one_run_of_itself() -> None:
    moved = {"repositoryName": "fares", "referenceName": "main", "commitId": "4f2a", "event": "referenceUpdated"}
    request = commit_request(moved, ENVIRONMENT)
    assert request["sourceRevisions"] == [
        {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "4f2a"}
    ]
    assert request == commit_request(moved, ENVIRONMENT)
    assert (
        request["clientRequestToken"] != commit_request({**moved, "commitId": "5"}, ENVIRONMENT)["clientRequestToken"]
    )


@pytest.mark.parametrize("key", ["datasets/", "datasets/notes.txt", "other/a.csv", "source/other.zip"])
def test_other_objects_start_nothing(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert handle({"detail": detail(key)}, None) == {"ignored": key}


def test_a_source_archive_is_nothing_where_the_source_is_a_repository() -> None:
    assert start_request(detail("source/source.zip"), {"PIPELINE_NAME": "glidepath"}) is None


def test_an_event_without_version_is_refused() -> None:
    with pytest.raises(ValueError, match="switch on versioning"):
        start_request(detail("datasets/a.csv", None), ENVIRONMENT)


@pytest.mark.parametrize("key", ["datasets/a.csv", "source/source.zip"])
def test_codepipelines_own_shapes(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("codepipeline", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        request = start_request(detail(key), ENVIRONMENT)
        stub.add_response("start_pipeline_execution", {"pipelineExecutionId": "run-1"}, request)
        monkeypatch.setattr(boto3, "client", lambda _: client)
        assert handle({"detail": detail(key)}, None) == {"execution": "run-1"}
