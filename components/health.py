"""Health of a release: its alarms, and the one that says in a sentence that the release is unhealthy."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.composite_alarm import CompositeAlarm
from pulumi_aws.cloudwatch.metric_alarm import MetricAlarm

from definitions.health import Alarm, Watched, alarms, rule
from settings import Limits


class HealthArgs(TypedDict):
    """Arguments of the health."""

    prefix: str
    """Of the alarms' names: `{name}-{env}`."""
    release_id: str
    """Id of the release."""
    watched: Watched
    """What is watched."""
    limits: Limits
    """From when on it is unhealthy."""
    edges: Sequence[float]
    """Edges between the bins of the predictions; none: their distribution is not watched."""
    shares: Sequence[float]
    """The evaluated model's share of predictions in each bin."""
    judged: bool
    """Whether the judge looks at its shift."""
    topic_arn: pulumi.Input[str]
    """Who is notified."""


class Health(pulumi.ComponentResource):
    """The alarms of one environment's release."""

    alarms: Mapping[str, MetricAlarm]
    """Purpose → alarm."""
    stopping: Sequence[MetricAlarm]
    """Those that stop a shift."""
    unhealthy: CompositeAlarm
    """In alarm as soon as one of them is."""

    watched: Watched
    """What is watched."""
    limits: Limits
    """From when on it is unhealthy."""
    shares: Sequence[float]
    """The evaluated model's share of predictions in each bin."""

    def __init__(self, name: str, args: HealthArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:health:Health", name, None, opts)
        self.watched, self.limits, self.shares = args["watched"], args["limits"], args["shares"]
        wanted = alarms(
            args["watched"],
            args["limits"],
            args["edges"],
            args["shares"],
            judged=args["judged"],
        )
        self.alarms = {purpose: self._alarm(name, args, purpose, alarm) for purpose, alarm in wanted.items()}
        self.stopping = [self.alarms[purpose] for purpose, alarm in wanted.items() if alarm.stops]
        self.unhealthy = CompositeAlarm(
            name,
            alarm_name=f"{args['prefix']}-unhealthy",
            alarm_description=f"Release {args['release_id']} is unhealthy; docs/health.md says what each alarm means",
            alarm_rule=rule([f"{args['prefix']}-{purpose}" for purpose in wanted]),
            alarm_actions=[args["topic_arn"]],
            ok_actions=[args["topic_arn"]],
            # Names are no references: without this it would be made before, and deleted after, what it is made of.
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self.alarms.values())),
        )
        self.register_outputs({"unhealthy": self.unhealthy.alarm_name})

    def _alarm(self, name: str, args: HealthArgs, purpose: str, alarm: Alarm) -> MetricAlarm:
        return MetricAlarm(
            f"{name}-{purpose}",
            name=f"{args['prefix']}-{purpose}",
            alarm_description=alarm.description,
            alarm_actions=[args["topic_arn"]],
            ok_actions=[args["topic_arn"]],
            opts=pulumi.ResourceOptions(parent=self),
            **alarm.arguments,
        )
