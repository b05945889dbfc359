"""Roles of the monitor: its job, its function and its schedule; what the deployer needs for it; Model Monitor's own."""

from contracts.monitoring import CAPTURED, NAMESPACE, REPORTS, SOURCE, jobs
from contracts.names import LIVE, PREDICT, PROBE
from definitions.images import model_monitor, repository_arn, xgboost
from definitions.roles.runs import decrypt_runs, read_golden
from definitions.roles.statements import (
    Statement,
    allow,
    grant_to_services,
    pass_role,
    pull_image,
    sagemaker_logs,
    trace,
    unscoped,
    use_key,
    write_logs,
)
from definitions.roles.subject import Environment

# In the release; and where a run left it before releases held it.
_BASELINE = ["runs/*/release/statistics.json", "runs/*/release/constraints.json", "runs/*/baseline/*"]


def monitor(at: Environment) -> list[Statement]:
    """The jobs: capture and baseline in, reports and metrics out."""
    bucket, runs = at.names.bucket_arn(at.capture), at.names.artifacts_bucket
    region = at.names.region
    return [
        allow("ReadCapture", ["s3:GetObject"], [f"{bucket}/{CAPTURED}/*", *([_code(at)] if at.by == "own" else [])]),
        allow("WriteReports", ["s3:PutObject"], [f"{bucket}/{REPORTS}/*"]),
        allow("ListBucket", ["s3:GetBucketLocation", "s3:ListBucket"], [bucket]),
        allow("ReadBaseline", ["s3:GetObject"], [at.names.bucket_arn(runs, part) for part in _BASELINE]),
        allow("ListBaseline", ["s3:ListBucket"], [at.names.bucket_arn(runs)], {"StringLike": {"s3:prefix": _BASELINE}}),
        decrypt_runs(at),
        use_key(at.key_arn, [at.s3]),
        grant_to_services(at.key_arn, "VolumeKey"),
        *pull_image([repository_arn(xgboost(region) if at.by == "own" else model_monitor(region))]),
        *(_measure() if at.by == "own" else _describe(at)),
        *sagemaker_logs(at.arn("logs", "log-group:/aws/sagemaker/ProcessingJobs")),
    ]


def _code(at: Environment) -> str:
    """The analyzer, where the function puts it."""
    return at.names.bucket_arn(at.capture, f"{REPORTS}/code/*")


def _measure() -> list[Statement]:
    namespace = {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}
    return [unscoped("Measure", ["cloudwatch:PutMetricData"], namespace)]


def _describe(at: Environment) -> list[Statement]:
    """Model Monitor looks up the endpoint's capture."""
    return [
        allow(
            "DescribeEndpoint",
            ["sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"],
            [at.arn("sagemaker", f"{kind}/{at.prefix}-*") for kind in ("endpoint", "endpoint-config")],
        )
    ]


def watch(at: Environment) -> list[Statement]:
    """The function: looks for an hour's capture, starts its job, reads what came of it and tells of drift."""
    bucket, names = at.names.bucket_arn(at.capture), at.names
    prefixes = {"StringLike": {"s3:prefix": [f"{CAPTURED}/*", f"{REPORTS}/code/*"]}}
    event = {"StringEquals": {"events:source": SOURCE}}
    return [
        allow("FindCapture", ["s3:ListBucket"], [bucket], prefixes),
        allow("Reports", ["s3:GetObject", "s3:PutObject"], [f"{bucket}/{REPORTS}/*"]),
        use_key(at.key_arn, [at.s3]),
        allow(
            "Analyze", ["sagemaker:CreateProcessingJob"], [at.arn("sagemaker", f"processing-job/{jobs(at.prefix)}*")]
        ),
        pass_role([names.role_arn(at.env, "monitor")], "sagemaker.amazonaws.com"),
        allow("Tell", ["events:PutEvents"], [at.arn("events", "event-bus/default")], event),
        write_logs(names.log_group_arn(f"/aws/lambda/{names.function(at.env, 'monitor')}", at.env)),
        trace(),
    ]


def schedule(at: Environment) -> list[Statement]:
    """EventBridge Scheduler calls the function."""
    return [allow("Beat", ["lambda:InvokeFunction"], [at.names.function_arn(at.env, "monitor")])]


def probe(at: Environment) -> list[Statement]:
    """The probe: looks whether traffic is being shifted, and asks the API with a golden record."""
    names = at.names
    return [
        allow("CallApi", ["execute-api:Invoke"], [at.arn("execute-api", f"*/{LIVE}/POST/{PREDICT}")]),
        allow("SeeShift", ["lambda:GetAlias"], [names.function_arn(at.env, PREDICT)]),
        *read_golden(at),
        write_logs(names.log_group_arn(f"/aws/lambda/{names.function(at.env, PROBE)}", at.env)),
        trace(),
    ]


def beat(at: Environment) -> list[Statement]:
    """The deployer makes the schedule."""
    return [
        pass_role([at.names.role_arn(at.env, "schedule")], "scheduler.amazonaws.com", "PassToScheduler"),
        allow(
            "Beat",
            [f"scheduler:{verb}Schedule" for verb in ("Create", "Delete", "Get", "Update")],
            [at.arn("scheduler", f"schedule/default/{at.prefix}-*")],
        ),
    ]


def rules(at: Environment) -> list[Statement]:
    """The deployer makes the rule for the end of the monitor's jobs, and the one by which the probe runs."""
    verbs = ("DeleteRule", "DescribeRule", "ListTagsForResource", "ListTargetsByRule", "PutRule", "PutTargets")
    actions = [f"events:{verb}" for verb in (*verbs, "RemoveTargets", "TagResource", "UntagResource")]
    # Those alone: the rules that tell of drift are the foundation's.
    ours = [name for name, there in (("monitor", at.by == "own"), (PROBE, at.probe)) if there]
    return [allow("Rules", actions, [at.arn("events", f"rule/{at.prefix}-{name}") for name in ours])]


def closed(at: Environment) -> list[Statement]:
    """The deployer makes Model Monitor's definition and schedule."""
    definition = at.arn("sagemaker", f"data-quality-job-definition/{at.prefix}-*")
    schedule = at.arn("sagemaker", f"monitoring-schedule/{at.prefix}-*")
    return [
        allow(
            "Definitions",
            [f"sagemaker:{verb}DataQualityJobDefinition" for verb in ("Create", "Delete", "Describe")],
            [definition],
        ),
        allow(
            "Schedules",
            [f"sagemaker:{verb}MonitoringSchedule" for verb in ("Create", "Delete", "Describe", "Update")],
            [schedule],
        ),
        allow(
            "MonitorTags",
            ["sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags"],
            [definition, schedule],
        ),
    ]
