"""The system test's client against a real HTTP server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore.credentials import Credentials

from functions.shared.api import ApiClient, CallError


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("X-Glidepath-Release", self.path)
        self.send_header("X-Authorization", self.headers.get("Authorization", ""))
        self.send_header("X-Token", self.headers.get("X-Amz-Security-Token", ""))
        self.end_headers()
        self.wfile.write(b'{"got": "' + body + b'"}')

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/live"
    server.shutdown()
    thread.join()
    server.server_close()


def test_signs_for_the_api(url: str) -> None:
    client = ApiClient(url + "/", "eu-west-1", Credentials("AKIDEXAMPLE", "secret", "token"))
    answer = client.post(b"1,2", {"content-type": "text/csv"})
    assert (answer.status, answer.json()) == (200, {"got": "1,2"})
    assert answer.headers["x-glidepath-release"] == "/live/predict"
    assert "AKIDEXAMPLE/" in answer.headers["x-authorization"]
    assert "/eu-west-1/execute-api/aws4_request" in answer.headers["x-authorization"]
    assert answer.headers["x-token"] == "token"
    assert answer.milliseconds > 0


def test_leaves_a_request_unsigned_when_asked(url: str) -> None:
    answer = ApiClient(url, "eu-west-1", Credentials("x", "y")).post(b"{}", {}, signed=False)
    assert answer.headers["x-authorization"] == ""


def test_names_an_api_that_does_not_answer() -> None:
    with pytest.raises(CallError, match=r"http://127\.0\.0\.1:9/live/predict does not answer"):
        ApiClient("http://127.0.0.1:9/live", "eu-west-1", Credentials("x", "y")).post(b"", {})
