"""AWS's wire protocols: which operation is a request for, what does it say, and how is the answer written."""

import functools
import gzip
import json
import re
import uuid
import warnings
import zlib
from typing import Any

import botocore.session
import moto.core.errors
from botocore.parsers import ResponseParserFactory
from botocore.serialize import create_serializer
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from rehearsal.cloud.wire.types import AwsError

# moto warns of every error code that the service's model does not list; the codes of `AwsError` are AWS's common ones.
warnings.filterwarnings("ignore", message=".*does not match an error shape in service models.*")

# moto makes the table of a service's errors anew for every error that it writes: it forgets what it has looked up.
_errors = moto.core.errors.ErrorLookupFactory()
setattr(moto.core.errors, "ErrorLookupFactory", lambda: _errors)  # noqa: B010  no type to mypy

# Signing name of the credential scope -> botocore's client name, where they differ.
SIGNING_NAMES = {
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "execute-api": "execute-api",
}
# Services that share a signing name, told apart by the request.
_TARGET_PREFIXES = {
    "CodeStar_connections_20191201": "codestar-connections",
    "DynamoDBStreams_20120810": "dynamodbstreams",
}


class UnknownOperationError(AwsError):
    """The request is for no operation of the service."""

    def __init__(self, service: str, detail: str) -> None:
        super().__init__("UnknownOperationException", f"no operation of {service} is called by {detail}", 404)


@functools.cache
def _known_services() -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_available_services())


@functools.cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service, in moto's classes. The same object for the same service."""
    return get_service_router(service)._service_model


def resolve_service(signing_name: str, request: Request) -> str:
    """botocore's client name for a signing name, e.g. `stepfunctions` for `states`."""
    path = request.raw_path
    if signing_name == "sagemaker" and not request.headers.get("X-Amz-Target"):
        return "sagemaker-metrics" if path.endswith("BatchPutMetrics") else "sagemaker-runtime"
    if signing_name == "apigateway" and path.startswith("/v2/"):
        return "apigatewayv2"
    if signing_name == "s3" and path.startswith("/v20180820/"):
        return "s3control"
    prefix = request.headers.get("X-Amz-Target", "").rpartition(".")[0].rpartition(".")[2]
    name = _TARGET_PREFIXES.get(prefix) or SIGNING_NAMES.get(signing_name, signing_name)
    if name not in _known_services() and name != "execute-api":
        raise AwsError(
            "UnrecognizedClientException", f"the credential scope names an unknown service: {signing_name!r}"
        )
    return name


def match_operation(service: str, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """The operation a request is for, and the parameters in its path."""
    try:
        return get_service_router(service).match(request)
    except (HTTPException, NotImplementedError) as error:
        missing = _missing_parameter(service, request)
        if missing:
            text = f"1 validation error detected: Value null at '{missing}' failed to satisfy constraint: "
            raise AwsError("ValidationException", f"{text}Member must not be null") from error
        detail = (
            request.headers.get("X-Amz-Target") or request.values.get("Action") or f"{request.method} {request.path}"
        )
        raise UnknownOperationError(service, detail) from error


def _missing_parameter(service: str, request: Request) -> str | None:
    """The parameter of a query that an operation of this path requires, and that the request leaves out."""
    model = service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        path = re.escape(str(operation.http.get("requestUri", "")).partition("?")[0])
        pattern = re.sub(r"\\\{[^}]+\\\}", ".+", path)
        if operation.http.get("method") != request.method or not re.fullmatch(pattern, request.path):
            continue
        for member in operation.input_shape.required_members if operation.input_shape is not None else ():
            given = operation.input_shape.members[member].serialization
            if given.get("location") == "querystring" and given.get("name", member) not in request.args:
                return f"{member[:1].lower()}{member[1:]}"
    return None


def parse_request(operation: OperationModel, uri_params: dict[str, Any], request: Request) -> dict[str, Any]:
    """The input shape of a request as a dict."""
    _unpack(operation, request)
    protocol = determine_request_protocol(operation.service_model, request.content_type)
    parser = PROTOCOL_PARSERS[protocol](operation)
    try:
        parsed = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.get_data(),
                "url_path": request.path,
                "url_params": uri_params,
            }
        )
    except AwsError:
        raise
    except Exception as error:
        raise AwsError("SerializationException", f"the request body cannot be read: {error}") from error
    return dict(parsed or {})


def _unpack(operation: OperationModel, request: Request) -> None:
    """Unpacks the body where the operation lets its clients compress it, as the SDKs do with a large PutMetricData.

    Elsewhere the encoding is the object's own, as in S3. The signature, which is over the packed body, was checked.
    """
    if "requestcompression" not in operation._operation_model or request.headers.get("Content-Encoding") != "gzip":
        return
    try:
        request._cached_data = gzip.decompress(request.get_data())
    except (OSError, EOFError, zlib.error) as error:
        raise AwsError("SerializationException", f"the request body is not valid gzip: {error}") from error


def response_protocol(operation: OperationModel, request: Request | None) -> str:
    content_type = request.content_type if request is not None else None
    try:
        return str(determine_request_protocol(operation.service_model, content_type))
    except NotImplementedError:
        return str(operation.service_model.protocol)


def write_result(operation: OperationModel, result: dict[str, Any] | None, request: Request) -> Response:
    """The answer with a result in the output shape."""
    body = _streaming_body(operation, result)
    request_id = str(uuid.uuid4())
    serializer = _serializer(operation, request, request_id)
    written = serializer.serialize(result or {})
    status = _status(operation, result) or written["status_code"]
    response = Response(body if body is not None else written["body"], status=status)
    _copy_headers(response, written["headers"], request_id)
    return response


def _status(operation: OperationModel, result: dict[str, Any] | None) -> int | None:
    """The status that a member of the output is (`StatusCode` of Lambda's Invoke), None where there is none."""
    for name in _status_members(str(operation.service_model.service_name), str(operation.name)):
        if result and result.get(name):
            return int(result[name])
    return None


@functools.cache
def _status_members(service: str, operation: str) -> tuple[str, ...]:
    shape = service_model(service).operation_model(operation).output_shape
    members = shape.members.items() if shape is not None else ()
    return tuple(name for name, member in members if member.serialization.get("location") == "statusCode")


def _streaming_body(operation: OperationModel, result: dict[str, Any] | None) -> bytes | None:
    if not operation.has_streaming_output or operation.has_event_stream_output or not result:
        return None
    value = result.get(operation.output_shape.serialization["payload"])
    if value is None:
        return b""
    if hasattr(value, "read"):
        value = value.read()
    return value.encode() if isinstance(value, str) else bytes(value)


def write_error(operation: OperationModel | None, error: AwsError, request: Request, service: str) -> Response:
    """The answer with an error, in the protocol of the service called."""
    request_id = str(uuid.uuid4())
    model = operation or OperationModel({}, service_model(service))
    exception = _wire_error(error)
    written = _serializer(model, request, request_id).serialize(exception)
    status = written["status_code"] if error.code in _modeled(str(model.service_model.service_name)) else error.status
    response = Response(written["body"], status=status)
    if request.method == "HEAD":
        response.set_data(b"")
    _copy_headers(response, written["headers"], request_id)
    if str(model.service_model.protocol) == "rest-json":
        response.headers.setdefault("x-amzn-errortype", error.code)
    return response


@functools.cache
def _modeled(service: str) -> frozenset[str]:
    """Codes of the errors whose status the service's model gives."""
    shapes = service_model(service).error_shapes
    return frozenset(s.error_code for s in shapes if "httpStatusCode" in s.metadata.get("error", {}))


class _WireError(Exception):
    """An exception as moto's serialisers read it: the members are attributes."""


def _wire_error(error: AwsError) -> Exception:
    exception = _WireError(error.message)
    members = {"code": error.code, "message": error.message, "Message": error.message, **error.fields}
    for name, value in members.items():
        setattr(exception, name, value)
    return exception


def _serializer(operation: OperationModel, request: Request, request_id: str) -> Any:
    protocol = response_protocol(operation, request)
    serializer_class = get_serializer_class(operation.service_model.service_name, protocol)
    return serializer_class(operation, SerializationContext(request_id))


def _copy_headers(response: Response, headers: Any, request_id: str) -> None:
    for name, value in headers.items():
        response.headers[name] = value
    response.headers.setdefault("x-amzn-RequestId", request_id)


def plain_error(error: AwsError) -> Response:
    """An error to a request whose service is not known: JSON, which every SDK can read."""
    body = json.dumps({"__type": error.code, "message": error.message})
    return Response(body, status=error.status, content_type="application/x-amz-json-1.1")


def json_response(value: Any, status: int = 200) -> Response:
    """The answer of a route of the rehearsal itself."""
    return Response(json.dumps(value, indent=1, default=str), status=status, content_type="application/json")


@functools.cache
def _response_parser(protocol: str) -> Any:
    return ResponseParserFactory().create_parser(protocol)


_BOTOCORE_PROTOCOLS = ("json", "rest-json", "rest-xml", "query", "ec2")


def client_protocol(operation: OperationModel) -> str:
    """The protocol that botocore's clients speak for this service (never CBOR)."""
    supported = operation.service_model.metadata.get("protocols", [operation.service_model.protocol])
    return next((name for name in _BOTOCORE_PROTOCOLS if name in supported), str(operation.service_model.protocol))


def write_request(operation: OperationModel, params: dict[str, Any]) -> dict[str, Any]:
    """An operation's parameters as an HTTP request: method, url_path, query_string, headers, body."""
    serializer = create_serializer(client_protocol(operation), include_validation=False)
    return dict(serializer.serialize_to_request(params, operation))


def read_response(operation: OperationModel, status: int, headers: Any, body: bytes) -> dict[str, Any]:
    """A response parsed to the output shape. Raises AwsError for an error."""
    raw = {"status_code": status, "headers": _lower(headers), "body": body}
    parsed = _response_parser(client_protocol(operation)).parse(raw, operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    if status < 300:
        return dict(parsed)
    details = parsed.get("Error", {})
    code = re.sub(r"^.*#", "", str(details.get("Code") or status))
    raise AwsError(code, str(details.get("Message", "")), status)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
