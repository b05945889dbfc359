"""The probe: rule → function → the API, and an alarm where it fails."""

from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.event_rule import EventRule
from pulumi_aws.cloudwatch.metric_alarm import MetricAlarm

from components.function import Function
from components.rule import call
from components.serve import ALIAS, Serve
from contracts.names import PROBE, Names
from definitions.probe import failed, rate


class ProbeArgs(TypedDict):
    """Arguments of the probe."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    serve: Serve
    """What is asked."""
    golden: str
    """`s3://…/golden.json` of the release."""
    golden_sha256: str
    """What they must have; empty for an older release."""
    release_id: str
    """Id of the release."""
    role_arn: pulumi.Input[str]
    """Role of the function."""
    key_arn: pulumi.Input[str]
    """Key of its log."""
    topic_arn: pulumi.Input[str]
    """Who is notified."""
    minutes: int
    """How often it asks."""
    log_days: int
    """How long its log is kept."""
    after: pulumi.Resource
    """What comes before: a probe with records of a release that does not serve yet would fail."""


class Probe(pulumi.ComponentResource):
    """Function, rule and alarm."""

    def __init__(self, name: str, args: ProbeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:probe:Probe", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        prefix = args["names"].stack(args["env"])
        function = self._function(name, args)
        rule = EventRule(
            name,
            name=f"{prefix}-{PROBE}",
            description="Asks the API as a caller does",
            schedule_expression=rate(args["minutes"]),
            opts=own,
        )
        call(name, rule, function, self)
        MetricAlarm(
            name,
            name=f"{prefix}-{PROBE}",
            alarm_description="Production does not answer the probe as it should; docs/health.md says what to do",
            alarm_actions=[args["topic_arn"]],
            ok_actions=[args["topic_arn"]],
            opts=own,
            **failed(function.name, args["minutes"]),
        )
        self.register_outputs({})

    def _function(self, name: str, args: ProbeArgs) -> Function:
        names, env, serve = args["names"], args["env"], args["serve"]
        return Function(
            name,
            {
                "function_arn": names.function_arn(env, PROBE),
                "package": "probe",
                "role_arn": args["role_arn"],
                "key_arn": args["key_arn"],
                "environment": {
                    "API_URL": serve.url,
                    "FUNCTION_NAME": serve.function.name,
                    "ALIAS": ALIAS,
                    "GOLDEN_URI": args["golden"],
                    "GOLDEN_SHA256": args["golden_sha256"],
                    "RELEASE_ID": args["release_id"],
                    **({"API_KEY": serve.key} if serve.key else {}),
                },
                "log_days": args["log_days"],
                # API Gateway gives up after 29 seconds.
                "seconds": 60,
            },
            pulumi.ResourceOptions(parent=self, depends_on=[args["after"]]),
        )
