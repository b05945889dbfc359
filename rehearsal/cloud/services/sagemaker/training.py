"""Training jobs: built-in XGBoost, really trained, in a child process (trainer.py)."""

from typing import Any

from rehearsal.cloud.compute.jobs import Job
from rehearsal.cloud.core.api import AwsError, Call, Cloud, Credentials, operation
from rehearsal.cloud.services.sagemaker import images, quotas, spot, state, tags, trainer
from rehearsal.cloud.services.sagemaker.inputs import check_input, refuse

KIND = "training-job"

_jobs: dict[tuple[int, str], Job] = {}
"""Running jobs, by gateway port and ARN."""


@operation("sagemaker", "CreateTrainingJob")
def create(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["TrainingJobName"]
    jobs = state.records(call, KIND)
    arn = state.call_arn(call, KIND, name)
    if name in jobs:
        raise AwsError(
            "ResourceInUse",
            "Job name must be unique within an AWS account and region, and a job with this name already exists"
            f" ({arn})",
        )
    check(params, call, arn)
    now = call.cloud.clock.now()
    with state.lock:
        quotas.check_training(call.cloud, call.account, call.region, params)
        job = jobs[name] = {
            **{key: value for key, value in params.items() if key != "Tags"},
            "TrainingJobArn": arn,
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [],
            "CreationTime": now,
            "LastModifiedTime": now,
            "_arn": arn,
            "_tags": tags.given(call),
        }
    run = Job(
        call.cloud,
        call.account,
        call.region,
        name,
        params["RoleArn"],
        KIND,
        (trainer.LOG_GROUP, f"{name}/algo-1-{int(now.timestamp())}"),
    )
    _jobs[(call.cloud.port, arn)] = run
    trainer.advance(run, job, "Starting")
    call.cloud.background(_run, run, job, name=f"training {name}")
    return {"TrainingJobArn": arn}


def _run(run: Job, job: state.Record) -> None:
    try:
        trainer.run(run, job)
    finally:
        _jobs.pop((run.cloud.port, job["_arn"]), None)


def interrupt(cloud: Cloud, arn: str) -> bool:
    """EC2 takes the machine of a Spot job back. False where no such job runs."""
    job = _jobs.get((cloud.port, arn))
    if job is None:
        return False
    job.interrupt()
    return True


def check(params: dict[str, Any], call: Call, arn: str) -> None:
    """Refuse what AWS refuses of a training job, or of a trial of the tuning job that `arn` names."""
    credentials = state.check_role(call, params["RoleArn"], arn)
    specification = params["AlgorithmSpecification"]
    image = specification.get("TrainingImage")
    if image is None:
        raise state.invalid("AlgorithmSpecification must have a TrainingImage or an AlgorithmName")
    images.repository(image, call.region, (images.XGBOOST,))
    hyperparameters = params.get("HyperParameters", {})
    refuse("sagemaker_program" in hyperparameters, "script mode of the XGBoost training image")
    spot.check(params)
    refuse(specification.get("TrainingInputMode", "File") != "File", "TrainingInputMode other than File")
    channels = params.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise state.invalid(f"Channel names must be unique: {', '.join(names)}")
    for channel in channels:
        _check_channel(call, channel, params["RoleArn"], credentials)


def _check_channel(call: Call, channel: dict[str, Any], role: str, credentials: Credentials) -> None:
    source = channel["DataSource"].get("S3DataSource")
    refuse(source is None, "a channel without S3DataSource")
    assert source is not None
    refuse(source["S3DataType"] != "S3Prefix", f"S3DataType {source['S3DataType']}")
    refuse(channel.get("CompressionType", "None") != "None", "CompressionType of a channel")
    refuse(channel.get("RecordWrapperType", "None") != "None", "RecordWrapperType of a channel")
    refuse(channel.get("InputMode", "File") != "File", "InputMode other than File")
    distribution = source.get("S3DataDistributionType", trainer.EVERYWHERE)
    refuse(distribution not in (trainer.EVERYWHERE, trainer.SHARDED), f"S3DataDistributionType {distribution}")
    check_input(call, role, credentials, source["S3Uri"])


@operation("sagemaker", "DescribeTrainingJob")
def describe(call: Call) -> dict[str, Any]:
    return _get(call)


@operation("sagemaker", "StopTrainingJob")
def stop(call: Call) -> dict[str, Any]:
    job = _get(call)
    if job["TrainingJobStatus"] != "InProgress":
        raise state.invalid(
            f"The request was rejected because the training job is in status {job['TrainingJobStatus']}."
        )
    job["TrainingJobStatus"] = "Stopping"
    run = _jobs.get((call.cloud.port, job["_arn"]))
    if run:
        run.stop()
    return {}


@operation("sagemaker", "ListTrainingJobs")
def list_jobs(call: Call) -> dict[str, Any]:
    jobs, token = state.page(
        call, state.records(call, KIND).values(), name=lambda job: job["TrainingJobName"], status="TrainingJobStatus"
    )
    return state.with_token({"TrainingJobSummaries": jobs}, token)


def _get(call: Call) -> state.Record:
    job = state.records(call, KIND).get(call.params["TrainingJobName"])
    if job is None:
        raise state.not_found()
    return job
