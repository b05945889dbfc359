"""The gate's decision and the champion it compares with."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from contracts.dataset import Metric
from contracts.fields import FieldError
from functions.gate.decide import Champion, decide
from functions.gate.handler import judge
from functions.register.package import package_request
from functions.shared.evaluation import parse_evaluation
from tests.functions import samples

RMSE, R2 = Metric("rmse", 10.0), Metric("r2", 0.5)
URI = "s3://artifacts/runs/run-1/evaluation/evaluation.json"


def verdict(
    value: float, low: float, high: float, champion: float | None = None, reason: str = "commit", metric: Metric = RMSE
) -> dict[str, Any]:
    document = samples.evaluation(value, low, high)
    document["regression_metrics"] = {metric.name: document["regression_metrics"]["rmse"]}
    document["metric"] = metric.name
    found = parse_evaluation(json.dumps(document))
    return decide(found, metric, Champion(samples.PACKAGE, champion) if champion is not None else None, reason)


@pytest.mark.parametrize(
    ("arguments", "passed", "reason"),
    [
        (
            (4.97, 3.3, 6.9),
            True,
            "Passed: rmse 4.97 (95 % interval 3.3 to 6.9) on 597 held-out rows is below 10;",
        ),
        ((10.0, 9.0, 11.0), False, "Failed: rmse 10 (95 % interval 9 to 11) on 597 held-out rows must be below 10;"),
        ((4.0, 3.0, 5.0, 4.5), True, "better than the champion (4.5 against 4)."),
        ((4.0, 3.0, 5.0, 3.5), True, "not clearly worse than the champion (3.5 against 4)."),
        ((4.0, 3.0, 5.0, 2.5), False, "clearly worse than the champion (2.5 against 4)."),
        ((4.0, 3.0, 5.0, 2.5, "drift"), True, "which after drift does not stop it."),
        ((11.0, 9.0, 12.0, 2.5, "drift"), False, "must be below 10"),
        ((0.8, 0.7, 0.9, None, "commit", R2), True, "is above 0.5"),
        ((0.4, 0.3, 0.6, None, "commit", R2), False, "must be above 0.5"),
        ((0.8, 0.7, 0.9, 0.95, "commit", R2), False, "clearly worse than the champion (0.95 against 0.8)"),
        ((0.8, 0.7, 0.9, 0.85, "commit", R2), True, "not clearly worse than"),
    ],
)
def test_decides(arguments: Any, passed: bool, reason: str) -> None:
    found = verdict(*arguments)
    assert found["passed"] is passed
    assert reason in found["reason"]
    assert found["reason"].startswith("Passed: " if passed else "Failed: ")


def test_hands_on_what_the_manifest_wants() -> None:
    found = verdict(4.0, 3.0, 5.0, 4.5)
    document = {**samples.manifest(), "metrics": found["metrics"], "champion": found["champion"]}
    assert document["distribution"] == found["distribution"]
    from contracts.release import parse_release

    release = parse_release(json.dumps(document))
    assert release.metrics.slices[0].slice == "distance < 2"
    assert release.champion is not None
    assert release.champion.value == 4.5


def test_the_metric_is_found_by_name() -> None:
    with pytest.raises(FieldError, match="have no 'mae', only rmse"):
        decide(parse_evaluation(json.dumps(samples.evaluation())), Metric("mae", 3), None, "commit")


@pytest.mark.parametrize(
    "change",
    [{"rows": 0}, {"metric": "mae"}, {"regression_metrics": []}, {"regression_metrics": {"rmse": 4}}, {"more": 1}],
)
def test_refuses_an_unusable_evaluation(change: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        parse_evaluation(json.dumps({**samples.evaluation(), **change}))


def registered(sagemaker: Any, value: float, status: str = "Approved") -> str:
    gate = {"reason": "Passed", "metrics": {"name": "rmse", "value": value, "ci": [1, 9], "rows": 9}}
    event = {
        "run": f"run-{value}", "reason": "commit", "commit": "c", "artifact": "s3://artifacts/m.tar.gz", "image": "i",
        "evaluation": URI, "baseline": {"statistics": URI, "constraints": URI},
        "data": {"uri": "s3://data-bucket/a.csv", "version": "v"}, "gate": gate,
    }  # fmt: skip
    request = {**package_request(event, "glidepath"), "ModelApprovalStatus": status}
    arn: str = sagemaker.create_model_package(**request)["ModelPackageArn"]
    return arn


def test_the_champion_is_the_newest_approved_package(s3: Any) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="glidepath")
    environment = {"DATASET": samples.DATASET_TEXT, "PACKAGE_GROUP": "glidepath"}
    s3.put_object(Bucket="artifacts", Key="runs/run-1/evaluation/evaluation.json",
                  Body=json.dumps(samples.evaluation()).encode())  # fmt: skip
    event = {"run": "run-1", "reason": "commit", "evaluation": URI}
    assert judge(s3, sagemaker, event, environment)["champion"] is None
    approved = registered(sagemaker, 5.25)
    registered(sagemaker, 0.5, "PendingManualApproval")
    found = judge(s3, sagemaker, event, environment)
    assert found["champion"] == {
        "package": approved, "value": 5.25, "verdict": "better than the champion (5.25 against 4.97)",
    }  # fmt: skip
    written = s3.get_object(Bucket="artifacts", Key="runs/run-1/evaluation/gate.json")["Body"].read()
    assert json.loads(written) == found


def test_a_champion_without_the_metric_is_named_and_stops_nobody(s3: Any) -> None:
    found = decide(parse_evaluation(json.dumps(samples.evaluation())), RMSE, Champion(samples.PACKAGE, None), "commit")
    assert found["passed"]
    assert "the champion has no rmse to compare with" in found["reason"]
    assert found["champion"] is None
