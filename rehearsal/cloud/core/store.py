"""moto, the store behind the gateway: in-process, one lock per service, no network between."""

import functools
import io
import os
import sys
import threading
import traceback
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import quote

from moto.backends import get_backend
from moto.core.config import default_user_config
from moto.core.model import OperationModel
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from rehearsal.cloud.core import store_failures, store_speed
from rehearsal.cloud.core.store_routes import Routes
from rehearsal.cloud.core.trouble import tell
from rehearsal.cloud.wire import protocol
from rehearsal.cloud.wire.request import Request
from rehearsal.cloud.wire.types import AwsError, not_implemented

# Receiving waits inside moto, and must not keep others from sending.
_UNLOCKED = frozenset({"sqs"})


def configure(port: int) -> None:
    """Set moto up for this process. Its state machine interpreter calls the gateway on `port`."""
    os.environ["MOTO_PORT"] = str(port)
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    default_user_config["lambda"] = {"use_docker": False}
    default_user_config["iam"] = {"load_aws_managed_policies": True}
    store_speed.apply()


class Store:
    """Requests to moto's backends."""

    def __init__(self) -> None:
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self._routes: dict[str, Routes] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()

    def lock(self, service: str) -> AbstractContextManager[Any]:
        """moto's backends are plain dicts and lists: one request at a time for each service."""
        if service in _UNLOCKED:
            return nullcontext()
        with self._guard:
            return self._locks.setdefault(service, threading.RLock())

    def backend(self, service: str, account: str, region: str) -> Any:
        """moto's backend object. Global services (iam, s3, sts, …) live in the region `aws`."""
        backends = get_backend(service)[account]  # type: ignore[call-overload]
        return backends["aws"] if service in _GLOBAL else backends[region]

    def send(self, operation: OperationModel, request: Request, account: str) -> Response:
        """Answer a request by moto, as `account`. Raises AwsError where moto has no such operation."""
        service = operation.service_model.service_name
        routes = self._routes_of(service, operation)
        request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        try:
            with self.lock(service):
                response = routes.answer(request)
        except NotImplementedError as error:
            raise not_implemented(service, operation.name) from error
        except AwsError:
            raise
        except Exception as error:
            tell(traceback.format_exc())
            raise store_failures.read(operation, error) from error
        if response.status_code == 404 and b"<title>404 Not Found</title>" in response.get_data():
            raise not_implemented(service, operation.name)
        return response

    def call(
        self, service: str, operation: str, account: str, region: str, params: dict[str, Any], access_key: str
    ) -> dict[str, Any]:
        """Call an operation of moto with parameters in the input shape; the answer in the output shape."""
        model = protocol.service_model(service).operation_model(operation)
        request = Request(_environ(model, params, region, access_key))
        response = self.send(model, request, account)
        return protocol.read_response(model, response.status_code, response.headers, response.get_data())

    def _routes_of(self, service: str, operation: OperationModel) -> Routes:
        routes = self._routes.get(service)
        if routes is not None:
            return routes
        host = f"{operation.service_model.endpoint_prefix}.us-east-1.amazonaws.com"
        with self._guard:
            backend = self._dispatcher.get_backend_for_host(_HOSTS.get(service, host))
            if backend is None:
                raise not_implemented(service, operation.name)
            if service not in self._routes:
                self._routes[service] = Routes(backend)
            return self._routes[service]


_HOSTS = {"s3control": "s3control", "sesv2": "sesv2"}
_GLOBAL = frozenset({"iam", "s3", "sts", "cloudfront", "route53", "organizations", "budgets", "ce", "account"})


@functools.lru_cache(maxsize=256)
def _authorization(access_key: str, region: str, signing_name: str) -> str:
    scope = f"{access_key}/20260101/{region}/{signing_name}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"


def _environ(operation: OperationModel, params: dict[str, Any], region: str, access_key: str) -> dict[str, Any]:
    request = protocol.write_request(operation, params)
    headers = Headers()
    for name, value in dict(request["headers"]).items():
        headers[name] = str(value)
    headers["Authorization"] = _authorization(access_key, region, operation.service_model.signing_name)
    path, _, literal = request["url_path"].partition("?")
    query = "&".join(part for part in (literal, _query(request["query_string"])) if part)
    body = _body(request["body"], headers)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request["method"], "SCRIPT_NAME": "", "PATH_INFO": _wsgi_path(path), "QUERY_STRING": query,
        "RAW_URI": path + (f"?{query}" if query else ""), "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.multithread": True,
        "wsgi.multiprocess": False, "wsgi.run_once": False, "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip
    for name, value in headers:
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ


def _wsgi_path(path: str) -> str:
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(path).decode("latin-1")


def _query(parameters: Any) -> str:
    pairs: Iterable[tuple[str, Any]] = parameters.items() if hasattr(parameters, "items") else parameters
    parts = []
    for name, value in pairs:
        for item in value if isinstance(value, list | tuple) else [value]:
            parts.append(f"{quote(str(name), safe='-_.~')}={quote(str(item), safe='-_.~')}")
    return "&".join(parts)


def _body(body: Any, headers: Headers) -> bytes:
    if isinstance(body, dict):
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return _query(body).encode()
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")
