"""Tuning jobs: trials that are really trained, with hyperparameters drawn at random.

AWS's Bayesian strategy chooses a trial by those before it, and nobody knows how; here both strategies draw, by
RandomSeed. https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning.html
"""

import dataclasses
import hashlib
import json
import random
import threading
from collections import Counter
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Event, Place, operation
from rehearsal.cloud.services.sagemaker import state, tags, training
from rehearsal.cloud.services.sagemaker.tuning_rules import check

KIND = "hyper-parameter-tuning-job"
_PAUSE = 0.1
"""Real seconds between two looks at the trials."""
_COUNTED = {"Completed": "Completed", "InProgress": "InProgress", "Stopping": "InProgress", "Stopped": "Stopped"}
_stopping: dict[tuple[int, str], threading.Event] = {}
"""Of running jobs, by gateway port and ARN."""


@operation("sagemaker", "CreateHyperParameterTuningJob")
def create(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["HyperParameterTuningJobName"]
    jobs, arn = state.records(call, KIND), state.call_arn(call, KIND, name)
    if name in jobs:
        raise AwsError("ResourceInUse", f"Hyper Parameter Tuning Job with name {name} already exists ({arn})")
    check(params)
    definition = params["TrainingJobDefinition"]
    training.check({"TrainingJobName": name, **definition}, call, arn)
    now = call.cloud.clock.now()
    job = jobs[name] = {
        **{key: value for key, value in params.items() if key != "Tags"},
        "HyperParameterTuningJobArn": arn, "HyperParameterTuningJobStatus": "InProgress", "CreationTime": now,
        "LastModifiedTime": now, "_arn": arn, "_tags": tags.given(call), "_trials": [],
    }  # fmt: skip
    stopping = _stopping[(call.cloud.port, arn)] = threading.Event()
    call.cloud.background(_run, call, job, stopping, name=f"tuning {name}")
    return {"HyperParameterTuningJobArn": arn}


@operation("sagemaker", "DescribeHyperParameterTuningJob")
def describe(call: Call) -> dict[str, Any]:
    job = _get(call)
    trials = _trials(call, job)
    statuses = Counter(_COUNTED.get(trial["TrainingJobStatus"], "NonRetryableError") for trial in trials)
    measured = Counter(_measured(job, trial) for trial in trials)
    best = _best(call, job)
    return {
        **job,
        "TrainingJobStatusCounters": {
            kind: statuses[kind] for kind in ("Completed", "InProgress", "NonRetryableError", "Stopped")
        } | {"RetryableError": 0},
        "ObjectiveStatusCounters": {kind: measured[kind] for kind in ("Succeeded", "Pending", "Failed")},
        **({"BestTrainingJob": _summary(job, best)} if best else {}),
    }  # fmt: skip


@operation("sagemaker", "ListTrainingJobsForHyperParameterTuningJob")
def list_trials(call: Call) -> dict[str, Any]:
    job = _get(call)
    summaries = [_summary(job, trial) for trial in _trials(call, job)]
    found, token = state.page(call, summaries, name=lambda trial: trial["TrainingJobName"], status="TrainingJobStatus")
    return state.with_token({"TrainingJobSummaries": found}, token)


@operation("sagemaker", "ListHyperParameterTuningJobs")
def list_jobs(call: Call) -> dict[str, Any]:
    jobs, token = state.page(
        call,
        [describe(dataclasses.replace(call, params=job)) for job in list(state.records(call, KIND).values())],
        name=lambda job: job["HyperParameterTuningJobName"],
        status="HyperParameterTuningJobStatus",
    )
    summaries = [
        {
            **job,
            "Strategy": job["HyperParameterTuningJobConfig"]["Strategy"],
            "ResourceLimits": job["HyperParameterTuningJobConfig"]["ResourceLimits"],
        }
        for job in jobs
    ]
    return state.with_token({"HyperParameterTuningJobSummaries": summaries}, token)


@operation("sagemaker", "StopHyperParameterTuningJob")
def stop(call: Call) -> dict[str, Any]:
    job = _get(call)
    status = job["HyperParameterTuningJobStatus"]
    if status != "InProgress":
        raise state.invalid(f"The request was rejected because the tuning job is in status {status}.")
    job["HyperParameterTuningJobStatus"] = "Stopping"
    _stopping[(call.cloud.port, job["_arn"])].set()
    return {}


def _get(call: Call) -> state.Record:
    job = state.records(call, KIND).get(call.params["HyperParameterTuningJobName"])
    if job is None:
        raise state.not_found()
    return job


def _trials(call: Call, job: state.Record) -> list[state.Record]:
    jobs = state.records(call, training.KIND)
    return [jobs[name] for name in job["_trials"]]


def _run(call: Call, job: state.Record, stopping: threading.Event) -> None:
    reason = ""
    try:
        _try_all(call, job, stopping)
    except AwsError as error:
        reason = f"{error.code}: {error.message}"
    finally:
        _stopping.pop((call.cloud.port, job["_arn"]), None)
    if not reason and not stopping.is_set() and _best(call, job) is None:
        reason = "All training jobs failed. Please take a look at the training jobs failures to get more details."
    now = call.cloud.clock.now()
    with state.lock:
        job |= {"HyperParameterTuningEndTime": now, "LastModifiedTime": now}
        if reason:
            job["FailureReason"] = reason
        job["HyperParameterTuningJobStatus"] = "Stopped" if stopping.is_set() else "Failed" if reason else "Completed"
    announce(call.cloud, call.account, call.region, job)


def announce(cloud: Cloud, account: str, region: str, job: state.Record) -> None:
    """SageMaker's event for a tuning job that changed its status."""
    told = {name: value for name, value in job.items() if not name.startswith("_")}
    detail = json.loads(json.dumps(told, default=str))
    event = Event("aws.sagemaker", "SageMaker HyperParameter Tuning Job State Change", detail, [job["_arn"]])
    cloud.put_event(Place(account, region), event)


def _try_all(call: Call, job: state.Record, stopping: threading.Event) -> None:
    """Trial after trial, as many at once as the job says. Raises AwsError for one that is refused."""
    config = job["HyperParameterTuningJobConfig"]
    limits = config["ResourceLimits"]
    source = random.Random(config.get("RandomSeed", job["HyperParameterTuningJobName"]))  # noqa: S311  no secret
    while True:
        running = [trial for trial in _trials(call, job) if trial["TrainingJobStatus"] in ("InProgress", "Stopping")]
        due = limits["MaxNumberOfTrainingJobs"] - len(job["_trials"])
        if stopping.is_set():
            _end(call, running)
        elif due and len(running) < limits["MaxParallelTrainingJobs"]:
            try:
                _start(call, job, _draw(config["ParameterRanges"], source))
            except AwsError:
                _end(call, running)
                raise
            continue
        if not running and (stopping.is_set() or not due):
            return
        if not call.cloud.clock.pause(_PAUSE):
            return


def _end(call: Call, running: list[state.Record]) -> None:
    for trial in running:
        if trial["TrainingJobStatus"] == "InProgress":
            training.stop(dataclasses.replace(call, params={"TrainingJobName": trial["TrainingJobName"]}))


def _draw(ranges: dict[str, Any], source: random.Random) -> dict[str, str]:
    whole = {
        each["Name"]: str(source.randint(int(each["MinValue"]), int(each["MaxValue"])))
        for each in ranges.get("IntegerParameterRanges", ())
    }
    parts = {
        each["Name"]: f"{source.uniform(float(each['MinValue']), float(each['MaxValue'])):.15g}"
        for each in ranges.get("ContinuousParameterRanges", ())
    }
    return whole | parts


def _start(call: Call, job: state.Record, drawn: dict[str, str]) -> None:
    """A trial, which is a training job under a name that SageMaker makes."""
    name, number = job["HyperParameterTuningJobName"], len(job["_trials"]) + 1
    definition = {key: value for key, value in job["TrainingJobDefinition"].items() if key not in _OF_TUNING}
    objective = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    params = {
        **definition,
        "TrainingJobName": f"{name}-{number:03}-{hashlib.sha256(f'{name}{number}'.encode()).hexdigest()[:8]}",
        "HyperParameters": {
            **job["TrainingJobDefinition"].get("StaticHyperParameters", {}), **drawn,
            "_tuning_objective_metric": objective,
        },
    }  # fmt: skip
    training.create(dataclasses.replace(call, operation="CreateTrainingJob", params=params))
    trial = state.records(call, training.KIND)[params["TrainingJobName"]]
    trial |= {"TuningJobArn": job["_arn"], "_drawn": drawn}
    job["_trials"].append(params["TrainingJobName"])


_OF_TUNING = ("DefinitionName", "TuningObjective", "HyperParameterRanges", "StaticHyperParameters")


def _measured(job: state.Record, trial: state.Record) -> str:
    if trial["TrainingJobStatus"] in ("InProgress", "Stopping"):
        return "Pending"
    return "Failed" if _value(job, trial) is None else "Succeeded"


def _value(job: state.Record, trial: state.Record) -> float | None:
    """The last value that a completed trial wrote of what the job looks for."""
    wanted = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    if trial["TrainingJobStatus"] != "Completed":
        return None
    return next((each["Value"] for each in trial["FinalMetricDataList"] if each["MetricName"] == wanted), None)


def _best(call: Call, job: state.Record) -> state.Record | None:
    """The trial whose value is best, the first of equal ones."""
    sign = -1 if job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] == "Maximize" else 1
    found = [(sign * value, trial) for trial in _trials(call, job) if (value := _value(job, trial)) is not None]
    return min(found, key=lambda each: each[0])[1] if found else None


def _summary(job: state.Record, trial: state.Record) -> state.Record:
    objective = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    value = _value(job, trial)
    shared = ("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "CreationTime", "TrainingStartTime",
              "TrainingEndTime", "FailureReason")  # fmt: skip
    return {
        **{name: trial[name] for name in shared if name in trial},
        "TunedHyperParameters": trial["_drawn"],
        "ObjectiveStatus": _measured(job, trial),
        **({} if value is None else {"FinalHyperParameterTuningJobObjectiveMetric": {**objective, "Value": value}}),
    }
