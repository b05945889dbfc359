"""Builds: start, look up, stop; the build itself runs in the runner."""

import copy
import uuid
from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core import quotas
from rehearsal.cloud.core.api import AwsError, Call, Cloud, operation, route
from rehearsal.cloud.services.codebuild.runner import run_build
from rehearsal.cloud.services.codebuild.state import Build, PipelineInput, find_build, registry, remember_build

_OVERRIDES = {
    "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"),
    "buildspecOverride": ("source", "buildspec"),
    "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
    "environmentTypeOverride": ("environment", "type"),
    "privilegedModeOverride": ("environment", "privilegedMode"),
    "artifactsOverride": ("artifacts",),
    "secondaryArtifactsOverride": ("secondaryArtifacts",),
    "serviceRoleOverride": ("serviceRole",),
    "timeoutInMinutesOverride": ("timeoutInMinutes",),
    "queuedTimeoutInMinutesOverride": ("queuedTimeoutInMinutes",),
    "encryptionKeyOverride": ("encryptionKey",),
    "logsConfigOverride": ("logsConfig",),
    "cacheOverride": ("cache",),
}
_TAKEN = {"projectName", "sourceVersion", "environmentVariablesOverride", "idempotencyToken"}


@operation("codebuild", "StartBuild")
def start_build(call: Call) -> dict[str, Any]:
    known = registry(call.cloud, call.account, call.region)
    name = call.params["projectName"].rpartition("project/")[2]
    unsupported = sorted(set(call.params) - _TAKEN - set(_OVERRIDES))
    if unsupported:
        raise AwsError("NotImplemented", f"the rehearsal does not implement codebuild:StartBuild {unsupported[0]}", 501)
    with known.lock:
        project = known.projects.get(name)
        if project is None:
            arn = f"arn:aws:codebuild:{call.region}:{call.account}:project/{name}"
            raise AwsError("ResourceNotFoundException", f"Project cannot be found: {arn}")
        token = call.params.get("idempotencyToken", "")
        if token in known.started_by_token:
            return {"build": _shown(known.builds[known.started_by_token[token]])}
        project = _overridden(project, call.params)
        handed_over = known.handed_over.pop(token, None)
        _check_source(project, handed_over)
        _check_limit(project, list(known.builds.values()))
        _check_quota(call, project, list(known.builds.values()))
        known.numbers[name] = known.numbers.get(name, 0) + 1
        build = _build(call, project, handed_over, known.numbers[name])
        known.builds[build.id] = build
        if token:
            known.started_by_token[token] = build.id
    remember_build(call.cloud, build)
    shown = _shown(build)
    call.cloud.background(run_build, call.cloud, build, name=f"codebuild {build.id}")
    return {"build": shown}


@operation("codebuild", "BatchGetBuilds")
def batch_get_builds(call: Call) -> dict[str, Any]:
    builds = registry(call.cloud, call.account, call.region).builds
    found, missing = [], []
    for identifier in call.params["ids"]:
        build = builds.get(identifier.rpartition("build/")[2])
        if build is None:
            missing.append(identifier)
            continue
        found.append(_shown(build))
    return {"builds": found, "buildsNotFound": missing}


@operation("codebuild", "ListBuilds")
def list_builds(call: Call) -> dict[str, Any]:
    return {"ids": _ordered(call, list(registry(call.cloud, call.account, call.region).builds))}


@operation("codebuild", "ListBuildsForProject")
def list_builds_for_project(call: Call) -> dict[str, Any]:
    known = registry(call.cloud, call.account, call.region)
    name = call.params["projectName"].rpartition("project/")[2]
    if name not in known.projects:
        arn = f"arn:aws:codebuild:{call.region}:{call.account}:project/{name}"
        raise AwsError("ResourceNotFoundException", f"The provided project {arn} does not exist")
    return {"ids": _ordered(call, [build.id for build in known.builds.values() if build.data["projectName"] == name])}


@operation("codebuild", "StopBuild")
def stop_build(call: Call) -> dict[str, Any]:
    identifier = call.params["id"].rpartition("build/")[2]
    build = registry(call.cloud, call.account, call.region).builds.get(identifier)
    if build is None:
        raise AwsError("ResourceNotFoundException", f"Build {identifier} does not exist")
    build.stop.set()
    return {"build": _shown(build)}


@route("/_rehearsal/builds/<path:build_id>/log", methods=["GET"])
def build_log(cloud: Cloud, request: Request, build_id: str) -> Response:
    """The log of a build as plain text, secrets masked, for the tour and for people."""
    build = find_build(cloud, build_id)
    if build is None:
        return Response(f"no build {build_id}\n", status=404, mimetype="text/plain")
    return Response("".join(f"{line}\n" for line in list(build.log)), mimetype="text/plain")


def _ordered(call: Call, identifiers: list[str]) -> list[str]:
    # newest first, as AWS lists them
    return identifiers if call.params.get("sortOrder") == "ASCENDING" else identifiers[::-1]


def _shown(build: Build) -> dict[str, Any]:
    with build.lock:
        return copy.deepcopy(build.data)


def _overridden(project: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(project)
    for name, path in _OVERRIDES.items():
        if name not in params:
            continue
        holder = changed
        for part in path[:-1]:
            holder = holder.setdefault(part, {})
        holder[path[-1]] = params[name]
    changed["variablesOverride"] = params.get("environmentVariablesOverride", [])
    return changed


def _check_source(project: dict[str, Any], handed_over: PipelineInput | None) -> None:
    if project["source"]["type"] == "CODEPIPELINE" and handed_over is None:
        raise AwsError(
            "InvalidInputException",
            "Build cannot be started: the project's source type is CODEPIPELINE, so only CodePipeline can start it",
        )


_SIZES = {f"BUILD_GENERAL1_{size.upper()}": quotas.BUILDS.format(size) for size in ("Small", "Medium", "Large")}


def _check_quota(call: Call, project: dict[str, Any], builds: list[Build]) -> None:
    """Builds on machines of one size that an account may have at once.

    The sentence: https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/249.
    """
    size = project["environment"]["computeType"]
    most = quotas.limit(call.cloud, call.account, call.region, "codebuild", _SIZES.get(size, ""))
    running = [build for build in builds if build.data["buildStatus"] == "IN_PROGRESS"]
    used = sum(build.data["environment"]["computeType"] == size for build in running)
    if most is not None and used >= most:
        raise AwsError("AccountLimitExceededException", f"Cannot have more than {most:.0f} builds in queue for the"
                       " account")  # fmt: skip


def _check_limit(project: dict[str, Any], builds: list[Build]) -> None:
    limit = project.get("concurrentBuildLimit")
    if not limit:
        return
    running = [
        build
        for build in builds
        if build.data["projectName"] == project["name"] and build.data["buildStatus"] == "IN_PROGRESS"
    ]
    if len(running) >= limit:
        raise AwsError(
            "AccountLimitExceededException", f"Cannot have more than {limit} builds in queue for the project"
        )


def _build(call: Call, project: dict[str, Any], handed_over: PipelineInput | None, number: int) -> Build:
    now = call.cloud.clock.now()
    identifier = f"{project['name']}:{uuid.uuid4()}"
    data: dict[str, Any] = {
        "id": identifier,
        "arn": f"arn:aws:codebuild:{call.region}:{call.account}:build/{identifier}",
        "buildNumber": number,
        "startTime": now,
        "currentPhase": "SUBMITTED",
        "buildStatus": "IN_PROGRESS",
        "projectName": project["name"],
        "phases": [],
        "buildComplete": False,
        "initiator": handed_over.initiator if handed_over else _initiator(call),
        **{
            key: copy.deepcopy(project[key])
            for key in ("source", "secondarySources", "cache", "serviceRole", "timeoutInMinutes", "vpcConfig")
            if key in project
        },
        "queuedTimeoutInMinutes": project["queuedTimeoutInMinutes"],
        "encryptionKey": project["encryptionKey"],
        "environment": copy.deepcopy(project["environment"]),
    }
    override = {item["name"]: item for item in project["variablesOverride"]}
    kept = [item for item in project["environment"]["environmentVariables"] if item["name"] not in override]
    data["environment"]["environmentVariables"] = kept + list(override.values())
    version = call.params.get("sourceVersion") or project.get("sourceVersion")
    if version:
        data["sourceVersion"] = version
    return Build(data, project, dict(call.params), call.account, call.region, handed_over)


def _initiator(call: Call) -> str:
    return call.principal.arn.rpartition(":")[2].removeprefix("assumed-role/").removeprefix("user/")
