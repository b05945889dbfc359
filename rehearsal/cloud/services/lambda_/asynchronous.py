"""Asynchronous invocations: retries, maximum age, dead letters and destinations."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Place, operation
from rehearsal.cloud.services.lambda_.functions import page, target_of
from rehearsal.cloud.services.lambda_.state import LATEST, Function

_RETRIES = 2
_MAX_AGE = 21600
_DELAYS = (60, 120)


class Run(Protocol):
    """`lambda_.invoke.run`."""

    def __call__(
        self,
        cloud: Cloud,
        function: Function,
        qualifier: str,
        payload: bytes,
        client_context: str | None = None,
        request_id: str | None = None,
    ) -> Any: ...


def submit(cloud: Cloud, function: Function, qualifier: str, payload: bytes, run: Run) -> None:
    """Takes an event and returns at once."""
    cloud.background(_process, cloud, function, qualifier, payload, run, name=f"lambda-event-{function.name}")


def _process(cloud: Cloud, function: Function, qualifier: str, payload: bytes, run: Run) -> None:
    config = function.invoke_configs.get(qualifier or LATEST, {})
    retries = config.get("MaximumRetryAttempts", _RETRIES)
    max_age = config.get("MaximumEventAgeInSeconds", _MAX_AGE)
    request_id = str(uuid.uuid4())
    started = cloud.clock.now()
    attempt = throttled = 0
    while True:
        try:
            result = run(cloud, function, qualifier, payload, request_id=request_id)
        except AwsError as problem:
            if problem.code != "TooManyRequestsException":
                raise
            # A throttled event goes back to the queue without costing an attempt.
            throttled += 1
            delay = min(2**throttled, 300)
            result = None
        else:
            attempt += 1
            delay = _DELAYS[min(attempt, len(_DELAYS)) - 1]
            if result.error is None:
                _record(cloud, function, qualifier, payload, result, attempt, "Success")
                return
        age = (cloud.clock.now() - started).total_seconds() * 60 / cloud.clock.seconds_per_minute
        if attempt > retries or age > max_age:
            condition = "RetriesExhausted" if attempt > retries else "EventAgeExceeded"
            _record(cloud, function, qualifier, payload, result, attempt, condition)
            return
        cloud.clock.sleep(delay)
        if cloud.clock.stopped:
            return


def _record(
    cloud: Cloud, function: Function, qualifier: str, payload: bytes, result: Any, attempts: int, condition: str
) -> None:
    destinations = function.invoke_configs.get(qualifier or LATEST, {}).get("DestinationConfig", {})
    success = condition == "Success"
    destination = destinations.get("OnSuccess" if success else "OnFailure", {}).get("Destination")
    letters = function.snapshot(qualifier).config.get("DeadLetterConfig", {}).get("TargetArn")
    if destination:
        body = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": result.request_id if result else "",
                "functionArn": function.qualified(qualifier or LATEST),
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "requestPayload": json.loads(payload),
            "responseContext": {"statusCode": 200, "executedVersion": result.version if result else ""},
            "responsePayload": json.loads(result.payload) if result else None,
        }
        _send(cloud, function, qualifier, destination, json.dumps(body))
    if letters and not success:
        _send(cloud, function, qualifier, letters, payload.decode())


def _send(cloud: Cloud, function: Function, qualifier: str, arn: str, body: str) -> None:
    """Sends with the credentials of the function's role, as AWS does."""
    role = function.snapshot(qualifier).config["Role"]
    session = cloud.session_for_service(role, "lambda.amazonaws.com", function.name)
    _, _, service, region, account, resource = arn.split(":", 5)
    entry = {"Source": "lambda", "DetailType": "Lambda Function Invocation Result", "Detail": body}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "sqs": ("SendMessage", {"QueueUrl": f"{cloud.url}/{account}/{resource}", "MessageBody": body}),
        "sns": ("Publish", {"TopicArn": arn, "Message": body}),
        "lambda": ("Invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": body.encode()}),
        "events": ("PutEvents", {"Entries": [{**entry, "EventBusName": arn}]}),
    }
    if service not in calls:
        raise NotImplementedError(f"the rehearsal does not implement the destination {arn}")
    cloud.perform(session, Place(account, region), service, *calls[service])


@operation("lambda", "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig")
def put_event_invoke_config(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    members = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    given = {key: call.params[key] for key in members if call.params.get(key) is not None}
    key = qualifier or LATEST
    if call.operation.startswith("Update"):
        given = {**_stored(function, key), **given}
    function.invoke_configs[key] = {**given, "LastModified": datetime.now(UTC)}
    return _shown(function, key)


def _stored(function: Function, key: str) -> dict[str, Any]:
    if key not in function.invoke_configs:
        text = f"The function {function.qualified(key)} doesn't have an EventInvokeConfig"
        raise AwsError("ResourceNotFoundException", text, 404, Type="User")
    return function.invoke_configs[key]


def _shown(function: Function, key: str) -> dict[str, Any]:
    stored = _stored(function, key)
    destinations = {"OnSuccess": {}, "OnFailure": {}, **(stored.get("DestinationConfig") or {})}
    return {**stored, "DestinationConfig": destinations, "FunctionArn": function.qualified(key)}


@operation("lambda", "GetFunctionEventInvokeConfig")
def get_event_invoke_config(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    return _shown(function, qualifier or LATEST)


@operation("lambda", "DeleteFunctionEventInvokeConfig")
def delete_event_invoke_config(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    _stored(function, qualifier or LATEST)
    del function.invoke_configs[qualifier or LATEST]
    return {}


@operation("lambda", "ListFunctionEventInvokeConfigs")
def list_event_invoke_configs(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    return page(call, "FunctionEventInvokeConfigs", [_shown(function, key) for key in function.invoke_configs])
