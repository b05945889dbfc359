"""Source: the code, and new data."""

import json
from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.event_rule import EventRule
from pulumi_aws.codeconnections.connection import Connection

from components.function import Function
from components.role import Role, role_args
from components.rule import call
from components.stage import Stage
from contracts.names import DELIVERY, Names
from contracts.retraining import UPLOADED
from definitions.events import moved
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery


class SourceArgs(TypedDict):
    """Arguments of the source."""

    names: Names
    """The project's names."""
    kind: str
    """s3, codecommit or connection."""
    key: str
    """Key of the zip in the data bucket."""
    repository: str
    """Repository."""
    branch: str
    """Branch."""
    connection_arn: str
    """An existing connection; empty where one is to be made."""
    provider: str
    """Whose repository a new connection reaches: GitHub, GitLab or Bitbucket."""


class Source(pulumi.ComponentResource):
    """The stage, and the connection it may need."""

    stage: Stage
    """Declaration for the pipeline."""
    commit: str
    """Pipeline variable that names the commit."""
    connection_arn: pulumi.Output[str]
    """ARN of the connection, empty where none is used."""

    def __init__(self, name: str, args: SourceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:source:Source", name, None, opts)
        self.connection_arn = pulumi.Output.from_input(args["connection_arn"])
        if args["kind"] == "connection" and not args["connection_arn"]:
            connection = Connection(
                name,
                name=args["names"].name,
                provider_type=args["provider"],
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.connection_arn = connection.arn
        self.commit = "#{Source.VersionId}" if args["kind"] == "s3" else "#{Source.CommitId}"
        self.stage = Stage("Source", "Source", *self._action(args), takes_source=False, gives_source=True)
        self.register_outputs({"connection_arn": self.connection_arn})

    def _action(self, args: SourceArgs) -> tuple[str, dict[str, pulumi.Input[str]]]:
        if args["kind"] == "connection":
            return "CodeStarSourceConnection", {
                "ConnectionArn": self.connection_arn,
                "FullRepositoryId": args["repository"],
                "BranchName": args["branch"],
                "DetectChanges": "true",
            }
        if args["kind"] == "codecommit":
            return "CodeCommit", {
                "RepositoryName": args["repository"],
                "BranchName": args["branch"],
                # CodePipeline ends polling where a pipeline was idle for 30 days: Trigger has a rule instead.
                # https://docs.aws.amazon.com/codepipeline/latest/userguide/update-change-detection.html
                "PollForSourceChanges": "false",
            }
        return "S3", {
            "S3Bucket": args["names"].data_bucket,
            "S3ObjectKey": args["key"],
            "PollForSourceChanges": "false",
        }


class TriggerArgs(TypedDict):
    """Arguments of the trigger."""

    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    names: Names
    """The project's names."""
    key_arn: pulumi.Input[str]
    """Key of its log."""
    data_bucket: pulumi.Input[str]
    """Bucket it listens to."""
    source_key: str
    """Key of the zipped code; empty where the code comes from a repository."""
    repository: str
    """CodeCommit's repository; empty where the code comes from elsewhere."""
    branch: str
    """Its branch."""
    log_days: int
    """How long its log is kept."""


class Trigger(pulumi.ComponentResource):
    """New objects in the data bucket, and commits in CodeCommit, start a run that names their exact version."""

    def __init__(self, name: str, args: TriggerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:source:Trigger", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names = args["names"]
        role = Role(name, role_args(roles(names)["trigger"], args["delivery"]), own)
        environment = {
            "PIPELINE_NAME": names.name,
            "TOPIC_ARN": names.approval_arn,
            "ARTIFACTS_BUCKET": names.artifacts_bucket,
        }
        if args["source_key"]:
            environment["SOURCE_KEY"] = args["source_key"]
        function = Function(
            name,
            {
                "function_arn": names.function_arn(DELIVERY, "trigger"),
                "package": "trigger",
                "role_arn": role.arn,
                "key_arn": args["key_arn"],
                "environment": environment,
                "log_days": args["log_days"],
                "seconds": 60,
            },
            own,
        )
        prefixes = [{"prefix": prefix} for prefix in (UPLOADED, args["source_key"]) if prefix]
        rule = EventRule(
            name,
            name=f"{names.name}-new-objects",
            description="New data or code in the data bucket",
            event_pattern=pulumi.Output.json_dumps(
                {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [args["data_bucket"]]}, "object": {"key": prefixes}},
                }
            ),
            opts=own,
        )
        call(name, rule, function, self, account=names.delivery_account)
        if args["repository"]:
            commits = EventRule(
                f"{name}-commits",
                name=f"{names.name}-new-commits",
                description="New commits in the branch that is delivered",
                event_pattern=json.dumps(moved(names.arn("codecommit", args["repository"]), args["branch"])),
                opts=own,
            )
            call(f"{name}-commits", commits, function, self, account=names.delivery_account)
        self.register_outputs({})
