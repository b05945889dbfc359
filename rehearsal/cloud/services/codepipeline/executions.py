"""Executions: start, stop, retry, approve, and the EventBridge target that starts them."""

import uuid
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Place, operation, target
from rehearsal.cloud.services.codepipeline import executor
from rehearsal.cloud.services.codepipeline.pipelines import found
from rehearsal.cloud.services.codepipeline.state import Execution, Pipeline, jobs

_REVISION_TYPES = {
    "S3": {"S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY"},
    "CodeCommit": {"COMMIT_ID"},
    "CodeStarSourceConnection": {"COMMIT_ID"},
}


@operation("codepipeline", "StartPipelineExecution")
def start_pipeline_execution(call: Call) -> dict[str, Any]:
    pipeline = found(call, call.params["name"])
    token = call.params.get("clientRequestToken")
    variables = {item["name"]: item["value"] for item in call.params.get("variables", [])}
    overrides = call.params.get("sourceRevisions", [])
    _check_variables(pipeline, call.params.get("variables", []), variables)
    _check_overrides(pipeline, overrides)
    trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": call.principal.arn}
    rule = _rules(call.cloud).pop(token, None)
    if rule:
        trigger = {"triggerType": "CloudWatchEvent", "triggerDetail": rule}
    with pipeline.changed:
        # one token starts one execution, however often and at once it is sent
        if token and token in pipeline.tokens:
            return {"pipelineExecutionId": pipeline.tokens[token]}
        execution = executor.start(call.cloud, pipeline, trigger, variables, overrides)
        if token:
            pipeline.tokens[token] = execution.id
    return {"pipelineExecutionId": execution.id}


@operation("codepipeline", "StopPipelineExecution")
def stop_pipeline_execution(call: Call) -> dict[str, Any]:
    pipeline, execution = _execution(call)
    abandon = call.params.get("abandon", False)
    with pipeline.changed:
        if not execution.open:
            raise AwsError(
                "PipelineExecutionNotStoppableException",
                f"The pipeline execution {execution.id} is {execution.status} and cannot be stopped",
            )
        if execution.status == "Stopping" and (execution.abandon or not abandon):
            raise AwsError(
                "DuplicatedStopRequestException", f"The pipeline execution {execution.id} is already being stopped"
            )
        execution.status = "Stopping"
        execution.stop_reason = call.params.get("reason")
        execution.abandon = abandon
        execution.updated = call.cloud.clock.now()
        for run in execution.actions:
            if abandon:
                run.wake.set()
        pipeline.changed.notify_all()
    return {"pipelineExecutionId": execution.id}


@operation("codepipeline", "RetryStageExecution")
def retry_stage_execution(call: Call) -> dict[str, Any]:
    pipeline, execution = _execution(call)
    stage = call.params["stageName"]
    if stage not in [item["name"] for item in pipeline.declaration["stages"]]:
        raise AwsError("StageNotFoundException", f"The pipeline {pipeline.name} does not have a stage named {stage}")
    with pipeline.changed:
        if execution.open or execution.stages.get(stage) not in ("Failed", "Stopped"):
            raise AwsError(
                "StageNotRetryableException",
                f"The stage {stage} of execution {execution.id} has not failed, so it cannot be retried",
            )
        if execution.pipeline["executionMode"] != "PARALLEL" and _newest_in(pipeline, stage) is not execution:
            raise AwsError(
                "NotLatestPipelineExecutionException",
                f"The execution {execution.id} is not the latest one of stage {stage}",
            )
        executor.retry(call.cloud, pipeline, execution, stage, call.params["retryMode"])
    return {"pipelineExecutionId": execution.id}


@operation("codepipeline", "RollbackStage", "OverrideStageCondition", "PollForJobs", "PutActionRevision")
def not_rehearsed(call: Call) -> dict[str, Any]:
    raise AwsError("NotImplemented", f"the rehearsal does not implement codepipeline:{call.operation}", 501)


@operation("codepipeline", "PutApprovalResult")
def put_approval_result(call: Call) -> dict[str, Any]:
    pipeline = found(call, call.params["pipelineName"])
    stage, action, token = call.params["stageName"], call.params["actionName"], call.params["token"]
    declared = {item["name"]: item for item in pipeline.declaration["stages"]}
    if stage not in declared:
        raise AwsError("StageNotFoundException", f"The pipeline {pipeline.name} does not have a stage named {stage}")
    if action not in [item["name"] for item in declared[stage]["actions"]]:
        raise AwsError("ActionNotFoundException", f"The stage {stage} does not have an action named {action}")
    with pipeline.changed:
        runs = [
            run
            for execution in pipeline.executions.values()
            for run in execution.actions
            if (run.stage, run.name, run.token) == (stage, action, token)
        ]
        if not runs:
            raise AwsError(
                "InvalidApprovalTokenException", f"The approval token is not valid for action {action} of stage {stage}"
            )
        run = runs[-1]
        if run.decision is not None or run.status != "InProgress":
            raise AwsError(
                "ApprovalAlreadyCompletedException", f"The approval action {action} has already been completed"
            )
        result = call.params["result"]
        now = call.cloud.clock.now()
        run.decision = {"status": result["status"], "summary": result["summary"], "by": call.principal.arn}
        run.updated_by = call.principal.arn
        run.wake.set()
    return {"approvedAt": now} if result["status"] == "Approved" else {}


@operation("codepipeline", "PutJobSuccessResult")
def put_job_success(call: Call) -> dict[str, Any]:
    job = _job(call)
    job.success = call.params
    job.answered.set()
    return {}


@operation("codepipeline", "PutJobFailureResult")
def put_job_failure(call: Call) -> dict[str, Any]:
    job = _job(call)
    job.failure = call.params["failureDetails"]
    job.answered.set()
    return {}


@target("codepipeline")
def start_by_event(cloud: Cloud, place: Place, target_: dict[str, Any], event: Any) -> None:
    """A rule starts the pipeline, under the rule's role; an input of the rule may carry variables and revisions."""
    role, rule = target_.get("RoleArn"), target_["RuleArn"]
    if not role:
        raise AwsError(
            "ValidationException", f"the target {target_['Arn']} of {rule} needs a RoleArn to start a pipeline"
        )
    session = cloud.session_for_service(role, "events.amazonaws.com", "eventbridge-codepipeline", source_arn=rule)
    token = str(uuid.uuid4())
    _rules(cloud)[token] = rule
    request: dict[str, Any] = {"name": target_["Arn"].rpartition(":")[2], "clientRequestToken": token}
    if isinstance(event, dict):
        request |= {key: event[key] for key in ("variables", "sourceRevisions") if key in event}
    cloud.perform(session, place, "codepipeline", "StartPipelineExecution", request)


def _rules(cloud: Cloud) -> dict[str | None, str]:
    """Which rule sends which token: the API has no parameter for the rule that starts an execution."""
    rules: dict[str | None, str] = cloud.store("codepipeline", "*", "*").setdefault("rules", {})
    return rules


def _execution(call: Call) -> tuple[Pipeline, Execution]:
    pipeline = found(call, call.params["pipelineName"])
    execution = pipeline.executions.get(call.params["pipelineExecutionId"])
    if execution is None:
        raise AwsError(
            "PipelineExecutionNotFoundException",
            f"Account '{call.account}' does not have an execution with id '{call.params['pipelineExecutionId']}' "
            f"for pipeline '{pipeline.name}'",
        )
    return pipeline, execution


def _newest_in(pipeline: Pipeline, stage: str) -> Execution | None:
    entered = [execution for execution in pipeline.executions.values() if stage in execution.entered]
    return entered[-1] if entered else None


def _job(call: Call) -> Any:
    job = jobs(call.cloud, call.account, call.region).get(call.params["jobId"])
    if job is None:
        raise AwsError("JobNotFoundException", f"The job {call.params['jobId']} does not exist")
    if job.answered.is_set():
        raise AwsError("InvalidJobStateException", f"The job {job.id} has already been completed")
    return job


def _check_variables(pipeline: Pipeline, given: list[dict[str, str]], variables: dict[str, str]) -> None:
    declared = {item["name"]: item for item in pipeline.declaration.get("variables", [])}
    if len(given) != len(variables):
        raise AwsError("ValidationException", "The variables of an execution must have unique names")
    unknown = sorted(set(variables) - set(declared))
    if unknown:
        raise AwsError(
            "ValidationException",
            f"Pipeline {pipeline.name} does not declare the variable {unknown[0]}; it declares "
            f"{', '.join(sorted(declared)) or 'none'}",
        )
    missing = sorted(name for name, item in declared.items() if "defaultValue" not in item and name not in variables)
    if missing:
        raise AwsError("ValidationException", f"The variable {missing[0]} has no default value and must be given")


def _check_overrides(pipeline: Pipeline, overrides: list[dict[str, str]]) -> None:
    sources = {action["name"]: action for action in pipeline.declaration["stages"][0]["actions"]}
    for override in overrides:
        name, kind = override["actionName"], override["revisionType"]
        action = sources.get(name)
        if action is None:
            raise AwsError("ValidationException", f"Pipeline {pipeline.name} has no source action named {name}")
        provider = action["actionTypeId"]["provider"]
        if kind not in _REVISION_TYPES.get(provider, set()):
            raise AwsError(
                "ValidationException", f"Revision type {kind} does not fit source action {name} ({provider})"
            )
        allowed = action["configuration"].get("AllowOverrideForS3ObjectKey", "false") == "true"
        if kind == "S3_OBJECT_KEY" and not allowed:
            raise AwsError(
                "ValidationException",
                f"Source action {name} does not allow S3_OBJECT_KEY: set AllowOverrideForS3ObjectKey to true",
            )
