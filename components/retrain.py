"""Retrain: drift or a schedule starts the pipeline on a new window of data."""

import json
from collections.abc import Mapping
from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.event_bus import EventBus
from pulumi_aws.cloudwatch.event_bus_policy import EventBusPolicy
from pulumi_aws.cloudwatch.event_rule import EventRule
from pulumi_aws.scheduler.schedule import Schedule

from components.function import Function
from components.role import Role, role_args
from components.rule import call
from contracts.names import DELIVERY, Names
from definitions.events import arriving_pattern, bus_policy
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery

_SECONDS, _MEMORY = 900, 512
_ASKS = {"schedule": "retrain", "time": "<aws.scheduler.scheduled-time>", "id": "<aws.scheduler.execution-id>"}


class RetrainArgs(TypedDict):
    """Arguments of the retraining."""

    names: Names
    """The project's names."""
    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    key_arn: pulumi.Input[str]
    """Key of its log."""
    environment: Mapping[str, pulumi.Input[str]]
    """What the function is told: brakes, and where data is."""
    schedule: str
    """When it is asked without any drift; empty for never."""
    log_days: int
    """How long its log is kept."""


class Retrain(pulumi.ComponentResource):
    """A bus that the environments' rules may put events on, and the function that decides on them."""

    def __init__(self, name: str, args: RetrainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:retrain:Retrain", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names = args["names"]
        function = self._function(name, args)
        bus = EventBus(name, name=names.retrain_bus, description="Drift in the environments", opts=own)
        EventBusPolicy(name, event_bus_name=bus.name, policy=json.dumps(bus_policy(names)), opts=own)
        for env in names.environments:
            self._arrival(f"{name}-{env}", names, env, bus, function)
        if args["schedule"]:
            self._schedule(name, args, function)
        self.register_outputs({})

    def _function(self, name: str, args: RetrainArgs) -> Function:
        own = pulumi.ResourceOptions(parent=self)
        role = Role(name, role_args(roles(args["names"])["retrain"], args["delivery"]), own)
        return Function(
            name,
            {
                "function_arn": args["names"].function_arn(DELIVERY, "retrain"),
                "package": "retrain",
                "role_arn": role.arn,
                "key_arn": args["key_arn"],
                "environment": args["environment"],
                "log_days": args["log_days"],
                "seconds": _SECONDS,
                "memory": _MEMORY,
            },
            own,
        )

    def _arrival(self, name: str, names: Names, env: str, bus: EventBus, function: Function) -> None:
        own = pulumi.ResourceOptions(parent=self)
        rule = EventRule(
            name,
            name=f"{names.name}-retrain-{env}",
            event_bus_name=bus.name,
            description=f"Drift in {names.stack(env)}",
            event_pattern=json.dumps(arriving_pattern(names, env)),
            opts=own,
        )
        call(name, rule, function, self, account=names.delivery_account, bus=bus)

    def _schedule(self, name: str, args: RetrainArgs, function: Function) -> None:
        own = pulumi.ResourceOptions(parent=self)
        role = Role(f"{name}-schedule", role_args(roles(args["names"])["retrain-schedule"], args["delivery"]), own)
        Schedule(
            name,
            name=f"{args['names'].name}-retrain",
            description="Asks for a retraining without any drift",
            schedule_expression=args["schedule"],
            flexible_time_window={"mode": "OFF"},
            target={"arn": function.arn, "role_arn": role.arn, "input": json.dumps(_ASKS)},
            opts=own,
        )
