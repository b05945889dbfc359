"""What the pipeline says about its runs, read through its own API."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.errors import UserError
from operate.messages import COMMAND_FAILED, build_cause, shortened

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
    """One pipeline execution; by stage, `builds` are the ids of its CodeBuild builds, `exported` what they hand on."""

    id: str
    status: str
    stages: list[Stage] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    builds: dict[str, str] = field(default_factory=dict)
    exported: dict[str, dict[str, str]] = field(default_factory=dict)

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
        variables=_resolved(found),
        # Of a stage that was retried the latest attempt's: CodePipeline lists the newest first.
        builds=dict(filter(None, map(_build, sorted(actions, key=lambda item: item["startTime"])))),
        exported=_exported(actions),
    )


def _variables(client: Any, pipeline: str, execution: str) -> dict[str, str]:
    found = client.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)["pipelineExecution"]
    return _resolved(found)


def _resolved(execution: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["resolvedValue"] for variable in execution.get("variables", [])}


def last_exported(client: Any, pipeline: str, stage: str, variable: str) -> str | None:
    """What the newest action of a stage that exported this variable gave it; None where none ever has."""
    for page in client.get_paginator("list_action_executions").paginate(pipelineName=pipeline):
        actions = [action for action in page["actionExecutionDetails"] if action["stageName"] == stage]
        for action in sorted(actions, key=lambda item: item["startTime"], reverse=True):
            value = action.get("output", {}).get("outputVariables", {}).get(variable)
            if value:
                return str(value)
    return None


def _build(action: dict[str, Any]) -> tuple[str, str] | None:
    provider = action.get("input", {}).get("actionTypeId", {}).get("provider")
    build = action.get("output", {}).get("executionResult", {}).get("externalExecutionId")
    return (action["stageName"], build) if provider == "CodeBuild" and build else None


def _exported(actions: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """The output variables of each stage's actions; those of an action's latest attempt count."""
    found: dict[str, dict[str, str]] = {}
    for action in sorted(actions, key=lambda item: item["startTime"]):
        found.setdefault(action["stageName"], {}).update(action.get("output", {}).get("outputVariables", {}))
    return found


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


def newest_run(client: Any, pipeline: str, known: set[str], wait: float = 300.0, data: str = "") -> str:
    """The id of a run that is not in `known`; where `data` names a version of an object, one of that data.

    Raises UserError when none starts within `wait` seconds.
    """
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        for item in client.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]:
            execution = str(item["pipelineExecutionId"])
            if execution not in known and data in ("", _variables(client, pipeline, execution).get("DATA_VERSION")):
                return execution
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


def watch(
    client: Any, pipeline: str, execution: str, every: float = 1.0
) -> Iterator[tuple[Run, dict[str, str] | None]]:
    """The run, again and again until it has ended, each time with the approval that it waits for, if it does."""
    while True:
        run = read_run(client, pipeline, execution)
        yield run, None if run.ended else pending_approval(client, pipeline, execution)
        if run.ended:
            return
        time.sleep(every)


def follow(client: Any, pipeline: str, execution: str, approve: Callable[[dict[str, str]], bool]) -> Iterator[Run]:
    """The run, again and again until it has ended; approvals are answered by `approve` as they come up."""
    answered: set[str] = set()
    for run, asked in watch(client, pipeline, execution):
        yield run
        if asked and asked["token"] not in answered:
            answered.add(asked["token"])
            answer(client, pipeline, asked, approve(asked), "given in the rehearsal")


def answer(client: Any, pipeline: str, asked: dict[str, str], yes: bool, words: str) -> None:
    """Approves or rejects what a run waits for; `words` are kept with the decision."""
    client.put_approval_result(
        pipelineName=pipeline,
        stageName=asked["stage"],
        actionName=asked["action"],
        token=asked["token"],
        result={"status": "Approved" if yes else "Rejected", "summary": words},
    )


class News:
    """What changed from one look at a run to the next, a line for each stage."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def of(self, run: Run) -> list[str]:
        """The stages whose status is another than at the last look; pending ones are no news."""
        changed = [stage for stage in run.stages if self._seen.get(stage.name, "Pending") != stage.status]
        self._seen |= {stage.name: stage.status for stage in run.stages}
        return [_line(stage) for stage in changed]


def _line(stage: Stage) -> str:
    if stage.status == "InProgress":
        return f"{stage.name} has begun"
    return f"{stage.name}: {stage.status} after {stage.seconds:.0f} s" + (f": {stage.error}" if stage.error else "")


def manifest_of(s3: Any, bucket: str, execution: str) -> dict[str, Any] | None:
    """The run's release manifest, or None where it wrote none."""
    key = f"runs/{execution}/release/manifest.json"
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key)
    if not listed.get("Contents"):
        return None
    text = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    manifest: dict[str, Any] = json.loads(text)
    return manifest
