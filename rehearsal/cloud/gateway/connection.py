"""One client's connection: a thread of its own reads its requests, and answers them in order.

HTTP itself is waitress's: its parser reads a request, its tasks write the answer.
"""

import contextlib
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import InternalServerError

from rehearsal.cloud.core.trouble import tell
from rehearsal.cloud.wire.request import RAW_HEADER

_IDLE_SECONDS = 1200.0
"""A client that asks nothing for longer is gone."""
_READ_BYTES = 1 << 18
# What is ready of an answer goes out in one piece: a client that has the head alone waits for the rest anyway.
_WRITE_BYTES = 1 << 20


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
        # It hands a file on to waitress's own loop, which does not run here.
        environ.pop("wsgi.file_wrapper", None)
        return environ


@dataclass(frozen=True)
class Serving:
    """What waitress's tasks ask of a server."""

    application: Callable[..., Any]
    adj: Adjustments
    effective_port: str
    server_name: str


class Connection:
    """What waitress's tasks take for a channel. `serve` returns when the connection has ended."""

    connected = True

    def __init__(self, serving: Serving, connection: socket.socket, address: tuple[str, int]) -> None:
        self.server, self.adj, self.addr = serving, serving.adj, address
        self._socket = connection
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(_IDLE_SECONDS)
        self._received = b""
        self._ready: list[bytes] = []
        self._size = 0

    def serve(self) -> None:
        """Answer requests until either side ends."""
        with contextlib.suppress(OSError), self._socket:
            while (request := self._read()) is not None and self._answer(request):
                pass

    def rest(self) -> None:
        """Take no further request: the one that is being answered still is."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def cut(self) -> None:
        """End it, whatever it is at."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> Any:
        """The next request, with its body; None where there is none any more."""
        request = _Parser(self.adj)
        while True:
            if not self._received:
                self._received = self._socket.recv(_READ_BYTES)
            if not self._received:
                return None
            self._received = self._received[request.received(self._received) :]
            if request.expect_continue and request.headers_finished:
                request.expect_continue = request.completed = False
                self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if request.completed and not request.empty:
                return request
            if request.completed:
                request = _Parser(self.adj)

    def _answer(self, request: Any) -> bool:
        """Whether the connection goes on."""
        task = ErrorTask(self, request) if request.error else _Task(self, request)
        try:
            task.service()
        except Exception:  # noqa: BLE001  a request must not end the server
            tell(traceback.format_exc())
            if task.wrote_header:
                return False
            task = ErrorTask(self, self._failed(request))
            task.service()
        finally:
            request.close()
        self._flush()
        return not task.close_on_finish

    def _failed(self, request: Any) -> Any:
        failed = _Parser(self.adj)
        failed.error, failed.version = InternalServerError("the rehearsal failed; its log says why"), request.version
        return failed

    def write_soon(self, data: bytes) -> int:
        """Part of an answer. Raises OSError where the client is gone."""
        self._ready.append(data)
        self._size += len(data)
        if self._size >= _WRITE_BYTES:
            self._flush()
        return len(data)

    def _flush(self) -> None:
        ready, self._ready, self._size = self._ready, [], 0
        self._socket.sendall(b"".join(ready))

    def check_client_disconnected(self) -> bool:
        """Nobody reads while an answer is made."""
        return not self.connected
