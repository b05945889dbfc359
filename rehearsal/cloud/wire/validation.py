"""Requests checked against botocore's own models, with the constraints that botocore's client leaves to AWS.

Checked: required members, unknown members and types (JSON bodies), enum, pattern, length, range, list and map sizes.
"""

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import regex  # type: ignore[import-untyped]
from moto.core.model import OperationModel, Shape

from rehearsal.cloud.wire import protocol
from rehearsal.cloud.wire.request import Request
from rehearsal.cloud.wire.types import AwsError

# The code under which a service reports a broken constraint, where it is not ValidationException.
_CODES = {
    "iam": "ValidationError", "sts": "ValidationError", "cloudwatch": "ValidationError",
    "cloudformation": "ValidationError", "sns": "InvalidParameter", "s3": "InvalidArgument",
    "sqs": "InvalidParameterValue", "logs": "InvalidParameterException", "codebuild": "InvalidInputException",
    "glue": "InvalidInputException", "apigateway": "BadRequestException", "apigatewayv2": "BadRequestException",
    "lambda": "ValidationException",
}  # fmt: skip

# Constraints of the models that AWS itself does not enforce as written: (service, shape) -> reason.
_EXEMPT_PATTERNS = {
    ("s3", "CopySource"): "the client percent-encodes it",
    ("logs", "InferredTokenName"): "an output",
    ("cloudwatch", "AmazonResourceName"): "alarm actions of the form arn:aws:automate:… are accepted too",
}
_EXEMPT_ENUMS = {
    ("s3", "BucketLocationConstraint"): "new regions are accepted before the model knows them",
    ("s3", "Event"): "wildcards are accepted",
    ("sqs", "QueueAttributeName"): "services/rules/sqs.py answers SQS's own code",
    ("apigateway", "GatewayResponseType"): "services/apigateway/rules.py answers API Gateway's own code",
    ("s3", "BucketVersioningStatus"): "services/rules/s3.py answers S3's own code",
    ("lambda", "Architecture"): "services/lambda_/rules.py checks it, and words it as Lambda does",
    ("lambda", "Runtime"): "services/lambda_/rules.py checks it, under the code that Lambda gives it",
}
_EXEMPT_REQUIRED = {
    ("s3", "Policy"): "an empty body: services/rules/s3.py answers S3's own code",
}

untranslatable: set[str] = set()
"""Patterns that cannot be expressed here, and are therefore not checked."""

Problem = tuple[str, Any, str]


def check(operation: OperationModel, params: dict[str, Any], request: Request | None) -> None:
    """Raise AwsError for a request that AWS would refuse. A call made inside the gateway has no `request`."""
    shape = operation.input_shape
    if shape is None:
        return
    service = str(operation.service_model.service_name)
    if request is not None:
        _check_body(operation, request)
    problems = list(_structure(service, shape, params, ""))
    if not problems:
        return
    plural = "s" if len(problems) > 1 else ""
    details = "; ".join(_describe(problem) for problem in problems[:10])
    message = f"{len(problems)} validation error{plural} detected: {details}"
    raise AwsError(_CODES.get(service, "ValidationException"), message)


def _describe(problem: Problem) -> str:
    path, value, constraint = problem
    shown = "null" if value is None else str(value)
    quoted = "null" if value is None else f"'{shown[:1024]}'"
    return f"Value {quoted} at '{path}' failed to satisfy constraint: {constraint}"


# --- constraints -----------------------------------------------------------------------------------------------------


def _structure(service: str, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if getattr(shape, "is_document_type", False) or not isinstance(value, dict):
        return
    for name in shape.required_members:
        if value.get(name) is None and not _is_host_label(shape, name) and (service, name) not in _EXEMPT_REQUIRED:
            yield _join(path, name), None, "Member must not be null"
    if getattr(shape, "is_tagged_union", False) and len([1 for item in value.values() if item is not None]) > 1:
        yield path or shape.name, list(value), "Only one member of the union may be set"
    for name, item in value.items():
        member = shape.members.get(name)
        if member is not None and item is not None:
            yield from _value(service, member, item, _join(path, name))


def _is_host_label(shape: Any, name: str) -> bool:
    return bool(shape.members[name].serialization.get("hostLabel"))


def _value(service: str, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    checker = _CHECKERS.get(shape.type_name)
    if checker is not None:
        yield from checker(service, shape, value, path)


def _list(service: str, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    yield from _size(shape, value, path)
    for index, item in enumerate(value, start=1):
        yield from _value(service, shape.member, item, f"{path}.{index}.member")


def _map(service: str, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        return
    yield from _size(shape, value, path)
    for key, item in value.items():
        yield from _value(service, shape.key, key, path)
        if item is not None:
            yield from _value(service, shape.value, item, f"{path}.{key}.member")


def _string(service: str, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        return
    yield from _size(shape, value, path)
    if shape.enum and value not in shape.enum and (service, shape.name) not in _EXEMPT_ENUMS:
        yield path, value, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if not pattern or (service, shape.name) in _EXEMPT_PATTERNS:
        return
    compiled = _pattern(pattern)
    if compiled is not None and not compiled.fullmatch(value):
        yield path, value, f"Member must satisfy regular expression pattern: {pattern}"


def _number(service: str, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and value < minimum:
        yield path, value, f"Member must have value greater than or equal to {minimum}"
    if maximum is not None and value > maximum:
        yield path, value, f"Member must have value less than or equal to {maximum}"


def _blob(service: str, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, bytes | str):
        for _, _, constraint in _size(shape, value, path):
            yield path, f"<{len(value)} bytes>", constraint


def _size(shape: Any, value: Any, path: str) -> Iterator[Problem]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and len(value) < minimum:
        yield path, value, f"Member must have length greater than or equal to {minimum}"
    if maximum is not None and len(value) > maximum:
        yield path, value, f"Member must have length less than or equal to {maximum}"


_CHECKERS: dict[str, Callable[[str, Any, Any, str], Iterator[Problem]]] = {
    "structure": _structure, "list": _list, "map": _map, "string": _string, "blob": _blob,
    "integer": _number, "long": _number, "float": _number, "double": _number, "short": _number, "byte": _number,
}  # fmt: skip


def _join(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member


@functools.cache
def _pattern(pattern: str) -> Any:
    """A Java pattern as Python's. `regex` knows Unicode properties; what is left over is not checked."""
    # Java spells the planes above the first in surrogates.
    translated = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    try:
        return regex.compile(translated, regex.V1 if "&&" in pattern else 0)
    except regex.error:
        untranslatable.add(pattern)
        return None


# --- bodies ----------------------------------------------------------------------------------------------------------


def _check_body(operation: OperationModel, request: Request) -> None:
    """Unknown members and wrong types, which the parsed parameters no longer show."""
    style = protocol.response_protocol(operation, request)
    if style not in ("json", "rest-json"):
        return
    shape = operation.input_shape
    payload = shape.serialization.get("payload")
    if payload:
        shape = shape.members[payload]
        if shape.type_name != "structure":
            return
    body = request.get_data()
    if not body:
        return
    try:
        document = json.loads(body)
    except ValueError as error:
        raise AwsError("SerializationException", f"the request body is not valid JSON: {error}") from error
    _check_json(shape, document, "")


_JSON_NAMES = {
    dict: "START_OBJECT", list: "START_ARRAY", str: "STRING_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE",
    bool: "BOOLEAN_VALUE",
}  # fmt: skip
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,), "map": (dict,), "list": (list,), "string": (str,), "blob": (str,), "boolean": (bool,),
    "integer": (int,), "long": (int,), "short": (int,), "byte": (int,), "float": (int, float), "double": (int, float),
}  # fmt: skip


def _check_json(shape: Shape | Any, value: Any, path: str) -> None:
    if value is None or getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if shape.serialization.get("jsonvalue"):
        return
    accepted = _JSON_TYPES.get(kind)
    # Floats such as NaN travel as strings.
    special = kind in ("float", "double") and value in ("NaN", "Infinity", "-Infinity")
    wrong = accepted and (not isinstance(value, accepted) or (isinstance(value, bool) and kind != "boolean"))
    if wrong and not special:
        found = _JSON_NAMES.get(type(value), type(value).__name__)
        raise AwsError("SerializationException", f"{found} can not be converted to {kind} at '{path}'")
    if kind == "structure":
        _check_members(shape, value, path)
    elif kind == "list":
        for index, item in enumerate(value):
            _check_json(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            _check_json(shape.value, item, f"{path}.{key}")


def _check_members(shape: Any, value: dict[str, Any], path: str) -> None:
    names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    for name, item in value.items():
        member = names.get(name)
        if member is None:
            if name == "__type":
                continue
            where = f" at '{path}'" if path else ""
            raise AwsError(
                "ValidationException", f"Unknown parameter{where}: {name!r}, must be one of: {', '.join(sorted(names))}"
            )
        _check_json(member, item, f"{path}.{name}" if path else name)
