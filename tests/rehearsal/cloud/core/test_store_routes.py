"""moto asked directly answers as it does through Flask."""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.responses import S3Response
from werkzeug.wrappers import Response

from rehearsal.cloud.core.store_routes import Routes, answered
from rehearsal.cloud.wire.request import Request

ACCOUNT = "555500001111"
_AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential=AKIA{ACCOUNT}0000/20260101/eu-west-1/s3/aws4_request, Signature=00"
_FORM = "application/x-www-form-urlencoded"
_IDS = re.compile(rb"[A-Za-z0-9]{52}")


def _environ(method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
    raw, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": method, "PATH_INFO": raw, "RAW_URI": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_MOTO_ACCOUNT_ID": ACCOUNT, "HTTP_AUTHORIZATION": _AUTHORIZATION, **headers,
    }  # fmt: skip


def _form(text: str) -> tuple[str, str, bytes, dict[str, str]]:
    return "POST", "/", text.encode(), {"CONTENT_TYPE": _FORM}


ASKED: tuple[tuple[str, tuple[str, str, bytes, dict[str, str]]], ...] = (
    ("iam", _form("Action=GetRole&RoleName=none&Version=2010-05-08")),
    ("iam", _form("Action=ListRoles&Version=2010-05-08")),
    ("iam", ("GET", "/nowhere", b"", {})),
    ("sns", _form("Action=ListTopics&Version=2010-03-31")),
    ("ssm", ("POST", "/", b'{"Name": "/none"}', {"HTTP_X_AMZ_TARGET": "AmazonSSM.GetParameter"})),
    ("s3", ("GET", "/none?versioning", b"", {})),
    ("s3", ("GET", "/bench-routes?list-type=2", b"", {})),
    ("s3", ("GET", "/bench-routes/key", b"", {})),
    ("s3", ("HEAD", "/bench-routes/key", b"", {})),
    ("s3", ("HEAD", "/bench-routes/none", b"", {})),
    ("s3", ("GET", "/bench-routes//key", b"", {})),
    ("s3", ("DELETE", "/bench-routes/other", b"", {})),
)


@pytest.fixture(autouse=True)
def bucket() -> Iterator[None]:
    """One object, in a bucket that no other test has."""
    backend = get_backend("s3")[ACCOUNT]["aws"]
    backend.create_bucket("bench-routes", "eu-west-1")
    backend.put_object("bench-routes", "key", b"value")
    yield
    backend.delete_object("bench-routes", "key")
    backend.delete_bucket("bench-routes")


@pytest.mark.parametrize(("service", "asked"), ASKED)
def test_answer_is_flasks(service: Any, asked: tuple[str, str, bytes, dict[str, str]]) -> None:
    method, path, body, headers = asked
    through_flask = Response.from_app(
        create_backend_app(service), _environ(method, path, body, **headers), buffered=True
    )
    direct = Routes(service).answer(Request(_environ(method, path, body, **headers)))
    assert direct.status == through_flask.status
    assert _IDS.sub(b"id", direct.get_data()) == _IDS.sub(b"id", through_flask.get_data())
    assert _shown(direct) == _shown(through_flask)


def _shown(response: Response) -> dict[str, str]:
    """Without what differs from one answer to the next, and the permission to browsers that AWS does not give."""
    changing = ("x-amzn-requestid", "x-amz-request-id", "access-control-allow-origin")
    headers = response.get_wsgi_headers(_environ("GET", "/"))
    return {name.lower(): value for name, value in headers if name.lower() not in changing}


def test_head_tells_the_length_of_what_is_not_sent() -> None:
    answer = Routes("s3").answer(Request(_environ("HEAD", "/bench-routes/key")))
    assert (answer.headers["Content-Length"], answer.get_data()) == ("5", b"")


def test_what_moto_calls_back_knows_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    routes = Routes("s3")
    monkeypatch.setattr(S3Response, "head_object", _noting(S3Response.head_object, seen))
    routes.answer(Request(_environ("HEAD", "/bench-routes/key")))
    assert seen == ["/bench-routes/key"]
    with pytest.raises(LookupError):
        answered()


def _noting(original: Callable[..., Any], seen: list[str]) -> Callable[..., Any]:
    def noted(self: Any, *args: Any, **named: Any) -> Any:
        seen.append(answered().path)
        return original(self, *args, **named)

    return noted
