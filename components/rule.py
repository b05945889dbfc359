"""A rule of EventBridge that calls a function: it may, before it does."""

import pulumi
from pulumi_aws.cloudwatch.event_bus import EventBus
from pulumi_aws.cloudwatch.event_rule import EventRule
from pulumi_aws.cloudwatch.event_target import EventTarget
from pulumi_aws.lambda_.permission import Permission

from components.function import Function


def call(
    name: str,
    rule: EventRule,
    function: Function,
    parent: pulumi.Resource,
    *,
    account: str | None = None,
    bus: EventBus | None = None,
    permission: str | None = None,
) -> None:
    """Permission and target. `account` owns the rule, `bus` is the rule's where that is not the default one.

    `permission` is the permission's resource name where it is not `name`.
    """
    allowed = Permission(
        permission or name,
        action="lambda:InvokeFunction",
        function=function.name,
        principal="events.amazonaws.com",
        source_arn=rule.arn
        if bus
        else pulumi.Output.all(function.arn, rule.name).apply(lambda found: default_arn(*found)),
        source_account=account,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    EventTarget(
        name,
        rule=rule.name,
        event_bus_name=bus.name if bus else None,
        arn=function.arn,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[allowed]),
    )


def default_arn(function_arn: str, rule: str) -> str:
    """ARN of a rule of the default bus, beside the function that it calls. A preview knows it before AWS has made them.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html (resource types)
    """
    partition, _, region, account = function_arn.split(":")[1:5]
    return f"arn:{partition}:events:{region}:{account}:rule/{rule}"
