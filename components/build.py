"""Build: tests, and the workflow's code packaged under the commit."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.project import Project
from components.stage import Stage, variables
from definitions import buildspecs
from definitions.roles.delivery_account import Delivery


class BuildArgs(TypedDict):
    """Arguments of the build."""

    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    at: Delivery
    """The same, where only names are needed."""
    key_arn: pulumi.Input[str]
    """Key of artifacts and log."""
    commit: str
    """Pipeline variable that names the commit."""
    test_command: str
    """What must succeed."""
    backend: str
    """Pulumi's state."""
    secrets: Sequence[tuple[str, str]]
    """Variables and the secrets that hold them."""
    image: str
    """Build image."""
    compute_type: str
    """Machine."""
    minutes: int
    """When a build is given up."""
    log_days: int
    """How long its log is kept."""


class Build(pulumi.ComponentResource):
    """The stage and its project. Exports `CODE`."""

    stage: Stage
    """Declaration for the pipeline."""

    def __init__(self, name: str, args: BuildArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:build:Build", name, None, opts)
        names = args["at"].names
        project = Project(
            name,
            {
                "delivery": args["delivery"],
                "at": args["at"],
                "purpose": "build",
                "key_arn": args["key_arn"],
                "buildspec": buildspecs.build(args["test_command"], names, args["backend"]),
                "image": args["image"],
                "compute_type": args["compute_type"],
                "minutes": args["minutes"],
                "log_days": args["log_days"],
                "secrets": args["secrets"],
            },
            pulumi.ResourceOptions(parent=self),
        )
        configuration: dict[str, pulumi.Input[str]] = {
            "ProjectName": project.name,
            "EnvironmentVariables": variables({"COMMIT": args["commit"]}),
        }
        self.stage = Stage("Build", "Build", "CodeBuild", configuration)
        self.register_outputs({})
