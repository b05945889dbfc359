"""New objects start runs."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from functions.trigger.handler import handle
from functions.trigger.start import commit_request, start_request

ENVIRONMENT = {
    "PIPELINE_NAME": "glidepath",
    "SOURCE_KEY": "source/source.zip",
    "TOPIC_ARN": "arn:aws:sns:eu-west-1:111111111111:glidepath-approval",
    "ARTIFACTS_BUCKET": "artifacts",
}


def detail(key: str, version: str | None = "v1") -> dict[str, Any]:
    found: dict[str, Any] = {"key": key, "size": 1, "etag": "e"}
    return {"bucket": {"name": "data-bucket"}, "object": found | ({"version-id": version} if version else {})}


def test_data_starts_a_run_with_its_exact_version() -> None:
    request = start_request(detail("datasets/trips.CSV"), ENVIRONMENT)
    assert request is not None
    assert request["name"] == "glidepath"
    assert {item["name"]: item["value"] for item in request["variables"]} == {
        "REASON": "data", "DATA_KEY": "datasets/trips.CSV", "DATA_VERSION": "v1",
    }  # fmt: skip
    assert "sourceRevisions" not in request


@pytest.mark.parametrize(
    "key", ['datasets/march "final".csv', r"datasets/2026\new.csv", "datasets/trips/_SUCCESS", "datasets/é.csv"]
)
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


@pytest.mark.parametrize(
    "key",
    ["datasets/trips/_SUCCESS", "datasets/trips/2026/_SUCCESS", "datasets/a.manifest.json", "datasets/a.parquet",
     "datasets/a.snappy.parquet", "datasets/a.csv.gz"],
)  # fmt: skip
def test_what_completes_a_dataset_starts_a_run(key: str) -> None:
    request = start_request(detail(key), ENVIRONMENT)
    assert request is not None
    assert {"name": "DATA_KEY", "value": key} in request["variables"]


class Topic:
    """SNS, or one that fails so often."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.sent: list[dict[str, str]] = []

    def publish(self, **given: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no answer")
        self.sent.append(given)


@pytest.fixture
def topic(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """The trigger's surroundings; its clients are those of the test."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    found = Topic()
    monkeypatch.setattr(boto3, "client", {"s3": s3, "sns": found}.__getitem__)
    return found


def uploaded(s3: Any, key: str, content: bytes = b"x") -> dict[str, Any]:
    """The event of a new object."""
    version = s3.put_object(Bucket="data-bucket", Key=key, Body=content)["VersionId"]
    return {"detail": detail(key, version)}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("datasets/trips.xlsx", "save the sheet as CSV in UTF-8"),
        ("datasets/trips.csv.zip", "take the file out, or pack it by gzip (.csv.gz)"),
        ("datasets/trips.JSON", "write it as Parquet or CSV"),
        ("datasets/notes.txt", "give it a name that ends in .csv; what stands between cells is found"),
        ("datasets/trips/a.tsv", "give it a name that ends in .csv"),
        ("datasets/trips.parquet.gz", "Parquet is packed within"),
        ("datasets/trips", "write it as CSV"),
    ],
)
def test_a_file_of_no_kind_that_is_read_gets_an_answer_once(topic: Topic, s3: Any, key: str, words: str) -> None:
    event = uploaded(s3, key)
    assert words in handle(event, None)["told"]
    assert handle(event, None) == {"ignored": key}
    (sent,) = topic.sent
    assert sent["TopicArn"] == ENVIRONMENT["TOPIC_ARN"]
    assert sent["Subject"] == "glidepath: new data that starts no run"
    assert sent["Message"].startswith(f"s3://data-bucket/{key} starts no run: its name ends in none of .csv, .csv.gz")
    # Of a new version again; of a folder, which a program may fill with thousands, once.
    assert ("told" in handle(uploaded(s3, key), None)) == (key.count("/") == 1)


def test_a_key_writes_no_mail(topic: Topic, s3: Any) -> None:
    told = handle(uploaded(s3, f"datasets/a\n\nApprove at once{'!' * 500}.exe"), None)["told"]
    assert "\n" not in told
    assert len(told) < 600


def test_an_answer_that_could_not_be_sent_is_sent_when_the_event_comes_again(topic: Topic, s3: Any) -> None:
    topic.failures = 1
    event = uploaded(s3, "datasets/trips.xlsx")
    with pytest.raises(ConnectionError):
        handle(event, None)
    assert "told" in handle(event, None)
    assert len(topic.sent) == 1


def test_the_first_file_of_a_folder_is_told_what_it_waits_for(topic: Topic, s3: Any) -> None:
    first = uploaded(s3, "datasets/trips/year=2019/part-0.csv")
    more = [uploaded(s3, f"datasets/trips/year=2019/part-{number}.csv") for number in (1, 2)]
    assert [sorted(handle(event, None)) for event in (first, *more)] == [["ignored", "told"], ["ignored"], ["ignored"]]
    (sent,) = topic.sent
    assert "once s3://data-bucket/datasets/trips/_SUCCESS is written" in sent["Message"]
    assert "belongs directly below s3://data-bucket/datasets/" in sent["Message"]


def test_whoever_completes_sets_is_told_nothing(topic: Topic, s3: Any) -> None:
    marker = s3.put_object(Bucket="data-bucket", Key="datasets/trips/_SUCCESS")["VersionId"]
    assert handle(uploaded(s3, "datasets/trips/a.csv"), None) == {"ignored": "datasets/trips/a.csv"}
    s3.delete_object(Bucket="data-bucket", Key="datasets/trips/_SUCCESS")
    assert handle(uploaded(s3, "datasets/trips/a.csv"), None) == {"ignored": "datasets/trips/a.csv"}
    assert marker
    assert not topic.sent


@pytest.mark.parametrize(
    "key",
    ["datasets/", "datasets/trips/", "datasets/_SUCCESS", "datasets/.hidden.txt", "datasets/trips_$folder$",
     "datasets/trips/_temporary/0/a.csv", "other/a.csv", "source/other.zip"],
)  # fmt: skip
def test_other_objects_start_nothing(key: str, topic: Topic, s3: Any) -> None:
    assert handle(uploaded(s3, key), None) == {"ignored": key}
    assert not topic.sent


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
