"""What API Gateway itself answers: errors, and the gateway responses an API puts in their place."""

import json
import re
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

_VARIABLE = re.compile(r"\$\{context\.(?P<braced>[\w.]+)\}|\$context\.(?P<plain>\w+(?:\.\w+)*)")


class Refused(Exception):  # noqa: N818 (it is an answer, not a failure of the gateway)
    """The request ends here. `kind` is the type of the gateway response (`ACCESS_DENIED`, `BAD_REQUEST_BODY`, …)."""

    def __init__(self, kind: str, status: int, message: str, error_type: str, detail: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.message = message
        self.error_type = error_type
        self.detail = detail


@dataclass(frozen=True)
class _Kind:
    status: int
    message: str
    error_type: str


_KINDS = {
    "MISSING_AUTHENTICATION_TOKEN": _Kind(403, "Missing Authentication Token", "MissingAuthenticationTokenException"),
    "ACCESS_DENIED": _Kind(403, "Forbidden", "AccessDeniedException"),
    "INVALID_API_KEY": _Kind(403, "Forbidden", "ForbiddenException"),
    "BAD_REQUEST_BODY": _Kind(400, "Invalid request body", "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": _Kind(400, "Missing required request parameters", "BadRequestException"),
    "REQUEST_TOO_LARGE": _Kind(413, "Request Too Long", "RequestTooLargeException"),
    "THROTTLED": _Kind(429, "Too Many Requests", "TooManyRequestsException"),
    "QUOTA_EXCEEDED": _Kind(429, "Limit Exceeded", "LimitExceededException"),
    "INTEGRATION_TIMEOUT": _Kind(504, "Endpoint request timed out", "InternalServerErrorException"),
    "API_CONFIGURATION_ERROR": _Kind(500, "Internal server error", "InternalServerErrorException"),
    "INTEGRATION_FAILURE": _Kind(502, "Internal server error", "InternalServerErrorException"),
    "UNKNOWN_STAGE": _Kind(403, "Forbidden", "ForbiddenException"),
}


def refuse(kind: str, message: str | None = None, error_type: str | None = None, detail: str = "") -> Refused:
    """An error to raise. `detail` is for the log, never for the caller."""
    known = _KINDS[kind]
    return Refused(kind, known.status, message or known.message, error_type or known.error_type, detail)


def render(problem: Refused, custom: dict[str, dict[str, Any]], context: dict[str, Any]) -> Response:
    """The response for an error; the API's own gateway response for its kind (or DEFAULT_4XX/5XX) has its say."""
    chosen = custom.get(problem.kind) or custom.get("DEFAULT_4XX" if problem.status < 500 else "DEFAULT_5XX") or {}
    body = json.dumps({"message": problem.message})
    template = (chosen.get("responseTemplates") or {}).get("application/json")
    if template:
        body = fill(template, context)
    status = int(chosen.get("statusCode") or problem.status)
    response = Response(body, status=status, content_type="application/json")
    response.headers["x-amzn-ErrorType"] = problem.error_type
    for name, value in (chosen.get("responseParameters") or {}).items():
        if name.startswith("gatewayresponse.header."):
            header = name.removeprefix("gatewayresponse.header.")
            is_literal = value.startswith("'")
            response.headers[header] = (
                value.strip("'") if is_literal else str(context.get(value.removeprefix("context."), ""))
            )
    return response


def fill(template: str, context: dict[str, Any]) -> str:
    """Puts `$context.…` variables into a template; what is unknown becomes `-`."""

    def value(match: re.Match[str]) -> str:
        found = context.get(match["braced"] or match["plain"])
        return "-" if found is None else str(found)

    return _VARIABLE.sub(value, template)
