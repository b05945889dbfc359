"""CodeBuild projects: every field of the API comes back as it was given, with AWS's defaults."""

import copy
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, inventory, operation
from rehearsal.cloud.services.codebuild.state import Registry, registry

DEFAULT_TIMEOUT_MINUTES = 60
DEFAULT_QUEUED_TIMEOUT_MINUTES = 480
_PLAIN = (
    "description",
    "secondarySources",
    "sourceVersion",
    "secondarySourceVersions",
    "secondaryArtifacts",
    "vpcConfig",
    "logsConfig",
    "fileSystemLocations",
    "buildBatchConfig",
    "concurrentBuildLimit",
    "autoRetryLimit",
)


@operation("codebuild", "CreateProject")
def create_project(call: Call) -> dict[str, Any]:
    known = registry(call.cloud, call.account, call.region)
    name = call.params["name"]
    _check(call.params)
    with known.lock:
        if name in known.projects:
            raise AwsError("ResourceAlreadyExistsException", f"Project already exists: {_arn(call, name)}")
        now = call.cloud.clock.now()
        project = _defaults(call) | {"name": name, "arn": _arn(call, name), "created": now, "lastModified": now}
        project = _merged(project, call.params)
        known.projects[name] = project
    return {"project": _copied(project)}


@operation("codebuild", "UpdateProject")
def update_project(call: Call) -> dict[str, Any]:
    known = registry(call.cloud, call.account, call.region)
    with known.lock:
        current = _existing(call, known, call.params["name"])
        updated = _merged(current, call.params)
        _check(updated)
        updated["lastModified"] = call.cloud.clock.now()
        known.projects[call.params["name"]] = updated
    return {"project": _copied(updated)}


@operation("codebuild", "BatchGetProjects")
def batch_get_projects(call: Call) -> dict[str, Any]:
    projects = registry(call.cloud, call.account, call.region).projects
    found, missing = [], []
    for name in call.params["names"]:
        project = projects.get(name.rpartition("project/")[2])
        if project is None:
            missing.append(name)
            continue
        found.append(_copied(project))
    return {"projects": found, "projectsNotFound": missing}


@operation("codebuild", "ListProjects")
def list_projects(call: Call) -> dict[str, Any]:
    projects = registry(call.cloud, call.account, call.region).projects
    return {"projects": sorted(projects, reverse=call.params.get("sortOrder") == "DESCENDING")}


@operation("codebuild", "DeleteProject")
def delete_project(call: Call) -> dict[str, Any]:
    known = registry(call.cloud, call.account, call.region)
    name = call.params["name"].rpartition("project/")[2]
    with known.lock:
        known.projects.pop(name, None)
    return {}


@inventory("codebuild")
def live_projects(cloud: Cloud, account: str) -> list[str]:
    known = [state["registry"] for owner, _, state in cloud.stores("codebuild") if owner == account and state]
    return [str(project["arn"]) for registry_ in known for project in registry_.projects.values()]


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:codebuild:{call.region}:{call.account}:project/{name}"


def _existing(call: Call, known: Registry, name: str) -> dict[str, Any]:
    project = known.projects.get(name)
    if project is None:
        raise AwsError("ResourceNotFoundException", f"Project cannot be found: {_arn(call, name)}")
    return project


def _defaults(call: Call) -> dict[str, Any]:
    return {
        "encryptionKey": f"arn:aws:kms:{call.region}:{call.account}:alias/aws/s3",
        "timeoutInMinutes": DEFAULT_TIMEOUT_MINUTES,
        "queuedTimeoutInMinutes": DEFAULT_QUEUED_TIMEOUT_MINUTES,
        "cache": {"type": "NO_CACHE"},
        "badge": {"badgeEnabled": False},
        "projectVisibility": "PRIVATE",
        "tags": [],
    }


def _merged(project: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The project with what the request names; a request leaves alone what it does not name."""
    merged = dict(project)
    for key in (
        "source",
        "artifacts",
        "environment",
        "serviceRole",
        "encryptionKey",
        "timeoutInMinutes",
        "queuedTimeoutInMinutes",
        "cache",
        "tags",
        *_PLAIN,
    ):
        if key in params:
            merged[key] = copy.deepcopy(params[key])
    if "badgeEnabled" in params:
        merged["badge"] = {"badgeEnabled": params["badgeEnabled"]}
    if not merged["serviceRole"].startswith("arn:"):
        account = merged["arn"].split(":")[4]
        merged["serviceRole"] = f"arn:aws:iam::{account}:role/service-role/{merged['serviceRole']}"
    _fill(merged)
    return merged


def _fill(project: dict[str, Any]) -> None:
    """Defaults that AWS writes into nested structures and shows in its answers."""
    environment = project["environment"]
    environment.setdefault("environmentVariables", [])
    environment.setdefault("privilegedMode", False)
    environment.setdefault("imagePullCredentialsType", "CODEBUILD")
    for variable in environment["environmentVariables"]:
        variable.setdefault("type", "PLAINTEXT")
    project["source"].setdefault("insecureSsl", False)
    artifacts = project["artifacts"]
    if artifacts["type"] == "NO_ARTIFACTS":
        return
    artifacts.setdefault("packaging", "NONE")
    artifacts.setdefault("encryptionDisabled", False)
    if artifacts["type"] == "CODEPIPELINE":
        artifacts.setdefault("name", project["name"])


def _check(params: dict[str, Any]) -> None:
    source, artifacts = params["source"], params["artifacts"]
    if (source["type"] == "CODEPIPELINE") != (artifacts["type"] == "CODEPIPELINE"):
        raise _invalid("both source and artifacts must be of type CODEPIPELINE, or neither")
    if source["type"] == "NO_SOURCE" and not source.get("buildspec"):
        raise _invalid("Project source type NO_SOURCE requires a buildspec")
    if source["type"] in ("CODEPIPELINE", "NO_SOURCE"):
        if source.get("location"):
            raise _invalid(f"Project source location must not be set for source type {source['type']}")
    elif not source.get("location"):
        raise _invalid("Project source location is required")
    if artifacts["type"] == "S3" and not artifacts.get("location"):
        raise _invalid("Project artifacts location is required for artifacts type S3")
    names = [variable["name"] for variable in params["environment"].get("environmentVariables", [])]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise _invalid(f"environment variable names must be unique: {', '.join(repeated)}")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", f"Invalid project: {message}")


def _copied(project: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(project)
