"""A function measures what the service took, not what a busy machine added to it."""

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from rehearsal.cloud.core import service_time
from rehearsal.cloud.services.lambda_ import worker

ANSWERED_AFTER = 0.6
SERVED_IN_MS = 40.0
_MEASURE = """
import http.client, sys, time
from rehearsal.cloud.services.lambda_.worker import _Clock
clock = _Clock()
clock.install()
clock.watch_calls()
begun = time.{clock}()
connection = http.client.HTTPConnection("127.0.0.1", {port})
connection.request("GET", "{path}")
connection.getresponse().read()
time.sleep({sleep})
print(time.{clock}() - begun)
"""


class _Late(http.server.BaseHTTPRequestHandler):
    """Answers late; on /served it says that the service itself was fast."""

    def do_GET(self) -> None:
        time.sleep(ANSWERED_AFTER)
        self.send_response(200)
        if self.path == "/served":
            self.send_header(service_time.HEADER, f"{SERVED_IN_MS}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Late)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def measured(port: int, path: str, sleep: float = 0.0, clock: str = "perf_counter") -> float:
    """Seconds that a function would measure."""
    code = _MEASURE.format(port=port, path=path, sleep=sleep, clock=clock)
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("clock", ["perf_counter", "monotonic"])
def test_a_call_takes_as_long_as_its_service_says(port: int, clock: str) -> None:
    assert SERVED_IN_MS / 1000 * 0.9 <= measured(port, "/served", clock=clock) < ANSWERED_AFTER


def test_a_call_of_somebody_else_takes_as_long_as_it_takes(port: int) -> None:
    assert measured(port, "/other") >= ANSWERED_AFTER


def test_a_function_that_waits_has_waited(port: int) -> None:
    assert measured(port, "/served", sleep=0.5) >= 0.5


def test_both_sides_mean_the_same_header() -> None:
    assert worker._SERVICE_MS == service_time.HEADER


def test_service_time_is_of_the_thread_that_works() -> None:
    begun = service_time.mark()
    time.sleep(0.3)
    assert service_time.since(begun) < 0.3, "sleeping is not working"
    service_time.wait(1.5)
    assert service_time.since(begun) == pytest.approx(1.5, abs=0.3)
