"""Roles of what runs in the delivery account besides the pipeline: training workflow, trigger and notebook."""

from collections.abc import Callable

from contracts.names import DELIVERY, Names
from contracts.retraining import COLLECTED, JOINED, LEDGER_KEY, TOLD, TRAINED, UPLOADED, start_key
from definitions.images import repository_arn, xgboost
from definitions.roles import registry
from definitions.roles.delivery_account import Delivery
from definitions.roles.function import watched, works_on_runs
from definitions.roles.record import Record
from definitions.roles.statements import (
    Document,
    Statement,
    allow,
    deliver_logs,
    grant_to_services,
    pass_role,
    pull_image,
    sagemaker_logs,
    trace_executions,
    trust_service,
    unscoped,
    use_key,
    write_logs,
)

Statements = Callable[[Delivery], list[Statement]]


def roles(names: Names) -> list[Record[Delivery]]:
    """Every one of them."""
    account = names.delivery_account
    states = trust_service("states.amazonaws.com", account, names.state_machine_arn)
    glue = trust_service("glue.amazonaws.com", account)
    sagemaker = trust_service("sagemaker.amazonaws.com", account, names.arn("sagemaker", "*"))
    function = trust_service("lambda.amazonaws.com", account)
    # To the scheduler, the source of a call is the schedule's group.
    schedules = trust_service("scheduler.amazonaws.com", account, names.arn("scheduler", "schedule-group/default"))

    def record(purpose: str, description: str, trust: Document, statements: Statements) -> Record[Delivery]:
        return Record(purpose, names.role(DELIVERY, purpose), description, trust, statements)

    def step(purpose: str, trust: Document, statements: Statements) -> Record[Delivery]:
        return record(purpose, f"{purpose} of the training workflow", trust, statements)

    return [
        step("train", states, train),
        step("features", glue, features),
        step("training", sagemaker, training),
        step("processing", sagemaker, processing),
        *(step(purpose, function, statements) for purpose, statements in FUNCTIONS.items()),
        record("trigger", "Starts the pipeline for new data", function, trigger),
        record("retrain", "Starts the pipeline after drift", function, retrain),
        record("outcome", "Writes down what became of a model", function, registry.outcome),
        record("retrain-schedule", "Asks for retrainings", schedules, retrain_schedule),
        record("notebook", "Notebook: reads, and uploads data", sagemaker, notebook),
    ]


def train(at: Delivery) -> list[Statement]:
    """The workflow starts jobs and functions, and waits for them through the rules that AWS manages for it."""
    names = at.names
    functions = [names.function_arn(DELIVERY, purpose) for purpose in FUNCTIONS]
    rules = [
        names.arn("events", f"rule/StepFunctionsGetEventsForSageMaker{kind}JobsRule")
        for kind in ("Training", "Processing", *(["Tuning"] if at.tuning else []))
    ]
    prefix = f"{names.name}-"
    return [
        allow("Functions", ["lambda:InvokeFunction"], [arn + tail for arn in functions for tail in ("", ":*")]),
        allow(
            "Features",
            ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"],
            [names.arn("glue", f"job/{names.name}-features")],
        ),
        *_trainings(at, prefix),
        allow(
            "Processing",
            ["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob"],
            [names.arn("sagemaker", f"processing-job/{prefix}*")],
        ),
        allow(
            "Tags",
            ["sagemaker:AddTags"],
            [_training_jobs(at, prefix), names.arn("sagemaker", f"processing-job/{prefix}*")],
        ),
        pass_role(
            [names.role_arn(DELIVERY, "training"), names.role_arn(DELIVERY, "processing")], "sagemaker.amazonaws.com"
        ),
        allow("WaitForJobs", ["events:DescribeRule", "events:PutRule", "events:PutTargets"], rules),
        deliver_logs(),
        trace_executions(),
    ]


def _trainings(at: Delivery, prefix: str) -> list[Statement]:
    """A training, or a tuning job, whose trials are SageMaker's to start and to stop.

    https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html
    """
    kind, name = ("HyperParameterTuning", "Tuning") if at.tuning else ("Training", "Training")
    verbs = [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")]
    return [allow(name, verbs, [_training_jobs(at, prefix)])]


def _training_jobs(at: Delivery, prefix: str) -> str:
    """What trains. Step Functions tags what it makes, whatever that is."""
    if at.tuning:
        return at.names.arn("sagemaker", f"hyper-parameter-tuning-job/{at.names.name}-*")
    return at.names.arn("sagemaker", f"training-job/{prefix}*")


def features(at: Delivery) -> list[Statement]:
    """The Glue job: data in, features out."""
    group = at.names.arn("logs", "log-group:/aws-glue/jobs/*")
    return [
        allow(
            "ReadInput",
            ["s3:GetObject"],
            [at.artifacts(key) for key in ("runs/*/input/*", "code/*", "glue/*", "runs/*/release/features.sql")],
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
        allow("Split", ["kms:GenerateMac"], [at.split_arn]),
        allow("EncryptLogs", ["logs:AssociateKmsKey", "logs:CreateLogGroup"], [f"{group}:*"]),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{group}:*"]),
        unscoped("WriteMetrics", ["cloudwatch:PutMetricData"], {"StringEquals": {"cloudwatch:namespace": "Glue"}}),
    ]


def _sagemaker(at: Delivery, group: str) -> list[Statement]:
    region = at.names.region
    return [
        *pull_image([repository_arn(xgboost(region))]),
        *sagemaker_logs(at.names.arn("logs", f"log-group:/aws/sagemaker/{group}")),
        use_key(at.key_arn, [f"{service}.{region}.amazonaws.com" for service in ("s3", "sagemaker")]),
        grant_to_services(at.key_arn, "VolumeKey"),
        allow("ListRuns", ["s3:ListBucket"], [at.artifacts()], {"StringLike": {"s3:prefix": ["runs/*", "code/*"]}}),
    ]


def training(at: Delivery) -> list[Statement]:
    """Features in, model out."""
    return [
        allow("ReadFeatures", ["s3:GetObject"], [at.artifacts("runs/*/features/*")]),
        allow("WriteModel", ["s3:PutObject"], [at.artifacts("runs/*/training/*")]),
        *_checkpoints(at),
        *_sagemaker(at, "TrainingJobs"),
    ]


def _checkpoints(at: Delivery) -> list[Statement]:
    """What a training on Spot machines left, for the machine that takes over. SageMaker copies both ways:
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html"""
    if not at.spot:
        return []
    return [allow("Checkpoints", ["s3:GetObject", "s3:PutObject"], [at.artifacts("runs/*/checkpoints/*")])]


def processing(at: Delivery) -> list[Statement]:
    """The evaluation, which makes the baseline too."""
    return [
        allow(
            "ReadInput",
            ["s3:GetObject"],
            [
                at.artifacts("runs/*/features/*"),
                at.artifacts("runs/*/training/*"),
                at.artifacts("runs/*/release/model.tar.gz"),
                at.artifacts("code/*"),
            ],
        ),
        allow(
            "WriteResults", ["s3:PutObject"], [at.artifacts("runs/*/baseline/*"), at.artifacts("runs/*/evaluation/*")]
        ),
        *_sagemaker(at, "ProcessingJobs"),
    ]


def validate(at: Delivery) -> list[Statement]:
    """Reads the exact object version and keeps the run's own copy of it."""
    return [
        allow(
            "ReadData",
            ["s3:GetObject", "s3:GetObjectVersion"],
            # What retraining chose, and its word that it began the run.
            [
                *(at.data(f"{prefix}*") for prefix in (UPLOADED, COLLECTED, JOINED)),
                at.artifacts(start_key("*")),
                at.artifacts("dataset/*"),
            ],
        ),
        allow(
            "FindData",
            ["s3:ListBucket", "s3:ListBucketVersions"],
            [at.data()],
            {"StringLike": {"s3:prefix": f"{UPLOADED}*"}},
        ),
        allow("KeepInput", ["s3:PutObject"], [at.artifacts("runs/*/input/*")]),
        *works_on_runs(at, "validate"),
    ]


def gate(at: Delivery) -> list[Statement]:
    """Compares the evaluation with the threshold and with the champion."""
    return [
        allow("ReadEvaluation", ["s3:GetObject"], [at.artifacts("runs/*/evaluation/*"), at.artifacts("dataset/*")]),
        allow("WriteVerdict", ["s3:PutObject"], [at.artifacts("runs/*/evaluation/*"), at.artifacts(f"{TRAINED}*")]),
        *works_on_runs(at, "gate"),
    ]


def manifest(at: Delivery) -> list[Statement]:
    """Copies what a run made into its release, writes the manifest, and signs it, which no other role does."""
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
                at.artifacts("runs/*/features/*"),
                at.artifacts("code/*/features.sql"),
                at.artifacts("dataset/*"),
            ],
        ),
        allow(
            "FindTestRows", ["s3:ListBucket"], [at.artifacts()], {"StringLike": {"s3:prefix": "runs/*/features/test/"}}
        ),
        allow("WriteRelease", ["s3:PutObject"], [at.artifacts("runs/*/release/*")]),
        allow("Sign", ["kms:Sign"], [at.signing_arn]),
        *works_on_runs(at, "manifest"),
    ]


def trigger(at: Delivery) -> list[Statement]:
    """Starts a run for new data, and tells people of what starts none, once."""
    return [
        allow("StartRun", ["codepipeline:StartPipelineExecution"], [at.names.pipeline_arn]),
        allow("FindParts", ["s3:ListBucketVersions"], [at.data()], {"StringLike": {"s3:prefix": f"{UPLOADED}*"}}),
        allow("Remember", ["s3:DeleteObject", "s3:PutObject"], [at.artifacts(f"{TOLD}*")]),
        allow("Tell", ["sns:Publish"], [at.names.approval_arn]),
        at.use_key("sns"),
        *watched(at, "trigger"),
    ]


def retrain(at: Delivery) -> list[Statement]:
    """Starts a run on a new window, remembers it, and vouches for it: nobody else writes there."""
    folders = [COLLECTED, UPLOADED]
    return [
        allow("ReadLedger", ["s3:GetObject"], [at.artifacts(LEDGER_KEY)]),
        allow("WriteLedger", ["s3:PutObject"], [at.artifacts(LEDGER_KEY), at.artifacts(start_key("*"))]),
        allow(
            "FindTrained",
            ["s3:ListBucket"],
            [at.artifacts()],
            {"StringLike": {"s3:prefix": [LEDGER_KEY, f"{TRAINED}*"]}},
        ),
        allow(
            "FindData",
            ["s3:ListBucketVersions"],
            [at.data()],
            {"StringLike": {"s3:prefix": [f"{folder}*" for folder in (*folders, JOINED)]}},
        ),
        allow("ReadData", ["s3:GetObjectVersion"], [at.data(f"{folder}*") for folder in folders]),
        allow("JoinData", ["s3:AbortMultipartUpload", "s3:PutObject"], [at.data(f"{JOINED}*")]),
        allow(
            "StartRun",
            ["codepipeline:ListPipelineExecutions", "codepipeline:StartPipelineExecution"],
            [at.names.pipeline_arn],
        ),
        *works_on_runs(at, "retrain"),
    ]


def retrain_schedule(at: Delivery) -> list[Statement]:
    """The schedule asks the function."""
    return [allow("Ask", ["lambda:InvokeFunction"], [at.names.function_arn(DELIVERY, "retrain")])]


def notebook(at: Delivery) -> list[Statement]:
    """What notebooks/mlops.ipynb does by itself: read, upload data, follow the run.

    To approve, and to reach an environment's account at all, takes the rights of the person who sits there.
    """
    names = at.names
    group = names.arn("logs", "log-group:/aws/sagemaker/NotebookInstances:*")
    return [
        allow("Read", ["s3:GetObject"], [at.data(f"{UPLOADED}*"), at.artifacts("runs/*")]),
        allow("List", ["s3:ListBucket"], [at.data(), at.artifacts()]),
        allow("Upload", ["s3:PutObject"], [at.data(f"{UPLOADED}*")]),
        at.use_key(),
        allow(
            "FollowRuns",
            [
                "codepipeline:GetPipeline",
                "codepipeline:GetPipelineExecution",
                "codepipeline:GetPipelineState",
                "codepipeline:ListActionExecutions",
                "codepipeline:ListPipelineExecutions",
            ],
            [names.pipeline_arn],
        ),
        allow("Job", ["sagemaker:DescribeTrainingJob"], [names.arn("sagemaker", f"training-job/{names.name}-*")]),
        allow("Package", ["sagemaker:DescribeModelPackage"], [names.arn("sagemaker", f"model-package/{names.name}/*")]),
        write_logs(group),
        *_clone(at),
    ]


def _clone(at: Delivery) -> list[Statement]:
    """What a notebook needs to fetch the project. A public repository takes nothing."""
    found = []
    if at.notebook_repository.startswith("https://git-codecommit."):
        repository = at.names.arn("codecommit", at.notebook_repository.rpartition("/")[2])
        found.append(allow("Clone", ["codecommit:GitPull"], [repository]))
    if at.notebook_secret:
        secret = at.names.arn("secretsmanager", f"secret:{at.notebook_secret}-??????")
        found.append(allow("EnterRepository", ["secretsmanager:GetSecretValue"], [secret]))
    return found


FUNCTIONS: dict[str, Statements] = {
    "validate": validate,
    "champion": registry.champion,
    "gate": gate,
    "register": registry.register,
    "manifest": manifest,
}
"""Functions of the training workflow: purpose → what each may do."""
