"""Processing jobs: a script in the XGBoost image, or the model monitor's analyzer, in a child with its own /opt/ml."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.compute.jobs import Job, JobFailed, JobStopped, JobTimedOut, limit
from rehearsal.cloud.containers import mounts, xgboost_image
from rehearsal.cloud.core.api import AwsError, Call, Cloud, Event, Place, operation
from rehearsal.cloud.services.sagemaker import images, quotas, state, tags, volumes
from rehearsal.cloud.services.sagemaker.inputs import check_input, refuse, split_uri

KIND = "processing-job"
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
LOCAL_ROOT = "/opt/ml/processing/"
_PACKAGE_ROOT = Path(__file__).resolve().parents[4]
_IMAGE = str(Path(xgboost_image.__file__).parent)

_jobs: dict[tuple[int, str], Job] = {}
"""Running jobs, by gateway port and ARN."""


@operation("sagemaker", "CreateProcessingJob")
def create(call: Call) -> dict[str, Any]:
    arn = state.call_arn(call, KIND, call.params["ProcessingJobName"])
    _check(call, arn)
    job = start(call.cloud, call.account, call.region, call.params, tags.given(call))
    return {"ProcessingJobArn": job["_arn"]}


def start(
    cloud: Cloud,
    account: str,
    region: str,
    params: dict[str, Any],
    job_tags: dict[str, str] | None = None,
    finished: Callable[[Job, state.Record], None] | None = None,
) -> state.Record:
    """Start a job from a checked request. `finished` runs after the container, before the outputs are uploaded."""
    name = params["ProcessingJobName"]
    jobs = state.table(cloud, account, region, KIND)
    arn = state.arn(account, region, KIND, name)
    now = cloud.clock.now()
    run = Job(
        cloud, account, region, name, params["RoleArn"], KIND, (LOG_GROUP, f"{name}/algo-1-{int(now.timestamp())}")
    )
    with state.lock:
        if name in jobs:
            run.clean()
            raise AwsError(
                "ResourceInUse",
                f"Job name must be unique within an AWS account and region, and a job with this name already exists"
                f" ({arn})",
            )
        try:
            cluster = params["ProcessingResources"]["ClusterConfig"]
            quotas.check_job(cloud, account, region, "processing", cluster)
        except AwsError:
            run.clean()
            raise
        job = jobs[name] = {
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            **{key: value for key, value in params.items() if key != "Tags"},
            "ProcessingJobArn": arn,
            "ProcessingJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
            "_arn": arn,
            "_tags": job_tags or {},
        }
    _jobs[(cloud.port, arn)] = run
    cloud.background(_run, run, job, finished, name=f"processing {name}")
    return job


def _check(call: Call, arn: str) -> None:
    params = call.params
    credentials = state.check_role(call, params["RoleArn"], arn)
    specification = params["AppSpecification"]
    repository = images.repository(specification["ImageUri"], call.region, (images.XGBOOST, images.ANALYZER))
    entrypoint = specification.get("ContainerEntrypoint")
    refuse(repository == images.XGBOOST and not entrypoint, "the XGBoost image without ContainerEntrypoint")
    refuse(repository == images.ANALYZER and entrypoint, "the analyzer image with another ContainerEntrypoint")
    cluster = params["ProcessingResources"]["ClusterConfig"]
    refuse(cluster["InstanceCount"] > 1, "processing on more than one instance")
    for item in params.get("ProcessingInputs", []):
        _check_input(call, item, credentials)
    for item in params.get("ProcessingOutputConfig", {}).get("Outputs", []):
        refuse("S3Output" not in item, "a processing output without S3Output")
        split_uri(item["S3Output"]["S3Uri"])
        _check_local(item["S3Output"].get("LocalPath", LOCAL_ROOT))


def _check_input(call: Call, item: dict[str, Any], credentials: Any) -> None:
    source = item.get("S3Input")
    refuse(source is None, "a processing input without S3Input")
    assert source is not None
    refuse(source["S3DataType"] != "S3Prefix", f"S3DataType {source['S3DataType']}")
    refuse(source.get("S3InputMode", "File") != "File", "S3InputMode other than File")
    refuse(source.get("S3CompressionType", "None") != "None", "S3CompressionType of a processing input")
    _check_local(source.get("LocalPath", LOCAL_ROOT))
    check_input(call, call.params["RoleArn"], credentials, source["S3Uri"])


def _check_local(path: str) -> None:
    if not path.startswith(LOCAL_ROOT) or ".." in path.split("/"):
        raise state.invalid(f"Invalid LocalPath {path}: it must be below {LOCAL_ROOT}")


@operation("sagemaker", "DescribeProcessingJob")
def describe(call: Call) -> dict[str, Any]:
    return _get(call)


@operation("sagemaker", "StopProcessingJob")
def stop(call: Call) -> dict[str, Any]:
    job = _get(call)
    if job["ProcessingJobStatus"] != "InProgress":
        raise state.invalid(
            f"The request was rejected because the processing job is in status {job['ProcessingJobStatus']}."
        )
    job["ProcessingJobStatus"] = "Stopping"
    run = _jobs.get((call.cloud.port, job["_arn"]))
    if run:
        run.stop()
    return {}


@operation("sagemaker", "ListProcessingJobs")
def list_jobs(call: Call) -> dict[str, Any]:
    jobs, token = state.page(
        call,
        state.records(call, KIND).values(),
        name=lambda job: job["ProcessingJobName"],
        status="ProcessingJobStatus",
    )
    return state.with_token({"ProcessingJobSummaries": jobs}, token)


def _get(call: Call) -> state.Record:
    job = state.records(call, KIND).get(call.params["ProcessingJobName"])
    if job is None:
        raise state.not_found()
    return job


def _run(run: Job, job: state.Record, finished: Callable[[Job, state.Record], None] | None) -> None:
    status, reason = "Failed", "InternalServerError: the executor failed"
    try:
        _process(run, job, finished)
        status, reason = "Completed", ""
    except JobStopped:
        status, reason = "Stopped", ""
    except JobTimedOut:
        status, reason = "Stopped", ""
        job["ExitMessage"] = "MaxRuntimeExceeded"
    except JobFailed as failure:
        reason = str(failure)
    except s3.TransferError as failure:
        reason = f"ClientError: {failure}"
    finally:
        _finish(run, job, status, reason)


def _process(run: Job, job: state.Record, finished: Callable[[Job, state.Record], None] | None) -> None:
    volumes.encrypt(run, job["ProcessingResources"]["ClusterConfig"].get("VolumeKmsKeyId"))
    client = run.client("s3")
    _prepare(run, job, client)
    job["ProcessingStartTime"] = run.cloud.clock.now()
    argv, env = _container(run, job)
    seconds = limit(run.cloud, job["StoppingCondition"]["MaxRuntimeInSeconds"])
    last: list[str] = []
    code = run.run(argv, env, seconds, lambda line: _remember(last, line))
    job["ExitMessage"] = _message(run, last, code)
    if code:
        raise JobFailed(
            f"AlgorithmError: {job['ExitMessage'] or 'See job logs for more information'}, exit code: {code}"
        )
    if finished:
        finished(run, job)
    config = job.get("ProcessingOutputConfig", {})
    for output in config.get("Outputs", []):
        target = output["S3Output"]
        s3.upload(client, _local(run, target["LocalPath"]), target["S3Uri"], config.get("KmsKeyId"))


def _prepare(run: Job, job: state.Record, client: Any) -> None:
    config = run.root / "config"
    config.mkdir()
    (config / "processingjobconfig.json").write_text(
        json.dumps({key: value for key, value in job.items() if not key.startswith("_")}, default=str)
    )
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    for name in ("output/metrics/cloudwatch", "processing"):
        (run.root / name).mkdir(parents=True, exist_ok=True)
    for item in job.get("ProcessingInputs", []):
        folder = _local(run, item["S3Input"]["LocalPath"])
        folder.mkdir(parents=True, exist_ok=True)
        chosen = job.get("_objects", {}).get(item["InputName"])
        if chosen is None:
            s3.download(client, item["S3Input"]["S3Uri"], folder, run.role)
        for uri, relative in chosen or []:
            path = folder / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.read(client, uri))
    for output in job.get("ProcessingOutputConfig", {}).get("Outputs", []):
        _local(run, output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)


def _local(run: Job, path: str) -> Path:
    return run.root / "processing" / path.removeprefix(LOCAL_ROOT).strip("/")


def _container(run: Job, job: state.Record) -> tuple[list[str], dict[str, str]]:
    specification = job["AppSpecification"]
    # Without a network a container reaches neither the role's keys nor any service.
    isolated = job.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    env = run.environment(job.get("Environment", {}), credentials=not isolated)
    if images.ANALYZER in specification["ImageUri"]:
        argv = [sys.executable, "-m", "rehearsal.cloud.containers.analyzer"]
        env["PYTHONPATH"] = str(_PACKAGE_ROOT)
    else:
        argv = [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]
        env["PYTHONPATH"] = os.pathsep.join([_IMAGE, *filter(None, [env.get("PYTHONPATH")])])
    return mounts.prepare(argv, env, run.root)


def _remember(last: list[str], line: str) -> None:
    if line.strip():
        last[:] = [*last[-4:], line.rstrip("\n")]


def _message(run: Job, last: list[str], code: int) -> str:
    """The job's exit message: what the container left in /opt/ml/output/message, else the end of its log."""
    file = run.root / "output" / "message"
    if file.is_file():
        return file.read_text()[:1024]
    return "\n".join(last)[-1000:] if code else ""


def _finish(run: Job, job: state.Record, status: str, reason: str) -> None:
    now = run.cloud.clock.now()
    if reason:
        run.log(reason)
    with state.lock:
        job.setdefault("ProcessingStartTime", job["CreationTime"])
        job |= {"ProcessingEndTime": now, "LastModifiedTime": now}
        if reason:
            job["FailureReason"] = reason[:1024]
        job["ProcessingJobStatus"] = status
    _jobs.pop((run.cloud.port, job["_arn"]), None)
    run.clean()
    announce(run.cloud, run.account, run.region, job)


def announce(cloud: Cloud, account: str, region: str, job: state.Record) -> None:
    """SageMaker's event for a job that changed its status."""
    detail = json.loads(json.dumps({key: value for key, value in job.items() if not key.startswith("_")}, default=str))
    event = Event("aws.sagemaker", "SageMaker Processing Job State Change", detail, [job["_arn"]])
    cloud.put_event(Place(account, region), event)
