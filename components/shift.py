"""The shift: traffic goes from the serving version to the new one by steps, between two hooks, under alarms."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, cast

import pulumi
from pulumi_aws.cloudwatch.metric_alarm import MetricAlarm
from pulumi_aws.codedeploy.application import Application
from pulumi_aws.codedeploy.deployment_config import DeploymentConfig
from pulumi_aws.codedeploy.deployment_group import DeploymentGroup
from pulumi_aws.lambda_.alias import Alias

from components.endpoint import VARIANT
from components.function import Function
from components.judge import Judge
from components.traffic_shift import TrafficShift
from components.variants import OtherVariant
from contracts.appspec import ALL_AT_ONCE, traffic_routing
from contracts.names import JUDGE, Names
from definitions.judging import bake_every, every

if TYPE_CHECKING:
    from pulumi_aws.codedeploy import DeploymentConfigTrafficRoutingConfigArgsDict as TrafficRouting


class ShiftArgs(TypedDict):
    """Arguments of the shift."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    function: Function
    """The predict function."""
    alias: Alias
    """What is moved."""
    endpoint: pulumi.Input[str]
    """Endpoint of the release."""
    release_id: str
    """Id of the release."""
    golden: str
    """`s3://…/golden.json`."""
    golden_sha256: str
    """What they must have; empty for an older release."""
    manifest: str
    """`s3://…/manifest.json`."""
    manifest_sha256: str
    """What it must have."""
    replay: Mapping[str, object]
    """How callers' requests are replayed, as the hook before traffic reads it."""
    others: Sequence[OtherVariant]
    """Variants of an A/B test, which are proven as well."""
    capture_bucket: pulumi.Input[str]
    """Where the release's requests are captured."""
    capture_percentage: int
    """Share of them."""
    capture_seconds: int
    """How long the hook after traffic waits for them."""
    roles: Mapping[str, pulumi.Input[str]]
    """Purpose → ARN."""
    key_arn: pulumi.Input[str]
    """Key of the hooks' logs."""
    alarms: Sequence[MetricAlarm]
    """What stops the shift."""
    unwatched: Sequence[pulumi.Input[str]]
    """Names of those that do not stop this one."""
    kind: str
    """canary, linear or all-at-once."""
    percentage: int
    """First share, or share of each step."""
    minutes: int
    """Pause between steps."""
    limit_minutes: int
    """When the shift is given up and rolled back."""
    returning: str
    """Why this is a rollback to a former release; empty where it is none."""
    urgent: bool
    """Whether the return goes all at once."""
    judge: Judge | None
    """Who judges the shift and the bake, where somebody does."""
    judged: bool
    """Whether traffic moves by steps, so that there is something to compare."""
    inconclusive: str
    """What follows where the judge cannot tell: accept, ask or return."""
    silence: str
    """What follows where a person who is asked says nothing: accept or return."""
    verdict_seconds: int
    """How long the hook after traffic waits for the verdict."""
    bake_minutes: int
    """How long the release is judged at full traffic, with the former one still there."""
    log_days: int
    """How long logs are kept."""


class Shift(pulumi.ComponentResource):
    """CodeDeploy's application, group and configuration; hooks; and the shift of this release."""

    traffic: TrafficShift
    """Done when the alias is at the release's version."""

    def __init__(self, name: str, args: ShiftArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:shift:Shift", name, None, opts)
        hooks = {purpose: self._hook(name, args, purpose) for purpose in ("before-traffic", "after-traffic")}
        prefix = args["names"].stack(args["env"])
        own = pulumi.ResourceOptions(parent=self)
        application = Application(name, name=prefix, compute_platform="Lambda", opts=own)
        configuration = self._configuration(name, args)
        group = DeploymentGroup(
            name,
            app_name=application.name,
            deployment_group_name="predict",
            service_role_arn=args["roles"]["shift"],
            deployment_config_name=configuration,
            deployment_style={"deployment_type": "BLUE_GREEN", "deployment_option": "WITH_TRAFFIC_CONTROL"},
            auto_rollback_configuration={
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
            },
            alarm_configuration={"enabled": True, "alarms": [alarm.name for alarm in args["alarms"]]},
            opts=own,
        )
        self.traffic = TrafficShift(
            name,
            {
                "application": application.name,
                "group": group.deployment_group_name,
                # The group keeps its configuration: only this one deployment may differ.
                "configuration": ALL_AT_ONCE if args["urgent"] else configuration,
                "function": args["function"].name,
                "alias": args["alias"].name,
                "version": args["function"].version,
                "before": hooks["before-traffic"].name,
                "after": hooks["after-traffic"].name,
                "release": args["release_id"],
                "endpoint": args["endpoint"],
                "limit_minutes": args["limit_minutes"],
                "returning": args["returning"],
                "urgent": args["urgent"],
                "unwatched": list(args["unwatched"]),
                "bake_minutes": args["bake_minutes"],
                "capture_bucket": args["capture_bucket"],
                "judge": args["names"].function(args["env"], JUDGE),
            },
            pulumi.ResourceOptions(
                parent=self, depends_on=[args["alias"], *args["alarms"], *hooks.values(), *_present(args["judge"])]
            ),
        )
        self.register_outputs({"version": self.traffic.version})

    def _configuration(self, name: str, args: ShiftArgs) -> pulumi.Output[str]:
        if args["kind"] == "all-at-once":
            return pulumi.Output.from_input(ALL_AT_ONCE)
        prefix = args["names"].stack(args["env"])
        configuration = DeploymentConfig(
            name,
            deployment_config_name=f"{prefix}-{args['kind']}-{args['percentage']}-percent-{args['minutes']}-minutes",
            compute_platform="Lambda",
            traffic_routing_config=cast(
                "TrafficRouting", traffic_routing(args["kind"], args["percentage"], args["minutes"])
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return configuration.deployment_config_name

    def _hook(self, name: str, args: ShiftArgs, purpose: str) -> Function:
        names, env = args["names"], args["env"]
        return Function(
            f"{name}-{purpose}",
            {
                "function_arn": names.function_arn(env, purpose),
                "package": purpose.replace("-", "_"),
                "role_arn": args["roles"][purpose],
                "key_arn": args["key_arn"],
                "environment": {
                    "FUNCTION_NAME": args["function"].name,
                    "GOLDEN_URI": args["golden"],
                    "GOLDEN_SHA256": args["golden_sha256"],
                    "RELEASE_ID": args["release_id"],
                    "ENDPOINT_NAME": args["endpoint"],
                    "CAPTURE_BUCKET": args["capture_bucket"],
                    "CAPTURE_PREFIX": "capture",
                    "CAPTURE_PERCENTAGE": str(args["capture_percentage"]),
                    "WAIT_SECONDS": str(args["capture_seconds"]),
                    "VARIANT": VARIANT,
                    **({"OTHER_VARIANTS": json.dumps(list(args["others"]))} if args["others"] else {}),
                    **(_before(args) if purpose == "before-traffic" else _after(args)),
                },
                "log_days": args["log_days"],
                "seconds": 900,
            },
            pulumi.ResourceOptions(parent=self),
        )


def _before(args: ShiftArgs) -> dict[str, pulumi.Input[str]]:
    """What the hook before traffic alone is told."""
    told: dict[str, pulumi.Input[str]] = {
        "MANIFEST_URI": args["manifest"],
        "MANIFEST_SHA256": args["manifest_sha256"],
        "REPLAY": json.dumps(dict(args["replay"])),
    }
    if not args["judge"]:
        return told
    bake = args["bake_minutes"]
    return told | {
        "JUDGE_ARN": args["names"].judge_arn(args["env"]),
        "JUDGE_SECONDS": str(every(_steps_minutes(args))),
        "BAKE_SECONDS": str(bake_every(bake)),
        "BAKE_MINUTES": str(bake),
    }


def _steps_minutes(args: ShiftArgs) -> int:
    """How long traffic moves."""
    if args["kind"] == "linear":
        return args["minutes"] * (-(-100 // args["percentage"]) - 1)
    return args["minutes"] if args["kind"] == "canary" else 0


def _after(args: ShiftArgs) -> dict[str, pulumi.Input[str]]:
    """What the hook after traffic alone is told."""
    if not args["judge"] or not args["judged"]:
        return {}
    return {
        "ON_INCONCLUSIVE": args["inconclusive"],
        "ON_SILENCE": args["silence"],
        "VERDICT_SECONDS": str(args["verdict_seconds"]),
        "KEY_ARN": args["key_arn"],
    }


def _present(judge: Judge | None) -> list[pulumi.Resource]:
    return [judge] if judge else []
