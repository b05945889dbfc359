"""What each role of an environment may do. All of it belongs to the foundation; a release changes none of it."""

from dataclasses import dataclass

from contracts.names import DELIVERY, Names
from definitions.images import model_monitor, repository_arn, xgboost
from definitions.roles.delivery import plans
from definitions.roles.statements import (
    Document,
    Statement,
    allow,
    document,
    pass_role,
    trust_role,
    trust_roles,
    trust_service,
    unscoped,
    use_key,
    write_logs,
)

ROLES = (
    "deployer",
    "tester",
    "model",
    "predict",
    "before-traffic",
    "after-traffic",
    "shift",
    "api-logs",
    "monitor",
    "preview",
)


CI_ROLES = ("drift",)
"""Made only where the repository's CI is known."""


@dataclass(frozen=True)
class Environment:
    """One environment and the ARNs of its key and of delivery's (known only after they are made)."""

    names: Names
    env: str
    key_arn: str

    def arn(self, service: str, resource: str) -> str:
        """ARN of a regional resource of this environment's account."""
        return self.names.arn(service, resource, self.env)

    @property
    def prefix(self) -> str:
        """`{name}-{env}`."""
        return self.names.stack(self.env)

    @property
    def capture(self) -> str:
        """Capture bucket."""
        return self.names.capture_bucket(self.env)

    @property
    def s3(self) -> str:
        """S3 as KMS sees it."""
        return f"s3.{self.names.region}.amazonaws.com"


def trust(names: Names, env: str, purpose: str, ci: bool = False) -> Document:
    """Who may assume a role of the environment: one principal each. `ci`: the repository's CI may look as well."""
    account = names.accounts[env]
    if purpose == "deployer":
        return trust_role(names.root(DELIVERY), names.role_arn(DELIVERY, f"deploy-{env}"))
    if purpose == "tester":
        return trust_role(names.root(DELIVERY), names.role_arn(DELIVERY, f"test-{env}"))
    if purpose == "preview":
        return trust_roles(
            names.root(DELIVERY), [names.role_arn(DELIVERY, role) for role in previewers(names, env, ci)]
        )
    if purpose == "drift":
        return trust_role(names.root(DELIVERY), names.role_arn(DELIVERY, "ci-drift"))
    if purpose in ("model", "monitor"):
        return trust_service("sagemaker.amazonaws.com", account, names.arn("sagemaker", "*", env))
    if purpose == "shift":
        return trust_service("codedeploy.amazonaws.com", account, names.arn("codedeploy", "*", env))
    if purpose == "api-logs":
        return trust_service("apigateway.amazonaws.com", account)
    return trust_service("lambda.amazonaws.com", account)


def previewers(names: Names, env: str, ci: bool) -> list[str]:
    """Purposes of delivery's roles that preview an environment."""
    planner = [role for role in plans(names) if role == f"plan-{env}"]
    return ["build", *planner, *(["ci-preview"] if ci else [])]


def statements(at: Environment, purpose: str) -> list[Statement]:
    """What a role of the environment may do."""
    return {
        "deployer": deployer,
        "tester": tester,
        "model": model,
        "predict": predict,
        "before-traffic": before_traffic,
        "after-traffic": after_traffic,
        "shift": shift,
        "api-logs": api_logs,
        "monitor": monitor,
        "preview": preview,
        "drift": drift,
    }[purpose](at)


def _read_runs(at: Environment, *suffixes: str) -> list[Statement]:
    """Read parts of runs in delivery's artifact store, and decrypt them there."""
    bucket = at.names.artifacts_bucket
    arns = [at.names.bucket_arn(bucket, f"runs/{suffix}") for suffix in suffixes]
    decrypt = allow(
        "DecryptRuns",
        ["kms:Decrypt"],
        [at.names.arn("kms", "key/*")],
        {
            "StringEquals": {"kms:ViaService": at.s3},
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": at.names.key_alias(DELIVERY)},
        },
    )
    return [allow("ReadRuns", ["s3:GetObject"], arns), decrypt]


def _pull(image: str) -> list[Statement]:
    return [
        allow(
            "PullImage",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [repository_arn(image)],
        ),
        unscoped("EnterRegistry", ["ecr:GetAuthorizationToken"]),
    ]


def _logs(at: Environment, purpose: str) -> Statement:
    return write_logs(at.names.log_group_arn(f"/aws/lambda/{at.names.function(at.env, purpose)}", at.env))


def _sagemaker_logs(at: Environment, group: str) -> list[Statement]:
    """SageMaker makes the group itself, and names its streams."""
    arn = at.arn("logs", f"log-group:/aws/sagemaker/{group}")
    return [
        allow("MakeLogGroup", ["logs:CreateLogGroup"], [f"{arn}:*"]),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], [f"{arn}:*"]),
        unscoped(
            "WriteMetrics",
            ["cloudwatch:PutMetricData"],
            {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
        ),
    ]


def model(at: Environment) -> list[Statement]:
    """The endpoint: its artifact, its image, its capture."""
    return [
        *_read_runs(at, "*/release/model.tar.gz"),
        *_pull(xgboost(at.names.region)),
        *_sagemaker_logs(at, f"Endpoints/{at.prefix}-*"),
        allow("Capture", ["s3:PutObject"], [at.names.bucket_arn(at.capture, "capture/*")]),
        use_key(at.key_arn, [at.s3]),
    ]


def predict(at: Environment) -> list[Statement]:
    """The handler calls the environment's endpoints and writes its log."""
    return [_invoke_endpoint(at), _logs(at, "predict"), _trace()]


def _invoke_endpoint(at: Environment) -> Statement:
    return allow("Predict", ["sagemaker:InvokeEndpoint"], [at.arn("sagemaker", f"endpoint/{at.prefix}-*")])


def _trace() -> Statement:
    return unscoped("Trace", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"])


def _report(at: Environment) -> list[Statement]:
    group = at.arn("codedeploy", f"deploymentgroup:{at.prefix}/predict")
    return [
        unscoped("Report", ["codedeploy:PutLifecycleEventHookExecutionStatus"]),
        allow("ReadDeployment", ["codedeploy:GetDeployment"], [group]),
    ]


def before_traffic(at: Environment) -> list[Statement]:
    """Replays the golden records through the new version."""
    function = at.names.function_arn(at.env, "predict")
    return [
        allow("CallNewVersion", ["lambda:InvokeFunction"], [f"{function}:*"]),
        *_read_runs(at, "*/evaluation/golden.json"),
        *_report(at),
        _logs(at, "before-traffic"),
        _trace(),
    ]


def after_traffic(at: Environment) -> list[Statement]:
    """Finds the golden records in the capture."""
    return [
        allow("ReadCapture", ["s3:GetObject"], [at.names.bucket_arn(at.capture, "capture/*")]),
        allow(
            "ListCapture",
            ["s3:ListBucket"],
            [at.names.bucket_arn(at.capture)],
            {"StringLike": {"s3:prefix": "capture/*"}},
        ),
        use_key(at.key_arn, [at.s3], write=False),
        *_read_runs(at, "*/evaluation/golden.json"),
        *_report(at),
        _logs(at, "after-traffic"),
        _trace(),
    ]


def shift(at: Environment) -> list[Statement]:
    """CodeDeploy moves the alias, runs the hooks and looks at the alarms."""
    function = at.names.function_arn(at.env, "predict")
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


def monitor(at: Environment) -> list[Statement]:
    """The schedule's jobs: capture and baseline in, reports and metrics out."""
    bucket = at.names.bucket_arn(at.capture)
    return [
        allow("ReadCapture", ["s3:GetObject"], [f"{bucket}/capture/*"]),
        allow("WriteReports", ["s3:PutObject"], [f"{bucket}/monitor/*"]),
        allow("ListBucket", ["s3:GetBucketLocation", "s3:ListBucket"], [bucket]),
        allow(
            "ReadBaseline",
            ["s3:GetObject"],
            [
                at.names.bucket_arn(at.names.artifacts_bucket, "runs/*/baseline/*"),
            ],
        ),
        allow(
            "ListBaseline",
            ["s3:ListBucket"],
            [at.names.bucket_arn(at.names.artifacts_bucket)],
            {"StringLike": {"s3:prefix": "runs/*/baseline/*"}},
        ),
        *_read_runs(at, "*/baseline/*")[1:],
        use_key(at.key_arn, [at.s3]),
        *_pull(model_monitor(at.names.region)),
        allow(
            "DescribeEndpoint",
            ["sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"],
            [
                at.arn("sagemaker", f"endpoint/{at.prefix}-*"),
                at.arn("sagemaker", f"endpoint-config/{at.prefix}-*"),
            ],
        ),
        *_sagemaker_logs(at, "ProcessingJobs"),
    ]


def tester(at: Environment) -> list[Statement]:
    """The system test asks the real API, then looks for its records in the capture."""
    bucket = at.names.bucket_arn(at.capture)
    return [
        allow("CallApi", ["execute-api:Invoke"], [at.arn("execute-api", "*/live/POST/predict")]),
        allow("ReadCapture", ["s3:GetObject"], [f"{bucket}/capture/*"]),
        allow("ListCapture", ["s3:ListBucket"], [bucket], {"StringLike": {"s3:prefix": "capture/*"}}),
        use_key(at.key_arn, [at.s3], write=False),
        *_read_runs(at, "*/release/manifest.json", "*/evaluation/golden.json"),
    ]


def preview(at: Environment) -> list[Statement]:
    """What the program looks up when it is only asked what it would do; the rest of a preview is in the state."""
    return [*_release(at), _pointer_path(at)]


def drift(at: Environment) -> list[Statement]:
    """Compares the environment with its state: reads everything that a stack's resources are set to."""
    from definitions.roles.drift import foundation, reads

    return [*reads(deployer(at)), *foundation(at)]


def _release(at: Environment) -> list[Statement]:
    release, decrypt = _read_runs(at, "*/release/manifest.json", "*/release/model.tar.gz")
    # The provider's lookup of an object reads its tags as well.
    return [{**release, "Action": [*release["Action"], "s3:GetObjectTagging"]}, decrypt]


def _pointer_path(at: Environment) -> Statement:
    return allow(
        "ReadPointer", ["ssm:GetParametersByPath"], [at.arn("ssm", f"parameter{at.names.pointer_path(at.env)}")]
    )


def deployer(at: Environment) -> list[Statement]:
    """All that a release needs, and none of the foundation: no role, no policy, no key, no bucket."""
    from definitions.roles.deployer import statements as of_release

    pointer = at.arn("ssm", f"parameter{at.names.pointer(at.env)}")
    return [
        *_release(at),
        allow(
            "Pointer",
            [
                "ssm:AddTagsToResource",
                "ssm:DeleteParameter",
                "ssm:GetParameter",
                "ssm:GetParameters",
                "ssm:ListTagsForResource",
                "ssm:PutParameter",
            ],
            [pointer],
        ),
        _pointer_path(at),
        unscoped("DescribeParameters", ["ssm:DescribeParameters"]),
        pass_role(
            [at.names.role_arn(at.env, "model"), at.names.role_arn(at.env, "monitor")],
            "sagemaker.amazonaws.com",
            "PassToSageMaker",
        ),
        pass_role(
            [at.names.role_arn(at.env, hook) for hook in ("predict", "before-traffic", "after-traffic")],
            "lambda.amazonaws.com",
            "PassToLambda",
        ),
        pass_role([at.names.role_arn(at.env, "shift")], "codedeploy.amazonaws.com", "PassToCodeDeploy"),
        *of_release(at),
    ]


def _bounds(at: Environment) -> dict[str, list[str]]:
    """Service → what of it the roles of the environment can ever reach."""
    names, account = at.names, at.names.accounts[at.env]
    store = names.artifacts_bucket
    return {
        # API keys, REST APIs, usage plans and tags, in as few characters as a managed policy leaves for them.
        "apigateway": [f"arn:{names.partition}:apigateway:*::/{kind}" for kind in ("*ap*", "*age*", "tags/*")],
        "application-autoscaling": [at.arn("application-autoscaling", "scalable-target/*")],
        "cloudwatch": [
            at.arn("cloudwatch", f"alarm:*{at.prefix}-*"),
            f"arn:{names.partition}:cloudwatch::{account}:dashboard/{at.prefix}",
        ],
        "codedeploy": [
            at.arn("codedeploy", f"*:{at.prefix}*"),
            at.arn("codedeploy", "deploymentconfig:CodeDeployDefault.*"),
        ],
        "ecr": [repository_arn(xgboost(names.region)), repository_arn(model_monitor(names.region))],
        "execute-api": [at.arn("execute-api", "*/live/POST/predict")],
        "kms": [at.key_arn, names.arn("kms", "key/*")],
        "lambda": [at.arn("lambda", f"function:{at.prefix}-*")],
        "logs": [at.arn("logs", "log-group:*")],
        # The capture bucket with its objects, in one pattern: its name ends with account and region.
        "s3": [names.bucket_arn(store), names.bucket_arn(store, "runs/*"), f"{names.bucket_arn(at.capture)}*"],
        "sagemaker": [at.arn("sagemaker", f"*/{at.prefix}-*")],
        "ssm": [
            at.arn("ssm", f"parameter{names.pointer_path(at.env)}"),
            at.arn("ssm", f"parameter{names.pointer_path(at.env)}/*"),
        ],
    }


def boundary(at: Environment) -> Document:
    """The most that any role of the environment can ever do.

    Actions are named one by one and bound to the environment's own resources, so that a wider inline policy gains
    nothing; what concerns IAM itself stands as the deployer has it.
    """
    everything = [statement for purpose in ROLES for statement in statements(at, purpose)]
    bounds = _bounds(at)
    scoped: dict[str, set[str]] = {service: set() for service in bounds}
    free: set[str] = set()
    iam: list[Statement] = []
    passed: set[str] = set()
    for statement in everything:
        if statement["Action"] == ["iam:PassRole"]:
            passed.add(statement["Condition"]["StringEquals"]["iam:PassedToService"])
            continue
        if statement["Action"][0].startswith("iam:"):
            iam.append(statement)
            continue
        for action in statement["Action"]:
            (free if statement["Resource"] == ["*"] else scoped[action.partition(":")[0]]).add(action)
    # In one statement: every resource names its service, so no action gains another service's, and each further
    # statement costs characters that the document has not.
    own = allow(
        "",
        sorted(action for actions in scoped.values() for action in actions - free),
        [resource for service in scoped for resource in bounds[service]],
    )
    roles = f"arn:{at.names.partition}:iam::{at.names.accounts[at.env]}:role/{at.prefix}-*"
    passing = allow("", ["iam:PassRole"], [roles], {"StringEquals": {"iam:PassedToService": sorted(passed)}})
    found = document(own, unscoped("", sorted(free)), passing, *iam)
    for statement in found["Statement"]:
        del statement["Sid"]  # a managed policy holds 6,144 characters, and this one needs them
    return found
