"""The events that CodePipeline sends to EventBridge."""

from typing import Any

from rehearsal.cloud.core.api import Cloud, Event, Place
from rehearsal.cloud.services.codepipeline.state import ActionRun, Execution, Pipeline

_SPELLING = {"InProgress": "STARTED", "Abandoned": "ABANDONED", "Cancelled": "CANCELED"}


def pipeline_event(cloud: Cloud, pipeline: Pipeline, execution: Execution, state: str | None = None) -> None:
    detail = _detail(execution, pipeline, state or execution.status)
    detail["execution-trigger"] = {
        "trigger-type": execution.trigger["triggerType"],
        "trigger-detail": execution.trigger["triggerDetail"],
    }
    _send(cloud, pipeline, "CodePipeline Pipeline Execution State Change", detail)


def stage_event(cloud: Cloud, pipeline: Pipeline, execution: Execution, stage: str, state: str) -> None:
    detail = _detail(execution, pipeline, state) | {"stage": stage}
    failed = [
        {"action": run.name, "additionalInformation": (run.error or {}).get("message", "")}
        for run in execution.actions
        if run.stage == stage and run.status == "Failed"
    ]
    if state == "Failed":
        _send(
            cloud,
            pipeline,
            "CodePipeline Stage Execution State Change",
            detail,
            {"sourceActions": [], "failedActionCount": len(failed), "failedActions": failed, "failedStage": stage},
        )
        return
    _send(cloud, pipeline, "CodePipeline Stage Execution State Change", detail)


def action_event(cloud: Cloud, pipeline: Pipeline, execution: Execution, run: ActionRun) -> None:
    kind = run.declaration["actionTypeId"]
    detail = _detail(execution, pipeline, run.status) | {
        "stage": run.stage,
        "action": run.name,
        "action-execution-id": run.id,
        "region": pipeline.region,
        "type": {key: kind[key] for key in ("owner", "provider", "category", "version")},
        "input-artifacts": [artifact.shown() for artifact in run.inputs],
        "output-artifacts": [artifact.shown() for artifact in run.outputs],
    }
    if run.status != "InProgress":
        result = {"external-execution-url": run.external_url, "external-execution-id": run.external_id}
        result["external-execution-summary"] = run.summary or (run.error or {}).get("message")
        result["error-code"] = (run.error or {}).get("code")
        detail["execution-result"] = {key: value for key, value in result.items() if value}
    _send(cloud, pipeline, "CodePipeline Action Execution State Change", detail)


def _detail(execution: Execution, pipeline: Pipeline, state: str) -> dict[str, Any]:
    return {
        "pipeline": pipeline.name,
        "execution-id": execution.id,
        "start-time": execution.started.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "state": _SPELLING.get(state, state.upper()),
        "version": float(execution.pipeline["version"]),
        "pipeline-execution-attempt": float(execution.attempt),
    }


def _send(
    cloud: Cloud, pipeline: Pipeline, kind: str, detail: dict[str, Any], more: dict[str, Any] | None = None
) -> None:
    if more:
        detail["additionalAttributes"] = more
    event = Event("aws.codepipeline", kind, detail, [pipeline.arn])
    cloud.put_event(Place(pipeline.account, pipeline.region), event)
