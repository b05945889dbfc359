"""A monitor of our own: schedule → function → processing job, and the rule that tells the function of the job's end."""

import json

import pulumi
from pulumi_aws.cloudwatch.event_rule import EventRule
from pulumi_aws.scheduler.schedule import Schedule

from components.function import ROOT, Function
from components.monitor_args import MonitorArgs
from components.rule import call
from contracts.analyzer import files
from contracts.monitoring import jobs
from definitions.monitoring import ended


def own_monitor(name: str, args: MonitorArgs, parent: pulumi.Resource) -> Schedule:
    """Function, rule and schedule."""
    function = _function(name, args, parent)
    prefix = args["names"].stack(args["env"])
    _end_of_jobs(name, prefix, function, parent)
    return Schedule(
        name,
        name=f"{prefix}-monitor",
        description="Looks at the requests of the hour before",
        schedule_expression=args["schedule"],
        flexible_time_window={"mode": "OFF"},
        target={
            "arn": function.arn,
            "role_arn": args["roles"]["schedule"],
            # The time that was meant, not the one of the call: a beat that comes late, or twice, asks for its own hour.
            "input": json.dumps({"scheduled": "<aws.scheduler.scheduled-time>"}),
            "retry_policy": {"maximum_retry_attempts": 5, "maximum_event_age_in_seconds": 1800},
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _function(name: str, args: MonitorArgs, parent: pulumi.Resource) -> Function:
    names, env = args["names"], args["env"]
    return Function(
        name,
        {
            "function_arn": names.function_arn(env, "monitor"),
            "package": "monitor",
            "also": files(ROOT),
            "role_arn": args["roles"]["watch"],
            "key_arn": args["key_arn"],
            "environment": {
                "ENV": env,
                "SERVICE": names.stack(env),
                "RELEASE_ID": args["release_id"],
                "ENDPOINT_NAME": args["endpoint"],
                "VARIANT": args["variant"],
                "CAPTURE_BUCKET": args["capture_bucket"],
                "STATISTICS_URI": args["statistics"],
                "CONSTRAINTS_URI": args["constraints"],
                "STATISTICS_SHA256": args["statistics_sha256"],
                "CONSTRAINTS_SHA256": args["constraints_sha256"],
                "IMAGE_URI": args["image"],
                "ROLE_ARN": args["roles"]["monitor"],
                "KEY_ARN": args["key_arn"],
                "INSTANCE_TYPE": args["instance_type"],
                "VOLUME_GB": str(args["volume_gb"]),
                "SECONDS": str(args["minutes"] * 60),
                "LEAST_RECORDS": str(args["least_records"]),
                "DRIFT_LIMIT": str(args["drift"]),
                **({"CLASSES": str(args["classes"])} if args["classes"] else {}),
            },
            "log_days": args["log_days"],
            "seconds": 120,
        },
        # All else here follows the function. Until traffic has moved, the release that serves is the one watched:
        # a shift that fails must leave the watching where it was.
        pulumi.ResourceOptions(parent=parent, depends_on=[args["after"]]),
    )


def _end_of_jobs(name: str, prefix: str, function: Function, parent: pulumi.Resource) -> None:
    rule = EventRule(
        name,
        name=f"{prefix}-monitor",
        description="The end of an analysis",
        event_pattern=json.dumps(ended(jobs(prefix))),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    call(name, rule, function, parent, permission=f"{name}-ended")
