"""What each role of the delivery stack may do, and who may assume it: one role per principal."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.names import DELIVERY, Names
from definitions.images import model_monitor, repository_arn, xgboost
from definitions.roles.statements import (
    Document,
    Statement,
    allow,
    pass_role,
    trust_service,
    unscoped,
    use_key,
    write_logs,
)

WORKFLOW_FUNCTIONS = ("validate", "gate", "register", "manifest")
"""Functions of the training workflow."""


@dataclass(frozen=True)
class Delivery:
    """The delivery stack as its roles see it. `connection_arn` and `secret_name` are empty where unused."""

    names: Names
    key_arn: str
    source_kind: str = "s3"
    repository: str = ""
    connection_arn: str = ""
    backend: str = ""
    secret_name: str = ""

    def data(self, key: str = "") -> str:
        """ARN in the data bucket."""
        return self.names.bucket_arn(self.names.data_bucket, key)

    def artifacts(self, key: str = "") -> str:
        """ARN in the artifacts bucket."""
        return self.names.bucket_arn(self.names.artifacts_bucket, key)

    def use_key(self, *services: str, write: bool = True) -> Statement:
        """Leave to use the stack's key through S3 (and the services given)."""
        hosts = [f"{service}.{self.names.region}.amazonaws.com" for service in ("s3", *services)]
        return use_key(self.key_arn, hosts, write=write)


def roles(names: Names) -> list[str]:
    """Purposes of the delivery stack's roles."""
    deploys = [f"deploy-{env}" for env in names.environments]
    tests = [f"test-{env}" for env in names.environments[:-1]]
    return [
        "pipeline",
        "build",
        *deploys,
        *tests,
        *plans(names),
        "train",
        "features",
        "training",
        "processing",
        *WORKFLOW_FUNCTIONS,
        "trigger",
    ]


def plans(names: Names) -> list[str]:
    """Purposes of the roles that plan: production's alone, and only where an environment before it is approved."""
    return [f"plan-{names.environments[-1]}"] if len(names.environments) > 1 else []


def trust(names: Names, purpose: str) -> Document:
    """Who may assume a role of the delivery stack."""
    account = names.delivery_account
    if purpose == "pipeline":
        return trust_service("codepipeline.amazonaws.com", account, names.pipeline_arn)
    if purpose == "build" or purpose.startswith(("deploy-", "test-", "plan-")):
        return trust_service(
            "codebuild.amazonaws.com", account, names.arn("codebuild", f"project/{names.project(purpose)}")
        )
    if purpose == "train":
        return trust_service("states.amazonaws.com", account, names.state_machine_arn)
    if purpose == "features":
        return trust_service("glue.amazonaws.com", account)
    if purpose in ("training", "processing", "notebook"):
        return trust_service("sagemaker.amazonaws.com", account, names.arn("sagemaker", "*"))
    return trust_service("lambda.amazonaws.com", account)


def statements(at: Delivery, purpose: str) -> list[Statement]:
    """What a role of the delivery stack may do."""
    if purpose.startswith("deploy-"):
        return deploy(at, purpose.removeprefix("deploy-"))
    if purpose.startswith("test-"):
        return system_test(at, purpose.removeprefix("test-"))
    if purpose.startswith("plan-"):
        return plan(at, purpose.removeprefix("plan-"))
    return {
        "pipeline": pipeline,
        "build": build,
        "train": train,
        "features": features,
        "training": training,
        "processing": processing,
        "validate": validate,
        "gate": gate,
        "register": register,
        "manifest": manifest,
        "trigger": trigger,
        "notebook": notebook,
    }[purpose](at)


def pipeline(at: Delivery) -> list[Statement]:
    """Moves artifacts between stages and starts each stage's work."""
    names = at.names
    projects = [
        "build",
        *(f"deploy-{env}" for env in names.environments),
        *(f"test-{env}" for env in names.environments[:-1]),
        *plans(names),
    ]
    execution = names.arn("states", f"execution:{names.name}-train:*")
    return [
        allow(
            "Artifacts", ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], [at.artifacts(f"{at.names.name}/*")]
        ),
        allow("ArtifactStore", ["s3:GetBucketLocation", "s3:GetBucketVersioning"], [at.artifacts()]),
        # The approval topic is encrypted with the same key, and whoever publishes must be able to use it.
        at.use_key("sns"),
        allow(
            "Builds",
            ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
            [names.arn("codebuild", f"project/{names.project(purpose)}") for purpose in projects],
        ),
        allow("Train", ["states:DescribeStateMachine", "states:StartExecution"], [names.state_machine_arn]),
        allow("WatchTraining", ["states:DescribeExecution", "states:StopExecution"], [execution]),
        allow("AskForApproval", ["sns:Publish"], [names.arn("sns", f"{names.name}-approval")]),
        *_source(at),
    ]


def _source(at: Delivery) -> list[Statement]:
    if at.source_kind == "connection":
        condition = {"StringEquals": {"codeconnections:FullRepositoryId": at.repository}}
        return [allow("Source", ["codeconnections:UseConnection"], [at.connection_arn], condition)]
    if at.source_kind == "codecommit":
        actions = [
            "CancelUploadArchive",
            "GetBranch",
            "GetCommit",
            "GetRepository",
            "GetUploadArchiveStatus",
            "UploadArchive",
        ]
        return [
            allow("Source", [f"codecommit:{action}" for action in actions], [at.names.arn("codecommit", at.repository)])
        ]
    return [
        allow(
            "Source",
            ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"],
            [at.data("source/*")],
        ),
        allow("SourceBucket", ["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"], [at.data()]),
    ]


def _codebuild(at: Delivery, purpose: str) -> list[Statement]:
    """What every build needs: its input, its log."""
    group = at.names.log_group_arn(f"/aws/codebuild/{at.names.project(purpose)}", DELIVERY)
    return [
        allow(
            "Artifacts", ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], [at.artifacts(f"{at.names.name}/*")]
        ),
        at.use_key(),
        write_logs(group),
    ]


def state(at: Delivery, write: bool = True) -> list[Statement]:
    """Pulumi's state, where it is a bucket, and the secret that unlocks it. A preview only reads, and locks nothing."""
    found: list[Statement] = []
    if at.secret_name:
        secret = at.names.arn("secretsmanager", f"secret:{at.secret_name}-??????")
        found.append(allow("Unlock", ["secretsmanager:GetSecretValue"], [secret]))
    if not at.backend.startswith("s3://"):
        return found
    bucket = at.backend.removeprefix("s3://").partition("?")[0].partition("/")[0]
    key = {
        "StringEquals": {"kms:ViaService": f"s3.{at.names.region}.amazonaws.com"},
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{at.names.name}-state"},
    }
    return [
        *found,
        allow(
            "State",
            ["s3:GetObject", *(["s3:DeleteObject", "s3:PutObject"] if write else [])],
            [at.names.bucket_arn(bucket, ".pulumi/*")],
        ),
        allow("ListState", ["s3:GetBucketLocation", "s3:ListBucket"], [at.names.bucket_arn(bucket)]),
        allow(
            "StateKey",
            ["kms:Decrypt", *(["kms:GenerateDataKey"] if write else [])],
            [at.names.arn("kms", "key/*")],
            key,
        ),
        allow(
            "Secrets",
            ["kms:Decrypt", *(["kms:Encrypt"] if write else [])],
            [at.names.arn("kms", "key/*")],
            {"ForAnyValue:StringEquals": key["ForAnyValue:StringEquals"]},
        ),
    ]


def _look(at: Delivery, envs: Sequence[str]) -> list[Statement]:
    """Preview environments: read the state, and be their preview roles. Nothing here writes."""
    roles = [at.names.role_arn(env, "preview") for env in envs]
    return [allow("Preview", ["sts:AssumeRole"], roles), *state(at, write=False)]


def build(at: Delivery) -> list[Statement]:
    """Tests, packages code, and previews the environments."""
    return [
        *_codebuild(at, "build"),
        *_look(at, at.names.environments),
        allow("PackageCode", ["s3:PutObject"], [at.artifacts("code/*")]),
    ]


def deploy(at: Delivery, env: str) -> list[Statement]:
    """Runs `pulumi up` of one environment as that environment's deployer."""
    return [
        *_codebuild(at, f"deploy-{env}"),
        allow("Deploy", ["sts:AssumeRole"], [at.names.role_arn(env, "deployer")]),
        *state(at),
        *([allow("ReadPlan", ["s3:GetObject"], [_plan(at, env)])] if f"plan-{env}" in plans(at.names) else []),
    ]


def plan(at: Delivery, env: str) -> list[Statement]:
    """Previews a release in one environment and writes the plan down."""
    return [
        *_codebuild(at, f"plan-{env}"),
        *_look(at, [env]),
        allow("ReadManifest", ["s3:GetObject"], [at.artifacts("runs/*/release/manifest.json")]),
        allow("WritePlan", ["s3:PutObject"], [_plan(at, env)]),
    ]


def _plan(at: Delivery, env: str) -> str:
    return at.artifacts(f"runs/*/plan/{env}.json")


def system_test(at: Delivery, env: str) -> list[Statement]:
    """Runs the system test as the environment's tester."""
    return [
        *_codebuild(at, f"test-{env}"),
        allow("Test", ["sts:AssumeRole"], [at.names.role_arn(env, "tester")]),
    ]


def train(at: Delivery) -> list[Statement]:
    """The workflow starts jobs and functions, and waits for them through the rules that AWS manages for it."""
    names = at.names
    functions = [names.function_arn(DELIVERY, purpose) for purpose in WORKFLOW_FUNCTIONS]
    rules = [
        names.arn("events", f"rule/StepFunctionsGetEventsForSageMaker{kind}JobsRule")
        for kind in ("Training", "Processing")
    ]
    prefix = f"{names.name}-"
    return [
        allow("Functions", ["lambda:InvokeFunction"], [arn + tail for arn in functions for tail in ("", ":*")]),
        allow(
            "Features",
            ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"],
            [names.arn("glue", f"job/{names.name}-features")],
        ),
        allow(
            "Training",
            ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"],
            [names.arn("sagemaker", f"training-job/{prefix}*")],
        ),
        allow(
            "Processing",
            ["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob"],
            [names.arn("sagemaker", f"processing-job/{prefix}*")],
        ),
        allow(
            "Tags",
            ["sagemaker:AddTags"],
            [names.arn("sagemaker", f"training-job/{prefix}*"), names.arn("sagemaker", f"processing-job/{prefix}*")],
        ),
        pass_role(
            [names.role_arn(DELIVERY, "training"), names.role_arn(DELIVERY, "processing")], "sagemaker.amazonaws.com"
        ),
        allow("WaitForJobs", ["events:DescribeRule", "events:PutRule", "events:PutTargets"], rules),
        unscoped(
            "DeliverLogs",
            [
                f"logs:{action}"
                for action in (
                    "CreateLogDelivery",
                    "DeleteLogDelivery",
                    "DescribeLogGroups",
                    "DescribeResourcePolicies",
                    "GetLogDelivery",
                    "ListLogDeliveries",
                    "PutResourcePolicy",
                    "UpdateLogDelivery",
                )
            ],
        ),
        unscoped(
            "Trace",
            ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        ),
    ]


def features(at: Delivery) -> list[Statement]:
    """The Glue job: data in, features out."""
    group = at.names.arn("logs", "log-group:/aws-glue/jobs/*")
    return [
        allow(
            "ReadInput",
            ["s3:GetObject"],
            [at.artifacts("runs/*/input/*"), at.artifacts("code/*"), at.artifacts("glue/*")],
        ),
        allow(
            "WriteFeatures", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [at.artifacts("runs/*/features/*")]
        ),
        allow(
            "ListRuns",
            ["s3:ListBucket"],
            [at.artifacts()],
            {"StringLike": {"s3:prefix": ["runs/*", "code/*", "glue/*"]}},
        ),
        allow("Bucket", ["s3:GetBucketLocation"], [at.artifacts()]),
        use_key(at.key_arn, [f"{service}.{at.names.region}.amazonaws.com" for service in ("s3", "glue")]),
        allow("EncryptLogs", ["logs:AssociateKmsKey", "logs:CreateLogGroup"], [f"{group}:*"]),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{group}:*"]),
        unscoped("WriteMetrics", ["cloudwatch:PutMetricData"], {"StringEquals": {"cloudwatch:namespace": "Glue"}}),
    ]


def _sagemaker(at: Delivery, group: str, image: str) -> list[Statement]:
    arn = at.names.arn("logs", f"log-group:/aws/sagemaker/{group}")
    return [
        allow(
            "PullImage",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            sorted({repository_arn(image), repository_arn(xgboost(at.names.region))}),
        ),
        unscoped("EnterRegistry", ["ecr:GetAuthorizationToken"]),
        allow("MakeLogGroup", ["logs:CreateLogGroup"], [f"{arn}:*"]),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], [f"{arn}:*"]),
        unscoped(
            "WriteMetrics",
            ["cloudwatch:PutMetricData"],
            {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
        ),
        use_key(at.key_arn, [f"{service}.{at.names.region}.amazonaws.com" for service in ("s3", "sagemaker")]),
        allow("VolumeKey", ["kms:CreateGrant"], [at.key_arn], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        allow("ListRuns", ["s3:ListBucket"], [at.artifacts()], {"StringLike": {"s3:prefix": ["runs/*", "code/*"]}}),
    ]


def training(at: Delivery) -> list[Statement]:
    """Features in, model out."""
    return [
        allow("ReadFeatures", ["s3:GetObject"], [at.artifacts("runs/*/features/*")]),
        allow("WriteModel", ["s3:PutObject"], [at.artifacts("runs/*/training/*")]),
        *_sagemaker(at, "TrainingJobs", xgboost(at.names.region)),
    ]


def processing(at: Delivery) -> list[Statement]:
    """Baseline and evaluation."""
    return [
        allow(
            "ReadInput",
            ["s3:GetObject"],
            [at.artifacts("runs/*/features/*"), at.artifacts("runs/*/training/*"), at.artifacts("code/*")],
        ),
        allow(
            "WriteResults", ["s3:PutObject"], [at.artifacts("runs/*/baseline/*"), at.artifacts("runs/*/evaluation/*")]
        ),
        *_sagemaker(at, "ProcessingJobs", model_monitor(at.names.region)),
    ]


def _function(at: Delivery, purpose: str) -> list[Statement]:
    return [
        write_logs(at.names.log_group_arn(f"/aws/lambda/{at.names.function(DELIVERY, purpose)}", DELIVERY)),
        unscoped("Trace", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]),
        at.use_key(),
    ]


def validate(at: Delivery) -> list[Statement]:
    """Reads the exact object version and keeps the run's own copy of it."""
    return [
        allow("ReadData", ["s3:GetObject", "s3:GetObjectVersion"], [at.data("datasets/*")]),
        allow(
            "FindData",
            ["s3:ListBucket"],
            [at.data()],
            {"StringLike": {"s3:prefix": "datasets/*"}},
        ),
        allow("KeepInput", ["s3:PutObject"], [at.artifacts("runs/*/input/*")]),
        *_function(at, "validate"),
    ]


def _packages(at: Delivery) -> list[str]:
    return [at.names.arn("sagemaker", f"model-package/{at.names.name}/*")]


def gate(at: Delivery) -> list[Statement]:
    """Compares the evaluation with the threshold and with the champion."""
    group = at.names.arn("sagemaker", f"model-package-group/{at.names.name}")
    return [
        allow(
            "ReadEvaluation",
            ["s3:GetObject"],
            [at.artifacts("runs/*/evaluation/*"), at.artifacts("runs/*/release/manifest.json")],
        ),
        allow("WriteVerdict", ["s3:PutObject"], [at.artifacts("runs/*/evaluation/*")]),
        allow("FindChampion", ["sagemaker:ListModelPackages"], [*_packages(at), group]),
        allow("ReadChampion", ["sagemaker:DescribeModelPackage"], [*_packages(at), group]),
        *_function(at, "gate"),
    ]


def register(at: Delivery) -> list[Statement]:
    """Registers the trained artifact with its metrics."""
    group = at.names.arn("sagemaker", f"model-package-group/{at.names.name}")
    return [
        allow(
            "ReadRun",
            ["s3:GetObject"],
            [
                at.artifacts("runs/*/training/*"),
                at.artifacts("runs/*/evaluation/*"),
                at.artifacts("runs/*/baseline/*"),
            ],
        ),
        allow(
            "Register",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateModelPackage",
            ],
            [group, *_packages(at)],
        ),
        *_function(at, "register"),
    ]


def manifest(at: Delivery) -> list[Statement]:
    """Copies the artifact into the release and writes the manifest, once."""
    return [
        allow(
            "ReadRun",
            ["s3:GetObject"],
            [
                at.artifacts("runs/*/input/*"),
                at.artifacts("runs/*/training/*"),
                at.artifacts("runs/*/evaluation/*"),
                at.artifacts("runs/*/baseline/*"),
                at.artifacts("runs/*/release/*"),
            ],
        ),
        allow(
            "WriteRelease",
            ["s3:PutObject"],
            [at.artifacts("runs/*/release/manifest.json"), at.artifacts("runs/*/release/model.tar.gz")],
        ),
        *_function(at, "manifest"),
    ]


def trigger(at: Delivery) -> list[Statement]:
    """Starts a run for new data."""
    return [
        allow("StartRun", ["codepipeline:StartPipelineExecution"], [at.names.pipeline_arn]),
        *_function(at, "trigger")[:2],
    ]


def notebook(at: Delivery) -> list[Statement]:
    """A person looks at data and runs; nothing can be changed from there."""
    group = at.names.arn("logs", "log-group:/aws/sagemaker/NotebookInstances:*")
    return [
        allow("Read", ["s3:GetObject"], [at.data("datasets/*"), at.artifacts("runs/*")]),
        allow("List", ["s3:ListBucket"], [at.data(), at.artifacts()]),
        at.use_key(write=False),
        write_logs(group),
    ]
