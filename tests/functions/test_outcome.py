"""What became of a model is written into the registry."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from contracts.pointer import Pointer, render_pointer
from functions.outcome.decide import Outcome, outcome
from functions.outcome.handler import handle
from functions.shared.serving import is_of_run
from tests.functions.test_champion import GROUP, registered

POINTER = "/glidepath/prod/release"
RUN = "12345678-1234-5678-abcd-12345678abcd"
TIME = "2020-01-31T18:55:43Z"


def event(
    action: str = "DeployProd", state: str = "SUCCEEDED", category: str = "Build", said: str | None = None,
    time: str = TIME, run: str = RUN,
) -> dict[str, Any]:  # fmt: skip
    """As AWS documents the events of actions.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
    """
    result = {"external-execution-summary": said, "error-code": "JobFailed"} if said is not None else None
    return {
        "version": "0",
        "id": "01234567-EXAMPLE",
        "detail-type": "CodePipeline Action Execution State Change",
        "source": "aws.codepipeline",
        "account": "111111111111",
        "time": time,
        "region": "eu-west-1",
        "resources": ["arn:aws:codepipeline:eu-west-1:111111111111:glidepath"],
        "detail": {
            "pipeline": "glidepath",
            "execution-id": run,
            "start-time": "2023-10-26T13:51:09.981Z",
            "stage": action,
            "action-execution-id": "47f821c5-a902-44b2-ae61-b878d31ecd21",
            "action": action,
            "state": state,
            "region": "eu-west-1",
            "type": {"owner": "AWS", "provider": "x", "category": category, "version": "1"},
            "version": 4.0,
            "pipeline-execution-attempt": 1.0,
            **({"execution-result": result} if result else {}),
        },
    }


def refusal(said: str | None, time: str = TIME) -> dict[str, Any]:
    return event("Approve", "FAILED", "Approval", said, time)


@pytest.mark.parametrize(
    ("given", "status", "why"),
    [
        (event(), "Approved", "DeployProd succeeded: production serves it"),
        (
            event(state="FAILED", said="Build terminated with state: FAILED"),
            "Rejected",
            "DeployProd failed: Build terminated with state: FAILED",
        ),
        (event(state="FAILED"), "Rejected", "DeployProd failed: see the log of its build"),
        (refusal("too slow"), "Rejected", "Not approved: too slow"),
        (refusal(None), "Rejected", "Not approved: rejected without a word, or not in time"),
    ],
)
def test_what_an_event_decides(given: dict[str, Any], status: str, why: str) -> None:
    assert outcome(given, "DeployProd", lambda _: False) == Outcome(RUN, status, why, TIME)


def test_a_deployment_that_failed_after_traffic_had_moved_is_of_a_model_that_serves() -> None:
    """As production has recorded it: the registry says what is, and not how the deployment ended."""
    asked: list[str] = []

    def serves(run: str) -> bool:
        asked.append(run)
        return True

    why = "Production serves it, although DeployProd failed: see the log of its build"
    assert outcome(event(state="FAILED"), "DeployProd", serves) == Outcome(RUN, "Approved", why, TIME)
    assert asked == [RUN]
    # A person's no is one whatever serves.
    refused = outcome(refusal("too slow"), "DeployProd", serves)
    assert refused is not None
    assert refused.status == "Rejected"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (f"s3://artifacts/runs/{RUN}/release/manifest.json", True),
        ("s3://artifacts/runs/another/release/manifest.json", False),
        ("s3://artifacts/by-hand/manifest.json", False),
    ],
)
def test_whose_release_a_record_names(record: str, expected: bool) -> None:
    assert is_of_run(render_pointer(Pointer("r", record, "ab" * 32)), RUN) is expected


@pytest.mark.parametrize("record", [None, "", "not JSON", "{}"])
def test_a_record_that_names_none(record: str | None) -> None:
    assert not is_of_run(record, RUN)


@pytest.mark.parametrize(
    "given",
    [
        event("Approve", "SUCCEEDED", "Approval"),
        event("DeployDev", "FAILED"),
        event("DeployDev"),
        event(state="STARTED"),
        event(state="ABANDONED"),
    ],
)
def test_what_decides_nothing(given: dict[str, Any]) -> None:
    assert outcome(given, "DeployProd", lambda _: True) is None


@pytest.fixture
def sagemaker(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PACKAGE_GROUP", GROUP)
    monkeypatch.setenv("DEPLOYMENT", "DeployProd")
    monkeypatch.setenv("POINTER", POINTER)
    monkeypatch.setenv("POINTER_ROLE", "arn:aws:iam::123456789012:role/glidepath-prod-champion")
    client = boto3.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName=GROUP)
    return client


def standing(sagemaker: Any, package: str) -> tuple[str, str]:
    found = sagemaker.describe_model_package(ModelPackageName=package)
    return found["ModelApprovalStatus"], found.get("ApprovalDescription", "")


def test_the_package_of_the_run_gets_the_status_and_no_other_one(
    sagemaker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    other, own = registered(sagemaker, "another", "PendingManualApproval"), registered(sagemaker, RUN)
    registered(sagemaker, "a later one")
    assert handle(refusal("not\nyet"), None) == {"package": own, "status": "Rejected"}
    assert standing(sagemaker, own) == ("Rejected", "Not approved: not yet")
    assert standing(sagemaker, other) == ("PendingManualApproval", "")
    line = json.loads(capsys.readouterr().out)
    assert (line["run"], line["package"], line["status"]) == (RUN, own, "Rejected")


def test_a_retry_that_succeeds_approves_and_what_comes_late_changes_nothing(sagemaker: Any) -> None:
    own = registered(sagemaker, RUN, "PendingManualApproval")
    failed = event(state="FAILED", said="a hook refused it", time="2026-11-21T10:00:00Z")
    handle(failed, None)
    assert standing(sagemaker, own) == ("Rejected", "DeployProd failed: a hook refused it")
    handle(event(time="2026-11-21T10:20:00Z"), None)
    assert handle(failed, None) == {"ignored": "something later was written down already"}
    assert standing(sagemaker, own)[0] == "Approved"
    package = sagemaker.describe_model_package(ModelPackageName=own)
    assert package["CustomerMetadataProperties"]["run"] == RUN


def test_the_handler_asks_production_before_it_rejects(sagemaker: Any) -> None:
    own = registered(sagemaker, RUN, "PendingManualApproval")
    pointer = Pointer("r", f"s3://artifacts/runs/{RUN}/release/manifest.json", "ab" * 32)
    boto3.client("ssm").put_parameter(Name=POINTER, Value=render_pointer(pointer), Type="String")
    assert handle(event(state="FAILED", said="the dashboard"), None)["status"] == "Approved"
    assert standing(sagemaker, own) == (
        "Approved", "Production serves it, although DeployProd failed: the dashboard"
    )  # fmt: skip


def test_a_run_without_a_model_is_nothing_to_write_down(sagemaker: Any) -> None:
    registered(sagemaker, "another")
    assert handle(event(), None) == {"ignored": "the run has registered no model"}
    assert handle(event("Approve", "SUCCEEDED", "Approval"), None) == {"ignored": "it decides nothing"}
