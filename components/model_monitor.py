"""SageMaker Model Monitor, for accounts that had it before it was closed to new customers."""

from typing import Any

import pulumi
from pulumi_aws.sagemaker.data_quality_job_definition import DataQualityJobDefinition
from pulumi_aws.sagemaker.monitoring_schedule import MonitoringSchedule

from components.monitor_args import MonitorArgs
from definitions.monitoring import on_the_hour


def model_monitor(name: str, args: MonitorArgs, parent: pulumi.Resource) -> MonitoringSchedule:
    """Definition and schedule."""
    return MonitoringSchedule(
        name,
        monitoring_schedule_config={
            "monitoring_type": "DataQuality",
            "monitoring_job_definition_name": _definition(name, args, parent).name,
            "schedule_config": {"schedule_expression": on_the_hour(args["schedule"])},
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )


def drift(schedule: MonitoringSchedule, endpoint: pulumi.Input[str], feature: str) -> dict[str, Any]:
    """The metric of one feature's drift, as an alarm names it."""
    return {
        "namespace": "aws/sagemaker/Endpoints/data-metrics",
        "metric_name": f"feature_baseline_drift_{feature}",
        "dimensions": {"Endpoint": endpoint, "MonitoringSchedule": schedule.name},
    }


def _definition(name: str, args: MonitorArgs, parent: pulumi.Resource) -> DataQualityJobDefinition:
    return DataQualityJobDefinition(
        name,
        role_arn=args["roles"]["monitor"],
        # Left out, the analyzer writes no metrics, and the drift alarm has nothing to judge: SageMaker's SDK always
        # sends it (sagemaker-python-sdk, model_monitor/model_monitoring.py).
        data_quality_app_specification={
            "image_uri": args["image"],
            "environment": {"publish_cloudwatch_metrics": "Enabled"},
        },
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
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[args["after"]]),
    )
