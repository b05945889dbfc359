"""Tuning jobs: trials that are trained, the best of them, and AWS's rules."""

from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import World, refused

STATIC = {"objective": "reg:squarederror", "num_round": "20", "early_stopping_rounds": "5"}


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


def whole(name: str, low: str, high: str) -> dict[str, str]:
    return {"Name": name, "MinValue": low, "MaxValue": high}


RANGES = {
    "IntegerParameterRanges": [whole("max_depth", "1", "6")],
    "ContinuousParameterRanges": [whole("eta", "0.05", "0.6")],
}


def request(world: World, name: str, config: dict[str, Any] | None = None, **definition: Any) -> dict[str, Any]:
    job = world.training("x")
    shared = (
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
    )
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": RANGES,
            "RandomSeed": 0,
            **(config or {}),
        },
        "TrainingJobDefinition": {
            **{member: job[member] for member in shared},
            "StaticHyperParameters": STATIC,
            **definition,
        },
    }


def tune(world: World, name: str, config: dict[str, Any] | None = None, **definition: Any) -> dict[str, Any]:
    world.sagemaker.create_hyper_parameter_tuning_job(**request(world, name, config, **definition))
    return ended(world, name)


def ended(world: World, name: str) -> dict[str, Any]:
    ask = world.sagemaker.describe_hyper_parameter_tuning_job
    return world.settle(lambda: ask(HyperParameterTuningJobName=name), "HyperParameterTuningJobStatus")


def trials(world: World, name: str) -> list[dict[str, Any]]:
    ask = world.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job
    found: list[dict[str, Any]] = ask(HyperParameterTuningJobName=name)["TrainingJobSummaries"]
    return sorted(found, key=lambda trial: str(trial["TrainingJobName"]))


def test_the_best_of_the_trials_is_told_with_its_model(world: World) -> None:
    job = tune(world, "tune")
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Completed"] == job["ObjectiveStatusCounters"]["Succeeded"] == 3
    found = trials(world, "tune")
    values = {each["TrainingJobName"]: each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in found}
    best = job["BestTrainingJob"]["TrainingJobName"]
    assert values[best] == min(values.values())
    assert len({each["TunedHyperParameters"]["eta"] for each in found}) == 3
    assert all(1 <= int(each["TunedHyperParameters"]["max_depth"]) <= 6 for each in found)
    trained = world.sagemaker.describe_training_job(TrainingJobName=best)
    assert trained["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    objective = {"_tuning_objective_metric": "validation:rmse"}
    assert trained["HyperParameters"] == {**STATIC, **job["BestTrainingJob"]["TunedHyperParameters"], **objective}
    # Where the workflow looks for it.
    assert trained["ModelArtifacts"]["S3ModelArtifacts"] == world.uri(f"training/{best}/output/model.tar.gz")
    assert world.made(trained)


def test_the_same_seed_tries_the_same(world: World) -> None:
    one_each = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}}
    drawn = []
    for name, seed in (("one", 1), ("two", 1), ("three", 3)):
        tune(world, name, {**one_each, "RandomSeed": seed})
        drawn.append(trials(world, name)[0]["TunedHyperParameters"])
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_tuning_job_of_which_no_trial_completes_has_failed(world: World) -> None:
    job = tune(world, "bad", StaticHyperParameters={**STATIC, "max_leaves": "many"})
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("All training jobs failed.")
    assert "BestTrainingJob" not in job
    assert {each["ObjectiveStatus"] for each in trials(world, "bad")} == {"Failed"}


def test_stop_ends_the_trials(world: World) -> None:
    endless = {"objective": "reg:squarederror", "num_round": "1000000"}
    world.sagemaker.create_hyper_parameter_tuning_job(**request(world, "long", StaticHyperParameters=endless))
    world.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="long")
    assert ended(world, "long")["HyperParameterTuningJobStatus"] == "Stopped"
    assert {each["TrainingJobStatus"] for each in trials(world, "long")} <= {"Stopped"}
    with refused(world.sagemaker, "ValidationException", "in status Stopped"):
        world.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="long")


def objective(direction: str, name: str) -> dict[str, Any]:
    return {"HyperParameterTuningJobObjective": {"Type": direction, "MetricName": name}}


def limits(**given: int) -> dict[str, Any]:
    return {"ResourceLimits": given}


def ranges(kind: str, name: str, low: str, high: str) -> dict[str, Any]:
    return {"ParameterRanges": {f"{kind}ParameterRanges": [whole(name, low, high)]}}


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (objective("Maximize", "validation:rmse"), "of type Maximize"),
        (objective("Minimize", "train:rmse"), "train:rmse"),
        (objective("Minimize", "validation:loss"), "loss"),
        (limits(MaxNumberOfTrainingJobs=1, MaxParallelTrainingJobs=2), "MaxParallelTrainingJobs"),
        (limits(MaxParallelTrainingJobs=2), "MaxNumberOfTrainingJobs"),
        (ranges("Integer", "eta", "0", "1"), "eta is not tunable as integer"),
        (ranges("Continuous", "seed", "0", "1"), "seed is not tunable"),
        (ranges("Continuous", "eta", "0.5", "0.2"), "eta"),
        (ranges("Continuous", "subsample", "0", "1"), "subsample"),
        (ranges("Integer", "num_round", "1", "9"), "num_round"),
        ({"ParameterRanges": {}}, "at least one"),
    ],
)
def test_what_aws_refuses(world: World, config: dict[str, Any], word: str) -> None:
    with refused(world.sagemaker, "ValidationException", word):
        world.sagemaker.create_hyper_parameter_tuning_job(**request(world, "no", config))


@pytest.mark.parametrize("config", [{"Strategy": "Hyperband"}, {"TrainingJobEarlyStoppingType": "Auto"}])
def test_what_is_not_executed_says_so(world: World, config: dict[str, Any]) -> None:
    with refused(world.sagemaker, "NotImplemented", "not implemented by the rehearsal"):
        world.sagemaker.create_hyper_parameter_tuning_job(**request(world, "no", config))
    parents = {"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "x"}]}
    warm = {**request(world, "no"), "WarmStartConfig": {**parents, "WarmStartType": "TransferLearning"}}
    with refused(world.sagemaker, "NotImplemented", "warm start"):
        world.sagemaker.create_hyper_parameter_tuning_job(**warm)
