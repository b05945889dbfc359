"""Build and Test by CodeBuild."""

import time
import uuid
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud.services.codebuild.state import PipelineInput, StoredArtifact, registry
from rehearsal.cloud.services.codepipeline.actions.base import ActionError, Context, describe_error
from rehearsal.cloud.services.codepipeline.declaration import build_variables

_POLL_SECONDS = 2.0
_PAUSE_SECONDS = 0.1


def codebuild(context: Context) -> None:
    """Starts the project with the action's artifacts and variables, and waits for the build."""
    client = context.client("codebuild")
    started = _start(context, client)
    context.run.external_id = started["id"]
    console = f"https://console.aws.amazon.com/codebuild/home?region={context.pipeline.region}"
    context.run.external_url = f"{console}#/builds/{started['id']}/view/new"
    build = _wait(context, client, started["id"])
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionError("JobFailed", _reason(build))
    exported = build.get("exportedEnvironmentVariables", [])
    context.run.variables = {item["name"]: item["value"] for item in exported}


def _start(context: Context, client: Any) -> dict[str, Any]:
    configuration, execution = context.configuration, context.execution
    inputs = [StoredArtifact(item.name, item.bucket, item.key) for item in context.run.inputs]
    context.run.outputs = [context.output(item["name"]) for item in context.run.declaration["outputArtifacts"]]
    handed = PipelineInput(
        initiator=f"codepipeline/{context.pipeline.name}",
        primary=configuration.get("PrimarySource", inputs[0].name),
        inputs=tuple(inputs),
        outputs=tuple(StoredArtifact(item.name, item.bucket, item.key) for item in context.run.outputs),
        encryption_key=context.encryption_key(),
    )
    # CodeBuild learns of the artifacts from CodePipeline itself: the API has no parameter for them
    token = str(uuid.uuid4())
    waiting = registry(context.cloud, context.pipeline.account, context.pipeline.region).handed_over
    waiting[token] = handed
    request: dict[str, Any] = {"projectName": configuration["ProjectName"], "idempotencyToken": token}
    if handed.encryption_key:
        request["encryptionKeyOverride"] = handed.encryption_key
    if "EnvironmentVariables" in configuration:
        request["environmentVariablesOverride"] = build_variables(
            context.run.name, configuration["EnvironmentVariables"]
        )
    try:
        started: dict[str, Any] = client.start_build(**request)["build"]
    except ClientError as error:
        raise ActionError(
            "JobFailed",
            f"Error calling startBuild for {configuration['ProjectName']} in {execution.id}: {describe_error(error)}",
        ) from error
    finally:
        waiting.pop(token, None)
    return started


def _wait(context: Context, client: Any, build_id: str) -> dict[str, Any]:
    while True:
        try:
            build: dict[str, Any] = client.batch_get_builds(ids=[build_id])["builds"][0]
        except ClientError as error:
            raise ActionError(
                "PermissionError", f"The build {build_id} cannot be watched: {describe_error(error)}"
            ) from error
        if build["buildComplete"]:
            return build
        _pause(context, build_id)


def _pause(context: Context, build_id: str) -> None:
    """Until the build has ended, or it is time to look again. An abandoned action leaves its build running, as in AWS.

    CodeBuild tells CodePipeline of the end: a stage does not wait for the next look.
    """
    known = registry(context.cloud, context.pipeline.account, context.pipeline.region).builds[build_id]
    until = time.monotonic() + _POLL_SECONDS
    while not known.ended.wait(_PAUSE_SECONDS) and time.monotonic() < until:
        context.pause(0)


def _reason(build: dict[str, Any]) -> str:
    """The sentence of the phase that failed."""
    for phase in build["phases"]:
        status = phase.get("phaseStatus")
        if status in ("FAILED", "FAULT", "TIMED_OUT", "STOPPED", "CLIENT_ERROR"):
            detail: dict[str, str] = next((item for item in phase.get("contexts", []) if item.get("message")), {})
            said = f"{detail.get('statusCode')}: {detail['message']}" if detail else f"phase {status}"
            return f"Build terminated with state: {build['buildStatus']}. Phase: {phase['phaseType']}, {said}"
    return f"Build terminated with state: {build['buildStatus']}"
