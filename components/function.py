"""A Lambda function of this repository, with the log group it writes to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.lambda_.function import Function as LambdaFunction

from components.packaging import closure
from contracts.names import Names

RUNTIME = "python3.14"
ROOT = Path(__file__).resolve().parent.parent


class FunctionArgs(TypedDict):
    """Arguments of a function."""

    function_arn: str
    """Its unqualified ARN, which ends in its name."""
    package: str
    """Folder of `functions/` whose handler runs."""
    role_arn: pulumi.Input[str]
    """Its execution role."""
    key_arn: pulumi.Input[str]
    """Key of its log."""
    environment: Mapping[str, pulumi.Input[str]]
    """Variables."""
    log_days: int
    """How long its log is kept."""
    seconds: int
    """When a call is given up."""
    memory: NotRequired[int]
    """Memory in MB, and with it the share of a CPU."""
    also: NotRequired[Sequence[str]]
    """Files of the checkout that it carries along without importing them."""
    publish: NotRequired[bool]
    """Whether every change makes a new version."""


class Function(pulumi.ComponentResource):
    """A function and its log group."""

    name: pulumi.Output[str]
    """Name."""
    arn: pulumi.Output[str]
    """ARN, unqualified."""
    version: pulumi.Output[str]
    """Newest version."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:serve:Function", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        called = args["function_arn"].rpartition(":")[2]
        log = LogGroup(
            name,
            name=f"/aws/lambda/{called}",
            retention_in_days=args["log_days"],
            kms_key_id=args["key_arn"],
            opts=own,
        )
        function = LambdaFunction(
            name,
            name=called,
            role=args["role_arn"],
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=f"functions.{args['package']}.handler.handle",
            code=code(args["package"], args.get("also", ())),
            timeout=args["seconds"],
            memory_size=args.get("memory", 256),
            environment={"variables": dict(args["environment"])},
            tracing_config={"mode": "Active"},
            publish=args.get("publish", False),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[log]),
        )
        self.name, self.version = function.name, function.version
        # A preview knows it before the function is there: an approver sees what will be called.
        self.arn = function.name.apply(lambda _: args["function_arn"])
        self.register_outputs({"name": self.name, "version": self.version})


def code(package: str, also: Sequence[str] = (), root: Path = ROOT) -> pulumi.AssetArchive:
    """The archive of a function: its own package, what that imports (`components.packaging`), and further files."""
    assets: dict[str, pulumi.Asset | pulumi.Archive] = {
        file: pulumi.FileAsset(str(root / file)) for file in sorted({*closure(root, package), *also})
    }
    return pulumi.AssetArchive(assets)


def looks_up_serving(names: Names) -> dict[str, str]:
    """Variables of a function that asks what production serves (`functions.shared.serving.look_up`)."""
    production = names.production
    return {"POINTER": names.pointer(production), "POINTER_ROLE": names.role_arn(production, "champion")}
