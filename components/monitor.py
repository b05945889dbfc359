"""Watching: the release's captured data against its own baseline, every hour; drift alarms; dashboard."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

import pulumi
from pulumi_aws.cloudwatch.dashboard import Dashboard
from pulumi_aws.cloudwatch.metric_alarm import MetricAlarm
from pulumi_aws.sagemaker.data_quality_job_definition import DataQualityJobDefinition
from pulumi_aws.sagemaker.monitoring_schedule import MonitoringSchedule

from components.health import Health
from contracts.names import Names
from definitions.dashboard import dashboard


class MonitorArgs(TypedDict):
    """Arguments of the monitor."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    endpoint: pulumi.Input[str]
    """Endpoint of the release."""
    features: Sequence[str]
    """What is watched."""
    statistics: str
    """Baseline statistics of the release."""
    constraints: str
    """Baseline constraints of the release."""
    image: str
    """Image of the analyzer."""
    role_arn: pulumi.Input[str]
    """Role of the schedule's jobs."""
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
    drift: float
    """Distance from the baseline that raises the alarm."""
    health: Health
    """The release's health, for the dashboard."""
    after: pulumi.Resource
    """What must have succeeded before the watching moves to this release: the shift."""


class Monitor(pulumi.ComponentResource):
    """Definition, schedule, alarms and dashboard."""

    schedule: MonitoringSchedule
    """The schedule of the release that serves."""

    def __init__(self, name: str, args: MonitorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:monitor:Monitor", name, None, opts)
        definition = self._definition(name, args)
        self.schedule = MonitoringSchedule(
            name,
            monitoring_schedule_config={
                "monitoring_type": "DataQuality",
                "monitoring_job_definition_name": definition.name,
                "schedule_config": {"schedule_expression": args["schedule"]},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        drift = [self._drift(name, args, feature) for feature in args["features"]]
        health = args["health"]
        arns = pulumi.Output.all(health.unhealthy.arn, *(alarm.arn for alarm in [*health.alarms.values(), *drift]))
        Dashboard(
            name,
            dashboard_name=args["names"].stack(args["env"]),
            dashboard_body=pulumi.Output.all(health.watched.endpoint, health.watched.version, arns).apply(
                lambda known: json.dumps(
                    dashboard(
                        args["names"].region,
                        replace(health.watched, endpoint=known[0], version=known[1]),
                        known[2],
                        health.shares,
                        health.limits.prediction_rows,
                    )
                )
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"schedule": self.schedule.name})

    def _definition(self, name: str, args: MonitorArgs) -> DataQualityJobDefinition:
        return DataQualityJobDefinition(
            name,
            role_arn=args["role_arn"],
            data_quality_app_specification={"image_uri": args["image"]},
            data_quality_baseline_config={
                "statistics_resource": {"s3_uri": args["statistics"]},
                "constraints_resource": {"s3_uri": args["constraints"]},
            },
            data_quality_job_input={
                "endpoint_input": {
                    "endpoint_name": args["endpoint"],
                    "local_path": "/opt/ml/processing/input/endpoint",
                    "s3_input_mode": "File",
                    "s3_data_distribution_type": "FullyReplicated",
                }
            },
            data_quality_job_output_config={
                "kms_key_id": args["key_arn"],
                "monitoring_outputs": {
                    "s3_output": {
                        "s3_uri": pulumi.Output.concat("s3://", args["capture_bucket"], "/monitor/", args["endpoint"]),
                        "local_path": "/opt/ml/processing/output",
                        "s3_upload_mode": "EndOfJob",
                    }
                },
            },
            job_resources={
                "cluster_config": {
                    "instance_type": args["instance_type"],
                    "instance_count": args["instance_count"],
                    "volume_size_in_gb": args["volume_gb"],
                    "volume_kms_key_id": args["key_arn"],
                }
            },
            stopping_condition={"max_runtime_in_seconds": args["minutes"] * 60},
            # All else here follows the definition. Until traffic has moved, the release that serves is the one watched:
            # a shift that fails must leave the schedule where it was.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args["after"]]),
        )

    def _drift(self, name: str, args: MonitorArgs, feature: str) -> MetricAlarm:
        return MetricAlarm(
            f"{name}-drift-{feature}",
            name=f"{args['names'].stack(args['env'])}-drift-{feature}",
            alarm_description=f"{feature} has drifted from the release's baseline",
            namespace="aws/sagemaker/Endpoints/data-metrics",
            metric_name=f"feature_baseline_drift_{feature}",
            dimensions={"Endpoint": args["endpoint"], "MonitoringSchedule": self.schedule.name},
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=args["drift"],
            period=3600,
            evaluation_periods=1,
            # The schedule speaks once an hour, and not at all without requests.
            treat_missing_data="notBreaching",
            alarm_actions=[args["topic_arn"]],
            opts=pulumi.ResourceOptions(parent=self),
        )
