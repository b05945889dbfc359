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
        source_arn=rule.arn,
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
