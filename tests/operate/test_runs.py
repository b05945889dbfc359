"""What the pipeline's records say of a run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.errors import UserError
from operate.runs import (
    News,
    Run,
    Stage,
    deploy_stage,
    last_exported,
    newest_run,
    pending_approval,
    read_run,
    stages_of,
)

ROAD = ["Source", "Build", "Train", "DeployStaging", "TestStaging", "Approve", "DeployLive"]
START = datetime(2026, 11, 21, tzinfo=UTC)


def action(stage: str, name: str, status: str, begin: int, end: int, message: str = "") -> dict[str, Any]:
    record: dict[str, Any] = {
        "stageName": stage,
        "actionName": name,
        "status": status,
        "startTime": START + timedelta(seconds=begin),
        "lastUpdateTime": START + timedelta(seconds=end),
    }
    if message:
        record["output"] = {"executionResult": {"errorDetails": {"message": message}}}
    return record


def test_stages_come_in_the_roads_order_with_their_span() -> None:
    stages = stages_of([action("Build", "Build", "Succeeded", 5, 9), action("Source", "Code", "Succeeded", 0, 5)], ROAD)
    assert [s.name for s in stages] == ROAD
    assert [(s.status, s.seconds) for s in stages[:3]] == [("Succeeded", 5), ("Succeeded", 4), ("Pending", 0)]


def test_a_retried_action_counts_by_its_last_attempt() -> None:
    stages = stages_of([action("Build", "B", "Succeeded", 10, 12), action("Build", "B", "Failed", 0, 4, "no")], ROAD)
    assert stages[1].status == "Succeeded"
    assert stages[1].error is None


def test_a_failed_stage_carries_its_message_into_the_run() -> None:
    run = Run("id", "Failed", stages_of([action("Train", "Train", "Failed", 0, 4, "rmse 12 is above 10")], ROAD))
    assert run.error == "Train: rmse 12 is above 10"


def test_a_failure_without_message_says_so() -> None:
    assert stages_of([action("Build", "B", "Failed", 0, 4)], ROAD)[1].error == "the action failed without a message"


def test_a_failed_command_gives_way_to_the_cause_in_its_log() -> None:
    failed = f"Error while executing command: python {'x' * 200}. Reason: exit status 1"
    stages = [
        action("DeployLive", "D", "Failed", 4, 9, failed),
        action("Build", "B", "Failed", 0, 4, "Build timed out"),
    ]
    run = Run("id", "Failed", stages_of(stages, ROAD))
    assert "x" * 61 not in (run.stage("DeployLive").error or "")
    run.explain(
        {"Build": "something else", "DeployLive": "glidepath: alarm errors went off during the shift\n  see it"}
    )
    assert run.stage("DeployLive").error == "alarm errors went off during the shift"
    assert run.stage("Build").error == "Build timed out"


class Client:
    """CodePipeline with one run, whose record holds two actions."""

    def get_pipeline(self, name: str) -> dict[str, Any]:
        return {"pipeline": {"stages": [{"name": stage} for stage in ROAD]}}

    def get_pipeline_execution(self, pipelineName: str, pipelineExecutionId: str) -> dict[str, Any]:  # noqa: N803
        return {"pipelineExecution": {"status": "InProgress"}}

    def get_paginator(self, operation: str) -> "Client":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        done = [action("DeployLive", "D", "InProgress", 9, 9), action("Source", "S", "Succeeded", 0, 1)]
        done[1].setdefault("output", {})["outputVariables"] = {"COMMIT": "c"}
        return [{"actionExecutionDetails": done}]


def test_a_run_has_the_stages_that_its_pipeline_has_in_their_order() -> None:
    run = read_run(Client(), "p", "e")
    assert [stage.name for stage in run.stages] == ROAD
    assert run.stage(deploy_stage("live")).status == "InProgress"
    assert run.stage("Approve").status == "Pending"
    assert run.exported["Source"] == {"COMMIT": "c"}


def test_the_build_of_a_retried_stage_is_the_latest_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt(build: str, begin: int) -> dict[str, Any]:
        result = {"output": {"executionResult": {"externalExecutionId": build}}}
        kind = {"input": {"actionTypeId": {"provider": "CodeBuild"}}}
        return action("DeployLive", "D", "Failed", begin, begin + 1) | result | kind

    # CodePipeline lists the newest first.
    pages = [{"actionExecutionDetails": [attempt("second", 9), attempt("first", 5)]}]
    monkeypatch.setattr(Client, "paginate", lambda *_, **__: pages)
    assert read_run(Client(), "p", "e").builds == {"DeployLive": "second"}


def test_what_a_stage_exported_last_is_found_whichever_run_it_was() -> None:
    assert last_exported(Client(), "p", "Source", "COMMIT") == "c"
    assert last_exported(Client(), "p", "Source", "ELSE") is None
    assert last_exported(Client(), "p", "DeployLive", "COMMIT") is None


class Runs:
    """CodePipeline with two runs, each of its own data."""

    def list_pipeline_executions(self, pipelineName: str) -> dict[str, Any]:  # noqa: N803
        return {"pipelineExecutionSummaries": [{"pipelineExecutionId": "commit"}, {"pipelineExecutionId": "data"}]}

    def get_pipeline_execution(self, pipelineName: str, pipelineExecutionId: str) -> dict[str, Any]:  # noqa: N803
        variables = [{"name": "DATA_VERSION", "resolvedValue": f"of-{pipelineExecutionId}"}]
        return {"pipelineExecution": {"status": "InProgress", "variables": variables}}


def test_the_run_of_an_upload_is_not_taken_for_one_that_began_meanwhile() -> None:
    assert newest_run(Runs(), "p", set()) == "commit"
    assert newest_run(Runs(), "p", set(), data="of-data") == "data"
    with pytest.raises(UserError, match="no run of p started"):
        newest_run(Runs(), "p", {"data"}, 0.01, data="of-data")


def test_news_are_told_once() -> None:
    news, stages = News(), [Stage("Source", "Succeeded", 2), Stage("Build", "InProgress"), Stage("Train")]
    assert news.of(Run("e", "InProgress", stages)) == ["Source: Succeeded after 2 s", "Build has begun"]
    assert news.of(Run("e", "InProgress", stages)) == []
    stages[1] = Stage("Build", "Failed", 7, "no")
    assert news.of(Run("e", "Failed", stages)) == ["Build: Failed after 7 s: no"]


class Pipeline:
    def __init__(self, states: list[dict[str, Any]]) -> None:
        self.states = states

    def get_pipeline_state(self, name: str) -> dict[str, Any]:
        return {"stageStates": self.states}


def approval(execution: str, status: str = "InProgress") -> dict[str, Any]:
    latest = {"status": status, "token": "t"}
    return {
        "stageName": "Approve",
        "latestExecution": {"pipelineExecutionId": execution},
        "actionStates": [{"actionName": "Approve", "latestExecution": latest}],
    }


def test_only_the_own_runs_pending_approval_is_found() -> None:
    asked = pending_approval(Pipeline([approval("a")]), "p", "a")
    assert asked == {"stage": "Approve", "action": "Approve", "token": "t"}
    assert pending_approval(Pipeline([approval("b")]), "p", "a") is None
    assert pending_approval(Pipeline([approval("a", "Succeeded")]), "p", "a") is None
