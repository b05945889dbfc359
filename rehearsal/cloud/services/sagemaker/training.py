"""Training jobs: built-in XGBoost, really trained, in a child process."""

import io
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.compute.jobs import Job, JobFailed, JobStopped, JobTimedOut, limit
from rehearsal.cloud.core.api import AwsError, Call, Cloud, Credentials, Event, Place, Sample, operation
from rehearsal.cloud.services.sagemaker import images, quotas, state, tags, volumes
from rehearsal.cloud.services.sagemaker.inputs import check_input, refuse

KIND = "training-job"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_PACKAGE_ROOT = Path(__file__).resolve().parents[4]
_SCORE = re.compile(r"\t(train|validation)-([\w@.-]+):(\S+)")
_MESSAGES = {
    "Starting": "Launching requested ML instances",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
}

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
    _check(call, arn)
    now = call.cloud.clock.now()
    with state.lock:
        quotas.check_job(call.cloud, call.account, call.region, "training", params["ResourceConfig"])
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
        (LOG_GROUP, f"{name}/algo-1-{_stamp(now)}"),
    )
    _jobs[(call.cloud.port, arn)] = run
    _advance(run, job, "Starting")
    call.cloud.background(_run, run, job, name=f"training {name}")
    return {"TrainingJobArn": arn}


def _stamp(now: Any) -> int:
    return int(now.timestamp())


def _check(call: Call, arn: str) -> None:
    params = call.params
    credentials = state.check_role(call, params["RoleArn"], arn)
    specification = params["AlgorithmSpecification"]
    image = specification.get("TrainingImage")
    if image is None:
        raise state.invalid("AlgorithmSpecification must have a TrainingImage or an AlgorithmName")
    images.repository(image, call.region, (images.XGBOOST,))
    hyperparameters = params.get("HyperParameters", {})
    refuse("sagemaker_program" in hyperparameters, "script mode of the XGBoost training image")
    refuse(params["ResourceConfig"].get("InstanceCount", 1) > 1, "distributed training (InstanceCount above 1)")
    refuse(params.get("EnableManagedSpotTraining"), "managed spot training")
    refuse(params.get("CheckpointConfig"), "CheckpointConfig")
    refuse(specification.get("TrainingInputMode", "File") != "File", "TrainingInputMode other than File")
    channels = params.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise state.invalid(f"Channel names must be unique: {', '.join(names)}")
    for channel in channels:
        _check_channel(call, channel, credentials)


def _check_channel(call: Call, channel: dict[str, Any], credentials: Credentials) -> None:
    source = channel["DataSource"].get("S3DataSource")
    refuse(source is None, "a channel without S3DataSource")
    assert source is not None
    refuse(source["S3DataType"] != "S3Prefix", f"S3DataType {source['S3DataType']}")
    refuse(channel.get("CompressionType", "None") != "None", "CompressionType of a channel")
    refuse(channel.get("RecordWrapperType", "None") != "None", "RecordWrapperType of a channel")
    refuse(channel.get("InputMode", "File") != "File", "InputMode other than File")
    check_input(call, call.params["RoleArn"], credentials, source["S3Uri"])


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


def _run(run: Job, job: state.Record) -> None:
    try:
        _train(run, job)
        _finish(run, job, "Completed")
    except JobStopped:
        _finish(run, job, "Stopped")
    except JobTimedOut:
        _finish(run, job, "Stopped", secondary="MaxRuntimeExceeded")
    except JobFailed as failure:
        _finish(run, job, "Failed", reason=str(failure))
    except s3.TransferError as failure:
        _finish(run, job, "Failed", reason=f"ClientError: {failure}")
    except Exception as failure:
        _finish(run, job, "Failed", reason=f"InternalServerError: {type(failure).__name__}: {failure}")
        raise
    finally:
        _jobs.pop((run.cloud.port, job["_arn"]), None)
        run.clean()


def _train(run: Job, job: state.Record) -> None:
    volumes.encrypt(run, job["ResourceConfig"].get("VolumeKmsKeyId"))
    _advance(run, job, "Downloading")
    client = run.client("s3")
    _prepare(run, job, client)
    run.check_stopped()
    _advance(run, job, "Training")
    job["TrainingStartTime"] = run.cloud.clock.now()
    scores: dict[str, float] = {}

    def read_scores(line: str) -> None:
        scores.update({f"{data}:{metric}": float(value) for data, metric, value in _SCORE.findall(line)})

    argv = [sys.executable, "-m", "rehearsal.cloud.containers.xgboost_train", str(run.root)]
    env = run.environment({**job.get("Environment", {}), "PYTHONPATH": str(_PACKAGE_ROOT)}, credentials=False)
    code = run.run(argv, env, limit(run.cloud, job["StoppingCondition"].get("MaxRuntimeInSeconds", 86400)), read_scores)
    if code:
        failure = run.root / "output" / "failure"
        text = failure.read_text() if failure.is_file() else "the training container ended without a message"
        raise JobFailed(f"AlgorithmError: {text[:900]}, exit code: {code}")
    _publish(run, job, scores)
    _advance(run, job, "Uploading")
    _upload(run, job, client)


def _prepare(run: Job, job: state.Record, client: Any) -> None:
    config = run.root / "input" / "config"
    for folder in (config, run.root / "model", run.root / "output"):
        folder.mkdir(parents=True)
    channels = {channel["ChannelName"]: channel for channel in job.get("InputDataConfig", [])}
    for name, channel in channels.items():
        folder = run.root / "input" / "data" / name
        folder.mkdir(parents=True)
        s3.download(client, channel["DataSource"]["S3DataSource"]["S3Uri"], folder, run.role)
    (config / "hyperparameters.json").write_text(json.dumps(job.get("HyperParameters", {})))
    (config / "inputdataconfig.json").write_text(
        json.dumps({
            name: {"ContentType": channel.get("ContentType", "text/libsvm"), "TrainingInputMode": "File"}
            for name, channel in channels.items()
        })
    )  # fmt: skip


def _publish(run: Job, job: state.Record, scores: dict[str, float]) -> None:
    now = run.cloud.clock.now()
    job["FinalMetricDataList"] = [
        {"MetricName": name, "Value": value, "Timestamp": now} for name, value in sorted(scores.items())
    ]
    for name, value in scores.items():
        sample = Sample(LOG_GROUP, name, {"TrainingJobName": run.name}, value)
        run.cloud.put_metric(Place(run.account, run.region), sample)


def _upload(run: Job, job: state.Record, client: Any) -> None:
    output = job["OutputDataConfig"]
    uri = f"{output['S3OutputPath'].rstrip('/')}/{run.name}/output/model.tar.gz"
    s3.write(client, uri, _archive(run.root / "model"), output.get("KmsKeyId"))
    job["ModelArtifacts"] = {"S3ModelArtifacts": uri}


def _archive(folder: Path) -> bytes:
    """A tar.gz that has the same bytes for the same model, whenever it is made."""
    import gzip

    plain, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                info = tarfile.TarInfo(path.relative_to(folder).as_posix())
                info.size, info.mode = path.stat().st_size, 0o644
                tar.addfile(info, io.BytesIO(path.read_bytes()))
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped:
        zipped.write(plain.getvalue())
    return packed.getvalue()


def _advance(run: Job, job: state.Record, status: str, message: str | None = None) -> None:
    now = run.cloud.clock.now()
    with state.lock:
        transitions = job["SecondaryStatusTransitions"]
        if transitions:
            transitions[-1]["EndTime"] = now
        transitions.append(
            {"Status": status, "StartTime": now, "StatusMessage": message or _MESSAGES.get(status, status)}
        )
        job |= {"SecondaryStatus": status, "LastModifiedTime": now}


def _finish(
    run: Job, job: state.Record, status: str, *, secondary: str | None = None, reason: str | None = None
) -> None:
    now = run.cloud.clock.now()
    if reason:
        job["FailureReason"] = reason[:1024]
        run.log(reason)
    _advance(run, job, secondary or status, "Training job failed" if reason else None)
    job["SecondaryStatusTransitions"][-1]["EndTime"] = now
    started: Any = job.setdefault("TrainingStartTime", job["CreationTime"])
    seconds = max(1, round((now - started).total_seconds()))
    with state.lock:
        job |= {
            "TrainingEndTime": now, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds,
            "TrainingJobStatus": status,
        }  # fmt: skip
    announce(run.cloud, run.account, run.region, job)


def announce(cloud: Cloud, account: str, region: str, job: state.Record) -> None:
    """SageMaker's event for a job that changed its status."""
    detail = json.loads(json.dumps({key: value for key, value in job.items() if not key.startswith("_")}, default=str))
    event = Event("aws.sagemaker", "SageMaker Training Job State Change", detail, [job["_arn"]])
    cloud.put_event(Place(account, region), event)
