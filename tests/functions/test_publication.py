"""Registration and manifest: what a run that passed leaves behind."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from contracts.dataset import Metric
from contracts.release import ReleaseError, parse_release
from contracts.s3 import S3Location
from functions.gate.decide import Champion, decide
from functions.manifest.build import summary
from functions.manifest.handler import write_manifest
from functions.manifest.publish import ManifestError, copy_artifact
from functions.register import handler as register
from functions.register.package import package_request
from functions.shared.evaluation import parse_evaluation
from functions.shared.registry import champion_package
from tests.functions import samples

NOW = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
RUN = "8d2f7a3c-1111-2222-3333-444455556666"
ENVIRONMENT = {"ARTIFACTS_BUCKET": "artifacts", "DATASET_URI": samples.DATASET_URI}
ARTIFACT = b"a model" * 1000


def event() -> dict[str, Any]:
    difference = {"value": -0.53, "standard_deviation": 0.1, "ci": [-0.7, -0.3]}
    champion = {"metrics": {"rmse": {"value": 5.5, "difference": difference}}}
    evaluation = parse_evaluation(json.dumps({**samples.evaluation(), "champion": champion}))
    folder = f"s3://artifacts/runs/{RUN}"
    return {
        "run": RUN,
        "reason": "data",
        "commit": "4f2a9c",
        "artifact": f"{folder}/training/job/output/model.tar.gz",
        "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "evaluation": f"{folder}/evaluation/evaluation.json",
        "golden": f"{folder}/evaluation/golden.json",
        "baseline": {"statistics": f"{folder}/baseline/s.json", "constraints": f"{folder}/baseline/c.json"},
        "package": samples.PACKAGE,
        "data": {"uri": "s3://data-bucket/datasets/a.csv", "version": "v,1", "rows": 6433},
        "gate": decide(evaluation, Metric("rmse", 10), Champion(samples.PACKAGE)),
    }


@pytest.fixture
def store(s3: Any) -> Any:
    s3.put_object(Bucket="artifacts", Key=f"runs/{RUN}/training/job/output/model.tar.gz", Body=ARTIFACT)
    return s3


def read(store: Any) -> str:
    body: bytes = store.get_object(Bucket="artifacts", Key=f"runs/{RUN}/release/manifest.json")["Body"].read()
    return body.decode()


def test_writes_a_release_that_its_readers_accept(store: Any) -> None:
    answer = write_manifest(store, event(), ENVIRONMENT, NOW)
    text = read(store)
    release = parse_release(text)
    assert answer["manifest"] == f"s3://artifacts/runs/{RUN}/release/manifest.json"
    assert answer["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert answer["id"] == release.id == "20261121-" + hashlib.sha256(RUN.encode()).hexdigest()[:8]
    assert release.model.sha256 == hashlib.sha256(ARTIFACT).hexdigest()
    assert release.data.version == "v,1"
    assert release.champion is not None
    for part in ("rmse 4.97", "better than the champion", "6433 rows", "4f2a9c", release.id):
        assert part in answer["summary"]


def test_the_artifact_has_a_checksum_that_s3_keeps(store: Any) -> None:
    write_manifest(store, event(), ENVIRONMENT, NOW)
    head = store.head_object(Bucket="artifacts", Key=f"runs/{RUN}/release/model.tar.gz", ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]) == hashlib.sha256(ARTIFACT).digest()


def test_a_repeated_step_keeps_its_manifest(store: Any) -> None:
    first = write_manifest(store, event(), ENVIRONMENT, NOW)
    text = read(store)
    assert write_manifest(store, event(), ENVIRONMENT, NOW + timedelta(minutes=5)) == first
    assert read(store) == text


def test_never_overwrites_another_release(store: Any) -> None:
    write_manifest(store, event(), ENVIRONMENT, NOW)
    text = read(store)
    with pytest.raises(ManifestError, match="already holds another release"):
        write_manifest(store, {**event(), "commit": "other"}, ENVIRONMENT, NOW)
    assert read(store) == text


def test_publishes_nothing_its_readers_would_refuse(store: Any) -> None:
    with pytest.raises(ReleaseError, match="reason: 'whim'"):
        write_manifest(store, {**event(), "reason": "whim"}, ENVIRONMENT, NOW)
    with pytest.raises(ClientError, match="NoSuchKey"):
        read(store)


def test_refuses_an_artifact_that_changed_meanwhile(store: Any) -> None:
    class Changing:
        """Another process replaces the artifact between reading and copying."""

        get_object = store.get_object

        def copy_object(self, **request: Any) -> Any:
            store.put_object(**request["CopySource"], Body=b"another model")
            return store.copy_object(**request)

    with pytest.raises(ManifestError, match="changed while it was copied"):
        copy_artifact(Changing(), event()["artifact"], S3Location("artifacts", "copy"))


def test_the_summary_fits_into_a_mail(store: Any) -> None:
    write_manifest(
        store, {**event(), "data": {**event()["data"], "uri": "s3://data-bucket/" + "x" * 1000}}, ENVIRONMENT, NOW
    )
    assert len(summary(parse_release(read(store)))) == 900


def test_registers_a_package_that_becomes_the_champion(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="glidepath")
    monkeypatch.setenv("PACKAGE_GROUP", "glidepath")
    arn = register.handle(event(), None)["package"]
    assert champion_package(sagemaker, "glidepath") == (arn, RUN)
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == event()["artifact"]
    assert package["CustomerMetadataProperties"]["data-version"] == "v_1"


def test_the_request_is_idempotent_by_run(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("sagemaker", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    request = package_request(event(), "glidepath")
    assert request["ClientToken"] == RUN
    with Stubber(client) as stub:
        stub.add_response("create_model_package", {"ModelPackageArn": samples.PACKAGE}, request)
        monkeypatch.setenv("PACKAGE_GROUP", "glidepath")
        monkeypatch.setattr(boto3, "client", lambda _: client)
        assert register.handle(event(), None) == {"package": samples.PACKAGE}
