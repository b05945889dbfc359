"""Drift of an environment is told to the tooling account, where a retraining may follow."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
from pulumi_aws.cloudwatch.event_rule import EventRule
from pulumi_aws.cloudwatch.event_target import EventTarget

from contracts.names import Names
from definitions.events import alarm_pattern, lasting_pattern


class AnnounceArgs(TypedDict):
    """Arguments of the announcement."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    role_arn: pulumi.Input[str]
    """Role that puts events on the tooling account's bus."""


class Announce(pulumi.ComponentResource):
    """Rules on the environment's default bus: a drift alarm goes off, and drift lasts."""

    def __init__(self, name: str, args: AnnounceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:announce:Announce", name, None, opts)
        names, env = args["names"], args["env"]
        self._rule(f"{name}-alarm", args, "A drift alarm goes off", alarm_pattern(names, env))
        self._rule(f"{name}-lasting", args, "Drift lasts", lasting_pattern(names, env))
        self.register_outputs({})

    def _rule(self, name: str, args: AnnounceArgs, description: str, pattern: Mapping[str, Any]) -> None:
        own = pulumi.ResourceOptions(parent=self)
        names, env = args["names"], args["env"]
        kind = name.rpartition("-")[2]
        rule = EventRule(
            name,
            name=f"{names.stack(env)}-drift-{kind}",
            description=f"{description} in {names.stack(env)}",
            event_pattern=json.dumps(pattern),
            opts=own,
        )
        EventTarget(name, rule=rule.name, arn=names.retrain_bus_arn, role_arn=args["role_arn"], opts=own)
