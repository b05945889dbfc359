"""The judge of a shift: a function, and the state machine that has it look every ten seconds."""

import json
from collections.abc import Mapping
from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.cloudwatch.metric_alarm import MetricAlarm
from pulumi_aws.sfn.state_machine import StateMachine

from components.function import Function
from contracts.judging import ASK_SECONDS, QUESTION
from contracts.names import JUDGE, LIVE, PREDICT, Names
from definitions.health import METRICS
from definitions.judging import state_machine


class JudgeArgs(TypedDict):
    """Arguments of the judge."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    capture_bucket: pulumi.Input[str]
    """Where its records are kept."""
    roles: Mapping[str, pulumi.Input[str]]
    """Purpose → ARN."""
    key_arn: pulumi.Input[str]
    """Key of its records and logs."""
    bake_minutes: int
    """How long a release is judged at full traffic; 0: not."""
    on_silence: str
    """`accept` or `return`: what follows where a person who is asked says nothing."""
    topic_arn: pulumi.Input[str] | None
    """Who hears that a person is asked; None where nobody ever is."""
    log_days: int
    """How long logs are kept."""


class Judge(pulumi.ComponentResource):
    """Function and state machine."""

    arn: pulumi.Output[str]
    """ARN of the state machine; the hook before traffic starts it."""
    function: Function
    """The function that looks."""

    def __init__(self, name: str, args: JudgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:judge:Judge", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names, env = args["names"], args["env"]
        called = names.function(env, JUDGE)
        self.function = self._function(name, args)
        log = LogGroup(
            f"{name}-looks",
            name=f"/aws/vendedlogs/states/{called}",
            retention_in_days=args["log_days"],
            kms_key_id=args["key_arn"],
            opts=own,
        )
        definition = json.dumps(state_machine(names.predict(env), LIVE, names.function_arn(env, JUDGE)))
        machine = StateMachine(
            name,
            name=called,
            type="STANDARD",
            role_arn=args["roles"]["judging"],
            definition=definition,
            logging_configuration={
                "level": "ERROR",
                "include_execution_data": True,
                "log_destination": pulumi.Output.concat(log.arn, ":*"),
            },
            tracing_configuration={"enabled": True},
            # It calls the function by its name.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.function]),
        )
        if args["topic_arn"] is not None:
            self._question(name, args, args["topic_arn"])
        # A preview knows it before the machine is there.
        self.arn = machine.name.apply(lambda _: names.judge_arn(env))
        self.register_outputs({"arn": self.arn})

    def _question(self, name: str, args: JudgeArgs, topic: pulumi.Input[str]) -> None:
        service = args["names"].stack(args["env"])
        MetricAlarm(
            f"{name}-question",
            name=f"{service}-question",
            alarm_description=(
                f"A shift in {args['env']} is inconclusive, and waits {ASK_SECONDS // 60} minutes for a person:"
                f" ./glidepath verdict {args['env']} --accept or --return; then: {args['on_silence']}"
            ),
            namespace=METRICS,
            metric_name=QUESTION,
            dimensions={"Service": service},
            statistic="Maximum",
            period=60,
            evaluation_periods=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            treat_missing_data="notBreaching",
            alarm_actions=[topic],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _function(self, name: str, args: JudgeArgs) -> Function:
        names, env = args["names"], args["env"]
        return Function(
            name,
            {
                "function_arn": names.function_arn(env, JUDGE),
                "package": JUDGE,
                "role_arn": args["roles"][JUDGE],
                "key_arn": args["key_arn"],
                "environment": {
                    "FUNCTION_NAME": names.predict(env),
                    "ALIAS": LIVE,
                    "SERVICE": names.stack(env),
                    "METRIC_NAMESPACE": METRICS,
                    "CAPTURE_BUCKET": args["capture_bucket"],
                    "KEY_ARN": args["key_arn"],
                    "APPLICATION": names.stack(env),
                    "GROUP": PREDICT,
                    "BAKE_MINUTES": str(args["bake_minutes"]),
                    "ON_SILENCE": args["on_silence"],
                },
                "log_days": args["log_days"],
                "seconds": 60,
                "memory": 512,
            },
            pulumi.ResourceOptions(parent=self),
        )
