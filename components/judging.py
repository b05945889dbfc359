"""The state machine that has the judge of an environment's shifts look every ten seconds. The foundation's, so that no
release says who is asked, and when.
"""

import json
from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.sfn.state_machine import StateMachine

from contracts.names import JUDGE, LIVE, Names
from definitions.judging import state_machine


class JudgingArgs(TypedDict):
    """Arguments of the state machine."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    role_arn: pulumi.Input[str]
    """Its role."""
    key_arn: pulumi.Input[str]
    """Key of its log."""
    log_days: int
    """How long its log is kept."""


class Judging(pulumi.ComponentResource):
    """State machine and log."""

    arn: pulumi.Output[str]
    """ARN of the state machine."""

    def __init__(self, name: str, args: JudgingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:judging:Judging", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names, env = args["names"], args["env"]
        called = names.function(env, JUDGE)
        log = LogGroup(
            name,
            name=f"/aws/vendedlogs/states/{called}",
            retention_in_days=args["log_days"],
            kms_key_id=args["key_arn"],
            opts=own,
        )
        machine = StateMachine(
            name,
            name=called,
            type="STANDARD",
            role_arn=args["role_arn"],
            # By its name: the function comes with the first release.
            definition=json.dumps(state_machine(names.predict(env), LIVE, names.function_arn(env, JUDGE))),
            logging_configuration={
                "level": "ERROR",
                "include_execution_data": True,
                "log_destination": pulumi.Output.concat(log.arn, ":*"),
            },
            tracing_configuration={"enabled": True},
            opts=own,
        )
        self.arn = machine.arn
        self.register_outputs({"arn": machine.arn})
