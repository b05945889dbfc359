"""Which model is the champion, and whether it can be compared with."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
import pytest

from contracts.dataset import parse_dataset
from functions.champion.find import Champion, find
from functions.champion.handler import handle
from functions.register.package import package_request
from tests.functions import samples

URI = "s3://artifacts/runs/run-1/evaluation/evaluation.json"
ARTIFACT = "s3://artifacts/runs/run-1/release/model.tar.gz"
GROUP = "glidepath"


@pytest.fixture
def sagemaker(s3: Any) -> Any:
    client = boto3.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName=GROUP)
    return client


def registered(sagemaker: Any, run: str, status: str = "Approved") -> str:
    gate = {"reason": "Passed", "metrics": {"name": "rmse", "value": 5.25, "ci": [1, 9], "rows": 9}}
    event = {
        "run": run, "reason": "commit", "commit": "c", "artifact": "s3://artifacts/m.tar.gz", "image": "i",
        "evaluation": URI, "baseline": {"statistics": URI, "constraints": URI},
        "data": {"uri": "s3://data-bucket/a.csv", "version": "v"}, "gate": gate,
    }  # fmt: skip
    request = {**package_request(event, GROUP), "ModelApprovalStatus": status}
    arn: str = sagemaker.create_model_package(**request)["ModelPackageArn"]
    return arn


def released(s3: Any, run: str, artifact: bool = True, **changes: Any) -> None:
    document = samples.manifest() | changes
    place = f"runs/{run}/release"
    document["model"] = {**document["model"], "artifact": f"s3://artifacts/{place}/model.tar.gz"}
    s3.put_object(Bucket="artifacts", Key=f"{place}/manifest.json", Body=json.dumps(document).encode())
    if artifact:
        s3.put_object(Bucket="artifacts", Key=f"{place}/model.tar.gz", Body=b"model")


def found(s3: Any, sagemaker: Any) -> Champion:
    return find(s3, sagemaker, GROUP, "artifacts", parse_dataset(samples.DATASET_TEXT))


def test_the_champion_is_the_newest_approved_package(s3: Any, sagemaker: Any) -> None:
    assert found(s3, sagemaker) == Champion()
    approved = registered(sagemaker, "run-1")
    registered(sagemaker, "run-2", "PendingManualApproval")
    released(s3, "run-1")
    assert found(s3, sagemaker) == Champion(approved, ARTIFACT)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"features": ["passengers", "distance"]}, "it takes passengers, distance, and not duration_minutes"),
        ({"target": "fare"}, "it predicts fare, and not total"),
        ({"schema": 9}, "it cannot be read: release manifest: schema"),
        ({"artifact": False}, "it cannot be read: .*404"),
    ],
)
def test_a_champion_that_cannot_be_compared_with_says_why(
    s3: Any, sagemaker: Any, changes: dict[str, Any], problem: str
) -> None:
    package = registered(sagemaker, "run-1")
    released(s3, "run-1", **changes)
    champion = found(s3, sagemaker)
    assert (champion.package, champion.artifact) == (package, None)
    assert re.search(problem, champion.problem)


def test_the_handlers_answer_and_its_warning(
    s3: Any, sagemaker: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = registered(sagemaker, "run-1")
    environment = {"PACKAGE_GROUP": GROUP, "ARTIFACTS_BUCKET": "artifacts", "DATASET_URI": samples.DATASET_URI}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    answer = handle({"run": "run-2"}, None)
    assert answer["package"] == package
    assert answer["artifact"] is None
    line = json.loads(capsys.readouterr().out)
    assert line["message"] == f"no comparison with the champion: {answer['problem']}"
    assert (line["level"], line["run"], line["package"]) == ("WARNING", "run-2", package)
