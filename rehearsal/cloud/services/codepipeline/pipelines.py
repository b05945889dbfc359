"""Pipelines: create, read, update, delete, tags and transitions."""

import copy
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, inventory, operation
from rehearsal.cloud.services.codepipeline import executor
from rehearsal.cloud.services.codepipeline.actions.base import SERVICE
from rehearsal.cloud.services.codepipeline.declaration import check, normalised
from rehearsal.cloud.services.codepipeline.state import Pipeline, Transition, pipelines

MAX_TAGS = 50


@operation("codepipeline", "CreatePipeline")
def create_pipeline(call: Call) -> dict[str, Any]:
    declared = call.params["pipeline"]
    known = pipelines(call.cloud, call.account, call.region)
    name = declared["name"]
    if name in known:
        raise AwsError(
            "PipelineNameInUseException",
            f"A pipeline with the name '{name}' already exists in account '{call.account}'",
        )
    check(declared, call.region)
    tags = {tag["key"]: tag["value"] for tag in call.params.get("tags", [])}
    now = call.cloud.clock.now()
    pipeline = Pipeline(name, call.account, call.region, [], now, now, tags)
    _check_tags(pipeline, tags)
    _check_role(call, pipeline, declared["roleArn"])
    _check_store(call, declared)
    pipeline.versions.append(normalised(declared) | {"version": 1})
    known[name] = pipeline
    # as in AWS, a new pipeline runs at once
    trigger = {"triggerType": "CreatePipeline", "triggerDetail": call.principal.arn}
    if _startable(pipeline.declaration):
        executor.start(call.cloud, pipeline, trigger, {}, [])
    return {"pipeline": copy.deepcopy(pipeline.declaration), "tags": _tag_list(pipeline)}


@operation("codepipeline", "UpdatePipeline")
def update_pipeline(call: Call) -> dict[str, Any]:
    declared = call.params["pipeline"]
    pipeline = found(call, declared["name"])
    check(declared, call.region)
    _check_role(call, pipeline, declared["roleArn"])
    _check_store(call, declared)
    with pipeline.changed:
        pipeline.versions.append(normalised(declared) | {"version": len(pipeline.versions) + 1})
        pipeline.updated = call.cloud.clock.now()
    return {"pipeline": copy.deepcopy(pipeline.declaration)}


@operation("codepipeline", "GetPipeline")
def get_pipeline(call: Call) -> dict[str, Any]:
    pipeline = found(call, call.params["name"])
    version = call.params.get("version", len(pipeline.versions))
    if version > len(pipeline.versions):
        raise AwsError(
            "PipelineVersionNotFoundException", f"The pipeline {pipeline.name} does not have a version {version}"
        )
    metadata = {"pipelineArn": pipeline.arn, "created": pipeline.created, "updated": pipeline.updated}
    return {"pipeline": copy.deepcopy(pipeline.versions[version - 1]), "metadata": metadata}


@operation("codepipeline", "ListPipelines")
def list_pipelines(call: Call) -> dict[str, Any]:
    known = pipelines(call.cloud, call.account, call.region)
    return {
        "pipelines": [
            {
                "name": name,
                "version": pipeline.declaration["version"],
                "pipelineType": pipeline.declaration["pipelineType"],
                "executionMode": pipeline.declaration["executionMode"],
                "created": pipeline.created,
                "updated": pipeline.updated,
            }
            for name, pipeline in sorted(known.items())
        ]
    }


@operation("codepipeline", "DeletePipeline")
def delete_pipeline(call: Call) -> dict[str, Any]:
    pipeline = pipelines(call.cloud, call.account, call.region).pop(call.params["name"], None)
    if pipeline is None:
        return {}
    with pipeline.changed:
        pipeline.deleted = True
        pipeline.changed.notify_all()
    return {}


@operation("codepipeline", "TagResource")
def tag_resource(call: Call) -> dict[str, Any]:
    pipeline = _by_arn(call, call.params["resourceArn"])
    tags = {tag["key"]: tag["value"] for tag in call.params["tags"]}
    _check_tags(pipeline, tags)
    pipeline.tags |= tags
    return {}


@operation("codepipeline", "UntagResource")
def untag_resource(call: Call) -> dict[str, Any]:
    pipeline = _by_arn(call, call.params["resourceArn"])
    for key in call.params["tagKeys"]:
        pipeline.tags.pop(key, None)
    return {}


@operation("codepipeline", "ListTagsForResource")
def list_tags(call: Call) -> dict[str, Any]:
    return {"tags": _tag_list(_by_arn(call, call.params["resourceArn"]))}


@operation("codepipeline", "DisableStageTransition")
def disable_transition(call: Call) -> dict[str, Any]:
    pipeline, stage = _stage(call)
    change = Transition(call.principal.arn, call.cloud.clock.now(), call.params["reason"])
    with pipeline.changed:
        pipeline.disabled[(stage, call.params["transitionType"])] = change
        pipeline.changed.notify_all()
    return {}


@operation("codepipeline", "EnableStageTransition")
def enable_transition(call: Call) -> dict[str, Any]:
    pipeline, stage = _stage(call)
    with pipeline.changed:
        pipeline.disabled.pop((stage, call.params["transitionType"]), None)
        pipeline.changed.notify_all()
    return {}


@inventory("codepipeline")
def live_pipelines(cloud: Cloud, account: str) -> list[str]:
    states = [state for owner, _, state in cloud.stores("codepipeline") if owner == account]
    return [pipeline.arn for state in states for pipeline in state.get("pipelines", {}).values()]


def found(call: Call, name: str) -> Pipeline:
    """The pipeline of that name. Raises `AwsError`."""
    pipeline = pipelines(call.cloud, call.account, call.region).get(name)
    if pipeline is None:
        raise AwsError(
            "PipelineNotFoundException", f"Account '{call.account}' does not have a pipeline with name '{name}'"
        )
    return pipeline


def _by_arn(call: Call, arn: str) -> Pipeline:
    name = arn.rpartition(":")[2]
    pipeline = pipelines(call.cloud, call.account, call.region).get(name)
    if pipeline is None:
        raise AwsError(
            "ResourceNotFoundException",
            f"The account with id '{call.account}' does not include a pipeline with the name '{name}'",
        )
    return pipeline


def _stage(call: Call) -> tuple[Pipeline, str]:
    pipeline, stage = found(call, call.params["pipelineName"]), call.params["stageName"]
    if stage not in [item["name"] for item in pipeline.declaration["stages"]]:
        raise AwsError("StageNotFoundException", f"The pipeline {pipeline.name} does not have a stage named {stage}")
    return pipeline, stage


def _check_role(call: Call, pipeline: Pipeline, role: str) -> None:
    try:
        call.cloud.assume_for_service(role, SERVICE, "codepipeline-validation", source_arn=pipeline.arn)
    except AwsError as error:
        raise AwsError(
            "InvalidStructureException", f"CodePipeline is not authorized to perform AssumeRole on role {role}"
        ) from error


def _check_store(call: Call, declared: dict[str, Any]) -> None:
    bucket = declared["artifactStore"]["location"]
    try:
        call.cloud.store_call("s3", "HeadBucket", call.account, call.region, {"Bucket": bucket})
    except AwsError as error:
        raise AwsError(
            "InvalidStructureException", f"The artifact store bucket {bucket} does not exist or is not accessible"
        ) from error


def _check_tags(pipeline: Pipeline, tags: dict[str, str]) -> None:
    if any(key.startswith("aws:") for key in tags):
        raise AwsError("InvalidTagsException", "Not allowed to modify system tags. System tags start with 'aws:'.")
    if len(pipeline.tags | tags) > MAX_TAGS:
        raise AwsError("TooManyTagsException", f"Tag limit exceeded for resource [{pipeline.arn}].")


def _startable(declared: dict[str, Any]) -> bool:
    """Whether every variable has a default: an execution nobody starts has no other values."""
    return all("defaultValue" in variable for variable in declared.get("variables", []))


def _tag_list(pipeline: Pipeline) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(pipeline.tags.items())]
