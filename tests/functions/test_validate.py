"""Validation of the data: which version, how it is written, and the copy and the plan of the run."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.validate.handler import validate
from functions.validate.head import BYTES
from functions.validate.request import RequestError
from functions.validate.resolve import DataError, newest
from tests.functions import samples

HEADER = "pickup,dropoff,passengers,distance,total"
ROW = "2019-03-23 20:21:09,2019-03-23 20:27:24,1,1.6,12.95"
OTHER = ROW.replace("12.95", "8.5")
ENVIRONMENT = {"DATA_BUCKET": "data-bucket", "ARTIFACTS_BUCKET": "artifacts", "DATASET_URI": samples.DATASET_URI}
NOW = datetime(2026, 11, 21, 3, 45, tzinfo=UTC)


def text(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def put(s3: Any, key: str, content: bytes) -> str:
    version: str = s3.put_object(Bucket="data-bucket", Key=key, Body=content)["VersionId"]
    return version


def asked(key: str = "latest", version: str = "latest", **changes: Any) -> dict[str, Any]:
    """The workflow's input, as the pipeline gives it."""
    data = {"key": key, "version": version}
    return {
        "run": "run-1",
        "reason": "data",
        "commit": "4f2a",
        "code": "s3://artifacts/code/4f2a",
        "data": data,
        **changes,
    }


def run(s3: Any, key: str = "latest", version: str = "latest", **environment: str) -> dict[str, Any]:
    return validate(s3, {"input": asked(key, version)}, {**ENVIRONMENT, **environment}, NOW)


def plan(s3: Any) -> dict[str, Any]:
    body = s3.get_object(Bucket="artifacts", Key="runs/run-1/input/plan.json")["Body"]
    found: dict[str, Any] = json.loads(body.read())
    return found


def test_copies_the_exact_version(s3: Any) -> None:
    first = put(s3, "datasets/a.csv", text(ROW, OTHER))
    put(s3, "datasets/a.csv", text(ROW, OTHER, OTHER))
    assert run(s3, "datasets/a.csv", first) == {
        "uri": "s3://data-bucket/datasets/a.csv",
        "version": first,
        "plan": "s3://artifacts/runs/run-1/input/plan.json",
    }
    source = {"uri": "s3://artifacts/runs/run-1/input/data.csv", "source": "s3://data-bucket/datasets/a.csv"}
    assert plan(s3)["files"] == [source]
    copy = s3.get_object(Bucket="artifacts", Key="runs/run-1/input/data.csv")["Body"].read()
    assert copy == text(ROW, OTHER)


def test_latest_is_the_newest_csv_and_its_newest_version(s3: Any) -> None:
    put(s3, "datasets/a.csv", text(ROW, OTHER))  # written in the same second: the later name decides
    put(s3, "datasets/b.csv", text(ROW, OTHER))
    version = put(s3, "datasets/b.csv", text(ROW, OTHER, OTHER))
    put(s3, "datasets/readme.txt", b"no data")
    put(s3, "elsewhere/later.csv", b"no data")
    found = run(s3)
    assert (found["uri"], found["version"]) == ("s3://data-bucket/datasets/b.csv", version)


def test_a_packed_file_keeps_the_name_by_which_spark_unpacks_it(s3: Any) -> None:
    content = gzip.compress(text(ROW, OTHER))
    put(s3, "datasets/a.CSV.gz", content)
    assert run(s3)["uri"] == "s3://data-bucket/datasets/a.CSV.gz"
    assert plan(s3)["files"][0]["uri"] == "s3://artifacts/runs/run-1/input/data.csv.gz"
    assert s3.get_object(Bucket="artifacts", Key="runs/run-1/input/data.csv.gz")["Body"].read() == content


def test_the_plan_says_how_the_data_is_written_and_what_a_run_that_begins_now_means_by_now(s3: Any) -> None:
    document = json.loads(samples.DATASET_TEXT)
    document["columns"]["pickup"] = {"type": "timestamp", "max": "now"}
    s3.put_object(Bucket="artifacts", Key="dataset/1.json", Body=json.dumps(document).encode())
    put(s3, "datasets/a.csv", text(ROW, OTHER).replace(b",", b";").replace(b".", b","))
    run(s3)
    assert plan(s3)["dialect"] == "UTF-8, semicolon, decimal comma, 5 columns"
    assert "CAST('2026-11-21 03:45:00' AS TIMESTAMP)" in plan(s3)["sql"]


def test_no_more_than_the_head_comes_through_the_function(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3, "datasets/a.csv", text(*[ROW] * 40_000))
    read: list[int] = []
    original = s3.get_object

    def get(**given: Any) -> Any:
        answer = original(**given)
        if given["Key"] == "datasets/a.csv":
            read.append(answer["ContentLength"])
        return answer

    monkeypatch.setattr(s3, "get_object", get)
    run(s3)
    assert read == [BYTES]


def test_the_newest_is_so_by_time() -> None:
    class Listing:
        def get_paginator(self, _: str) -> Listing:
            return self

        def paginate(self, **_: str) -> list[dict[str, Any]]:
            times = {"datasets/z.csv": 1, "datasets/a.CSV": 3, "datasets/m.csv": 2, "datasets/": 9}
            return [{"Contents": [{"Key": key, "LastModified": time}]} for key, time in times.items()] + [{}]

    assert newest(Listing(), "bucket", "datasets/") == "datasets/a.CSV"


@pytest.mark.parametrize(
    ("key", "version", "reason"),
    [
        (
            "latest",
            "latest",
            "There is no file that ends in .csv, .csv.gz, .parquet directly below s3://data-bucket/datasets/",
        ),
        ("datasets/a.csv", "latest", "has no version 'latest': it does not exist or was deleted"),
        ("secrets/a.csv", "latest", "is not below 'datasets/'"),
    ],
)
def test_names_data_that_is_not_there(s3: Any, key: str, version: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        run(s3, key, version)


def test_names_a_version_that_is_not_there(s3: Any) -> None:
    put(s3, "datasets/a.csv", text(ROW))
    with pytest.raises(DataError, match="has no version 'nope'"):
        run(s3, "datasets/a.csv", "nope")


def test_refuses_a_bucket_without_versions(s3: Any) -> None:
    s3.put_object(Bucket="artifacts", Key="datasets/a.csv", Body=text(ROW))
    with pytest.raises(DataError, match="switch on versioning"):
        run(s3, DATA_BUCKET="artifacts")


def test_bad_data_leaves_no_copy(s3: Any) -> None:
    put(s3, "datasets/a.csv", b"")
    with pytest.raises(DataError, match="is empty"):
        run(s3)
    put(s3, "datasets/a.csv", text(ROW, header="a,b"))
    with pytest.raises(DataError, match="lacks the columns pickup"):
        run(s3)
    assert "Contents" not in s3.list_objects_v2(Bucket="artifacts", Prefix="runs/")


def retrained(s3: Any, place: str, why: str = "drift", **written: Any) -> dict[str, Any]:
    """A run on data that waits for retrainings, with the record that `functions.retrain` leaves, or what is given."""
    version = put(s3, place, text(ROW, OTHER))
    record = {"reason": why, "key": place, "version": version} | written
    s3.put_object(Bucket="artifacts", Key="retrain/starts/run-1.json", Body=json.dumps(record).encode())
    return asked(place, version, reason=why)


@pytest.mark.parametrize("reason", ["drift", "schedule"])
@pytest.mark.parametrize("key", ["datasets/a.csv", "collected/a.csv", "windows/1.csv"])
def test_what_retraining_began_may_use_what_waits_for_it(s3: Any, key: str, reason: str) -> None:
    found = validate(s3, {"input": retrained(s3, key, reason)}, ENVIRONMENT, NOW)
    assert found["uri"] == f"s3://data-bucket/{key}"


@pytest.mark.parametrize("reason", ["drift", "schedule"])
def test_nobody_else_can_say_that_a_run_is_a_retraining(s3: Any, reason: str) -> None:
    version = put(s3, "datasets/a.csv", text(ROW))
    with pytest.raises(RequestError, match=f"its reason is {reason}, but it was not the retraining that began it"):
        validate(s3, {"input": asked("datasets/a.csv", version, reason=reason)}, ENVIRONMENT, NOW)
    for written in ({"version": "other"}, {"key": "datasets/b.csv"}, {"reason": "commit"}):
        with pytest.raises(RequestError, match="was not the retraining"):
            validate(s3, {"input": retrained(s3, "datasets/a.csv", reason, **written)}, ENVIRONMENT, NOW)


@pytest.mark.parametrize("key", ["collected/a.csv", "windows/1.csv"])
def test_what_waits_for_retrainings_is_for_nobody_else(s3: Any, key: str) -> None:
    put(s3, key, text(ROW))
    with pytest.raises(DataError, match=r"is not below 'datasets/' in bucket"):
        run(s3, key)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"z": {"y": ".csv"}}, "input.z: is not known here"),
        ({"reason": "because"}, "must be one of commit, data, manual, drift, schedule"),
        ({"run": "../other"}, "must be an execution id"),
        ({"data": {"key": "datasets/a.csv", "version": "1", "more": 1}}, "input.data.more: is not known here"),
        ({"data": {"key": "datasets/a.csv"}}, "input.data.version: is missing"),
        ({"code": "nowhere"}, "input.code"),
    ],
)
def test_an_input_that_is_not_as_agreed_is_refused(s3: Any, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        validate(s3, {"input": asked(**changes)}, ENVIRONMENT, NOW)
