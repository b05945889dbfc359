"""The predict handler: its import beside a bare client's, and its own processor time beside the client call."""

import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from bench.measure import Result, alternate

ROOT = Path(__file__).resolve().parent.parent
REQUESTS = 2000
ROUNDS = 7

_ENVIRONMENT = {
    "ENDPOINT_NAME": "bench",
    "RELEASE_ID": "bench",
    "FEATURES": '["duration_minutes", "passengers", "distance"]',
    "METRIC_NAMESPACE": "Glidepath",
    "SERVICE": "glidepath-bench",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
}
# The replaced systems' handler: boto3 and a client made at import.
_PEER = "import json, os, logging, boto3; boto3.client('sagemaker-runtime')"
_INSTANCE = {"duration_minutes": 12.5, "passengers": 1, "distance": 2.1}


def measure() -> list[Result]:
    """Import time as a ratio, and microseconds per request."""
    return [_import(), _request()]


def _import() -> Result:
    ours, peer = alternate(lambda: _python("import functions.predict.handler"), lambda: _python(_PEER), ROUNDS)
    detail = f"({ours * 1000:.0f} ms / {peer * 1000:.0f} ms, interpreter included)"
    return Result("import of the predict handler / of boto3 and a client", ours / peer, "x", detail, 1.0)


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **_ENVIRONMENT}, check=True)


def _request() -> Result:
    """Processor time of a request with a client that answers at once: all of it is the handler's own."""
    os.environ.update(_ENVIRONMENT)
    from functions.predict.handler import Service

    answer = b"12.5"
    client = SimpleNamespace(invoke_endpoint=lambda **_: {"Body": io.BytesIO(answer)})
    service = Service(client, _ENVIRONMENT)
    event = {
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"instances": [_INSTANCE]}),
        "isBase64Encoded": False,
        "requestContext": {"requestId": "bench"},
    }
    samples = []
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        status = service.handle(event, "1")["statusCode"]
        for _ in range(ROUNDS):
            started = time.process_time()
            for _ in range(REQUESTS):
                service.handle(event, "1")
            samples.append((time.process_time() - started) / REQUESTS)
    if status != 200:
        raise AssertionError(f"the handler answers {status} to a good request")
    return Result("handler's own processor time per request", statistics.median(samples) * 1e6, "µs", aim=100.0)
