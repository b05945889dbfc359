"""CodeBuild, CodePipeline and CodeDeploy: the pages of their operations below

https://docs.aws.amazon.com/codebuild/latest/APIReference/, https://docs.aws.amazon.com/codepipeline/latest/APIReference/
and https://docs.aws.amazon.com/codedeploy/latest/APIReference/.
"""

import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule
from rehearsal.cloud.services.rules import tags

_NEEDS_LOCATION = ("S3", "CODECOMMIT", "GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED")
_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+")
_DEPLOY_NAME = re.compile(r"[\w+=.,@-]{1,100}", re.ASCII)
_SECONDARY = 12


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidInputException", text)


# --- CodeBuild -------------------------------------------------------------------------------------------------------


@request_rule("codebuild", "CreateProject", "UpdateProject")
def project(call: Call) -> None:
    params = call.params
    source, artifacts = params.get("source"), params.get("artifacts")
    if source is not None:
        _source(source)
    if artifacts is not None:
        _artifacts(artifacts)
    if source is not None and artifacts is not None:
        piped = [given["type"] == "CODEPIPELINE" for given in (source, artifacts)]
        if any(piped) and not all(piped):
            raise _invalid("Invalid project: when using CodePipeline both sourceType, and artifactType must be set to: "
                           "CODEPIPELINE")  # fmt: skip
    role = params.get("serviceRole")
    if role is not None and not _ROLE.fullmatch(role):
        raise _invalid(f"Invalid service role: {role} is not an ARN of a role")
    _environment((params.get("environment") or {}).get("environmentVariables"))
    _surroundings(params)
    tags.check(params.get("tags"), _invalid)


def _source(source: dict[str, Any]) -> None:
    kind = source["type"]
    if kind in _NEEDS_LOCATION and not source.get("location"):
        raise _invalid(f"Invalid project source: location is required for source type {kind}")
    if kind == "NO_SOURCE" and not source.get("buildspec"):
        raise _invalid("Invalid project source: no buildspec given, and a project without a source needs one")
    if kind in ("NO_SOURCE", "CODEPIPELINE") and source.get("location"):
        raise _invalid(f"Invalid project source: location must not be given for source type {kind}")
    if source.get("gitCloneDepth", 0) < 0:
        raise _invalid("Invalid project source: gitCloneDepth must not be negative")


def _artifacts(artifacts: dict[str, Any]) -> None:
    if artifacts["type"] == "S3" and not artifacts.get("location"):
        raise _invalid("Invalid artifacts: location is required for artifacts type S3")
    if artifacts["type"] == "NO_ARTIFACTS" and artifacts.get("location"):
        raise _invalid("Invalid artifacts: artifact type NO_ARTIFACTS should have null location")


def _environment(variables: list[dict[str, Any]] | None) -> None:
    names = [variable["name"] for variable in variables or ()]
    if len(set(names)) < len(names):
        raise _invalid("Invalid environment: environment variables must have unique names")
    for name in names:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise _invalid(f"Invalid environment variable name: {name}")


def _surroundings(params: dict[str, Any]) -> None:
    cache, vpc = params.get("cache") or {}, params.get("vpcConfig") or {}
    if cache.get("type") == "S3" and not cache.get("location"):
        raise _invalid("Invalid cache: location is required for cache type S3")
    if cache.get("type") == "LOCAL" and not cache.get("modes"):
        raise _invalid("Invalid cache: modes are required for cache type LOCAL")
    if any(vpc.values()) and not all(vpc.get(name) for name in ("vpcId", "subnets", "securityGroupIds")):
        raise _invalid("Invalid vpc config: vpcId, subnets and securityGroupIds are required together")
    logs = (params.get("logsConfig") or {}).get("s3Logs") or {}
    if logs.get("status") == "ENABLED" and not logs.get("location"):
        raise _invalid("Invalid logs config: location is required for enabled S3 logs")
    secondary = params.get("secondarySources") or []
    if len(secondary) > _SECONDARY:
        raise _invalid(f"Invalid project: there are at most {_SECONDARY} secondary sources")
    if any(not source.get("sourceIdentifier") for source in secondary):
        raise _invalid("Invalid project: sourceIdentifier is required for secondary sources")
    if params.get("concurrentBuildLimit") is not None and params["concurrentBuildLimit"] < -1:
        raise _invalid("Invalid project: concurrentBuildLimit must be greater than 0")


@request_rule("codebuild", "StartBuild")
def build(call: Call) -> None:
    _environment(call.params.get("environmentVariablesOverride"))


# --- CodePipeline ----------------------------------------------------------------------------------------------------


@request_rule("codepipeline", "CreatePipeline")
def pipeline(call: Call) -> None:
    tags.check(call.params.get("tags"), lambda text: AwsError("InvalidTagsException", text))


@request_rule("codepipeline", "TagResource")
def tag_pipeline(call: Call) -> None:
    tags.check(call.params["tags"], lambda text: AwsError("InvalidTagsException", text))


@request_rule("codepipeline", "StartPipelineExecution")
def execution(call: Call) -> None:
    names = [variable["name"] for variable in call.params.get("variables") or ()]
    if len(set(names)) < len(names):
        raise AwsError("ValidationException", "Pipeline variables must have unique names")


# --- CodeDeploy ------------------------------------------------------------------------------------------------------


@request_rule("codedeploy", "CreateApplication", "CreateDeploymentGroup", "CreateDeploymentConfig",
              "UpdateDeploymentGroup", "UpdateApplication", "CreateDeployment")  # fmt: skip
def deploy_names(call: Call) -> None:
    kinds = {
        "applicationName": "InvalidApplicationNameException", "newApplicationName": "InvalidApplicationNameException",
        "deploymentGroupName": "InvalidDeploymentGroupNameException",
        "newDeploymentGroupName": "InvalidDeploymentGroupNameException",
        "deploymentConfigName": "InvalidDeploymentConfigNameException",
    }  # fmt: skip
    for name, code in kinds.items():
        value = call.params.get(name)
        if value is not None and not _DEPLOY_NAME.fullmatch(value):
            raise AwsError(code, f"The {name} is not valid: {value}")


@request_rule("codedeploy", "CreateDeploymentGroup", "UpdateDeploymentGroup", "CreateDeployment")
def deploy_alarms(call: Call) -> None:
    for member in ("alarmConfiguration", "overrideAlarmConfiguration"):
        found = call.params.get(member) or {}
        names = [alarm.get("name") for alarm in found.get("alarms") or ()]
        if len(set(names)) < len(names) or not all(names):
            raise AwsError("InvalidAlarmConfigException", "Alarms must have names, and each of them only once")
    events = (call.params.get("autoRollbackConfiguration") or {}).get("events") or ()
    if len(set(events)) < len(events):
        raise AwsError("InvalidAutoRollbackConfigException", "An event of an automatic rollback is given twice")


@request_rule("codedeploy", "CreateApplication", "CreateDeploymentGroup")
def deploy_tags(call: Call) -> None:
    tags.check(call.params.get("tags"), lambda text: AwsError("InvalidTagsToAddException", text))
