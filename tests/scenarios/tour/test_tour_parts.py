"""The tour's own logic, without a cloud: what it reads from records, and how it reports."""

import json
import time
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UserError
from operate.caller import Answer, read_answer
from operate.project import read_project
from scenarios.tour.dataset import read_table
from scenarios.tour.report import render_html, run_entry, shift_entry
from scenarios.tour.runs import Run, deploy_stage, pending_approval, read_run, stages_of
from scenarios.tour.shift import Weight, shift_in, weights_of
from scenarios.tour.source import source_zip
from scenarios.tour.traffic import Traffic

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
        return [{"actionExecutionDetails": done}]


def test_a_run_has_the_stages_that_its_pipeline_has_in_their_order() -> None:
    run = read_run(Client(), "p", "e")
    assert [stage.name for stage in run.stages] == ROAD
    assert run.stage(deploy_stage("live")).status == "InProgress"
    assert run.stage("Approve").status == "Pending"


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


def test_weights_name_the_newest_version() -> None:
    assert weights_of({"FunctionVersion": "3"}, 1.0) == Weight(1.0, "3", 1.0)
    routing = {"AdditionalVersionWeights": {"10": 0.1}}
    assert weights_of({"FunctionVersion": "9", "RoutingConfig": routing}, 1.0) == Weight(1.0, "10", 0.1)


def test_a_shift_is_what_changed_from_the_version_seen_first() -> None:
    seen = [Weight(0, "1", 1.0), Weight(5, "2", 0.1), Weight(6, "2", 0.5), Weight(7, "2", 1.0)]
    shift = shift_in(seen)
    assert shift
    assert (shift.source, shift.target) == ("1", "2")
    assert shift.steps() == [
        {"second": 0, "weight": 0.1},
        {"second": 1, "weight": 0.5},
        {"second": 2, "weight": 1.0},
    ]


def test_no_shift_where_the_alias_was_new_or_stayed() -> None:
    assert shift_in([]) is None
    assert shift_in([Weight(5, "1", 1.0)]) is None


def answer(status: int = 200, error: str | None = None) -> Answer:
    return Answer(0.0, 0.1, status, "r", "i", error)


def test_failed_requests_are_counted_by_what_the_caller_got() -> None:
    shift = shift_in([Weight(0, "1", 1.0), Weight(1, "2", 1.0)])
    entry = shift_entry(shift, [answer(), answer(500, "x"), answer(200, "no prediction")])
    assert entry
    assert (entry["requests"], entry["failed"]) == (3, 2)


@pytest.mark.parametrize("data", [b"", b"no json", b"[]", b'{"predictions": []}', b'{"predictions": [1]}'])
def test_an_answer_without_a_full_prediction_is_an_error(data: bytes) -> None:
    assert not read_answer(0.0, 200, data).ok


def test_an_answer_names_release_and_inference() -> None:
    body = json.dumps({"predictions": [1.5], "release": "r", "inference_id": "i"}).encode()
    got = read_answer(0.0, 200, body)
    assert got.ok
    assert (got.release, got.inference_id) == ("r", "i")


def test_traffic_keeps_every_answer_and_stops() -> None:
    turns: list[int] = []

    def call(turn: int) -> Answer:
        turns.append(turn)
        return answer(500 if turn == 3 else 200)

    with Traffic(call, rate=500, threads=2) as traffic:
        while 3 not in turns or len(turns) < 10:
            time.sleep(0.001)
    count = len(turns)
    assert traffic.counts() == (count, 1)
    assert len(turns) == count


def test_source_zip_is_stable_and_leaves_out_what_git_ignores(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print(1)")
    (tmp_path / "run").write_text("#!/bin/sh")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("x")
    first = source_zip(tmp_path)
    (tmp_path / "a.py").touch()
    assert source_zip(tmp_path) == first
    archive = zipfile.ZipFile(BytesIO(first))
    assert archive.namelist() == ["a.py", "run"]
    assert archive.getinfo("run").external_attr >> 16 & 0o100


@pytest.mark.parametrize(("content", "reason"), [(b"", "is empty"), (b"\xff\xfe\x00", "UTF-8"), (None, "no data file")])
def test_a_data_file_that_cannot_be_delivered_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=reason):
        read_table(path)


def test_a_window_keeps_header_and_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,4\n5,6\n7,8\n")
    table = read_table(path)
    assert table.window(0.5) == "a,b\n1,2\n3,4\n"
    assert table.window(1.0) == path.read_text()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "does not exist"),
        ("config: [", "is not valid YAML"),
        ("config: {}", "lacks 'glidepath:name'"),
        ("config: {'glidepath:accounts': {delivery: '1'}, 'glidepath:name': a, 'aws:region': r}", "lacks dev, prod"),
    ],
)
def test_a_project_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (tmp_path / "Pulumi.delivery.yaml").write_text(text)
    with pytest.raises(UserError, match=reason):
        read_project(tmp_path)


def test_the_page_escapes_what_it_shows() -> None:
    run = run_entry(Run("e", "Failed", stages_of([action("Build", "B", "Failed", 0, 1, "<script>")], ROAD)), None, None)
    page = render_html(
        {
            "engine": {"pulumi": "3", "built": False},
            "seconds": 1,
            "data": {"source": "t.csv", "rows": 1},
            "runs": [run],
            "production": {"release": None, "endpoint": None, "version": None, "url": None},
            "capture": {"files": 0, "records": 0},
            "monitor": {"executions": 0, "violations": []},
            "roles": [],
        }
    )
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
