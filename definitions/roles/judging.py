"""Roles of the judge: its function and its state machine; what the deployer reads of it."""

from contracts.judging import RECORDS, question_key, record_key
from contracts.names import JUDGE, PREDICT
from definitions.health import METRICS
from definitions.roles.runs import read_runs
from definitions.roles.statements import (
    Statement,
    allow,
    deliver_logs,
    trace,
    trace_executions,
    unscoped,
    use_key,
    write_logs,
)
from definitions.roles.subject import Environment


def verdicts(at: Environment) -> list[Statement]:
    """Read the judge's records, and look whether there is one."""
    return [_read(at), _find(at)]


def _read(at: Environment) -> Statement:
    return allow("ReadVerdict", ["s3:GetObject"], [at.names.bucket_arn(at.capture, record_key("*"))])


def _find(at: Environment) -> Statement:
    prefixes = {"StringLike": {"s3:prefix": f"{RECORDS}/*"}}
    return allow("FindRecords", ["s3:ListBucket"], [at.names.bucket_arn(at.capture)], prefixes)


def questions(at: Environment) -> Statement:
    """The hook after traffic says that a person is asked; it cannot write a record."""
    return allow("AskPerson", ["s3:PutObject"], [at.names.bucket_arn(at.capture, question_key("*"))])


def _records(at: Environment) -> Statement:
    records = at.names.bucket_arn(at.capture, f"{RECORDS}/*")
    return allow("Records", ["s3:GetObject", "s3:PutObject"], [records])


def judge(at: Environment) -> list[Statement]:
    """The function: reads what both versions reported, publishes evidence, and takes a bad release back in its bake."""
    group = at.arn("codedeploy", f"deploymentgroup:{at.prefix}/{PREDICT}")
    standard = at.arn("codedeploy", "deploymentconfig:CodeDeployDefault.LambdaAllAtOnce")
    application = at.arn("codedeploy", f"application:{at.prefix}")
    revisions = ["codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"]
    return [
        _records(at),
        _find(at),
        use_key(at.key_arn, [at.s3]),
        *read_runs(at, "*/release/manifest.json"),
        unscoped("ReadMetrics", ["cloudwatch:GetMetricData"]),
        unscoped("Measure", ["cloudwatch:PutMetricData"], {"StringEquals": {"cloudwatch:namespace": METRICS}}),
        allow("Return", ["codedeploy:CreateDeployment", "codedeploy:GetDeployment"], [group]),
        allow("ReturnAllAtOnce", ["codedeploy:GetDeploymentConfig"], [standard]),
        allow("Revisions", revisions, [application]),
        allow("SeeEndpoint", ["sagemaker:DescribeEndpoint"], [at.arn("sagemaker", f"endpoint/{at.prefix}-*")]),
        unscoped("Report", ["codedeploy:PutLifecycleEventHookExecutionStatus"]),
        write_logs(at.names.log_group_arn(f"/aws/lambda/{at.names.function(at.env, JUDGE)}", at.env)),
        trace(),
    ]


def machine(at: Environment) -> list[Statement]:
    """The state machine: reads the alias and calls the function."""
    return [
        allow("ReadAlias", ["lambda:GetAlias"], [at.names.function_arn(at.env, PREDICT)]),
        allow("Look", ["lambda:InvokeFunction"], [at.names.function_arn(at.env, JUDGE)]),
        deliver_logs(),
        trace_executions(),
    ]


def wait(at: Environment) -> list[Statement]:
    """The deployer reads how a bake ends."""
    return [_read(at), use_key(at.key_arn, [at.s3], "ReadRecords", write=False)]
