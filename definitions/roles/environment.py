"""Every role of an environment and what it may do. They belong to the foundation; a release changes none of them."""

from collections.abc import Callable

from contracts.monitoring import CAPTURED
from contracts.names import DELIVERY, JUDGE, LIVE, PREDICT, PROBE, Names
from definitions.images import repository_arn, xgboost
from definitions.roles import deployer, drift, judging, watching
from definitions.roles.boundary import boundary as bounded_by
from definitions.roles.delivery import planned
from definitions.roles.record import SHIFT, Record, by_purpose
from definitions.roles.runs import read_golden, read_pointer, read_release, read_runs
from definitions.roles.statements import (
    Document,
    Statement,
    allow,
    pull_image,
    sagemaker_logs,
    trace,
    trust_role,
    trust_roles,
    trust_service,
    trust_service_alone,
    unscoped,
    use_key,
    write_logs,
)
from definitions.roles.subject import Environment

Statements = Callable[[Environment], list[Statement]]


def roles(
    names: Names, env: str, ci: bool = False, by: str = "own", probe: bool = False, judge: bool = False
) -> dict[str, Record[Environment]]:
    """Every role of an environment, by its purpose.

    `ci`: the repository's CI may look as well. `by`: who looks at the environment's data. `probe`: whether one asks it.
    `judge`: whether its shifts are judged.
    """
    account, tooling = names.accounts[env], names.root(DELIVERY)

    def record(
        purpose: str,
        trust: Document,
        statements: Statements,
        bounded: bool = True,
        attached: Statements | None = None,
        part: str = "",
    ) -> Record[Environment]:
        description = f"{purpose} of {names.stack(env)}"
        return Record(purpose, names.role(env, purpose), description, trust, statements, bounded, part, attached)

    def delivery(purpose: str) -> str:
        return names.role_arn(DELIVERY, purpose)

    sagemaker = trust_service("sagemaker.amazonaws.com", account, names.arn("sagemaker", "*", env))
    function = trust_service("lambda.amazonaws.com", account)
    codedeploy = trust_service("codedeploy.amazonaws.com", account, names.arn("codedeploy", "*", env))
    rules = trust_service("events.amazonaws.com", account, names.arn("events", f"rule/{names.stack(env)}-drift-*", env))
    previewers = trust_roles(tooling, [delivery(purpose) for purpose in _previewers(names, env, ci)])
    # CI's role only reads, and reads what the boundary keeps from the others.
    machine = trust_service("states.amazonaws.com", account, names.judge_arn(env))
    judges = [
        record(JUDGE, function, judging.judge, part=SHIFT),
        record("judging", machine, judging.machine, part=SHIFT),
    ]
    compares = record("drift", trust_role(tooling, delivery("ci-drift")), drift.statements, bounded=False)
    lookers = trust_roles(tooling, [delivery(purpose) for purpose in ("champion", "outcome")])
    looked_up = record("champion", lookers, champion)
    beats = trust_service("scheduler.amazonaws.com", account, names.arn("scheduler", "schedule-group/default", env))
    watchers = [record("watch", function, watching.watch), record("schedule", beats, watching.schedule)]
    return by_purpose(
        [
            record(
                "deployer",
                trust_role(tooling, delivery(f"deploy-{env}")),
                deployer.statements,
                attached=deployer.attached,
            ),
            record("tester", trust_role(tooling, delivery(f"test-{env}")), tester),
            record("model", sagemaker, model),
            record("predict", function, predict),
            record("before-traffic", function, before_traffic, part=SHIFT),
            record("after-traffic", function, after_traffic, part=SHIFT),
            record("shift", codedeploy, shift),
            record("api-logs", trust_service_alone("apigateway.amazonaws.com"), api_logs),
            record("monitor", sagemaker, watching.monitor),
            record("announce", rules, announce),
            record("preview", previewers, preview),
            *([looked_up] if env == names.production else []),
            *(watchers if by == "own" else []),
            *([record(PROBE, function, watching.probe)] if probe else []),
            *(judges if judge else []),
            *([compares] if ci else []),
        ]
    )


def _previewers(names: Names, env: str, ci: bool) -> list[str]:
    """Purposes of delivery's roles that preview an environment."""
    planner = [f"plan-{env}"] if env in planned(names) else []
    return ["build", *planner, *(["ci-preview"] if ci else [])]


def boundary(at: Environment, part: str = "") -> Document:
    """The most that any role of the environment, or of one part of them, can ever do."""
    every = roles(at.names, at.env, by=at.by, probe=at.probe, judge=at.judge).values()
    bounded = [role for role in every if role.bounded and role.part == part]
    return bounded_by(at, [statement for role in bounded for statement in role.statements(at)])


def _logs(at: Environment, purpose: str) -> Statement:
    return write_logs(at.names.log_group_arn(f"/aws/lambda/{at.names.function(at.env, purpose)}", at.env))


def model(at: Environment) -> list[Statement]:
    """The endpoint: its artifact, its image, its capture."""
    return [
        *read_runs(at, "*/release/model.tar.gz"),
        *pull_image([repository_arn(xgboost(at.names.region))]),
        *sagemaker_logs(at.arn("logs", f"log-group:/aws/sagemaker/Endpoints/{at.prefix}-*")),
        allow("Capture", ["s3:PutObject"], [at.names.bucket_arn(at.capture, "capture/*")]),
        use_key(at.key_arn, [at.s3]),
    ]


def predict(at: Environment) -> list[Statement]:
    """The handler calls the environment's endpoints and writes its log."""
    return [_invoke_endpoint(at), _logs(at, PREDICT), trace()]


def _invoke_endpoint(at: Environment) -> Statement:
    return allow("Predict", ["sagemaker:InvokeEndpoint"], [at.arn("sagemaker", f"endpoint/{at.prefix}-*")])


def _report(at: Environment) -> list[Statement]:
    group = at.arn("codedeploy", f"deploymentgroup:{at.prefix}/{PREDICT}")
    return [
        unscoped("Report", ["codedeploy:PutLifecycleEventHookExecutionStatus"]),
        allow("ReadDeployment", ["codedeploy:GetDeployment"], [group]),
    ]


def before_traffic(at: Environment) -> list[Statement]:
    """Replays golden records and callers' requests through the new version.

    Of the capture it reads what releases answered themselves. Which of them serves, no policy can know: endpoints are
    named when they are made, and the roles belong to the foundation.
    """
    function, bucket = at.names.function_arn(at.env, PREDICT), at.names.bucket_arn(at.capture)
    captured = f"{CAPTURED}/{at.prefix}-*/{LIVE}/*"
    return [
        allow("CallNewVersion", ["lambda:InvokeFunction"], [f"{function}:*"]),
        allow("SeeServing", ["lambda:GetFunctionConfiguration"], [f"{function}:*"]),
        allow("ReadCapture", ["s3:GetObject"], [f"{bucket}/{captured}"]),
        allow("ListCapture", ["s3:ListBucket"], [bucket], {"StringLike": {"s3:prefix": captured}}),
        # What S3 decrypts for a reader of this bucket, which has a bucket key, and nothing else under the same key:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html (the context is then the bucket's ARN,
        # and an object's where it was written without one).
        allow(
            "DecryptCapture",
            ["kms:Decrypt"],
            [at.key_arn],
            {
                "StringEquals": {"kms:ViaService": at.s3},
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/{captured}"]},
            },
        ),
        *read_runs(at, "*/release/golden.json", "*/evaluation/golden.json", "*/release/manifest.json"),
        *([allow("StartJudge", ["states:StartExecution"], [at.names.judge_arn(at.env)])] if at.judge else []),
        *_report(at),
        _logs(at, "before-traffic"),
        trace(),
    ]


def after_traffic(at: Environment) -> list[Statement]:
    """Finds the golden records in the capture, and the judge's verdict."""
    return [
        allow("ReadCapture", ["s3:GetObject"], [at.names.bucket_arn(at.capture, "capture/*")]),
        allow(
            "ListCapture",
            ["s3:ListBucket"],
            [at.names.bucket_arn(at.capture)],
            {"StringLike": {"s3:prefix": "capture/*"}},
        ),
        use_key(at.key_arn, [at.s3], write=at.judge),
        *read_golden(at),
        *([*judging.verdicts(at), judging.questions(at)] if at.judge else []),
        *_report(at),
        _logs(at, "after-traffic"),
        trace(),
    ]


def shift(at: Environment) -> list[Statement]:
    """CodeDeploy moves the alias, runs the hooks and looks at the alarms."""
    function = at.names.function_arn(at.env, PREDICT)
    hooks = [f"{at.names.function_arn(at.env, hook)}" for hook in ("before-traffic", "after-traffic")]
    return [
        # An alias is no resource of its own to IAM: its operations are allowed or not with the function.
        allow("MoveAlias", ["lambda:GetAlias", "lambda:UpdateAlias"], [function]),
        allow("ReadVersions", ["lambda:GetProvisionedConcurrencyConfig"], [f"{function}:*"]),
        allow("RunHooks", ["lambda:InvokeFunction"], hooks),
        allow("WatchAlarms", ["cloudwatch:DescribeAlarms"], [at.arn("cloudwatch", f"alarm:{at.prefix}-*")]),
    ]


def api_logs(at: Environment) -> list[Statement]:
    """API Gateway writes access logs. These actions are what it tests for when the role is set."""
    groups = [
        at.arn("logs", f"log-group:/aws/apigateway/{at.prefix}:*"),
        at.arn("logs", "log-group:API-Gateway-Execution-Logs_*:*"),
        at.arn("logs", "log-group:/aws/apigateway/welcome:*"),
    ]
    write = [
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:PutLogEvents",
    ]
    return [
        allow("WriteAccessLogs", write, groups),
        allow("MakeLogGroups", ["logs:CreateLogGroup"], groups),
        unscoped("FindLogGroups", ["logs:DescribeLogGroups"]),
    ]


def announce(at: Environment) -> list[Statement]:
    """The rules for drift put events on the tooling account's bus, and on no other."""
    return [allow("Announce", ["events:PutEvents"], [at.names.retrain_bus_arn])]


def tester(at: Environment) -> list[Statement]:
    """The system test asks the real API, then looks for its records in the capture."""
    bucket = at.names.bucket_arn(at.capture)
    return [
        allow("CallApi", ["execute-api:Invoke"], [at.arn("execute-api", f"*/{LIVE}/POST/{PREDICT}")]),
        allow("ReadCapture", ["s3:GetObject"], [f"{bucket}/capture/*"]),
        allow("ListCapture", ["s3:ListBucket"], [bucket], {"StringLike": {"s3:prefix": "capture/*"}}),
        use_key(at.key_arn, [at.s3], write=False),
        *read_runs(at, "*/release/manifest.json", "*/release/golden.json", "*/evaluation/golden.json"),
    ]


def champion(at: Environment) -> list[Statement]:
    """The tooling account looks up which release production serves, and nothing else."""
    return [allow("ReadPointer", ["ssm:GetParameter"], [at.arn("ssm", f"parameter{at.names.pointer(at.env)}")])]


def preview(at: Environment) -> list[Statement]:
    """What the program looks up when it is only asked what it would do; the rest of a preview is in the state."""
    function = at.names.function_arn(at.env, PREDICT)
    return [
        *read_release(at),
        read_pointer(at),
        allow("SeeAlias", ["lambda:GetAlias"], [function]),
        # What the serving version was published with. The provider's lookup of a function asks for the signing of its
        # code as well, and that of the function itself.
        allow("SeeServing", ["lambda:GetFunction"], [f"{function}:{LIVE}"]),
        allow("SeeSigning", ["lambda:GetFunctionCodeSigningConfig"], [function]),
        deployer.see_log_role(at),
        *([deployer.see_traffic()] if at.judge else []),
    ]
