"""Training jobs: a real model, AWS's checks, and failures that say why."""

import json
from typing import Any

import pytest
import xgboost

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import HYPERPARAMETERS, World, csv, refused, rows, wait


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


def test_training_gives_a_model_and_its_metrics(world: World) -> None:
    job = world.train("first")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["SecondaryStatus"] == "Completed"
    stages = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == world.uri("training/first/output/model.tar.gz")
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert set(metrics) == {"train:rmse", "validation:rmse"}
    assert 0 < metrics["validation:rmse"] < 3
    assert booster(world, job).num_boosted_rounds() == 20
    calls = world.cloud.ledger.snapshot()
    assert "s3:GetObject" in str(calls[world.role])
    assert "s3:PutObject" in str(calls[world.role])


def test_training_twice_gives_the_same_bytes(world: World) -> None:
    first, second = world.train("one"), world.train("two")
    uris = [job["ModelArtifacts"]["S3ModelArtifacts"] for job in (first, second)]
    assert world.get(uris[0]) == world.get(uris[1])


def test_an_unknown_hyperparameter_is_an_algorithm_error(world: World) -> None:
    job = world.train("typo", HyperParameters={**HYPERPARAMETERS, "max_dept": "4"})
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: Extraneous hyperparameter found: max_dept")
    assert "ModelArtifacts" not in job or not job["ModelArtifacts"].get("S3ModelArtifacts")


def test_a_value_out_of_range_is_an_algorithm_error(world: World) -> None:
    job = world.train("range", HyperParameters={**HYPERPARAMETERS, "eta": "7"})
    assert job["TrainingJobStatus"] == "Failed"
    assert "eta" in job["FailureReason"]
    assert "7" in job["FailureReason"]


def test_text_in_the_data_is_an_algorithm_error(world: World) -> None:
    world.put("bad/train/x.csv", "total,distance\n1.0,2.0\n")
    job = world.train("text", InputDataConfig=[world.channel("train", "bad")], HyperParameters={"num_round": "2"})
    assert job["TrainingJobStatus"] == "Failed"
    assert "please ensure data is in csv format" in job["FailureReason"]


@pytest.mark.parametrize("key", ["train/_SUCCESS", "train_$folder$"], ids=["a marker of Spark's", "one of EMRFS"])
def test_an_empty_file_in_a_csv_channel_is_an_algorithm_error(world: World, key: str) -> None:
    """A channel is a prefix of keys, and not a folder: what only begins with it belongs to it as well."""
    world.put("marked/train/part.csv", csv(rows(50)))
    world.put(f"marked/{key}", b"")
    job = world.train("marked", InputDataConfig=[world.channel("train", "marked")])
    assert job["TrainingJobStatus"] == "Failed"
    assert "Could not determine delimiter on line" in job["FailureReason"]


def test_requests_that_aws_refuses(world: World) -> None:
    client = world.sagemaker
    stranger = world.make_role("stranger", "glue.amazonaws.com")
    with refused(client, "ValidationException", "Could not assume role", stranger):
        client.create_training_job(**world.training("role", RoleArn=stranger))
    with refused(client, "ValidationException", "No S3 objects found", "nothing/train"):
        client.create_training_job(**world.training("empty", InputDataConfig=[world.channel("train", "nothing")]))
    image = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/my-own:1"
    with refused(client, "NotImplemented", "not implemented by the rehearsal: image", "my-own"):
        client.create_training_job(
            **world.training("image", AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})
        )
    with refused(client, "ResourceNotFound"):
        client.describe_training_job(TrainingJobName="never")


def test_a_name_is_used_once(world: World) -> None:
    world.train("again")
    with refused(world.sagemaker, "ResourceInUse", "again"):
        world.sagemaker.create_training_job(**world.training("again"))


def test_stop_ends_the_job(world: World) -> None:
    world.sagemaker.create_training_job(
        **world.training("long", HyperParameters={"num_round": "1000000", "max_depth": "10"})
    )
    world.sagemaker.stop_training_job(TrainingJobName="long")
    job = world.settle(lambda: world.sagemaker.describe_training_job(TrainingJobName="long"), "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Stopped"


def test_max_runtime_ends_the_job(world: World) -> None:
    job = world.train(
        "slow",
        HyperParameters={"num_round": "1000000", "max_depth": "10"},
        StoppingCondition={"MaxRuntimeInSeconds": 2},
    )
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


# --- how the container ends -------------------------------------------------------------------------------------------

ENDLESS = {"num_round": "1000000", "max_depth": "10", "objective": "reg:squarederror"}
QUICK = {"objective": "reg:squarederror", "num_round": "400", "eta": "1", "early_stopping_rounds": "3"}


def booster(world: World, job: dict[str, Any]) -> xgboost.Booster:
    found = xgboost.Booster()
    found.load_model(bytearray(world.made(job)))
    return found


def test_training_stops_early_by_the_last_metric_and_keeps_the_best_round(world: World) -> None:
    found = booster(world, world.train("early", HyperParameters={**QUICK, "eval_metric": "mae,rmse"}))
    scores = json.loads(found.attr("best_score") or "null")
    assert 0 < scores < 3
    assert found.num_boosted_rounds() == int(found.attr("best_iteration") or "-9") + 1 < 400


def test_training_without_a_metric_does_not_stop_early(world: World) -> None:
    """The container stops by the last of eval_metric, and by none of its own choice."""
    assert booster(world, world.train("late", HyperParameters=QUICK)).num_boosted_rounds() == 400


def test_training_without_validation_does_not_stop_early(world: World) -> None:
    given = {**QUICK, "eval_metric": "rmse"}
    job = world.train("alone", HyperParameters=given, InputDataConfig=[world.channel("train")])
    assert booster(world, job).num_boosted_rounds() == 400


def test_the_seed_decides_what_is_drawn(world: World) -> None:
    drawn = {**HYPERPARAMETERS, "subsample": "0.5"}
    artifacts = [
        world.get(world.train(name, HyperParameters={**drawn, "seed": seed})["ModelArtifacts"]["S3ModelArtifacts"])
        for name, seed in (("seven", "7"), ("again", "7"), ("eight", "8"))
    ]
    assert artifacts[0] == artifacts[1] != artifacts[2]


@pytest.mark.parametrize("kept", [True, False])
def test_a_job_that_is_ended_keeps_the_model_of_its_last_round_if_it_was_asked_to(world: World, kept: bool) -> None:
    given = {**ENDLESS, "save_model_on_termination": str(kept).lower()}
    world.sagemaker.create_training_job(**world.training("ended", HyperParameters=given))
    describe = lambda: dict(world.sagemaker.describe_training_job(TrainingJobName="ended"))  # noqa: E731
    wait(describe, lambda job: job["SecondaryStatus"] == "Training")
    wait(lambda: world.logged("ended"), lambda lines: any(line.startswith("[3]") for line in lines))
    world.sagemaker.stop_training_job(TrainingJobName="ended")
    job = world.settle(describe, "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Stopped"
    if kept:
        assert booster(world, job).num_boosted_rounds() >= 3
    else:
        assert "ModelArtifacts" not in job
