"""Build: tests, and the workflow's code packaged under the commit."""

import pulumi

from components.project import EngineArgs, Project
from components.stage import Stage, variables
from definitions import buildspecs


class BuildArgs(EngineArgs):
    """Arguments of the build."""

    commit: str
    """Pipeline variable that names the commit."""
    test_command: str
    """What must succeed."""


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
                "buildspec": buildspecs.build(args["test_command"], names, args["backend"], args["tools"]),
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
