"""The HTTP server under the gateway."""

import socket
from collections.abc import Callable
from typing import Any

from waitress.server import create_server

# A synchronous Lambda invoke holds its thread until the function answers, and the function calls back.
THREADS = 96


class PortInUseError(Exception):
    """Somebody else listens on the port."""


def listen(application: Callable[..., Any], port: int) -> Any:
    """A server bound to 127.0.0.1 (`port` 0 takes a free one); `run()` serves until `close()`."""
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
    return create_server(
        application,
        sockets=[sock],
        threads=THREADS,
        connection_limit=2000,
        channel_timeout=1200,
        max_request_body_size=4 << 30,
        inbuf_overflow=64 << 20,
        outbuf_overflow=64 << 20,
        ident=None,
        clear_untrusted_proxy_headers=False,
    )
