"""The pipeline: a list of stages."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
from pulumi_aws.codepipeline.pipeline import Pipeline as CodePipeline

from components.role import Role, role_args
from components.stage import HasStage
from contracts.names import Names
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery


class PipelineArgs(TypedDict):
    """Arguments of the pipeline."""

    names: Names
    """The project's names."""
    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    artifacts: pulumi.Input[str]
    """Bucket of its artifacts."""
    key_arn: pulumi.Input[str]
    """Their key."""
    stages: Sequence[HasStage]
    """The road, in order."""


class Pipeline(pulumi.ComponentResource):
    """CodePipeline V2; runs wait for each other, so that no release overtakes another."""

    name: pulumi.Output[str]
    """Name of the pipeline."""

    def __init__(self, name: str, args: PipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:pipeline:Pipeline", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names = args["names"]
        role = Role(name, role_args(roles(names)["pipeline"], args["delivery"]), own)
        pipeline = CodePipeline(
            name,
            name=names.name,
            role_arn=role.arn,
            pipeline_type="V2",
            execution_mode="QUEUED",
            artifact_stores=[
                {
                    "type": "S3",
                    "location": args["artifacts"],
                    "encryption_key": {"id": args["key_arn"], "type": "KMS"},
                }
            ],
            variables=[
                {
                    "name": "REASON",
                    "default_value": "commit",
                    "description": "commit, data or manual; a retraining names its own",
                },
                {"name": "DATA_KEY", "default_value": "latest", "description": "object under datasets/, or latest"},
                {"name": "DATA_VERSION", "default_value": "latest", "description": "its version, or latest"},
            ],
            stages=[stage.stage.declaration() for stage in args["stages"]],
            opts=own,
        )
        self.name = pipeline.name
        self.register_outputs({"name": self.name})
