"""What the pipeline says about its runs, read through its own API."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.errors import UserError
from scenarios.messages import COMMAND_FAILED, build_cause, shortened

ENDED = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}


@dataclass
class Stage:
    """One stage of one run; `seconds` counts from its first action's start to its last action's end."""

    name: str
    status: str = "Pending"
    seconds: float = 0.0
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The report's form."""
        return {"name": self.name, "status": self.status, "seconds": round(self.seconds, 1), "error": self.error}


@dataclass
class Run:
    """One pipeline execution; `builds` are the ids of its CodeBuild builds by stage."""

    id: str
    status: str
    stages: list[Stage] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    builds: dict[str, str] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ENDED

    @property
    def reason(self) -> str:
        """Why the run was started: commit, data, drift or manual."""
        return self.variables.get("REASON", "commit")

    def stage(self, name: str) -> Stage:
        """The stage of this name; one that has not begun is pending."""
        return next((stage for stage in self.stages if stage.name == name), Stage(name))

    def explain(self, logs: Mapping[str, str]) -> None:
        """Puts the cause from its build's log in place of an error that only names the command that failed."""
        for stage in self.stages:
            if stage.name in logs and COMMAND_FAILED.fullmatch(stage.error or ""):
                stage.error = build_cause(logs[stage.name])

    @property
    def error(self) -> str | None:
        """The first stage's error, with the stage's name."""
        return next((f"{stage.name}: {stage.error}" for stage in self.stages if stage.error), None)


def deploy_stage(environment: str) -> str:
    """Name of the stage that deploys to an environment."""
    return f"Deploy{environment[:1].upper()}{environment[1:]}"


def road(client: Any, pipeline: str) -> list[str]:
    """Names of the pipeline's stages, in the order in which a release passes them."""
    return [stage["name"] for stage in client.get_pipeline(name=pipeline)["pipeline"]["stages"]]


def read_run(client: Any, pipeline: str, execution: str) -> Run:
    """The run as the pipeline now describes it."""
    found = client.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)["pipelineExecution"]
    pages = client.get_paginator("list_action_executions").paginate(
        pipelineName=pipeline, filter={"pipelineExecutionId": execution}
    )
    actions = [detail for page in pages for detail in page["actionExecutionDetails"]]
    return Run(
        id=execution,
        status=found["status"],
        stages=stages_of(actions, road(client, pipeline)),
        variables={v["name"]: v["resolvedValue"] for v in found.get("variables", [])},
        builds=dict(filter(None, map(_build, actions))),
    )


def _build(action: dict[str, Any]) -> tuple[str, str] | None:
    provider = action.get("input", {}).get("actionTypeId", {}).get("provider")
    build = action.get("output", {}).get("executionResult", {}).get("externalExecutionId")
    return (action["stageName"], build) if provider == "CodeBuild" and build else None


def stages_of(actions: list[dict[str, Any]], road: Sequence[str]) -> list[Stage]:
    """Stages in the order of `road`, from the actions' records (any order, the latest attempt of an action counts)."""
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for action in sorted(actions, key=lambda item: item["startTime"]):
        latest[action["stageName"], action["actionName"]] = action
    by_stage: dict[str, list[dict[str, Any]]] = {}
    for (stage, _), action in latest.items():
        by_stage.setdefault(stage, []).append(action)
    order = [*road, *sorted(set(by_stage) - set(road))]
    return [_stage(name, by_stage[name]) if name in by_stage else Stage(name) for name in order]


def _stage(name: str, actions: list[dict[str, Any]]) -> Stage:
    statuses = {action["status"] for action in actions}
    status = next((s for s in ("Failed", "InProgress", "Abandoned") if s in statuses), "Succeeded")
    start: datetime = min(action["startTime"] for action in actions)
    end: datetime = max(action["lastUpdateTime"] for action in actions)
    if status == "InProgress":
        end = datetime.now(start.tzinfo)
    return Stage(name, status, (end - start).total_seconds(), _error(actions))


def _error(actions: list[dict[str, Any]]) -> str | None:
    for action in actions:
        if action["status"] != "Failed":
            continue
        result = action.get("output", {}).get("executionResult", {})
        details = result.get("errorDetails", {})
        message = details.get("message") or result.get("externalExecutionSummary")
        return shortened(message) if message else "the action failed without a message"
    return None


def newest_run(client: Any, pipeline: str, known: set[str], wait: float = 300.0) -> str:
    """The id of a run that is not in `known`.

    Raises UserError when none starts within `wait` seconds.
    """
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        for item in client.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]:
            if item["pipelineExecutionId"] not in known:
                return str(item["pipelineExecutionId"])
        time.sleep(0.2)
    raise UserError(f"no run of {pipeline} started within {wait:.0f} s", "see the trigger function's log")


def run_ids(client: Any, pipeline: str) -> set[str]:
    """Ids of all runs so far."""
    pages = client.get_paginator("list_pipeline_executions").paginate(pipelineName=pipeline)
    return {item["pipelineExecutionId"] for page in pages for item in page["pipelineExecutionSummaries"]}


def pending_approval(client: Any, pipeline: str, execution: str) -> dict[str, str] | None:
    """The stage, action, token and text of an approval that this run waits for, if it does."""
    for stage in client.get_pipeline_state(name=pipeline)["stageStates"]:
        if stage.get("latestExecution", {}).get("pipelineExecutionId") != execution:
            continue
        for action in stage.get("actionStates", []):
            latest = action.get("latestExecution", {})
            if latest.get("status") == "InProgress" and latest.get("token"):
                return {"stage": stage["stageName"], "action": action["actionName"], "token": latest["token"]}
    return None


def follow(client: Any, pipeline: str, execution: str, approve: Callable[[dict[str, str]], bool]) -> Iterator[Run]:
    """The run, again and again until it has ended; approvals are answered by `approve` as they come up."""
    answered: set[str] = set()
    while True:
        run = read_run(client, pipeline, execution)
        yield run
        if run.ended:
            return
        asked = pending_approval(client, pipeline, execution)
        if asked and asked["token"] not in answered:
            answered.add(asked["token"])
            _answer(client, pipeline, asked, approve(asked))
        time.sleep(1.0)


def _answer(client: Any, pipeline: str, asked: dict[str, str], yes: bool) -> None:
    client.put_approval_result(
        pipelineName=pipeline,
        stageName=asked["stage"],
        actionName=asked["action"],
        token=asked["token"],
        result={"status": "Approved" if yes else "Rejected", "summary": "given in the rehearsal"},
    )


def manifest_of(s3: Any, bucket: str, execution: str) -> dict[str, Any] | None:
    """The run's release manifest, or None where it wrote none."""
    key = f"runs/{execution}/release/manifest.json"
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key)
    if not listed.get("Contents"):
        return None
    text = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    manifest: dict[str, Any] = json.loads(text)
    return manifest
