"""Managed Spot training: AWS's rules, a machine that is taken away, and what is billed."""

from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services.sagemaker import spot, state, training
from tests.rehearsal.cloud.sagemaker_world import HYPERPARAMETERS, World, refused, wait

LONG = {**HYPERPARAMETERS, "num_round": "100", "early_stopping_rounds": "100"}


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


def on_spot(world: World, seconds: int = 3600, longest: int = 7200, **more: Any) -> dict[str, Any]:
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds, "MaxWaitTimeInSeconds": longest},
        "CheckpointConfig": {"S3Uri": world.uri("checkpoints")},
        **more,
    }


def test_a_spot_job_writes_a_checkpoint_and_is_billed_for_less_than_it_took(world: World) -> None:
    job = world.train("spot", **on_spot(world, HyperParameters=LONG))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["EnableManagedSpotTraining"]
    # What the container of 3.2-0 writes: the first round's model, by a name that it does not look for.
    assert world.keys("checkpoints/") == ["checkpoints/xgboost-checkpoint_0.ubj"]
    assert spot.billable(job, 500) == 150
    assert spot.billable({}, 500) == 500
    # Of one second, which a quick machine needs, one is billed: what is paid for is in whole seconds.
    assert 0 < job["BillableTimeInSeconds"] == spot.billable(job, job["TrainingTimeInSeconds"])


def interrupted(world: World, name: str, **changes: Any) -> dict[str, Any]:
    """A job whose machine is taken away once it trains."""
    world.sagemaker.create_training_job(**world.training(name, **changes))

    def describe() -> dict[str, Any]:
        return dict(world.sagemaker.describe_training_job(TrainingJobName=name))

    wait(describe, lambda job: job["SecondaryStatus"] == "Training")
    assert training.interrupt(world.cloud, state.arn(world.account, world.region, training.KIND, name))
    return world.settle(describe, "TrainingJobStatus")


def test_an_interrupted_job_begins_anew_and_gives_the_same_model(world: World) -> None:
    job = interrupted(world, "taken", **on_spot(world, HyperParameters=LONG))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    stages = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    attempt = ["Starting", "Downloading", "Training"]
    assert stages == [*attempt, "Interrupted", *attempt, "Uploading", "Completed"]
    quiet = world.train("quiet", HyperParameters=LONG)
    artifacts = [world.get(each["ModelArtifacts"]["S3ModelArtifacts"]) for each in (job, quiet)]
    assert artifacts[0] == artifacts[1]


def test_a_checkpoint_that_the_container_knows_is_gone_on_from(world: World) -> None:
    """As the container's images up to 1.5 wrote them."""
    short = world.train("short", HyperParameters={**HYPERPARAMETERS, "num_round": "5"})
    world.put("checkpoints/xgboost-checkpoint.4", world.made(short))
    world.put("checkpoints/xgboost-checkpoint.3", b"older")
    on = world.train("on", **on_spot(world, HyperParameters={**HYPERPARAMETERS, "num_round": "8"}))
    whole = world.train("whole", HyperParameters={**HYPERPARAMETERS, "num_round": "8"})
    scores = [{each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]} for job in (on, whole)]
    assert scores[0] == pytest.approx(scores[1])


def test_a_job_that_waits_too_long_is_stopped(world: World) -> None:
    endless = {"num_round": "1000000", "max_depth": "10"}
    job = interrupted(world, "waits", **on_spot(world, 4, 4, HyperParameters=endless))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def test_a_job_that_is_stopped_after_an_interruption_stays_stopped(world: World) -> None:
    endless = {"num_round": "1000000", "max_depth": "10"}
    world.sagemaker.create_training_job(**world.training("ends", **on_spot(world, HyperParameters=endless)))
    training.interrupt(world.cloud, state.arn(world.account, world.region, training.KIND, "ends"))
    world.sagemaker.stop_training_job(TrainingJobName="ends")
    job = world.settle(lambda: world.sagemaker.describe_training_job(TrainingJobName="ends"), "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Stopped"


def test_requests_that_aws_refuses(world: World) -> None:
    create = world.sagemaker.create_training_job
    given = on_spot(world)
    waits = "MaxWaitTimeInSeconds above 0 is supported only when EnableManagedSpotTraining is true"
    with refused(world.sagemaker, "ValidationException", waits):
        create(**world.training("a", **{**given, "EnableManagedSpotTraining": False}))
    for condition in ({"MaxRuntimeInSeconds": 600}, {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 599}):
        with refused(world.sagemaker, "ValidationException", "Invalid MaxWaitTimeInSeconds"):
            create(**world.training("b", **{**given, "StoppingCondition": condition}))
    without = {key: value for key, value in given.items() if key != "CheckpointConfig"}
    with refused(world.sagemaker, "ValidationException", "do not checkpoint", "3600"):
        create(**world.training("c", **without))
    with refused(world.sagemaker, "ValidationException", "https://bucket/x, is not a valid S3 URI"):
        create(**world.training("d", **{**given, "CheckpointConfig": {"S3Uri": "https://bucket/x"}}))
    elsewhere = {"S3Uri": world.uri("checkpoints"), "LocalPath": "/mnt/x"}
    with refused(world.sagemaker, "NotImplemented", "LocalPath"):
        create(**world.training("e", **{**given, "CheckpointConfig": elsewhere}))


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:ListBucket", "s3:GetObject"])
def test_a_role_without_a_right_on_checkpoints_fails_the_job(world: World, action: str) -> None:
    world.put("checkpoints/xgboost-checkpoint_0.ubj", b"former")
    role = world.make_role_without("narrow", action, "checkpoints")
    job = world.train("narrow", **on_spot(world, RoleArn=role))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert "checkpoints" in job["FailureReason"]
