"""The public side of an API: one request from its arrival to its answer."""

import contextlib
import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Response

from rehearsal.cloud.core import service_time
from rehearsal.cloud.core.api import AwsError, Cloud, LogLines, Place, Sample, for_service, route
from rehearsal.cloud.services import logs
from rehearsal.cloud.services.apigateway.execute import access, proxy
from rehearsal.cloud.services.apigateway.execute.answers import Refused, fill, refuse, render
from rehearsal.cloud.services.apigateway.operations import deployed, find_api
from rehearsal.cloud.services.apigateway.snapshot import Method, Snapshot
from rehearsal.cloud.services.lambda_.state import find, parse_name
from rehearsal.cloud.services.lambda_.telemetry import defer
from rehearsal.cloud.wire.request import Request

_MAX_BODY = 10 * 1024 * 1024


@dataclass(frozen=True)
class _Invoked:
    """What the function answered; `error` is X-Amz-Function-Error."""

    payload: bytes
    error: str | None
    request_id: str


@dataclass
class _Trace:
    """What the access log and the metrics are written from."""

    begun: service_time.Mark = field(default_factory=service_time.mark)
    integration_ms: float | None = None
    context: dict[str, Any] = field(default_factory=dict)
    stage: Any = None
    snapshot: Snapshot | None = None
    method: Method | None = None


@dataclass(frozen=True)
class _Arrived:
    """A request, and where in which API it arrived."""

    cloud: Cloud
    request: Request
    place: Place
    api: Any
    stage_name: str
    path: str
    """Below the stage, without a slash at its beginning."""
    request_id: str
    trace: _Trace

    @property
    def source_ip(self) -> str:
        return self.request.remote_addr or "127.0.0.1"


@route("/_aws/execute-api/<api_id>/<stage_name>")
def execute_root(cloud: Cloud, request: Request, api_id: str, stage_name: str) -> Response:
    """The root of a stage."""
    return execute(cloud, request, api_id, stage_name, "")


@route("/_aws/execute-api/<api_id>/<stage_name>/<path:path>")
def execute(cloud: Cloud, request: Request, api_id: str, stage_name: str, path: str) -> Response:
    """Answers a request to a stage, writes its log and its metrics."""
    found = find_api(cloud, api_id)
    if found is None:
        return render(refuse("UNKNOWN_STAGE"), {}, {})
    account, region, api = found
    trace = _Trace()
    arrived = _Arrived(cloud, request, Place(account, region), api, stage_name, path, str(uuid.uuid4()), trace)
    trace.context = _context(arrived)
    try:
        response = _answer(arrived)
    except Refused as problem:
        trace.context |= {
            "error.message": problem.message,
            "error.messageString": json.dumps(problem.message),
            "error.responseType": problem.kind,
            "integrationErrorMessage": problem.detail or None,
        }
        response = render(problem, trace.snapshot.gateway_responses if trace.snapshot else {}, trace.context)
    response.headers["x-amzn-RequestId"] = arrived.request_id
    response.headers["x-amz-apigw-id"] = arrived.request_id[:13]
    latency = service_time.since(trace.begun) * 1000
    cloud.pace.count(latency / 1000)
    size = response.content_length or 0
    trace.context |= {"status": response.status_code, "responseLatency": int(latency), "responseLength": size}
    if trace.stage is not None:
        defer(cloud, lambda: _publish(arrived, response.status_code, latency))
    return response


def _context(arrived: _Arrived) -> dict[str, Any]:
    """The `$context` variables that are known on arrival."""
    received = proxy.now()
    return {
        "requestId": arrived.request_id,
        "extendedRequestId": arrived.request_id[:13],
        "apiId": arrived.api.id,
        "accountId": arrived.place.account,
        "stage": arrived.stage_name,
        "httpMethod": arrived.request.method,
        "path": f"/{arrived.stage_name}/{arrived.path}",
        "protocol": "HTTP/1.1",
        "requestTime": received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(received.timestamp() * 1000),
        "identity.sourceIp": arrived.source_ip,
        "identity.userAgent": arrived.request.headers.get("User-Agent"),
    }


def _answer(arrived: _Arrived) -> Response:
    cloud, place, api, trace = arrived.cloud, arrived.place, arrived.api, arrived.trace
    trace.stage = stage = api.stages.get(arrived.stage_name)
    known = deployed(cloud, place.account, place.region)
    trace.snapshot = snapshot = known.get((api.id, stage.deployment_id)) if stage else None
    if snapshot is None or snapshot.disabled:
        raise refuse("UNKNOWN_STAGE")
    matched = snapshot.match(arrived.request.method, arrived.path)
    if matched is None:
        raise refuse("MISSING_AUTHENTICATION_TOKEN")
    trace.method, parameters = matched
    trace.context["resourcePath"] = trace.method.path
    exchange = _admit(arrived, snapshot, trace.method, parameters)
    _validate(trace.method, arrived.request, parameters)
    return _integrate(cloud, exchange, trace)


def _admit(arrived: _Arrived, snapshot: Snapshot, method: Method, parameters: dict[str, str]) -> proxy.Exchange:
    """Authentication, permission, API key and rates."""
    cloud, request, trace = arrived.cloud, arrived.request, arrived.trace
    account, region = arrived.place.account, arrived.place.region
    stage = trace.stage
    if len(request.get_data()) > _MAX_BODY:
        raise refuse("REQUEST_TOO_LARGE")
    identity = access.authenticate(cloud, request, region) if method.authorization == "AWS_IAM" else None
    if identity:
        trace.context |= {
            "identity.userArn": identity.principal.arn,
            "identity.caller": identity.principal.user_id,
            "identity.accountId": identity.principal.account,
        }
    arn = f"arn:aws:execute-api:{region}:{account}:{snapshot.api_id}/{stage.name}/{request.method}/{arrived.path}"
    access.check_permission(cloud, snapshot, identity, account, region, arn, arrived.source_ip)
    backend = cloud.backend("apigateway", account, region)
    api_key = access.check_api_key(backend, snapshot, stage.name, method, request)
    if api_key is not None:
        trace.context["identity.apiKeyId"] = api_key.id
    access.check_rate(snapshot.api_id, stage, method)
    return proxy.Exchange(
        request,
        snapshot,
        method,
        f"/{arrived.path}",
        parameters,
        stage,
        account,
        region,
        arrived.request_id,
        proxy.now(),
        identity,
        api_key,
    )


def _validate(method: Method, request: Request, path_parameters: dict[str, str]) -> None:
    """Required parameters, then the body against the model of its content type."""
    places: dict[str, Any] = {"querystring": request.args, "header": request.headers, "path": path_parameters}
    missing = []
    for parameter in method.required_parameters:
        _, _, place, name = parameter.split(".", 3)
        if not places[place].get(name):
            missing.append(name)
    if missing:
        raise refuse("BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{', '.join(missing)}]")
    kind = (request.content_type or "application/json").partition(";")[0].strip().lower()
    is_valid = method.validators.get(kind)
    if is_valid is None:
        return
    try:
        valid = is_valid(json.loads(request.get_data()))
    except ValueError:
        valid = False
    if not valid:
        raise refuse("BAD_REQUEST_BODY")


def _integrate(cloud: Cloud, exchange: proxy.Exchange, trace: _Trace) -> Response:
    """Invokes the function, for at most the integration's time-out."""
    begun = service_time.mark()
    payload = proxy.event(exchange)
    try:
        result = _within(exchange.method.timeout, cloud, exchange, payload)
    except AwsError as problem:
        # The caller learns nothing of what is wrong behind the API.
        detail = f"Execution failed due to configuration error: {problem.message}"
        raise refuse("API_CONFIGURATION_ERROR", detail=detail) from None
    finally:
        trace.integration_ms = service_time.since(begun) * 1000
        trace.context["integrationLatency"] = trace.context["integration.latency"] = int(trace.integration_ms)
    trace.context |= {"integration.requestId": result.request_id, "integration.status": 200, "integrationStatus": 200}
    if result.error:
        raise refuse("INTEGRATION_FAILURE", detail=f"Lambda execution failed: {result.payload.decode()[:500]}")
    return proxy.response(result.payload, exchange.snapshot, exchange.request.headers.get("Accept", ""))


def _within(seconds: float, cloud: Cloud, exchange: proxy.Exchange, payload: bytes) -> _Invoked:
    if _function_timeout(cloud, exchange.method.function_arn) <= seconds:
        return _invoke(cloud, exchange, payload)
    outcome: dict[str, Any] = {}

    def work() -> None:
        begun = service_time.mark()
        try:
            outcome["result"] = _invoke(cloud, exchange, payload)
        except AwsError as problem:
            outcome["problem"] = problem
        outcome["seconds"] = service_time.since(begun)

    thread: threading.Thread = cloud.background(work, name="api-integration")
    thread.join(seconds)
    service_time.wait(outcome.get("seconds", seconds))
    if "problem" in outcome:
        raise outcome["problem"]
    if "result" not in outcome:
        raise refuse("INTEGRATION_TIMEOUT", detail="Execution failed due to a timeout error")
    result: _Invoked = outcome["result"]
    return result


def _function_timeout(cloud: Cloud, arn: str) -> float:
    name = parse_name(arn, "", "")
    return float(find(cloud, name).snapshot(name.qualifier).config["Timeout"])


def _invoke(cloud: Cloud, exchange: proxy.Exchange, payload: bytes) -> _Invoked:
    """With the integration's role where it has one; else the function's policy must let the API in."""
    method, service = exchange.method, "apigateway.amazonaws.com"
    source = (
        f"arn:aws:execute-api:{exchange.region}:{exchange.account}:{exchange.snapshot.api_id}"
        f"/{exchange.stage.name}/{exchange.request.method}{method.path}"
    )
    principal = for_service(service, exchange.account, source)
    if method.credentials:
        principal = cloud.session_for_service(
            method.credentials, service, "invoke", source_arn=source, source_account=exchange.account
        )
    name = parse_name(method.function_arn, exchange.account, exchange.region)
    params = {"FunctionName": method.function_arn, "InvocationType": "RequestResponse", "Payload": payload}
    answer = cloud.perform(principal, Place(name.account, name.region), "lambda", "Invoke", params)
    return _Invoked(answer["Payload"], answer.get("FunctionError"), answer["ResponseMetadata"]["RequestId"])


def _publish(arrived: _Arrived, status: int, latency: float) -> None:
    """Metrics, and the line of the access log in the stage's own format."""
    cloud, place, api, trace = arrived.cloud, arrived.place, arrived.api, arrived.trace
    values: list[tuple[str, float, str]] = [
        ("Count", 1.0, "Count"),
        ("4XXError", float(400 <= status < 500), "Count"),
        ("5XXError", float(status >= 500), "Count"),
        ("Latency", latency, "Milliseconds"),
    ]
    if trace.integration_ms is not None:
        values.append(("IntegrationLatency", trace.integration_ms, "Milliseconds"))
    sets = [{"ApiName": api.name}, {"ApiName": api.name, "Stage": trace.stage.name}]
    if trace.method is not None and _detailed(trace.stage):
        sets.append({**sets[1], "Resource": trace.method.path, "Method": trace.method.verb})
    for dimensions in sets:
        for name, value, unit in values:
            cloud.put_metric(place, Sample("AWS/ApiGateway", name, dimensions, value, unit))
    settings = trace.stage.access_log_settings or {}
    destination, template = settings.get("destinationArn", ""), settings.get("format")
    if ":log-group:" not in destination or not template:
        return
    group = destination.split(":log-group:")[1].removesuffix(":*")
    role = cloud.backend("apigateway", place.account, place.region).account.cloudwatch_role_arn
    if not role:
        return
    with contextlib.suppress(AwsError):
        session = cloud.session_for_service(role, "apigateway.amazonaws.com", "logs")
        lines = LogLines(group, f"{api.id}-{trace.stage.name}", [fill(template, trace.context)])
        logs.append_as(cloud, session, place, lines)


def _detailed(stage: Any) -> bool:
    return any(settings.get("metricsEnabled") for settings in stage.method_settings.values())
