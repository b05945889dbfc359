"""Drift of an environment is told to the tooling account, where a retraining may follow."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
from pulumi_aws.cloudwatch.event_rule import EventRule
from pulumi_aws.cloudwatch.event_target import EventTarget

from contracts.names import Names
from definitions.events import announcing_rules


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
        for rule, pattern in announcing_rules(args["names"], args["env"]).items():
            self._rule(f"{name}-{rule.rpartition('-')[2]}", args, rule, pattern)
        self.register_outputs({})

    def _rule(self, name: str, args: AnnounceArgs, rule_name: str, pattern: Mapping[str, Any]) -> None:
        own = pulumi.ResourceOptions(parent=self)
        rule = EventRule(
            name,
            name=rule_name,
            description=f"Drift in {args['names'].stack(args['env'])}",
            event_pattern=json.dumps(pattern),
            opts=own,
        )
        EventTarget(name, rule=rule.name, arn=args["names"].retrain_bus_arn, role_arn=args["role_arn"], opts=own)
