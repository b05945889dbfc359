"""What the API shows of executions, stages and actions."""

from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.services.codepipeline.pipelines import found
from rehearsal.cloud.services.codepipeline.state import ActionRun, Execution, Pipeline

DEFAULT_PAGE = 100


@operation("codepipeline", "GetPipelineExecution")
def get_pipeline_execution(call: Call) -> dict[str, Any]:
    pipeline = found(call, call.params["pipelineName"])
    execution = _known(call, pipeline, call.params["pipelineExecutionId"])
    with pipeline.changed:
        shown = {
            "pipelineName": pipeline.name,
            "pipelineVersion": execution.pipeline["version"],
            "pipelineExecutionId": execution.id,
            "status": execution.status,
            "artifactRevisions": list(execution.revisions.values()),
            "variables": [{"name": key, "resolvedValue": value} for key, value in execution.variables.items()],
            "trigger": execution.trigger,
            "executionMode": execution.pipeline["executionMode"],
            "executionType": "STANDARD",
        }
        if execution.status_summary:
            shown["statusSummary"] = execution.status_summary
    return {"pipelineExecution": shown}


@operation("codepipeline", "ListPipelineExecutions")
def list_pipeline_executions(call: Call) -> dict[str, Any]:
    pipeline = found(call, call.params["pipelineName"])
    stage = call.params.get("filter", {}).get("succeededInStage", {}).get("stageName")
    with pipeline.changed:
        wanted = [
            _summary(execution)
            for execution in reversed(pipeline.executions.values())
            if stage is None or execution.stages.get(stage) == "Succeeded"
        ]
    return _page(call, "pipelineExecutionSummaries", wanted)


@operation("codepipeline", "ListActionExecutions")
def list_action_executions(call: Call) -> dict[str, Any]:
    pipeline = found(call, call.params["pipelineName"])
    choice = call.params.get("filter", {})
    latest = choice.get("latestInPipelineExecution", {})
    wanted = choice.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
    if wanted:
        _known(call, pipeline, wanted)
    with pipeline.changed:
        pairs = [
            (execution, run)
            for execution in pipeline.executions.values()
            if wanted in (None, execution.id)
            for run in execution.actions
            if latest.get("startTimeRange") != "Latest" or execution.latest(run.stage, run.name) is run
        ]
        pairs.sort(key=lambda pair: pair[1].started, reverse=True)
        shown = [_detail(pipeline, execution, run) for execution, run in pairs]
    return _page(call, "actionExecutionDetails", shown)


@operation("codepipeline", "GetPipelineState")
def get_pipeline_state(call: Call) -> dict[str, Any]:
    pipeline = found(call, call.params["name"])
    with pipeline.changed:
        stages = [_stage(pipeline, stage) for stage in pipeline.declaration["stages"]]
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.declaration["version"],
        "stageStates": stages,
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _known(call: Call, pipeline: Pipeline, identifier: str) -> Execution:
    execution = pipeline.executions.get(identifier)
    if execution is None:
        raise AwsError(
            "PipelineExecutionNotFoundException",
            f"Account '{call.account}' does not have an execution with id '{identifier}' "
            f"for pipeline '{pipeline.name}'",
        )
    return execution


def _page(call: Call, key: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    token = call.params.get("nextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", f"The next token {token!r} is not valid")
    begin, size = int(token), call.params.get("maxResults", DEFAULT_PAGE)
    page: dict[str, Any] = {key: items[begin : begin + size]}
    if begin + size < len(items):
        page["nextToken"] = str(begin + size)
    return page


def _summary(execution: Execution) -> dict[str, Any]:
    sources = {
        artifact["name"]: action["name"]
        for action in execution.pipeline["stages"][0]["actions"]
        for artifact in action["outputArtifacts"]
    }
    shown: dict[str, Any] = {
        "pipelineExecutionId": execution.id,
        "status": execution.status,
        "startTime": execution.started,
        "lastUpdateTime": execution.updated,
        "sourceRevisions": [
            {
                "actionName": sources[name],
                "revisionId": revision["revisionId"],
                "revisionSummary": revision["revisionSummary"],
            }
            for name, revision in execution.revisions.items()
        ],
        "trigger": execution.trigger,
        "executionMode": execution.pipeline["executionMode"],
        "executionType": "STANDARD",
    }
    if execution.status_summary:
        shown["statusSummary"] = execution.status_summary
    if execution.stop_reason:
        shown["stopTrigger"] = {"reason": execution.stop_reason}
    return shown


def _detail(pipeline: Pipeline, execution: Execution, run: ActionRun) -> dict[str, Any]:
    declared = run.declaration
    result = {
        "externalExecutionId": run.external_id,
        "externalExecutionUrl": run.external_url,
        "externalExecutionSummary": run.summary,
        "errorDetails": run.error,
    }
    given: dict[str, Any] = {
        "actionTypeId": declared["actionTypeId"],
        "configuration": declared["configuration"],
        "resolvedConfiguration": run.resolved,
        "region": declared.get("region", pipeline.region),
        "inputArtifacts": [artifact.shown() for artifact in run.inputs],
    }
    given |= {key: declared[key] for key in ("roleArn", "namespace") if key in declared}
    done = run.status == "Succeeded"
    shown: dict[str, Any] = {
        "pipelineExecutionId": execution.id,
        "actionExecutionId": run.id,
        "pipelineVersion": execution.pipeline["version"],
        "stageName": run.stage,
        "actionName": run.name,
        "startTime": run.started,
        "lastUpdateTime": run.updated,
        "status": run.status,
        "input": given,
        "output": {
            "outputArtifacts": [artifact.shown() for artifact in run.outputs] if done else [],
            "executionResult": {key: value for key, value in result.items() if value},
            "outputVariables": run.variables if done else {},
        },
    }
    if run.updated_by:
        shown["updatedBy"] = run.updated_by
    return shown


def _stage(pipeline: Pipeline, stage: dict[str, Any]) -> dict[str, Any]:
    name = stage["name"]
    disabled = pipeline.disabled.get((name, "Inbound"))
    transition: dict[str, Any] = {"enabled": disabled is None}
    if disabled:
        transition |= {
            "lastChangedBy": disabled.by,
            "lastChangedAt": disabled.at,
            "disabledReason": disabled.reason,
        }
    shown: dict[str, Any] = {"stageName": name, "inboundTransitionState": transition}
    waiting = [{"pipelineExecutionId": waiter, "status": "InProgress"} for waiter in pipeline.queues.get(name, [])]
    if waiting:
        shown |= {"inboundExecution": waiting[-1], "inboundExecutions": waiting}
    latest = _latest(pipeline, name)
    if latest:
        status = latest.stages[name]
        if status == "InProgress" and latest.status == "Stopping":
            status = "Stopping"
        shown["latestExecution"] = {"pipelineExecutionId": latest.id, "status": status, "type": "STANDARD"}
    shown["actionStates"] = [_action(pipeline, latest, name, action) for action in stage["actions"]]
    return shown


def _latest(pipeline: Pipeline, stage: str) -> Execution | None:
    entered = [execution for execution in pipeline.executions.values() if stage in execution.stages]
    running = [execution for execution in entered if execution.stages[stage] == "InProgress"]
    candidates = running or entered
    return candidates[-1] if candidates else None


def _action(pipeline: Pipeline, execution: Execution | None, stage: str, action: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"actionName": action["name"]}
    run = execution.latest(stage, action["name"]) if execution else None
    if execution is None or run is None:
        return shown
    latest = {
        "actionExecutionId": run.id,
        "status": run.status,
        "lastStatusChange": run.updated,
        "summary": run.summary,
        # the token is there for as long as an answer is
        "token": run.token if run.status == "InProgress" else None,
        "lastUpdatedBy": run.updated_by,
        "externalExecutionId": run.external_id,
        "externalExecutionUrl": run.external_url,
        "errorDetails": run.error,
    }
    shown["latestExecution"] = {key: value for key, value in latest.items() if value}
    for artifact in action["outputArtifacts"]:
        revision = execution.revisions.get(artifact["name"])
        if revision:
            shown["currentRevision"] = {
                "revisionId": revision["revisionId"],
                "revisionChangeId": revision["revisionId"][:100],
                "created": revision["created"],
            }
    return shown
