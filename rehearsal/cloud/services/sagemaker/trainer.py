"""How a training job goes: inputs, the container, scores, the model; and again where its Spot machine is taken."""

import io
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.compute.jobs import Job, JobFailed, JobInterrupted, JobStopped, JobTimedOut
from rehearsal.cloud.core.api import Cloud, Event, Place, Sample
from rehearsal.cloud.services.sagemaker import spot, state, volumes

EVERYWHERE, SHARDED = "FullyReplicated", "ShardedByS3Key"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_PACKAGE_ROOT = Path(__file__).resolve().parents[4]
_SCORE = re.compile(r"\t(train|validation)-([\w@.-]+):(\S+)")
_MESSAGES = {
    "Starting": "Launching requested ML instances",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Interrupted": "Interrupted training job. Spot capacity was taken back.",
}


def run(run: Job, job: state.Record) -> None:
    """From the launch to the end, whichever it is."""
    try:
        _train(run, job)
        _finish(run, job, "Completed")
    except (JobStopped, JobTimedOut) as end:
        _rescue(run, job)
        _finish(run, job, "Stopped", secondary=getattr(end, "secondary", None))
    except JobFailed as failure:
        _finish(run, job, "Failed", reason=str(failure))
    except s3.TransferError as failure:
        _finish(run, job, "Failed", reason=f"ClientError: {failure}")
    except Exception as failure:
        _finish(run, job, "Failed", reason=f"InternalServerError: {type(failure).__name__}: {failure}")
        raise
    finally:
        run.clean()


def _train(run: Job, job: state.Record) -> None:
    budget = spot.Budget(run.cloud, job["StoppingCondition"])
    scores: dict[str, float] = {}
    while True:
        try:
            _attempt(run, job, budget, scores)
        except JobInterrupted:
            # On AWS, until there is capacity again. Here at once: what has been waited is the budget's to judge.
            advance(run, job, "Interrupted")
            run.renew()
            advance(run, job, "Starting")
        else:
            break
    _publish(run, job, scores)
    advance(run, job, "Uploading")
    _upload(run, job)


def _attempt(run: Job, job: state.Record, budget: spot.Budget, scores: dict[str, float]) -> None:
    """One machine's work. Raises what `Job.run` raises, JobFailed and TransferError."""
    volumes.encrypt(run, job["ResourceConfig"].get("VolumeKmsKeyId"))
    advance(run, job, "Downloading")
    _prepare(run, job)
    run.check_stopped()
    advance(run, job, "Training")
    job.setdefault("TrainingStartTime", run.cloud.clock.now())

    def read_scores(line: str) -> None:
        scores.update({f"{data}:{metric}": float(value) for data, metric, value in _SCORE.findall(line)})

    hosts = _hosts(run, job)
    module, place = ("xgboost_cluster", run.root) if len(hosts) > 1 else ("xgboost_train", hosts[0])
    argv = [sys.executable, "-m", f"rehearsal.cloud.containers.{module}", str(place)]
    env = run.environment({**job.get("Environment", {}), "PYTHONPATH": str(_PACKAGE_ROOT)}, credentials=False)
    try:
        code = budget.spend(lambda seconds: run.run(argv, env, seconds, read_scores))
    finally:
        spot.keep(run, job)
    if code:
        told = [path for host in hosts if (path := host / "output" / "failure").is_file()]
        first = min(told, key=lambda path: path.stat().st_mtime_ns, default=None)
        text = first.read_text() if first else "the training container ended without a message"
        raise JobFailed(f"AlgorithmError: {text[:900]}, exit code: {code}")


def _hosts(run: Job, job: state.Record) -> list[Path]:
    """A folder for each instance, which plays its /opt/ml."""
    return [run.root / f"algo-{number}" for number in range(1, job["ResourceConfig"].get("InstanceCount", 1) + 1)]


def _prepare(run: Job, job: state.Record) -> None:
    hosts = _hosts(run, job)
    channels = {channel["ChannelName"]: channel for channel in job.get("InputDataConfig", [])}
    told = {
        "hyperparameters": job.get("HyperParameters", {}),
        "inputdataconfig": {
            name: {"ContentType": channel.get("ContentType", "text/libsvm"), "TrainingInputMode": "File"}
            for name, channel in channels.items()
        },
    }
    for host in hosts:
        for folder in ("input/config", "model", "output"):
            (host / folder).mkdir(parents=True)
        for name, content in told.items():
            (host / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
    for name, channel in channels.items():
        _download(run, channel["DataSource"]["S3DataSource"], [host / "input" / "data" / name for host in hosts])
    spot.restore(run, job, hosts)


def _download(run: Job, source: dict[str, Any], folders: list[Path]) -> None:
    """A channel's objects for every host, or for each its share of them, by their keys (ShardedByS3Key).

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    sharded = source.get("S3DataDistributionType") == SHARDED
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        share = (number, len(folders)) if sharded else (0, 1)
        s3.download(run.client("s3"), source["S3Uri"], folder, run.role, share)


def _publish(run: Job, job: state.Record, scores: dict[str, float]) -> None:
    now = run.cloud.clock.now()
    job["FinalMetricDataList"] = [
        {"MetricName": name, "Value": value, "Timestamp": now} for name, value in sorted(scores.items())
    ]
    for name, value in scores.items():
        sample = Sample(LOG_GROUP, name, {"TrainingJobName": run.name}, value)
        run.cloud.put_metric(Place(run.account, run.region), sample)


def _upload(run: Job, job: state.Record) -> None:
    output = job["OutputDataConfig"]
    uri = f"{output['S3OutputPath'].rstrip('/')}/{run.name}/output/model.tar.gz"
    s3.write(run.client("s3"), uri, _archive([host / "model" for host in _hosts(run, job)]), output.get("KmsKeyId"))
    job["ModelArtifacts"] = {"S3ModelArtifacts": uri}


def _rescue(run: Job, job: state.Record) -> None:
    """The model of a job that was ended, where it keeps one after each round (save_model_on_termination)."""
    model = _hosts(run, job)[0] / "model" / "xgboost-model"
    if not model.is_file():
        return
    for path in model.parent.iterdir():
        if path != model:
            path.unlink()
    _upload(run, job)


def _archive(folders: list[Path]) -> bytes:
    """A tar.gz that has the same bytes for the same model, whenever it is made."""
    import gzip

    plain, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for folder, path in ((each, path) for each in folders for path in sorted(each.rglob("*"))):
            if path.is_file():
                info = tarfile.TarInfo(path.relative_to(folder).as_posix())
                info.size, info.mode = path.stat().st_size, 0o644
                tar.addfile(info, io.BytesIO(path.read_bytes()))
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped:
        zipped.write(plain.getvalue())
    return packed.getvalue()


def advance(run: Job, job: state.Record, status: str, message: str | None = None) -> None:
    """The job's next secondary status."""
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
    advance(run, job, secondary or status, "Training job failed" if reason else None)
    job["SecondaryStatusTransitions"][-1]["EndTime"] = now
    started: Any = job.setdefault("TrainingStartTime", job["CreationTime"])
    seconds = max(1, round((now - started).total_seconds()))
    with state.lock:
        job |= {
            "TrainingEndTime": now, "TrainingTimeInSeconds": seconds, "TrainingJobStatus": status,
            "BillableTimeInSeconds": spot.billable(job, seconds),
        }  # fmt: skip
    announce(run.cloud, run.account, run.region, job)


def announce(cloud: Cloud, account: str, region: str, job: state.Record) -> None:
    """SageMaker's event for a job that changed its status."""
    detail = json.loads(json.dumps({key: value for key, value in job.items() if not key.startswith("_")}, default=str))
    event = Event("aws.sagemaker", "SageMaker Training Job State Change", detail, [job["_arn"]])
    cloud.put_event(Place(account, region), event)
