"""Train: features, training, evaluation, gate and manifest, as one workflow."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.glue.job import Job
from pulumi_aws.glue.security_configuration import SecurityConfiguration
from pulumi_aws.s3.bucket_objectv2 import BucketObjectv2
from pulumi_aws.sfn.state_machine import StateMachine

from components.function import ROOT, Function, looks_up_serving
from components.registry import Registry
from components.role import Role, role_args
from components.stage import Stage
from contracts.names import DELIVERY, Names
from contracts.s3 import S3Location
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.workflow import FUNCTIONS
from definitions.state_machine import state_machine
from definitions.states import Training


class TrainArgs(TypedDict):
    """Arguments of the training."""

    names: Names
    """The project's names."""
    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    artifacts: pulumi.Input[str]
    """Artifacts bucket."""
    key_arn: pulumi.Input[str]
    """Key of everything it writes."""
    workflow: pulumi.Input[Training]
    """What the workflow is made of."""
    dataset: str
    """The dataset's schema as JSON, which `dataset_place` says the place of."""
    worker_type: str
    """Glue's machines."""
    workers: int
    """How many of them."""
    minutes: int
    """When the Glue job is given up."""
    commit: str
    """Pipeline variable that names the commit."""
    log_days: int
    """How long logs are kept."""


class Train(pulumi.ComponentResource):
    """The stage, its workflow, the Glue job and the model registry."""

    stage: Stage
    """Declaration for the pipeline."""
    state_machine_arn: pulumi.Output[str]
    """ARN of the workflow."""

    def __init__(self, name: str, args: TrainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:train:Train", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names = args["names"]
        made = {purpose: self._role(name, args, purpose) for purpose in ("train", "features", "training", "processing")}
        registry = Registry(name, {"group": names.name}, own)
        job = self._glue(name, args, made["features"])
        dataset = self._dataset(name, args)
        functions = [self._function(name, args, purpose) for purpose in FUNCTIONS]
        log = LogGroup(
            name,
            name=f"/aws/vendedlogs/states/{names.name}-train",
            retention_in_days=args["log_days"],
            kms_key_id=args["key_arn"],
            opts=own,
        )
        # The workflow names its roles, functions and jobs by name: these must be there before it runs.
        needed: list[pulumi.Resource] = [registry, job, dataset, *functions, *made.values()]
        machine = StateMachine(
            name,
            name=f"{names.name}-train",
            type="STANDARD",
            role_arn=made["train"].arn,
            definition=pulumi.Output.from_input(args["workflow"]).apply(lambda it: json.dumps(state_machine(it))),
            logging_configuration={
                "level": "ERROR",
                "include_execution_data": True,
                "log_destination": pulumi.Output.concat(log.arn, ":*"),
            },
            tracing_configuration={"enabled": True},
            opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
        )
        self.state_machine_arn = machine.arn
        self.stage = _stage(machine.arn, args["commit"], names)
        self.register_outputs({"state_machine_arn": machine.arn})

    def _role(self, name: str, args: TrainArgs, purpose: str) -> Role:
        record = roles(args["names"])[purpose]
        return Role(f"{name}-{purpose}", role_args(record, args["delivery"]), pulumi.ResourceOptions(parent=self))

    def _glue(self, name: str, args: TrainArgs, role: Role) -> Job:
        own = pulumi.ResourceOptions(parent=self)
        script = BucketObjectv2(
            f"{name}-features-script",
            bucket=args["artifacts"],
            key="glue/features_job.py",
            source=pulumi.FileAsset(str(ROOT / "functions/jobs/features/features_job.py")),
            opts=own,
        )
        security = SecurityConfiguration(
            f"{name}-features",
            name=f"{args['names'].name}-features",
            encryption_configuration={
                "cloudwatch_encryption": {"cloudwatch_encryption_mode": "SSE-KMS", "kms_key_arn": args["key_arn"]},
                "job_bookmarks_encryption": {"job_bookmarks_encryption_mode": "DISABLED"},
                "s3_encryption": {"s3_encryption_mode": "SSE-KMS", "kms_key_arn": args["key_arn"]},
            },
            opts=own,
        )
        return Job(
            f"{name}-features",
            name=f"{args['names'].name}-features",
            role_arn=role.arn,
            glue_version="5.1",
            worker_type=args["worker_type"],
            number_of_workers=args["workers"],
            timeout=args["minutes"],
            max_retries=0,
            execution_property={"max_concurrent_runs": 2},
            command={
                "name": "glueetl",
                "python_version": "3",
                "script_location": pulumi.Output.concat("s3://", args["artifacts"], "/", script.key),
            },
            default_arguments={
                "--enable-metrics": "true",
                "--enable-continuous-cloudwatch-log": "true",
                "--job-language": "python",
                "--TempDir": pulumi.Output.concat("s3://", args["artifacts"], "/glue/temp/"),
            },
            security_configuration=security.name,
            opts=own,
        )

    def _dataset(self, name: str, args: TrainArgs) -> BucketObjectv2:
        """Called after its content, and kept when another takes its place: runs that have begun go on with theirs."""
        return BucketObjectv2(
            f"{name}-dataset",
            bucket=args["artifacts"],
            key=dataset_place(args["names"], args["dataset"]).key,
            content=args["dataset"],
            content_type="application/json",
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )

    def _function(self, name: str, args: TrainArgs, purpose: str) -> Function:
        names = args["names"]
        role = self._role(name, args, purpose)
        return Function(
            f"{name}-{purpose}",
            {
                "function_arn": names.function_arn(DELIVERY, purpose),
                "package": purpose,
                "role_arn": role.arn,
                "key_arn": args["key_arn"],
                "environment": _environment(purpose, names, args["dataset"]),
                "log_days": args["log_days"],
                "seconds": 900 if purpose == "validate" else 300,
                "memory": 1024 if purpose in ("validate", "manifest") else 256,
            },
            pulumi.ResourceOptions(parent=self),
        )


def dataset_place(names: Names, dataset: str) -> S3Location:
    """Where a schema lies."""
    return S3Location(names.artifacts_bucket, f"dataset/{hashlib.sha256(dataset.encode()).hexdigest()[:16]}.json")


def _environment(purpose: str, names: Names, dataset: str) -> dict[str, str]:
    """Each function knows what it reads, and no more."""
    schema = {"DATASET_URI": str(dataset_place(names, dataset))}
    artifacts, group = {"ARTIFACTS_BUCKET": names.artifacts_bucket}, {"PACKAGE_GROUP": names.name}
    return {
        "validate": {"DATA_BUCKET": names.data_bucket, **artifacts, **schema},
        "champion": {**schema, **group, **looks_up_serving(names)},
        "gate": schema,
        "register": group,
        "manifest": {**schema, **artifacts, "SIGNING_KEY": names.signing_key},
    }[purpose]


def _stage(arn: pulumi.Output[str], commit: str, names: Names) -> Stage:
    # What a caller may choose stands first: of a member that is named twice, the last counts, and that is ours. Nothing
    # is taken from Build, whose code nobody has approved: a text of it could end here, and name another commit.
    given: dict[str, Any] = {
        "data": {"key": "#{variables.DATA_KEY}", "version": "#{variables.DATA_VERSION}"},
        "reason": "#{variables.REASON}",
        "commit": commit,
        "code": str(S3Location(names.artifacts_bucket, f"code/{commit}")),
        "run": "#{codepipeline.PipelineExecutionId}",
    }
    configuration: Mapping[str, pulumi.Input[str]] = {
        "StateMachineArn": arn,
        "ExecutionNamePrefix": "run",
        "InputType": "Literal",
        "Input": json.dumps(given),
    }
    return Stage("Train", "Invoke", "StepFunctions", configuration, takes_source=False)
