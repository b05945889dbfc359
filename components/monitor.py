"""Watching: the release's captured data against its own baseline, every hour; alarms on it; dashboard."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi
from pulumi_aws.cloudwatch.dashboard import Dashboard
from pulumi_aws.cloudwatch.metric_alarm import MetricAlarm

from components.model_monitor import drift as closed_drift
from components.model_monitor import model_monitor
from components.monitor_args import MonitorArgs
from components.own_monitor import own_monitor
from contracts.monitoring import drift_alarm
from definitions import monitoring
from definitions.dashboard import dashboard


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
        schedule = own_monitor(name, args, self)
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
        schedule = model_monitor(name, args, self)
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
