"""The judge of a shift: the function that the foundation's state machine has look, and the question to a person."""

from collections.abc import Mapping
from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.metric_alarm import MetricAlarm

from components.function import Function
from contracts.judging import ASK_SECONDS, QUESTION
from contracts.names import JUDGE, LIVE, PREDICT, Names
from definitions.health import METRICS


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
    """The function, and an alarm where a person may be asked."""

    function: Function
    """The function that looks."""

    def __init__(self, name: str, args: JudgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:judge:Judge", name, None, opts)
        self.function = self._function(name, args)
        if args["topic_arn"] is not None:
            self._question(name, args, args["topic_arn"])
        self.register_outputs({"function": self.function.name})

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
            # The judge looks every two minutes in the longest shifts: one question is one mail.
            period=300,
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
