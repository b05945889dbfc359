"""moto's table of one service's paths, asked directly.

moto answers HTTP through a Flask application for each service. All that it needs of Flask is the table: which path goes
to which of its methods. The rest (contexts, sessions, signals, cross-origin headers) took a quarter of the time of a
read, and no answer of AWS shows it.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import ClientError
from flask import Response as FlaskResponse
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from rehearsal.cloud.wire.request import Request

_answered: ContextVar[Request] = ContextVar("answered")


def answered() -> Request:
    """The request that moto is answering on this thread, for what it calls back. LookupError where there is none."""
    return _answered.get()


class Routes:
    """One service of moto, by the name of its backend."""

    def __init__(self, backend: Any) -> None:
        application = create_backend_app(backend)
        self._map = application.url_map
        views: dict[str, Any] = dict(application.view_functions)
        self._callbacks: dict[str, Callable[..., Any]] = {name: view.callback for name, view in views.items()}

    def answer(self, request: Request) -> Response:
        """moto's answer, complete in memory. What moto raises, other than HTTP errors, is raised."""
        token = _answered.set(request)
        try:
            response = self._respond(request)
            response.make_sequence()
        finally:
            _answered.reset(token)
        if request.method == "HEAD":
            # The length is that of the body which is not sent.
            response.headers = response.get_wsgi_headers(request.environ)
            response.response = []
        return response

    def _respond(self, request: Request) -> Response:
        try:
            endpoint, _ = self._map.bind(request.host).match(request.path, request.method)
            found = self._callbacks[endpoint](request, request.raw_url, dict(request.headers))
        except HTTPException as error:
            response = error.get_response(request.environ)
            assert isinstance(response, Response), "werkzeug answers with its own class"
            return response
        except ClientError as error:
            found = 400, {}, error.response["Error"]["Message"]
        return _written(found, request)


def _written(found: Any, request: Request) -> Response:
    """As moto writes it: status, headers and content, or the content alone."""
    status, headers, content = found if len(found) == 3 else (200, {}, found)
    response = FlaskResponse(response=content, status=status, headers=headers)
    if request.method == "HEAD" and "content-length" in headers:
        response.headers["Content-Length"] = headers["content-length"]
    return response
