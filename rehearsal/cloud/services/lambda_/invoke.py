"""Running functions: on demand and asynchronously."""

import base64
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Response

from rehearsal.cloud.core import service_time
from rehearsal.cloud.core.api import AwsError, Call, Cloud, Place, for_service, operation, target
from rehearsal.cloud.services.events import inputs
from rehearsal.cloud.services.lambda_ import asynchronous, concurrency, telemetry
from rehearsal.cloud.services.lambda_.aliases import choose_version
from rehearsal.cloud.services.lambda_.environments import pool_for
from rehearsal.cloud.services.lambda_.pool import (
    INIT_SECONDS,
    MACHINE_SECONDS,
    Worker,
    WorkerLostError,
    WorkerTimeoutError,
)
from rehearsal.cloud.services.lambda_.state import Function, find, parse_name

MAX_SYNC_PAYLOAD = 6 * 1024 * 1024
MAX_ASYNC_PAYLOAD = 1024 * 1024
_MAX_RESPONSE = MAX_SYNC_PAYLOAD + 100
_LOG_TAIL = 4096


@dataclass
class Result:
    """One finished invocation. `error` is None, or `Unhandled` as in X-Amz-Function-Error."""

    payload: bytes
    error: str | None
    version: str
    request_id: str
    log: str


@dataclass
class _Trial:
    """What the environment gave, before it becomes a Result."""

    payload: bytes
    failed: bool
    lines: list[str]
    duration_ms: float
    memory: int = 0
    note: str = ""
    """The line that AWS writes about an environment that did not answer."""


@operation("lambda", "Invoke")
def invoke(call: Call) -> dict[str, Any] | Response:
    """RequestResponse, Event and DryRun."""
    name = parse_name(call.params["FunctionName"], call.account, call.region, call.params.get("Qualifier"))
    function = find(call.cloud, name)
    kind = call.params.get("InvocationType") or "RequestResponse"
    payload = _payload(call.params.get("Payload"), kind)
    if kind == "DryRun":
        return Response(status=204)
    if kind == "Event":
        asynchronous.submit(call.cloud, function, name.qualifier, payload, run)
        return Response(status=202)
    result = run(call.cloud, function, name.qualifier, payload, call.params.get("ClientContext"))
    call.headers["x-amzn-RequestId"] = result.request_id
    call.headers[service_time.HEADER] = f"{service_time.since(call.begun) * 1000:.3f}"
    answer: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": result.version, "Payload": result.payload}
    if result.error:
        answer["FunctionError"] = result.error
    if call.params.get("LogType") == "Tail":
        answer["LogResult"] = base64.b64encode(result.log.encode()[-_LOG_TAIL:]).decode()
    return answer


def _payload(value: Any, kind: str) -> bytes:
    content = value.read() if hasattr(value, "read") else value or b""
    payload: bytes = content.encode() if isinstance(content, str) else bytes(content)
    limit = MAX_ASYNC_PAYLOAD if kind == "Event" else MAX_SYNC_PAYLOAD
    if len(payload) > limit:
        text = f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        raise AwsError("RequestTooLargeException", text, 413, Type="User")
    if not payload:
        return b"{}"
    try:
        json.loads(payload)
    except ValueError as problem:
        text = f"Could not parse request body into json: {problem}"
        raise AwsError("InvalidRequestContentException", text, 400, Type="User") from None
    return payload


def run(
    cloud: Cloud,
    function: Function,
    qualifier: str,
    payload: bytes,
    client_context: str | None = None,
    request_id: str | None = None,
) -> Result:
    """Runs one invocation, whoever asked for it. Raises TooManyRequestsException, and AccessDeniedException when
    Lambda cannot assume the function's role.
    """
    version = choose_version(function, qualifier)
    config = function.snapshot(version).config
    group = config["LoggingConfig"]["LogGroup"]
    report = telemetry.Report(function, qualifier, version, group, config["Role"])
    reserved = function.reserved is not None
    reason = concurrency.enter(cloud, function)
    if reason:
        telemetry.deliver(cloud, _with(report, throttled=True))
        raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429, Type="User", Reason=reason)
    request_id = request_id or str(uuid.uuid4())
    try:
        worker = pool_for(cloud, function, version).acquire()
        cold = not worker.used
        trial = _try(cloud, worker, function, qualifier, version, payload, client_context, request_id)
    finally:
        concurrency.leave(cloud, function, reserved)
    # An asynchronous one is waited for by nobody; on its own thread this counts for nothing.
    service_time.wait((trial.duration_ms + (worker.init_ms if cold else 0.0)) / 1000)
    lines = _log_lines(config, version, request_id, trial, worker.init_ms if cold else None)
    telemetry.deliver(
        cloud,
        _with(report, log_stream=worker.log_stream, lines=lines, duration_ms=trial.duration_ms, failed=trial.failed),
    )
    error = "Unhandled" if trial.failed else None
    return Result(trial.payload, error, version, request_id, "\n".join(lines) + "\n")


def _with(report: telemetry.Report, **changes: Any) -> telemetry.Report:
    return telemetry.Report(**{**report.__dict__, **changes})


def _try(
    cloud: Cloud,
    worker: Worker,
    function: Function,
    qualifier: str,
    version: str,
    payload: bytes,
    client_context: str | None,
    request_id: str,
) -> _Trial:
    """One invocation in one environment, which goes back to its pool afterwards."""
    pool = pool_for(cloud, function, version)
    config = function.snapshot(version).config
    timeout = float(config["Timeout"])
    started = time.monotonic()
    healthy = False
    try:
        if not worker.used:
            # Metrics bear the moment of the call. A start lasts seconds, never minutes: its minute waits for it, or an
            # alarm would have passed by when the invocation is reported.
            longest = max(timeout, INIT_SECONDS)
            # A busy machine may take longer than the function may: what it owes is not the function's (pool.py).
            with cloud.clock.held(longest + MACHINE_SECONDS):
                worker.initialise(longest)
            if worker.init_error is not None:
                problem = {**worker.init_error, "requestId": request_id}
                return _Trial(json.dumps(problem).encode(), True, worker.take_output(), _since(started))
        started = time.monotonic()
        meta = {
            "request_id": request_id,
            "deadline": time.time() + timeout,
            "invoked_function_arn": function.qualified(qualifier),
            "client_context": json.loads(base64.b64decode(client_context)) if client_context else None,
        }
        outcome = worker.invoke(meta, payload, timeout)
        memory = outcome.head["memory"]
        if memory > config["MemorySize"]:
            return _exit(request_id, "signal: killed", outcome.output, _since(started), "Runtime.OutOfMemory")
        healthy = True
        if len(outcome.payload) > _MAX_RESPONSE:
            return _too_large(outcome.output, outcome.head["ms"], memory)
        return _Trial(outcome.payload, not outcome.head["ok"], outcome.output, outcome.head["ms"], memory)
    except WorkerTimeoutError:
        text = f"Task timed out after {timeout:.2f} seconds"
        body = {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {request_id} Error: {text}"}
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        note = f"{stamp} {request_id} {text}"
        return _Trial(json.dumps(body).encode(), True, worker.take_output(), timeout * 1000, note=note)
    except WorkerLostError as lost:
        reason = _exit_reason(lost.returncode)
        return _exit(request_id, reason, worker.take_output(), _since(started), "Runtime.ExitError")
    finally:
        pool.give_back(worker, healthy)


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _exit_reason(returncode: int | None) -> str:
    if returncode is None or returncode == 0:
        return ""
    return f"signal: {'killed' if returncode == -9 else -returncode}" if returncode < 0 else f"exit status {returncode}"


def _exit(request_id: str, reason: str, output: list[str], duration: float, kind: str) -> _Trial:
    what = f"Runtime exited with error: {reason}" if reason else "Runtime exited without providing a reason"
    text = f"RequestId: {request_id} Error: {what}"
    body = {"errorType": kind, "errorMessage": text}
    return _Trial(json.dumps(body).encode(), True, output, duration, note=f"{text}\n{kind}")


def _too_large(output: list[str], duration: float, memory: int) -> _Trial:
    text = f"Response payload size exceeded maximum allowed payload size ({_MAX_RESPONSE} bytes)."
    body = {"errorMessage": text, "errorType": "Function.ResponseSizeTooLarge"}
    return _Trial(json.dumps(body).encode(), True, output, duration, memory)


def _log_lines(
    config: dict[str, Any], version: str, request_id: str, trial: _Trial, init_ms: float | None
) -> list[str]:
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {trial.duration_ms:.2f} ms\t"
        f"Billed Duration: {int(trial.duration_ms) + 1} ms\tMemory Size: {config['MemorySize']} MB\t"
        f"Max Memory Used: {trial.memory} MB\t"
    )
    lines = [f"START RequestId: {request_id} Version: {version}", *trial.lines]
    if trial.note:
        lines.append(trial.note)
    lines += [f"END RequestId: {request_id}", report]
    if init_ms is not None:
        lines[-1] += f"Init Duration: {init_ms:.2f} ms\t"
        lines.insert(0, f"INIT_START Runtime Version: {config['Runtime'].replace('python', 'python:')}")
    return lines


@target("lambda")
def event_target(cloud: Cloud, place: Place, rule_target: dict[str, Any], event: Any) -> None:
    """A rule invokes its function asynchronously; the function's policy must allow the rule."""
    payload = inputs.text_of(event).encode()
    _, _, _, region, account, *_ = rule_target["Arn"].split(":")
    principal = for_service("events.amazonaws.com", place.account, rule_target["RuleArn"])
    params = {"FunctionName": rule_target["Arn"], "InvocationType": "Event", "Payload": payload}
    cloud.perform(principal, Place(account, region), "lambda", "Invoke", params)
