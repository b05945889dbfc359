"""The predict handler: its import beside a bare client's, and its processor time beside one that only calls."""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import Result, alternate

ROOT = Path(__file__).resolve().parent.parent
REQUESTS = 3000
WARM_UP = 100

_EDGES = [8.0, 11.5, 15.25, 22.0]
_ENVIRONMENT = {
    "ENDPOINT_NAME": "bench",
    "RELEASE_ID": "20261121-1a2b3c4d",
    "FEATURES": '["duration_minutes", "passengers", "distance"]',
    "METRIC_NAMESPACE": "Glidepath",
    "SERVICE": "glidepath-bench",
    "PREDICTION_EDGES": json.dumps(_EDGES),
    "LATENCY_MS": "1000",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
}
# The replaced systems' handler: boto3 and a client made at import.
_PEER = "import json, os, logging, boto3; boto3.client('sagemaker-runtime')"
_INSTANCE = {"duration_minutes": 12.5, "passengers": 1, "distance": 2.1}
_CSV = b"12.5,1.0,2.1"
# An endpoint that answers at once, in a process of its own: its time is not the handler's.
_ENDPOINT = r"""
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
answer = b"12.345678"
head = (b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\nx-amzn-invoked-production-variant: live\r\n"
        b"x-amzn-requestid: 8d2f7a3c-1111-2222-3333-444455556666\r\ncontent-length: %d\r\n\r\n" % len(answer))
while True:
    peer, _ = server.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = b""
    while part := peer.recv(65536):
        waiting += part
        while (end := waiting.find(b"\r\n\r\n")) >= 0:
            lines = waiting[:end].lower().split(b"\r\n")
            length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
            if len(waiting) < end + 4 + length:
                break
            waiting = waiting[end + 4 + length :]
            peer.sendall(head + answer)
"""


def measure() -> list[Result]:
    """Import time and processor time per request, each as a ratio within this run."""
    return [_import(), _request()]


def _import() -> Result:
    ours, peer = alternate(lambda: _python("import functions.predict.handler"), lambda: _python(_PEER), 7)
    detail = f"({ours * 1000:.0f} ms / {peer * 1000:.0f} ms, interpreter included)"
    return Result("import of the predict handler / of boto3 and a client", ours / peer, "x", detail, 1.0)


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **_ENVIRONMENT}, check=True)


def _request() -> Result:
    """The whole handler, with all its metrics, against a handler with nothing in it but the client's call.

    Both use the same client, made as the handler makes it, and take turns; what counts is the median of processor time.
    """
    with _endpoint() as url, open(os.devnull, "w") as nowhere:
        client = _client(url)
        from functions.predict.handler import Service

        service = Service(client, _ENVIRONMENT)
        event = {
            "headers": {"content-type": "application/json"},
            "body": json.dumps({"instances": [_INSTANCE]}),
            "isBase64Encoded": False,
            "requestContext": {"requestId": "bench"},
        }
        with contextlib.redirect_stdout(nowhere):
            answer = service.handle(event, "1")
            if answer["statusCode"] != 200 or _bare(client) != b"12.345678":
                raise AssertionError(f"the handler answers {answer} to a good request")
            whole, bare = _processor_time(lambda: service.handle(event, "1"), lambda: _bare(client))
    detail = f"({whole * 1e6:.0f} µs / {bare * 1e6:.0f} µs of processor time)"
    return Result("a request to the predict handler / the client's call", whole / bare, "x", detail, 1.15)


def _bare(client: Any) -> bytes:
    """A handler with nothing in it but the call."""
    answer = client.invoke_endpoint(
        EndpointName="bench", ContentType="text/csv", Accept="text/csv", InferenceId="bench", Body=_CSV
    )
    body: bytes = answer["Body"].read()
    return body


def _client(url: str) -> Any:
    """The client of the handler's own module, which makes it at import."""
    os.environ.update(_ENVIRONMENT, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url)
    return importlib.import_module("functions.predict.handler").client()


def _processor_time(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of processor time per call, in turns, call by call: what else the machine does hits both alike."""
    samples: tuple[list[int], list[int]] = ([], [])
    for number in range(WARM_UP + REQUESTS):
        for kept, action in zip(samples, (first, second), strict=True):
            started = time.process_time_ns()
            action()
            if number >= WARM_UP:
                kept.append(time.process_time_ns() - started)
    return median(samples[0]) / 1e9, median(samples[1]) / 1e9


@contextlib.contextmanager
def _endpoint() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", _ENDPOINT], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
