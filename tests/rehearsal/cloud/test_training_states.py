"""The workflow's own training states, run by the stand-in under the program's own roles."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.names import DELIVERY, Names
from contracts.tuning import objective_of
from definitions.images import xgboost
from definitions.jobs import train
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.statements import document
from definitions.states import Machines, State, Training, Tuning
from definitions.storage import bucket_policy, delivery_key
from definitions.tuning import states as tuned
from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import csv, rows, wait

REGION = "eu-west-1"
HYPERPARAMETERS = {"objective": "reg:squarederror", "num_round": "10", "eval_metric": "rmse"}
SPOT = Machines("ml.m5.large", 1, 10, 1800, spot_seconds=3600)
TUNING = Tuning(3, 2, "bayesian", {"max_depth": ("2", "5"), "eta": ("0.1", "0.5")}, *objective_of("rmse", "regression"))


class Road:
    """A delivery account with a run's features in its bucket."""

    def __init__(self, cloud: Cloud, account: str, *, spot: bool = False, tuning: bool = False) -> None:
        self.cloud, self.account = cloud, account
        self.names = Names("fares", REGION, {DELIVERY: account})
        self.key = self.client("kms").create_key(Policy=json.dumps(delivery_key(self.names)))["KeyMetadata"]["Arn"]
        self.bucket, self.s3 = self.names.artifacts_bucket, self.client("s3")
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.key}}
        self.s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        policy = bucket_policy(f"arn:aws:s3:::{self.bucket}", self.key)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        self.run = str(uuid.uuid4())
        for part, seed in (("train", 1), ("validation", 2)):
            key = f"runs/{self.run}/features/{part}/part-0.csv"
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=csv(rows(300, seed=seed)))
        at = Delivery(self.names, self.key, self.key, self.key, spot=spot, tuning=tuning)
        self.roles = {purpose: self._role(purpose, at) for purpose in ("train", "training")}

    def client(self, service: str) -> Any:
        return self.cloud.client(service, self.account, REGION)

    def _role(self, purpose: str, at: Delivery) -> str:
        record, iam = roles(self.names)[purpose], self.client("iam")
        made = iam.create_role(RoleName=record.name, AssumeRolePolicyDocument=json.dumps(record.trust))["Role"]["Arn"]
        policy = json.dumps(document(*record.statements(at)))
        iam.put_role_policy(RoleName=record.name, PolicyName="work", PolicyDocument=policy)
        return str(made)

    def training(self, **changes: Any) -> Training:
        machines = Machines("ml.m5.large", 1, 10, 1800)
        image = xgboost(REGION)
        made = Training(self.names, self.key, image, HYPERPARAMETERS, "{}", (), 3600, machines, machines)
        return replace(made, **changes)

    def execute(self, states: dict[str, State]) -> dict[str, Any]:
        """What the last of the states leaves."""
        *_, last = states
        alone = {
            name: {key: each[key] for key in each if key not in ("Catch", "Retry")} for name, each in states.items()
        }
        alone[last] = {key: value for key, value in alone[last].items() if key != "Next"} | {"End": True}
        client = self.client("stepfunctions")
        definition = json.dumps({"StartAt": "Train", "States": alone})
        arn = client.create_state_machine(
            name=f"{self.names.name}-train", roleArn=self.roles["train"], definition=definition
        )["stateMachineArn"]
        execution = client.start_execution(stateMachineArn=arn, input=json.dumps({"run": self.run}))["executionArn"]
        found = wait(
            lambda: client.describe_execution(executionArn=execution), lambda answer: answer["status"] != "RUNNING"
        )
        assert found["status"] == "SUCCEEDED", found.get("cause")
        output: dict[str, Any] = json.loads(found["output"])
        return output

    def keys(self, folder: str) -> list[str]:
        prefix = f"runs/{self.run}/{folder}/"
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])]


def test_a_tuning_jobs_best_trial_goes_on_as_a_trainings_model_does(cloud: Cloud, account: str) -> None:
    road = Road(cloud, account, tuning=True)
    left = road.execute(tuned(road.training(tuning=TUNING), TUNING))
    assert len(road.keys("training")) == 3
    key = left["trained"]["artifact"].removeprefix(f"s3://{road.bucket}/")
    assert key in road.keys("training")
    (job,) = road.client("sagemaker").list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert job["HyperParameterTuningJobName"] == f"fares-{road.run[:8]}"
    assert key.split("/")[3] == left["tuned"]["job"]


def test_spot_machines_keep_checkpoints_in_the_runs_folder(cloud: Cloud, account: str) -> None:
    road = Road(cloud, account, spot=True)
    left = road.execute({"Train": train(road.training(training=SPOT))})
    assert left["trained"]["artifact"].endswith("/output/model.tar.gz")
    assert road.keys("checkpoints") == [f"runs/{road.run}/checkpoints/xgboost-checkpoint_0.ubj"]


def test_without_the_option_the_workflow_may_not_tune(cloud: Cloud, account: str) -> None:
    road = Road(cloud, account, spot=True)
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        road.execute(tuned(road.training(tuning=TUNING), TUNING))


def test_without_the_option_a_training_may_not_keep_checkpoints(cloud: Cloud, account: str) -> None:
    road = Road(cloud, account)
    with pytest.raises(AssertionError, match=r"not authorized to perform: s3:PutObject on .*checkpoints"):
        road.execute({"Train": train(road.training(training=SPOT))})
