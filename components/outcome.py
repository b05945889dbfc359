"""Outcome: what becomes of a run's model is written into the model registry."""

import json
from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.event_rule import EventRule

from components.function import Function, looks_up_serving
from components.role import Role, role_args
from components.rule import call
from contracts.names import DELIVERY, Names
from definitions.events import outcome_pattern
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery


class OutcomeArgs(TypedDict):
    """Arguments of the outcome."""

    names: Names
    """The project's names."""
    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    key_arn: pulumi.Input[str]
    """Key of its log."""
    deployment: str
    """The pipeline's action that deploys to production."""
    log_days: int
    """How long its log is kept."""


class Outcome(pulumi.ComponentResource):
    """A rule for the pipeline's approval and its last deployment, and the function that it calls."""

    def __init__(self, name: str, args: OutcomeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:outcome:Outcome", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names = args["names"]
        role = Role(name, role_args(roles(names)["outcome"], args["delivery"]), own)
        function = Function(
            name,
            {
                "function_arn": names.function_arn(DELIVERY, "outcome"),
                "package": "outcome",
                "role_arn": role.arn,
                "key_arn": args["key_arn"],
                "environment": {
                    "PACKAGE_GROUP": names.name,
                    "DEPLOYMENT": args["deployment"],
                    **looks_up_serving(names),
                },
                "log_days": args["log_days"],
                "seconds": 300,
            },
            own,
        )
        rule = EventRule(
            name,
            name=f"{names.name}-outcomes",
            description="A model is approved or not, and deployed to production or not",
            event_pattern=json.dumps(outcome_pattern(names, args["deployment"])),
            opts=own,
        )
        call(name, rule, function, self, account=names.delivery_account)
        self.register_outputs({})
