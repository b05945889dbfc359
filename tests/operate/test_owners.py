"""Whose lock it is: proof that an update's owner has gone, or none."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operate import owners
from operate.owners import InBucket, Nowhere, OnThisMachine, backend, machine

BUCKET, FOLDER = "x-state", "owners/glidepath/prod/"
ARN = "arn:aws:codebuild:eu-west-1:111111111111:build/x-deploy-prod:7d3c"
HOST = socket.gethostname()


class Builds:
    """CodeBuild, with one build."""

    def __init__(self) -> None:
        self.complete = False
        self.asked: list[list[str]] = []

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        self.asked.append(ids)
        status = "TIMED_OUT" if self.complete else "IN_PROGRESS"
        return {"builds": [{"buildComplete": self.complete, "buildStatus": status}]}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        s3 = boto3.client("s3", region_name="us-east-1", **keys)
        s3.create_bucket(Bucket=BUCKET)
        yield {"s3": s3, "codebuild": Builds()}


def store(clients: dict[str, Any], build: str = "") -> InBucket:
    return InBucket(BUCKET, FOLDER, clients.__getitem__, build)


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def keys(clients: dict[str, Any]) -> list[str]:
    return [entry["Key"] for entry in clients["s3"].list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_build_that_has_ended_has_no_lock(clients: dict[str, Any]) -> None:
    found = store(clients, ARN)
    found.note(77)
    assert keys(clients) == [f"{FOLDER}{HOST}.77.json"]
    assert found.gone(HOST, 77) == ""
    clients["codebuild"].complete = True
    assert found.gone(HOST, 77) == "its build x-deploy-prod:7d3c has ended (TIMED_OUT)"
    assert clients["codebuild"].asked == [["x-deploy-prod:7d3c"]] * 2
    found.forget(77)
    assert keys(clients) == []
    assert found.gone(HOST, 77) == "", "without a record nothing is known"


def test_an_engine_of_this_machine_is_looked_for(clients: dict[str, Any]) -> None:
    found, dead = store(clients), dead_pid()
    for pid in (dead, os.getpid()):
        found.note(pid)
    assert found.gone(HOST, dead) == "its engine was killed"
    assert found.gone(HOST, os.getpid()) == ""


def test_another_machine_of_the_same_name_proves_nothing(
    clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, dead = store(clients), dead_pid()
    monkeypatch.setattr(owners, "machine", lambda: "a container's")
    found.note(dead)
    monkeypatch.undo()
    assert machine() != "a container's"
    assert found.gone(HOST, dead) == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"pid": 1}', b"\xff", b'{"machine": "m", "pid": 1, "x": 2}'])
def test_a_record_that_cannot_be_read_proves_nothing(clients: dict[str, Any], body: bytes) -> None:
    clients["s3"].put_object(Bucket=BUCKET, Key=f"{FOLDER}{HOST}.7.json", Body=body)
    assert store(clients).gone(HOST, 7) == ""


def test_an_update_goes_on_where_nothing_can_be_noted(
    clients: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    clients["s3"].delete_bucket(Bucket=BUCKET)
    found = store(clients)
    found.note(7)
    found.forget(7)
    assert found.gone(HOST, 7) == ""
    shown = capsys.readouterr().err
    assert "this update could not be noted beside the state" in shown
    assert "the note of this update could not be removed" in shown


def test_the_state_is_where_the_engine_takes_it_from(tmp_path: Path) -> None:
    root, home = tmp_path / "root", tmp_path / "home"
    for folder in (root, home):
        folder.mkdir()
    environ = {"PULUMI_HOME": str(home)}
    assert backend(root, environ) == ""
    (home / "credentials.json").write_text(json.dumps({"current": "s3://login"}))
    assert backend(root, environ) == "s3://login"
    (root / "Pulumi.yaml").write_text("name: glidepath\nbackend: {url: s3://program}\n")
    assert backend(root, environ) == "s3://program"
    assert backend(root, {**environ, "PULUMI_BACKEND_URL": "file:///shell"}) == "file:///shell"


def test_each_place_of_state_has_its_proof(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: taxi\n")

    def of(address: str) -> owners.Owners:
        return owners.owners("prod", tmp_path, {"PULUMI_BACKEND_URL": address, "CODEBUILD_BUILD_ARN": ARN})

    in_bucket = of("s3://x-state?region=eu-west-1&awssdk=v2")
    assert isinstance(in_bucket, InBucket)
    assert (in_bucket.bucket, in_bucket.folder, in_bucket.build) == ("x-state", "owners/taxi/prod/", ARN)
    assert in_bucket.client("s3").meta.region_name == "eu-west-1"
    assert isinstance(of("file:///state"), OnThisMachine)
    cloud = of("https://api.pulumi.com")
    assert isinstance(cloud, Nowhere)
    assert cloud.gone(HOST, dead_pid()) == ""
    assert OnThisMachine().gone(HOST, dead_pid()) == "its engine was killed"
    assert OnThisMachine().gone("another", dead_pid()) == ""
