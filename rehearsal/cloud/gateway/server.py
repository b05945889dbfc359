"""The HTTP server under the gateway: a thread for each connection.

A loop that watches every connection pays for all of them at each request, and clients keep theirs open: two hundred,
towards the end of a tour, took an eighth of the gateway's processor time. A thread that waits for its one client costs
nothing meanwhile. And no number of threads bounds how many functions may wait for each other: a synchronous Lambda
invoke holds its thread until the function answers, and the function calls back.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from waitress.adjustments import Adjustments

from rehearsal.cloud.gateway.connection import Connection, Serving

_MOST = 2000
"""Connections at a time; further ones wait to be accepted."""
_BACKLOG = 1024
_CLOSE_SECONDS = 3.0
_LOOK_SECONDS = 0.05


class PortInUseError(Exception):
    """Somebody else listens on the port."""


class Server:
    """Serves an application on a socket that is bound to `port` of 127.0.0.1 already."""

    def __init__(self, application: Callable[..., Any], listener: socket.socket) -> None:
        self.port = int(listener.getsockname()[1])
        adjustments = Adjustments(
            sockets=[listener],
            max_request_body_size=4 << 30,
            inbuf_overflow=64 << 20,
            ident=None,
            clear_untrusted_proxy_headers=False,
            log_socket_errors=False,
        )
        self._serving = Serving(application, adjustments, str(self.port), adjustments.server_name)
        self._listener = listener
        self._listener.setblocking(False)
        self._listener.listen(_BACKLOG)
        self._connections: dict[threading.Thread, Connection] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        """Serve until `close`."""
        with self._listener:
            poller = select.poll()
            poller.register(self._listener, select.POLLIN)
            while not self._ended.is_set():
                if len(self._connections) >= _MOST:
                    self._ended.wait(_LOOK_SECONDS)
                elif poller.poll(_LOOK_SECONDS * 1000):
                    self._accept()

    def _accept(self) -> None:
        try:
            connection, address = self._listener.accept()
        except OSError:
            # The client is gone again, or there is no file descriptor left: connections end, and free theirs.
            self._ended.wait(_LOOK_SECONDS)
            return
        connection.setblocking(True)
        made = Connection(self._serving, connection, address)
        thread = threading.Thread(target=self._serve, args=(made,), name=f"client {address[1]}", daemon=True)
        self._connections[thread] = made
        thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            del self._connections[threading.current_thread()]

    def close(self) -> None:
        """Let requests end, for a few seconds at the most, then close every connection; `run` returns."""
        self._ended.set()
        deadline = time.monotonic() + _CLOSE_SECONDS
        while self._connections and time.monotonic() < deadline:
            # Again and again: one more may have been accepted just now.
            for connection in list(self._connections.values()):
                connection.rest()
            time.sleep(_LOOK_SECONDS / 10)
        for connection in list(self._connections.values()):
            connection.cut()


def listen(application: Callable[..., Any], port: int) -> Server:
    """A server bound to 127.0.0.1; `port` 0 takes a free one. Raises PortInUseError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise PortInUseError(
            f"port {port} on 127.0.0.1 is in use ({error.strerror}): stop what listens there, "
            f"or choose another port, e.g. GLIDEPATH_PORT={port + 1}"
        ) from error
    return Server(application, listener)
