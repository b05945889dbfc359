"""What an exception inside moto means: it meets malformed input, and names that nobody has, with what Python raises.

moto checks little, so what reaches it well-formed by the service's model may still be no ARN, no JSON document, or the
name of nothing. AWS answers these with an error of the 4xx kind.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.model import OperationModel

from rehearsal.cloud.wire.types import AwsError

# Parts of the names that services give the error "there is no such thing", the most general last.
_MISSING = ("NotFound", "DoesNotExist", "NoSuch", "NonExistent", "Unknown")
_MALFORMED: Mapping[str, str] = {
    "iam": "ValidationError", "sts": "ValidationError", "cloudwatch": "InvalidParameterValue",
    "sns": "InvalidParameter", "s3": "InvalidArgument", "sqs": "InvalidParameterValue",
    "logs": "InvalidParameterException", "glue": "InvalidInputException", "apigateway": "BadRequestException",
    "lambda": "InvalidParameterValueException", "secretsmanager": "InvalidParameterException",
}  # fmt: skip


def read(operation: OperationModel, error: Exception) -> AwsError:
    """The error to answer. What is no sign of bad input stays a failure of the rehearsal: status 500."""
    service = str(operation.service_model.service_name)
    if isinstance(error, KeyError) and _names(error.args[0] if error.args else None):
        return _missing(operation, str(error.args[0]))
    if isinstance(error, AttributeError) and "'NoneType' object" in str(error):
        return _missing(operation, "what the request names")
    if isinstance(error, ValueError | IndexError | TypeError | KeyError):
        text = f"the request cannot be read: {type(error).__name__}: {error}"
        return AwsError(_MALFORMED.get(service, "ValidationException"), text)
    text = f"the store failed on {service}:{operation.name}: {type(error).__name__}: {error}"
    return AwsError("InternalFailure", text, 500)


def _names(key: Any) -> bool:
    """Could this be the name of a resource, rather than of a member that is missing?"""
    return isinstance(key, str) and any(letter in key for letter in "-:/0123456789")


def _missing(operation: OperationModel, what: str) -> AwsError:
    for shape in _by_generality(operation):
        code = shape.metadata.get("error", {}).get("code", shape.name)
        status = shape.metadata.get("error", {}).get("httpStatusCode", 400)
        return AwsError(code, f"{what} does not exist", status)
    return AwsError("ResourceNotFoundException", f"{what} does not exist", 404)


def _by_generality(operation: OperationModel) -> Iterator[Any]:
    for part in _MISSING:
        yield from (shape for shape in operation.error_shapes if part in shape.name)
