"""The HTTP server under the gateway."""

import socket
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import WSGITask

from rehearsal.cloud.wire.request import RAW_HEADER

# A synchronous Lambda invoke holds its thread until the function answers, and the function calls back.
THREADS = 96
_CLOSE_SECONDS = 3


class PortInUseError(Exception):
    """Somebody else listens on the port."""


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """waitress answers "100 Continue" to a request without a body too, and then waits for one that never comes.

    That is what every SDK sends for an empty S3 object.
    """

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        self.raw_header = header_plus
        if self.body_rcv is None:
            self.expect_continue = False


class _Task(WSGITask):  # type: ignore[misc]
    """WSGI writes the names of headers in capitals; API Gateway hands them on as they came."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[RAW_HEADER] = getattr(self.request, "raw_header", b"")
        return environ


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser
    task_class = _Task


def listen(application: Callable[..., Any], port: int) -> Any:
    """A server bound to 127.0.0.1 (`port` 0 takes a free one); `run()` serves until `close(server)`."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise PortInUseError(
            f"port {port} on 127.0.0.1 is in use ({error.strerror}): stop what listens there, "
            f"or choose another port, e.g. GLIDEPATH_PORT={port + 1}"
        ) from error
    # waitress sets TCP_NODELAY on every connection.
    server = create_server(
        application,
        sockets=[sock],
        threads=THREADS,
        # select() ends at file descriptor 1024, and the server with it.
        asyncore_use_poll=True,
        connection_limit=2000,
        channel_timeout=1200,
        max_request_body_size=4 << 30,
        inbuf_overflow=64 << 20,
        outbuf_overflow=64 << 20,
        ident=None,
        clear_untrusted_proxy_headers=False,
    )
    server.channel_class = _Channel
    return server


def close(server: Any) -> None:
    """Let requests end, then close every connection; `run()` returns."""
    server.task_dispatcher.shutdown(timeout=_CLOSE_SECONDS)
    # On the server's own thread: no other may touch what it polls.
    server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
