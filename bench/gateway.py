"""Describes per second: the rehearsal's gateway, which checks shapes and permissions, beside `moto_server` alone."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import boto3

from bench.measure import Result
from contracts.errors import UserError
from rehearsal.cloud.core import accounts
from rehearsal.cloud.core.accounts import admin_credentials

ROOT = Path(__file__).resolve().parent.parent
REQUESTS = 300
ROUNDS = 7
ACCOUNT = "123456789012"
REGION = "eu-west-1"
_PATIENCE_SECONDS = 120.0
# Reads that both answer from the same store: by query, by JSON and by path.
READS = (
    ("iam", "get_role", {"RoleName": "bench"}),
    ("sns", "get_topic_attributes", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:bench"}),
    ("ssm", "get_parameter", {"Name": "/bench"}),
    ("logs", "describe_log_groups", {"logGroupNamePrefix": "/bench"}),
    ("s3", "get_bucket_versioning", {"Bucket": "bench"}),
)
_TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},'
    ' "Action": "sts:AssumeRole"}]}'
)


def measure() -> Iterator[Result]:
    """Both servers in processes of their own, asked in turns over one connection each."""
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = _free_port(), _free_port()
        # The gateway answers administrators whose keys have its secret, which this process signs with.
        secret = Path(scratch) / "secret"
        secret.write_text(accounts.secret(), encoding="ascii")
        cloud = [
            sys.executable,
            "-m",
            "rehearsal.cloud",
            "--port",
            str(ours),
            "--root",
            scratch,
            "--secret",
            str(secret),
        ]
        moto = [sys.executable, "-m", "moto.server", "-p", str(theirs)]
        servers = [_start(cloud), _start(moto)]
        try:
            yield from _compare(ours, theirs)
        finally:
            for server in servers:
                server.terminate()
                server.wait()


def _compare(ours: int, theirs: int) -> Iterator[Result]:
    for port in (ours, theirs):
        _await(port)
        _fill(port)
    ratios = []
    for service, operation, params in READS:
        ask_us, ask_them = (_reader(port, service, operation, params) for port in (ours, theirs))
        ratio = median(_seconds(ask_them) / _seconds(ask_us) for _ in range(ROUNDS))
        ratios.append(ratio)
        yield Result(f"{service} {operation}, times moto_server's rate", ratio, "×")
    yield Result("all of them, at the median (at least 2.2 is the aim)", median(ratios), "×")


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "AWS_ENDPOINT_URL": ""}, stdout=quiet, stderr=quiet)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise UserError(f"no server came up at port {port} within {_PATIENCE_SECONDS:.0f} s")


def _client(port: int, service: str) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=admin_credentials(ACCOUNT).access_key_id,
        aws_secret_access_key=admin_credentials(ACCOUNT).secret_access_key,
    )


def _fill(port: int) -> None:
    """What is read afterwards."""
    _client(port, "iam").create_role(RoleName="bench", AssumeRolePolicyDocument=_TRUST)
    _client(port, "sns").create_topic(Name="bench")
    _client(port, "ssm").put_parameter(Name="/bench", Value="1", Type="String")
    _client(port, "logs").create_log_group(logGroupName="/bench")
    _client(port, "s3").create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": REGION})


def _reader(port: int, service: str, operation: str, params: dict[str, Any]) -> Callable[[], None]:
    """Sends one signed request again and again: what a client itself costs is not measured."""
    client = _client(port, service)
    sent: list[Any] = []
    client.meta.events.register("before-send", lambda request, **_: sent.append(request))
    getattr(client, operation)(**params)
    request = sent[-1]
    headers = {name: value if isinstance(value, str) else value.decode() for name, value in request.headers.items()}
    path = request.url.partition(f":{port}")[2]
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask() -> None:
        connection.request(request.method, path, request.body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            raise UserError(f"{service} {operation} was answered {answer.status} at port {port}")

    ask()
    return ask


def _seconds(ask: Callable[[], None]) -> float:
    started = time.perf_counter()
    for _ in range(REQUESTS):
        ask()
    return time.perf_counter() - started
