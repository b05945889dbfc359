"""The Lambda proxy integration: the event a function receives, and what may come back."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from rehearsal.cloud.core.accounts import Identity
from rehearsal.cloud.services.apigateway.execute.answers import refuse
from rehearsal.cloud.services.apigateway.snapshot import Method, Snapshot
from rehearsal.cloud.wire.request import Request

_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive", "upgrade", "te", "trailer"})
_SIGNATURE = frozenset({"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"})
_SET_HERE = frozenset({"host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})
_REMAPPED = frozenset({"date", "server", "www-authenticate"})


@dataclass(frozen=True)
class Exchange:
    """One request on its way through the API."""

    request: Request
    snapshot: Snapshot
    method: Method
    path: str
    parameters: dict[str, str]
    stage: Any
    account: str
    region: str
    request_id: str
    received: datetime
    identity: Identity | None
    api_key: Any

    @property
    def domain(self) -> str:
        return f"{self.snapshot.api_id}.execute-api.{self.region}.amazonaws.com"


def identity_of(exchange: Exchange) -> dict[str, Any]:
    """`requestContext.identity`."""
    principal = exchange.identity.principal if exchange.identity else None
    user = principal.user_id if principal else None
    return {
        "cognitoIdentityPoolId": None,
        "accountId": principal.account if principal else None,
        "cognitoIdentityId": None,
        "caller": user,
        "sourceIp": exchange.request.remote_addr or "127.0.0.1",
        "principalOrgId": None,
        "accessKey": exchange.identity.credentials.access_key_id if exchange.identity else None,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
        "userArn": principal.arn if principal else None,
        "userAgent": exchange.request.headers.get("User-Agent"),
        "user": user,
        "apiKey": exchange.api_key.value if exchange.api_key else None,
        "apiKeyId": exchange.api_key.id if exchange.api_key else None,
    }


def event(exchange: Exchange) -> bytes:
    """The proxy event, format 1.0, as JSON."""
    request, method = exchange.request, exchange.method
    headers = _headers(exchange)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True):
        if not name.startswith("X-Amz-"):
            query.setdefault(name, []).append(value)
    body, encoded = _body(exchange)
    document = {
        "resource": method.path,
        "path": exchange.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": exchange.parameters or None,
        "stageVariables": exchange.stage.variables or None,
        "requestContext": _context(exchange),
        "body": body,
        "isBase64Encoded": encoded,
    }
    return json.dumps(document).encode()


def _headers(exchange: Exchange) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    written = exchange.request.written_names()
    # A signature is for API Gateway alone; another Authorization is the function's business.
    kept_back = _HOP_BY_HOP | (_SIGNATURE if exchange.identity else frozenset())
    for name, value in exchange.request.headers.items():
        if name.lower() not in kept_back and value != "":
            headers.setdefault(written.get(name.lower(), name), []).append(value)
    for name in [name for name in headers if name.lower() in _SET_HERE]:
        del headers[name]
    source = exchange.request.remote_addr or "127.0.0.1"
    headers |= {
        "Host": [exchange.domain],
        "X-Forwarded-For": [source],
        "X-Forwarded-Port": ["443"],
        "X-Forwarded-Proto": ["https"],
    }
    headers.setdefault(
        "X-Amzn-Trace-Id", [f"Root=1-{int(exchange.received.timestamp()):08x}-{exchange.request_id[:8]}"]
    )
    return headers


def _body(exchange: Exchange) -> tuple[str | None, bool]:
    data = exchange.request.get_data()
    if not data:
        return None, False
    content_type = (exchange.request.content_type or "").partition(";")[0].strip()
    if _is_binary(exchange.snapshot, content_type):
        return base64.b64encode(data).decode(), True
    return data.decode("utf-8", "replace"), False


def _is_binary(snapshot: Snapshot, content_type: str) -> bool:
    family = content_type.partition("/")[0] + "/*"
    return any(kind in ("*/*", content_type, family) for kind in snapshot.binary_types)


def _context(exchange: Exchange) -> dict[str, Any]:
    context = {
        "resourceId": exchange.method.resource_id,
        "resourcePath": exchange.method.path,
        "httpMethod": exchange.request.method,
        "extendedRequestId": base64.b64encode(exchange.request_id[:12].encode()).decode(),
        "requestTime": exchange.received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "path": f"/{exchange.stage.name}{exchange.path}",
        "accountId": exchange.account,
        "protocol": "HTTP/1.1",
        "stage": exchange.stage.name,
        "domainPrefix": exchange.snapshot.api_id,
        "requestTimeEpoch": int(exchange.received.timestamp() * 1000),
        "requestId": exchange.request_id,
        "identity": identity_of(exchange),
        "domainName": exchange.domain,
        "deploymentId": exchange.stage.deployment_id,
        "apiId": exchange.snapshot.api_id,
    }
    return context | {"operationName": exchange.method.operation_name} if exchange.method.operation_name else context


def response(payload: bytes, snapshot: Snapshot, accept: str) -> Response:
    """What the function returned as an HTTP response. Raises Refused for anything but a proxy response."""
    malformed = refuse("INTEGRATION_FAILURE", detail="Malformed Lambda proxy response")
    try:
        answer = json.loads(payload)
    except ValueError:
        raise malformed from None
    known = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    if not isinstance(answer, dict) or set(answer) - known:
        raise malformed
    status, body = _status(answer.get("statusCode")), answer.get("body")
    if status is None or not isinstance(body, str | None):
        raise malformed
    headers = _answer_headers(answer)
    if headers is None:
        raise malformed
    content: bytes | str = body or ""
    if answer.get("isBase64Encoded") and _is_binary(snapshot, accept.partition(",")[0].partition(";")[0].strip()):
        content = base64.b64decode(body or "")
    headers.setdefault("Content-Type", "application/json")
    return Response(content, status=status, headers=headers)


def _status(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
        return None
    return int(value) if 100 <= int(value) <= 599 else None


def _answer_headers(answer: dict[str, Any]) -> Headers | None:
    plain, multiple = answer.get("headers") or {}, answer.get("multiValueHeaders") or {}
    if not isinstance(plain, dict) or not isinstance(multiple, dict):
        return None
    merged: dict[str, list[Any]] = {name: [value] for name, value in plain.items()}
    merged |= {name: value if isinstance(value, list) else [value] for name, value in multiple.items()}
    headers = Headers()
    for name, values in merged.items():
        if name.lower() in _HOP_BY_HOP:
            continue
        shown = f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name
        for value in values:
            if isinstance(value, dict | list):
                return None
            text = str(value).lower() if isinstance(value, bool) else str(value)
            headers.add(shown, text)
    return headers


def now() -> datetime:
    return datetime.now(UTC)
