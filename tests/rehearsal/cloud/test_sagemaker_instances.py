"""Training on several instances: shards that make one model, and instances that get nothing."""

from typing import Any

import pytest
import xgboost

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import HYPERPARAMETERS, World, csv, refused, rows


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


def several(world: World, count: int, *, prefix: str = "parts", **hyperparameters: str) -> dict[str, Any]:
    train = world.channel("train", prefix)
    train["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    return {
        "ResourceConfig": {"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "InputDataConfig": [train, world.channel("validation")],
        "HyperParameters": {**HYPERPARAMETERS, **hyperparameters},
    }


def parts(world: World, count: int, prefix: str = "parts") -> None:
    for number in range(count):
        world.put(f"{prefix}/train/part-{number}.csv", csv(rows(300, seed=number)))


def test_shards_make_one_model(world: World) -> None:
    parts(world, 3)
    job = world.train("two", **several(world, 2))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    said = world.logged("two")
    # Of three files, one instance gets two.
    assert sorted(line for line in said if "train matrix" in line) == [
        "[INFO] train matrix has 300 rows and 3 columns",
        "[INFO] train matrix has 600 rows and 3 columns",
    ]
    booster = xgboost.Booster()
    booster.load_model(bytearray(world.made(job)))
    assert booster.num_boosted_rounds() == 20
    whole = world.train("one", **several(world, 1))
    scores = [{each["MetricName"]: each["Value"] for each in found["FinalMetricDataList"]} for found in (job, whole)]
    assert scores[0] == pytest.approx(scores[1], rel=0.1)


def test_all_instances_stop_at_once_and_the_best_round_is_kept(world: World) -> None:
    parts(world, 2)
    job = world.train("early", **several(world, 2, num_round="400", eta="1", early_stopping_rounds="3"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    booster = xgboost.Booster()
    booster.load_model(bytearray(world.made(job)))
    assert booster.num_boosted_rounds() == int(booster.attr("best_iteration") or "-9") + 1 < 400


def test_an_instance_without_a_file_is_left_out_and_said_so(world: World) -> None:
    """The container's own behaviour: the job completes, and the instance is paid for."""
    parts(world, 1)
    job = world.train("idle", **several(world, 2))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    (warning,) = [line for line in world.logged("idle") if line.startswith("[WARNING]")]
    assert "Host algo-2 does not have training data" in warning
    same = world.train("alone", **several(world, 1))
    assert world.made(job) == world.made(same)


def test_what_fails_on_one_instance_fails_the_job(world: World) -> None:
    parts(world, 2)
    world.put("parts/train/part-1.csv", "total,distance\n1.0,2.0\n")
    job = world.train("bad", **several(world, 2))
    assert job["TrainingJobStatus"] == "Failed"
    assert "please ensure data is in csv format" in job["FailureReason"]
    wrong = world.train("exact", **several(world, 2, prefix="data", tree_method="exact"))
    assert wrong["TrainingJobStatus"] == "Completed", "one file alone is trained on one instance"
    parts(world, 2)
    wrong = world.train("exact-two", **several(world, 2, tree_method="exact"))
    assert wrong["TrainingJobStatus"] == "Failed"


def test_more_instances_than_the_quota_has_are_refused(world: World) -> None:
    parts(world, 2)
    with refused(world.sagemaker, "ResourceLimitExceeded", "ml.m5.large for training job usage"):
        world.sagemaker.create_training_job(**world.training("many", **several(world, 101)))
