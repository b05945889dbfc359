"""A CodeBuild project of the pipeline, with its log group and role."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.codebuild.project import Project as CodeBuildProject

from components.role import Role, role_args
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery
from definitions.tools import Tools

if TYPE_CHECKING:
    from pulumi_aws.codebuild import ProjectEnvironmentEnvironmentVariableArgsDict as Variable


class CodeBuildArgs(TypedDict):
    """Arguments that every stage of CodeBuild takes."""

    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    at: Delivery
    """The same, where only names are needed."""
    key_arn: pulumi.Input[str]
    """Key of artifacts and log."""
    image: str
    """Build image."""
    compute_type: str
    """Machine."""
    minutes: int
    """When a build is given up."""
    log_days: int
    """How long its log is kept."""


class EngineArgs(CodeBuildArgs):
    """Arguments of a stage that runs the engine."""

    backend: str
    """Pulumi's state."""
    secrets: Sequence[tuple[str, str]]
    """Variables and the secrets that hold them."""
    tools: Tools
    """What plans and deploys."""
    tools_address: pulumi.Input[str]
    """Where it lies."""


class ProjectArgs(CodeBuildArgs):
    """Arguments of a project."""

    purpose: str
    """`build`, `deploy-<env>`, `test-<env>` or `plan-<env>`."""
    buildspec: Mapping[str, Any]
    """What it runs."""
    secrets: NotRequired[Sequence[tuple[str, str]]]
    """Variables and the secrets that hold them."""
    tools_address: NotRequired[pulumi.Input[str]]
    """Where what plans and deploys lies, for a build that does either."""


class Project(pulumi.ComponentResource):
    """A project that takes its sources from the pipeline."""

    name: pulumi.Output[str]
    """Name of the project."""

    def __init__(self, name: str, args: ProjectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:build:Project", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names, purpose = args["at"].names, args["purpose"]
        role = Role(name, role_args(roles(names)[purpose], args["delivery"]), own)
        log = LogGroup(
            name,
            name=f"/aws/codebuild/{names.project(purpose)}",
            retention_in_days=args["log_days"],
            kms_key_id=args["key_arn"],
            opts=own,
        )
        project = CodeBuildProject(
            name,
            name=names.project(purpose),
            service_role=role.arn,
            encryption_key=args["key_arn"],
            build_timeout=args["minutes"],
            source={"type": "CODEPIPELINE", "buildspec": json.dumps(args["buildspec"], indent=2)},
            artifacts={"type": "CODEPIPELINE"},
            environment={
                "type": "LINUX_CONTAINER",
                "compute_type": args["compute_type"],
                "image": args["image"],
                "environment_variables": _variables(args),
            },
            logs_config={"cloudwatch_logs": {"status": "ENABLED", "group_name": log.name}},
            opts=own,
        )
        self.name = project.name
        self.register_outputs({"name": self.name})


def _variables(args: ProjectArgs) -> "list[Variable]":
    found: list[Variable] = [
        {"name": variable, "value": secret, "type": "SECRETS_MANAGER"} for variable, secret in args.get("secrets", ())
    ]
    if "tools_address" in args:
        found.append({"name": "TOOLS_ADDRESS", "value": args["tools_address"], "type": "PLAINTEXT"})
    return found
