"""Invoke actions: a state machine, a function."""

import io
import json
import re
import uuid
import zipfile
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud.services.codepipeline.actions.base import ActionError, Context, describe_error
from rehearsal.cloud.services.codepipeline.state import Job, jobs

_POLL_SECONDS = 0.25
_FUNCTION_REPLY_MINUTES = 20
_FUNCTION_MINUTES = 24 * 60
# functions take real seconds, however short an AWS minute is
_LEAST_REPLY_SECONDS, _LEAST_SECONDS = 60.0, 600.0


def step_functions(context: Context) -> None:
    """Starts the machine and waits; a failed execution fails the action with the machine's error and cause."""
    arn = context.configuration["StateMachineArn"]
    client = context.client("stepfunctions")
    text = _machine_input(context)
    name = _execution_name(context.configuration.get("ExecutionNamePrefix", ""), context.run.id)
    try:
        # CodePipeline looks at the machine's type first: its role needs that permission too
        if client.describe_state_machine(stateMachineArn=arn)["type"] == "EXPRESS":
            raise ActionError("NotImplemented", f"{arn}: express workflows are not implemented by the rehearsal")
        execution = client.start_execution(stateMachineArn=arn, name=name, input=text)["executionArn"]
    except ClientError as error:
        raise ActionError(
            "JobFailed", f"The state machine {arn} could not be started: {describe_error(error)}"
        ) from error
    context.run.external_id = execution
    context.run.external_url = (
        f"https://console.aws.amazon.com/states/home?region={context.pipeline.region}#/executions/details/{execution}"
    )
    ended = _await_machine(context, client, execution)
    if ended["status"] != "SUCCEEDED":
        said = ": ".join(part for part in (ended.get("error"), ended.get("cause")) if part)
        raise ActionError(
            "JobFailed", f"The state machine execution {name} {ended['status']}: {said or 'no cause given'}"
        )
    context.run.variables = {"StateMachineArn": arn, "ExecutionArn": execution}
    for declared in context.run.declaration["outputArtifacts"]:
        artifact = context.output(declared["name"], ".zip")
        context.put(artifact, _zipped("output.json", ended.get("output", "{}")))


def function(context: Context) -> None:
    """Invokes the function with a job and waits for PutJobSuccessResult or PutJobFailureResult."""
    token: str | None = None
    clock = context.cloud.clock
    waited = 0.0
    while waited < max(clock.scaled(60 * _FUNCTION_MINUTES), _LEAST_SECONDS):
        job = Job(str(uuid.uuid4()))
        jobs(context.cloud, context.pipeline.account, context.pipeline.region)[job.id] = job
        _invoke(context, job, token)
        limit = max(clock.scaled(60 * _FUNCTION_REPLY_MINUTES), _LEAST_REPLY_SECONDS)
        began = clock.now()
        while not job.answered.wait(_POLL_SECONDS):
            context.pause(0)
            if (clock.now() - began).total_seconds() > limit:
                raise ActionError("JobFailed", f"The function gave no result within {_FUNCTION_REPLY_MINUTES} minutes")
        waited += (clock.now() - began).total_seconds()
        token = _take_result(context, job)
        if token is None:
            return
        # the function asks to be called again: CodePipeline does so after a while
        context.pause(min(clock.scaled(30), 5.0))
    raise ActionError("JobFailed", f"The function did not end within {_FUNCTION_MINUTES // 60} hours")


def _machine_input(context: Context) -> str:
    text = context.configuration.get("Input", "{}")
    if context.configuration.get("InputType", "Literal") == "FilePath":
        text = context.read(context.run.inputs[0], text).decode()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ActionError("ConfigurationError", f"The input of the state machine is not valid JSON: {error}") from error
    return text


def _execution_name(prefix: str, run: str) -> str:
    # a name of Step Functions has at most 80 letters
    cleaned = re.sub(r"[^A-Za-z0-9_-]", "-", prefix)
    return f"{cleaned[: 79 - len(run)]}-{run}" if cleaned else run


def _await_machine(context: Context, client: Any, execution: str) -> dict[str, Any]:
    while True:
        try:
            found: dict[str, Any] = client.describe_execution(executionArn=execution)
        except ClientError as error:
            raise ActionError(
                "PermissionError", f"The execution {execution} cannot be watched: {describe_error(error)}"
            ) from error
        if found["status"] != "RUNNING":
            return found
        context.pause(_POLL_SECONDS)


def _zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def _invoke(context: Context, job: Job, token: str | None) -> None:
    name = context.configuration["FunctionName"]
    context.run.outputs = context.run.outputs or [
        context.output(item["name"], ".zip") for item in context.run.declaration["outputArtifacts"]
    ]
    keys = context.keys()
    located = [
        [
            {
                "name": item.name,
                "revision": None,
                "location": {"type": "S3", "s3Location": {"bucketName": item.bucket, "objectKey": item.key}},
            }
            for item in artifacts
        ]
        for artifacts in (context.run.inputs, context.run.outputs)
    ]
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": context.configuration},
        "inputArtifacts": located[0],
        "outputArtifacts": located[1],
        "artifactCredentials": {
            "accessKeyId": keys.access_key_id,
            "secretAccessKey": keys.secret_access_key,
            "sessionToken": keys.session_token,
        },
    }
    if token:
        data["continuationToken"] = token
    event = {"CodePipeline.job": {"id": job.id, "accountId": context.pipeline.account, "data": data}}
    try:
        context.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
    except ClientError as error:
        raise ActionError("JobFailed", f"The function {name} could not be invoked: {describe_error(error)}") from error


def _take_result(context: Context, job: Job) -> str | None:
    """Takes over what the function reported; gives its continuation token, None once it is done."""
    if job.failure is not None:
        raise ActionError(job.failure["type"], job.failure["message"])
    result = job.success or {}
    details = result.get("executionDetails", {})
    context.run.summary = details.get("summary")
    context.run.external_id = details.get("externalExecutionId", job.id)
    context.run.variables = dict(result.get("outputVariables", {}))
    token: str | None = result.get("continuationToken")
    return token
