"""Executions: started under the role, watched, stopped with their jobs, and told to EventBridge."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import (
    AwsError,
    Call,
    Cloud,
    Event,
    LogLines,
    Place,
    Sample,
    on_restore,
    operation,
    target,
)
from rehearsal.cloud.services.events import inputs
from rehearsal.cloud.services.stepfunctions.engine import backend, backends, load
from rehearsal.cloud.wire.types import INTERRUPTED

_POLL_SECONDS = 0.05
_LOG_TYPES = {
    "ERROR": ("Failed", "TimedOut", "Aborted"),
    "FATAL": ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"),
}


@operation("stepfunctions", "StartExecution")
def start(call: Call) -> dict[str, Any]:
    params = {"input": "{}", "name": str(uuid.uuid4()), **call.params}
    try:
        json.loads(params["input"])
    except ValueError as error:
        raise AwsError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error
    load(call.cloud)
    answer = call.forward(params)
    execution = _find(call, answer["executionArn"])
    # The same name with the same input is the same execution: it is watched already.
    if not getattr(execution, "watched", False):
        execution.watched = True
        call.cloud.background(_watch, call.cloud, call.account, call.region, execution, name="execution")
    return answer


@operation("stepfunctions", "StopExecution")
def stop(call: Call) -> dict[str, Any]:
    execution = _find(call, call.params["executionArn"])
    now = datetime.now(UTC)
    if execution.status == "RUNNING":
        while execution.exec_worker.env is None:
            call.cloud.clock.pause(0.01)
        execution.stop(stop_date=now, error=call.params.get("error"), cause=call.params.get("cause"))
        execution.error, execution.cause = call.params.get("error"), call.params.get("cause")
    return {"stopDate": execution.stop_date or now}


@operation("stepfunctions", "DescribeExecution")
def describe(call: Call) -> dict[str, Any]:
    execution = _find(call, call.params["executionArn"])
    answer = {
        "executionArn": execution.execution_arn, "stateMachineArn": execution.state_machine_arn,
        "name": execution.name, "status": execution.status, "startDate": execution.start_date,
        "input": execution.execution_input, "inputDetails": {"included": True}, "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
    }  # fmt: skip
    if execution.status == "RUNNING":
        answer["redriveStatusReason"] = "Execution is RUNNING and cannot be redriven"
        return answer
    if execution.status == "SUCCEEDED":
        answer["redriveStatusReason"] = "Execution is SUCCEEDED and cannot be redriven"
    else:
        answer["redriveStatus"] = "REDRIVABLE"
    answer["stopDate"] = execution.stop_date
    if execution.status == "SUCCEEDED":
        answer |= {"output": json.dumps(execution.output, default=str), "outputDetails": {"included": True}}
    for member in ("error", "cause"):
        if getattr(execution, member) is not None:
            answer[member] = getattr(execution, member)
    return answer


@operation("stepfunctions", "ListExecutions")
def list_executions(call: Call) -> dict[str, Any]:
    answer = call.forward()
    for shown in answer.get("executions", ()):
        shown.setdefault("redriveCount", 0)
    return answer


@operation("stepfunctions", "GetExecutionHistory")
def history(call: Call) -> dict[str, Any]:
    params = call.params
    _find(call, params["executionArn"])
    events = call.forward({"executionArn": params["executionArn"]})["events"]
    if params.get("reverseOrder"):
        events.reverse()
    token = params.get("nextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidToken", f"Invalid Token: '{token}'")
    first, size = int(token), params.get("maxResults") or 100
    answer: dict[str, Any] = {"events": events[first : first + size]}
    if first + size < len(events):
        answer["nextToken"] = str(first + size)
    return answer


@target("states")
def to_machine(cloud: Cloud, place: Place, entry: dict[str, Any], payload: Any) -> None:
    """A rule's target: the execution is started under the target's role."""
    role, arn = entry.get("RoleArn"), entry["Arn"]
    if not role:
        raise AwsError("ValidationException", f"the target {arn} has no RoleArn")
    session = cloud.session_for_service(
        role, "events.amazonaws.com", "events", source_arn=entry.get("RuleArn"), source_account=place.account
    )
    _, _, _, region, account, *_ = arn.split(":")
    params = {"stateMachineArn": arn, "input": inputs.text_of(payload)}
    cloud.perform(session, Place(account, region), "stepfunctions", "StartExecution", params)


def _find(call: Call, arn: str) -> Any:
    for machine in backend(call.cloud, call.account, call.region).state_machines:
        for execution in machine.executions:
            if execution.execution_arn == arn:
                return execution
    raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def _watch(cloud: Cloud, account: str, region: str, execution: Any) -> None:
    _announce(cloud, account, region, execution)
    while execution.status == "RUNNING":
        if not cloud.clock.pause(_POLL_SECONDS):
            _halt(execution)
            return
    _log(cloud, account, region, execution)
    _count(cloud, account, region, execution)
    _announce(cloud, account, region, execution)


@on_restore
def end_interrupted(cloud: Cloud) -> None:
    """The interpreter's threads ended with the cloud that ran them."""
    for account, region, kept in backends(cloud):
        for execution in [known for machine in kept.state_machines for known in machine.executions]:
            if execution.status == "RUNNING":
                execution.exec_status = type(execution.exec_status)["FAILED"]
                execution.stop_date = datetime.now(UTC)
                execution.error, execution.cause = "States.Runtime", INTERRUPTED
                _count(cloud, account, region, execution)
                _announce(cloud, account, region, execution)


def _halt(execution: Any) -> None:
    if execution.exec_worker.env is not None:
        execution.stop(stop_date=datetime.now(UTC), error=None, cause="the rehearsal shuts down")


def _announce(cloud: Cloud, account: str, region: str, execution: Any) -> None:
    done = execution.status != "RUNNING"
    detail = {
        "executionArn": execution.execution_arn, "stateMachineArn": execution.state_machine_arn,
        "name": execution.name, "status": execution.status, "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date) if done else None, "input": execution.execution_input,
        "output": json.dumps(execution.output, default=str) if execution.status == "SUCCEEDED" else None,
        "error": execution.error, "cause": execution.cause,
    }  # fmt: skip
    event = Event("aws.states", "Step Functions Execution Status Change", detail, [execution.execution_arn])
    cloud.put_event(Place(account, region), event)


def _milliseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None


def _count(cloud: Cloud, account: str, region: str, execution: Any) -> None:
    name = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut", "ABORTED": "Aborted"}[
        execution.status
    ]
    dimensions = {"StateMachineArn": execution.state_machine_arn}
    cloud.put_metric(Place(account, region), Sample("AWS/States", f"Executions{name}", dimensions, 1, "Count"))


def _log(cloud: Cloud, account: str, region: str, execution: Any) -> None:
    """The history in the log group that the machine's logging configuration names."""
    settings = execution.state_machine.loggingConfiguration or {}
    level = settings.get("level", "OFF")
    if level == "OFF":
        return
    groups = [item["cloudWatchLogsLogGroup"]["logGroupArn"] for item in settings.get("destinations", [])]
    for event in execution.to_history_output()["events"]:
        if level in _LOG_TYPES and not event["type"].value.endswith(_LOG_TYPES[level]):
            continue
        line = json.dumps(
            {"execution_arn": execution.execution_arn, "redrive_count": "0", **_details(event, settings)}, default=str
        )
        for arn in groups:
            group = arn.split(":log-group:")[1].removesuffix(":*")
            cloud.log(Place(account, region), LogLines(group, f"states/{execution.name}", [line]))


def _details(event: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    found = next((dict(value) for key, value in event.items() if key.endswith("EventDetails")), {})
    if not settings.get("includeExecutionData", False):
        found = {key: value for key, value in found.items() if key not in ("input", "output", "parameters")}
    return {"id": str(event["id"]), "type": event["type"].value, "details": found}
