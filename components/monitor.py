"""Watching: the release's captured data against its own baseline, every hour; alarms on it; dashboard."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import pulumi
from pulumi_aws.cloudwatch.dashboard import Dashboard
from pulumi_aws.cloudwatch.metric_alarm import MetricAlarm

from components.health import Health
from components.model_monitor import drift as closed_drift
from components.model_monitor import model_monitor
from components.own_monitor import own_monitor
from contracts.monitoring import drift_alarm
from contracts.names import Names
from definitions import monitoring
from definitions.dashboard import dashboard


class MonitorArgs(TypedDict):
    """Arguments of the monitor."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    by: str
    """Who looks: `own` or `sagemaker`."""
    release_id: str
    """Id of the release."""
    endpoint: pulumi.Input[str]
    """Endpoint of the release."""
    variant: str
    """Whose captured requests are looked at."""
    features: Sequence[str]
    """What is watched."""
    statistics: str
    """Baseline statistics of the release."""
    constraints: str
    """Baseline constraints of the release."""
    image: str
    """Image of the analyzer."""
    roles: Mapping[str, pulumi.Input[str]]
    """The environment's roles."""
    key_arn: pulumi.Input[str]
    """Key of volumes and reports."""
    topic_arn: pulumi.Input[str]
    """Where alarms go."""
    capture_bucket: pulumi.Input[str]
    """Where reports go."""
    schedule: str
    """When it runs."""
    instance_type: str
    """Machine."""
    instance_count: int
    """How many."""
    volume_gb: int
    """Disk of each."""
    minutes: int
    """When a run is given up."""
    least_records: int
    """Fewer records are not judged."""
    drift: float
    """Distance from the baseline that raises the alarm."""
    log_days: int
    """How long logs are kept."""
    health: Health
    """The release's health, for the dashboard."""
    after: pulumi.Resource
    """What must have succeeded before the watching moves to this release: the record that it serves."""


class Monitor(pulumi.ComponentResource):
    """Schedule, alarms and dashboard."""

    def __init__(self, name: str, args: MonitorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:monitor:Monitor", name, None, opts)
        measured, schedule, watching = self._own(name, args) if args["by"] == "own" else self._closed(name, args)
        alarms = [*watching, *(self._drift(name, args, feature, measured(feature)) for feature in args["features"])]
        self._dashboard(name, args, alarms)
        self.register_outputs({"schedule": schedule})

    def _own(self, name: str, args: MonitorArgs) -> "_Watching":
        service = args["names"].stack(args["env"])
        schedule = own_monitor(
            name,
            {
                "names": args["names"],
                "env": args["env"],
                "release_id": args["release_id"],
                "endpoint": args["endpoint"],
                "variant": args["variant"],
                "statistics": args["statistics"],
                "constraints": args["constraints"],
                "image": args["image"],
                "role_arn": args["roles"]["monitor"],
                "function_role_arn": args["roles"]["watch"],
                "schedule_role_arn": args["roles"]["schedule"],
                "key_arn": args["key_arn"],
                "capture_bucket": args["capture_bucket"],
                "schedule": args["schedule"],
                "instance_type": args["instance_type"],
                "volume_gb": args["volume_gb"],
                "minutes": args["minutes"],
                "least_records": args["least_records"],
                "drift": args["drift"],
                "log_days": args["log_days"],
                "after": args["after"],
            },
            self,
        )
        watching = [
            self._alarm(name, args, "failed", "An analysis of the data failed", monitoring.failed(service)),
            self._alarm(
                name,
                args,
                "missing",
                "There are requests, and no analysis of them",
                monitoring.missing(service, args["schedule"]),
            ),
        ]
        return lambda feature: monitoring.drift(service, args["endpoint"], feature), schedule.name, watching

    def _closed(self, name: str, args: MonitorArgs) -> "_Watching":
        schedule = model_monitor(
            name,
            {
                "endpoint": args["endpoint"],
                "statistics": args["statistics"],
                "constraints": args["constraints"],
                "image": args["image"],
                "role_arn": args["roles"]["monitor"],
                "key_arn": args["key_arn"],
                "capture_bucket": args["capture_bucket"],
                "schedule": args["schedule"],
                "instance_type": args["instance_type"],
                "instance_count": args["instance_count"],
                "volume_gb": args["volume_gb"],
                "minutes": args["minutes"],
                "after": args["after"],
            },
            self,
        )
        return lambda feature: closed_drift(schedule, args["endpoint"], feature), schedule.name, []

    def _alarm(
        self, name: str, args: MonitorArgs, purpose: str, description: str, arguments: Mapping[str, Any]
    ) -> MetricAlarm:
        return MetricAlarm(
            f"{name}-{purpose}",
            name=f"{args['names'].stack(args['env'])}-monitor-{purpose}",
            alarm_description=f"{description}; docs/health.md says what to do",
            alarm_actions=[args["topic_arn"]],
            ok_actions=[args["topic_arn"]],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args["after"]]),
            **arguments,
        )

    def _drift(self, name: str, args: MonitorArgs, feature: str, metric: Mapping[str, Any]) -> MetricAlarm:
        return MetricAlarm(
            f"{name}-drift-{feature}",
            name=drift_alarm(args["names"].stack(args["env"]), feature),
            alarm_description=f"{feature} has drifted from the release's baseline",
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=args["drift"],
            period=3600,
            evaluation_periods=1,
            # The schedule speaks once an hour, and not at all without requests.
            treat_missing_data="notBreaching",
            alarm_actions=[args["topic_arn"]],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args["after"]]),
            **metric,
        )

    def _dashboard(self, name: str, args: MonitorArgs, alarms: Sequence[MetricAlarm]) -> None:
        health = args["health"]
        service = args["names"].stack(args["env"])
        arns = pulumi.Output.all(health.unhealthy.arn, *(alarm.arn for alarm in [*health.alarms.values(), *alarms]))
        watched = args["features"] if args["by"] == "own" else ()
        Dashboard(
            name,
            dashboard_name=service,
            dashboard_body=pulumi.Output.all(health.watched.endpoint, health.watched.version, arns).apply(
                lambda known: json.dumps(
                    dashboard(
                        args["names"].region,
                        replace(health.watched, endpoint=known[0], version=known[1]),
                        known[2],
                        health.shares,
                        health.limits.prediction_rows,
                        monitoring.drift_rows(service, known[0], watched),
                    )
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args["after"]]),
        )


_Watching = tuple[Callable[[str], Mapping[str, Any]], pulumi.Output[str], list[MetricAlarm]]
"""A feature's metric, the schedule's name, and the alarms on the watching itself."""
