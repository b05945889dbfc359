"""The HTTP server under the gateway, without a gateway: connections, threads, and its end."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rehearsal.cloud.gateway import server
from rehearsal.cloud.wire.request import RAW_HEADER

MANY = 150
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


@contextmanager
def serving(application: Callable[..., Any]) -> Iterator[server.Server]:
    """A server that runs on a thread."""
    made = server.listen(application, 0)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join(5)
    assert not thread.is_alive()


def connected(made: server.Server) -> socket.socket:
    """A client of it, that waits for no answer longer than a test may."""
    return socket.create_connection(("127.0.0.1", made.port), 10)


def read(client: socket.socket, end: bytes) -> bytes:
    """What came until `end`, or until the other side ended."""
    found = b""
    while not found.endswith(end) and (part := client.recv(1 << 16)):
        found += part
    return found


def rest(client: socket.socket) -> bytes:
    """What came until the other side ended."""
    found = b""
    while part := client.recv(1 << 16):
        found += part
    return found


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Method, path and body."""
    body = environ["wsgi.input"].read()
    answer = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {len(body)} {body[-4:].decode()}.".encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer]


def test_requests_of_one_connection_are_answered_in_their_order() -> None:
    asked = b"".join(b"POST /%d HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nab" % turn for turn in range(5))
    with serving(echo) as made, connected(made) as client:
        client.sendall(asked[:150])
        # A blank line more than HTTP wants, as some clients send it.
        client.sendall(asked[150:] + b"\r\n" + b"GET /last HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        answers = rest(client).decode()
    places = [answers.index(f"POST /{turn} 2 ab.") for turn in range(5)] + [answers.index("GET /last 0 .")]
    assert places == sorted(places)


@pytest.mark.parametrize("size", [1, 8192, 1 << 18, 3 << 20])
def test_a_body_of_any_size_arrives_whole(size: int) -> None:
    head = b"PUT /big HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % size
    with serving(echo) as made, connected(made) as client:
        client.sendall(head + b"x" * (size - 1) + b"y")
        assert f"PUT /big {size} ".encode() in read(client, b".")


def test_a_chunked_body_arrives_whole() -> None:
    with serving(echo) as made, connected(made) as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        client.sendall(b"2\r\nde\r\n0\r\n\r\n")
        assert b"PUT / 5 bcde." in read(client, b".")


def test_a_client_that_waits_for_leave_is_given_it_once() -> None:
    with serving(echo) as made, connected(made) as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert read(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        answer = read(client, b".")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"PUT / 4 body." in answer


def test_a_client_that_waits_for_leave_without_a_body_is_answered_at_once() -> None:
    with serving(echo) as made, connected(made) as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n")
        assert read(client, b".").startswith(b"HTTP/1.1 200 OK")


def test_what_is_not_http_is_refused_and_the_connection_ends() -> None:
    with serving(echo) as made, connected(made) as client:
        client.sendall(b"no HTTP at all\r\n\r\n")
        assert rest(client).startswith(b"HTTP/1.0 400 Bad Request")


def test_names_of_headers_are_handed_on_as_they_were_written() -> None:
    def raw(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(environ[RAW_HEADER]) + 1))])
        return [environ[RAW_HEADER], b"."]

    with serving(raw) as made, connected(made) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nx-MiXed: y\r\n\r\n")
        assert b"x-MiXed: y" in read(client, b".")


def test_what_the_application_raises_is_an_answer_and_the_server_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    def fail(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise ValueError("of the application")

    with serving(fail) as made:
        for _ in range(2):
            with connected(made) as client:
                client.sendall(GET)
                assert b" 500 " in rest(client).splitlines()[0]
    assert "ValueError: of the application" in capfd.readouterr().err


def test_an_answer_to_head_has_no_body() -> None:
    with serving(echo) as made, connected(made) as client:
        client.sendall(b"HEAD /it HTTP/1.1\r\nHost: here\r\n\r\n")
        answer = read(client, b"\r\n\r\n")
        client.sendall(b"GET /next HTTP/1.1\r\nHost: here\r\n\r\n")
        assert b"Content-Length" in answer
        assert b"GET /next" in read(client, b".")


def test_as_many_requests_wait_for_each_other_as_there_are() -> None:
    """Functions that call functions: a bound on threads would leave all of them waiting."""
    together = threading.Barrier(MANY)

    def wait(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        together.wait(30)
        return echo(environ, start_response)

    with serving(wait) as made:
        clients = [connected(made) for _ in range(MANY)]
        for client in clients:
            client.sendall(GET)
        answers = [read(client, b".") for client in clients]
        for client in clients:
            client.close()
    assert all(answer.startswith(b"HTTP/1.1 200 OK") for answer in answers)


def test_a_request_that_is_being_answered_is_answered_when_the_server_ends() -> None:
    begun, ended = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/":
            begun.set()
            ended.wait(10)
        return echo(environ, start_response)

    with serving(slow) as made, connected(made) as client, connected(made) as idle:
        # Whoever was not accepted yet when the server ends is sent away.
        idle.sendall(b"GET /quick HTTP/1.1\r\nHost: here\r\n\r\n")
        assert read(idle, b".").endswith(b"GET /quick 0 .")
        client.sendall(GET)
        assert begun.wait(10)
        closing = threading.Thread(target=made.close)
        closing.start()
        assert rest(idle) == b""
        ended.set()
        assert rest(client).endswith(b"GET / 0 .")
        closing.join(10)


def test_one_that_never_ends_does_not_keep_the_server_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_CLOSE_SECONDS", 0.1)
    begun, ended = threading.Event(), threading.Event()

    def stuck(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        begun.set()
        ended.wait(30)
        return echo(environ, start_response)

    try:
        with serving(stuck) as made, connected(made) as client:
            client.sendall(GET)
            assert begun.wait(10)
            made.close()
            assert rest(client) == b""
    finally:
        ended.set()


def test_a_port_in_use_is_named() -> None:
    with serving(echo) as made, pytest.raises(server.PortInUseError, match=f"port {made.port} .* is in use"):
        server.listen(echo, made.port)
