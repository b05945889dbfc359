"""Glue: moto keeps jobs, and runs of them are really executed, with a stand-in for PySpark over DuckDB."""

import sys
import uuid
from pathlib import Path
from typing import Any

from moto.glue.models import glue_backends

from rehearsal.cloud import containers
from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.compute.jobs import Job, JobStopped, JobTimedOut, limit
from rehearsal.cloud.core.api import AwsError, Call, Cloud, Event, Place, inventory, on_restore, operation
from rehearsal.cloud.services.sagemaker import state
from rehearsal.cloud.wire.types import INTERRUPTED

PRINCIPAL = "glue.amazonaws.com"
LOG_GROUP = "/aws-glue/jobs/output"
_SHIM = Path(containers.__file__).parent / "spark_shim"
_ACTIVE = ("STARTING", "RUNNING", "STOPPING")
_DEFAULT_TIMEOUT_MINUTES = 480
_TAIL = 40

_running: dict[tuple[int, str], Job] = {}
"""Jobs whose script runs, by gateway port and run id."""


@operation("glue", "CreateJob")
def create_job(call: Call) -> dict[str, Any]:
    _check_job(call, call.params)
    return call.forward()


@operation("glue", "UpdateJob")
def update_job(call: Call) -> dict[str, Any]:
    """The update is the whole new definition: what it leaves out falls back to AWS's default. moto has no UpdateJob."""
    name, update = call.params["JobName"], call.params["JobUpdate"]
    old = _job(call)
    _check_job(call, update)
    backend = glue_backends[call.account][call.region]
    tags = backend.get_tags(backend.get_job(name).arn)
    call.cloud.store_call("glue", "CreateJob", call.account, call.region, {**update, "Name": name, "Tags": tags})
    backend.get_job(name).created_on = old["CreatedOn"]
    return {"JobName": name}


def _check_job(call: Call, job: dict[str, Any]) -> None:
    command = job.get("Command", {})
    if command.get("Name", "glueetl") != "glueetl":
        raise AwsError("NotImplemented", f"not implemented by the rehearsal: Glue jobs of kind {command['Name']}", 501)
    if not command.get("ScriptLocation", "").startswith("s3://"):
        raise AwsError("InvalidInputException", "Command.ScriptLocation must be an S3 URI")
    if "Role" in job:
        _assume(call, job["Role"], call.params.get("Name") or call.params.get("JobName", ""))


def _assume(call: Call, role: str, name: str) -> None:
    arn = _role_arn(call.account, role)
    try:
        call.cloud.assume_for_service(arn, PRINCIPAL, "GlueJobRunnerSession", source_arn=_job_arn(call, name))
    except AwsError as error:
        raise AwsError(
            "InvalidInputException", f"Role {arn} should be given assume role permissions for Glue Service."
        ) from error


def _role_arn(account: str, role: str) -> str:
    return role if role.startswith("arn:") else f"arn:aws:iam::{account}:role/{role}"


def _job_arn(call: Call, name: str) -> str:
    return f"arn:aws:glue:{call.region}:{call.account}:job/{name}"


@operation("glue", "StartJobRun")
def start_run(call: Call) -> dict[str, Any]:
    params = call.params
    job = _job(call)
    runs = _runs(call, job["Name"])
    if "JobRunId" in params:
        raise AwsError("NotImplemented", "not implemented by the rehearsal: JobRunId (resuming a run)", 501)
    allowed = job.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)
    _assume(call, job["Role"], job["Name"])
    now = call.cloud.clock.now()
    with state.lock:
        if sum(run["JobRunState"] in _ACTIVE for run in runs.values()) >= allowed:
            raise AwsError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}")
        run_id = f"jr_{uuid.uuid4().hex}{uuid.uuid4().hex}"
        run = runs[run_id] = {
            "Id": run_id, "Attempt": 0, "JobName": job["Name"], "StartedOn": now, "LastModifiedOn": now,
            "JobRunState": "STARTING", "Arguments": params.get("Arguments", {}), "PredecessorRuns": [],
            "AllocatedCapacity": job.get("AllocatedCapacity", 10), "ExecutionTime": 0,
            "Timeout": params.get("Timeout") or job.get("Timeout") or _DEFAULT_TIMEOUT_MINUTES,
            "GlueVersion": job.get("GlueVersion", "0.9"), "LogGroupName": "/aws-glue/jobs",
            **{key: job[key] for key in ("MaxCapacity", "WorkerType", "NumberOfWorkers") if key in job},
        }  # fmt: skip
    call.cloud.background(_run, call.cloud, call.account, call.region, job, run, name=f"glue {job['Name']}")
    return {"JobRunId": run_id}


@operation("glue", "GetJobRun")
def get_run(call: Call) -> dict[str, Any]:
    return {"JobRun": _find(call, call.params["RunId"])}


@operation("glue", "GetJobRuns")
def get_runs(call: Call) -> dict[str, Any]:
    _job(call)
    runs = sorted(_runs(call, call.params["JobName"]).values(), key=lambda run: run["StartedOn"], reverse=True)
    first, size = int(call.params.get("NextToken") or 0), call.params.get("MaxResults", 200)
    answer: dict[str, Any] = {"JobRuns": runs[first : first + size]}
    return {**answer, "NextToken": str(first + size)} if first + size < len(runs) else answer


@operation("glue", "BatchStopJobRun")
def stop_runs(call: Call) -> dict[str, Any]:
    stopped, errors = [], []
    for run_id in call.params["JobRunIds"]:
        entry = {"JobName": call.params["JobName"], "JobRunId": run_id}
        try:
            run = _find(call, run_id)
        except AwsError as error:
            errors.append({**entry, "ErrorDetail": {"ErrorCode": error.code, "ErrorMessage": error.message}})
            continue
        if run["JobRunState"] not in _ACTIVE:
            detail = {"ErrorCode": "InvalidInputException", "ErrorMessage": f"Job run {run_id} is {run['JobRunState']}"}
            errors.append({**entry, "ErrorDetail": detail})
            continue
        run["JobRunState"] = "STOPPING"
        job = _running.get((call.cloud.port, run_id))
        if job:
            job.stop()
        stopped.append(entry)
    return {"SuccessfulSubmissions": stopped, "Errors": errors}


def _job(call: Call) -> dict[str, Any]:
    name = call.params["JobName"]
    try:
        job: dict[str, Any] = call.cloud.store_call("glue", "GetJob", call.account, call.region, {"JobName": name})[
            "Job"
        ]
    except AwsError as error:
        raise AwsError(
            "EntityNotFoundException", f"Failed to start job run due to missing metadata: job {name}"
        ) from error
    return job


def _runs(call: Call, name: str) -> dict[str, dict[str, Any]]:
    store = call.cloud.store("glue", call.account, call.region)
    runs: dict[str, dict[str, Any]] = store.setdefault(name, {})
    return runs


def _find(call: Call, run_id: str) -> dict[str, Any]:
    run = _runs(call, call.params["JobName"]).get(run_id)
    if run is None:
        raise AwsError("EntityNotFoundException", f"Job Run with JobRunId {run_id} not found.")
    return run


def _run(cloud: Cloud, account: str, region: str, job: dict[str, Any], run: dict[str, Any]) -> None:
    status, message = "FAILED", "the executor failed"
    role = _role_arn(account, job["Role"])
    arn = f"arn:aws:glue:{region}:{account}:job/{job['Name']}"
    work = Job(
        cloud, account, region, run["Id"], role, "glue", (LOG_GROUP, run["Id"]), principal=PRINCIPAL, source_arn=arn
    )
    _running[(cloud.port, run["Id"])] = work
    try:
        if run["JobRunState"] == "STOPPING":
            work.stop()
        status, message = _execute(work, job, run)
    except JobStopped:
        status, message = "STOPPED", ""
    except JobTimedOut:
        status, message = "TIMEOUT", f"Job run timed out after {run['Timeout']} minutes"
    except s3.TransferError as error:
        message = f"LAUNCH ERROR | {error}"
    finally:
        _running.pop((cloud.port, run["Id"]), None)
        work.clean()
        _finish(cloud, account, region, run, status, message)


def _execute(work: Job, job: dict[str, Any], run: dict[str, Any]) -> tuple[str, str]:
    client = work.client("s3")
    script = work.root / "script.py"
    script.write_bytes(s3.read(client, job["Command"]["ScriptLocation"]))
    arguments = {**job.get("DefaultArguments", {}), **run["Arguments"]}
    paths = [str(_SHIM)]
    for number, uri in enumerate(filter(None, arguments.get("--extra-py-files", "").split(","))):
        path = work.root / f"{number}-{uri.strip().rsplit('/', 1)[-1]}"
        path.write_bytes(s3.read(client, uri.strip()))
        paths.append(str(path if path.suffix in (".zip", ".whl", ".egg") else path.parent))
    system = {"--JOB_NAME": job["Name"], "--JOB_RUN_ID": run["Id"]}
    argv = [sys.executable, str(script)]
    for name, value in {**system, **arguments}.items():
        argv += [name, value]
    own = {"PYTHONPATH": ":".join(paths), "TMPDIR": str(work.root), "GLUE_VERSION": run["GlueVersion"]}
    env = work.environment(own, credentials=True)
    with state.lock:
        if run["JobRunState"] == "STARTING":
            run["JobRunState"] = "RUNNING"
    tail: list[str] = []

    def remember(line: str) -> None:
        if line.strip():
            tail.append(line.rstrip("\n"))
            del tail[:-_TAIL]

    code = work.run(argv, env, limit(work.cloud, run["Timeout"] * 60), remember)
    return ("SUCCEEDED", "") if code == 0 else ("FAILED", _message(tail, code))


def _message(tail: list[str], code: int) -> str:
    """The exception's own line, as Glue shows it, without the module it comes from."""
    if not tail:
        return f"SystemExit: {code}"
    return tail[-1].removeprefix("__main__.")


def _finish(cloud: Cloud, account: str, region: str, run: dict[str, Any], status: str, message: str) -> None:
    now = cloud.clock.now()
    with state.lock:
        if message:
            run["ErrorMessage"] = message[:2000]
        seconds = max(1, round((now - run["StartedOn"]).total_seconds()))
        run |= {"CompletedOn": now, "LastModifiedOn": now, "ExecutionTime": seconds, "JobRunState": status}
    severity = "INFO" if status in ("SUCCEEDED", "STOPPED") else "ERROR"
    detail = {
        "jobName": run["JobName"], "severity": severity, "state": status, "jobRunId": run["Id"],
        "message": message or "Job run succeeded" if status == "SUCCEEDED" else message,
    }  # fmt: skip
    cloud.put_event(Place(account, region), Event("aws.glue", "Glue Job State Change", detail))


@on_restore
def end_interrupted(cloud: Cloud) -> None:
    """A run's script ended with the cloud that ran it."""
    for account, region, jobs in cloud.stores("glue"):
        for run in [run for runs in jobs.values() for run in runs.values() if run["JobRunState"] in _ACTIVE]:
            stopped = run["JobRunState"] == "STOPPING"
            _finish(cloud, account, region, run, "STOPPED" if stopped else "FAILED", "" if stopped else INTERRUPTED)


@inventory("glue")
def live(cloud: Cloud, account: str) -> list[str]:
    return [
        f"arn:aws:glue:{region}:{account}:job/{name}"
        for owner, region, backend in list(glue_backends.iter_backends())
        if owner == account
        for name in backend.jobs  # type: ignore[attr-defined]
    ]
