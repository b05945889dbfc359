"""Providers in the SDK's own process: the engine's Cancel, its end, and how failures are told."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi import dynamic
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from providers import process as provider_process
from providers.traffic_shift.shifting import ShiftError

ROOT = Path(__file__).resolve().parents[3]


class Patient(dynamic.ResourceProvider):
    """Waits for the engine's Cancel as a shift does; created in the SDK's process."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        with provider_process.served():
            print("waiting", flush=True)
            return dynamic.CreateResult("cancelled" if provider_process.CANCELLED.wait(20) else "never told", {})


class Failing(dynamic.ResourceProvider):
    """Fails as a shift does, or as nobody foresaw."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        with provider_process.served():
            raise ShiftError("one sentence") if props["plain"] else ValueError("unforeseen")


@pytest.fixture
def engine() -> Iterator[socket.socket]:
    """What listens where an engine would."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def sdk(engine: socket.socket) -> Iterator[tuple[Any, Any]]:
    """The SDK's own process: its stub and its output."""
    command = [sys.executable, "-u", "-m", "pulumi.dynamic", f"127.0.0.1:{engine.getsockname()[1]}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(provider_pb2.ConfigureRequest())
            yield stub, process.stdout
    finally:
        process.kill()
        process.wait()


def creation(provider: dynamic.ResourceProvider, **props: Any) -> Any:
    properties = struct_pb2.Struct()
    properties.update({**props, "__provider": serialize_provider(provider)})
    return provider_pb2.CreateRequest(properties=properties)


def test_the_engines_cancel_reaches_a_provider_in_the_sdks_process(sdk: tuple[Any, Any]) -> None:
    stub, output = sdk
    created = stub.Create.future(creation(Patient()), timeout=30)
    assert output.readline() == "waiting\n"
    stub.Cancel(empty_pb2.Empty())
    assert created.result().id == "cancelled"


def test_the_process_ends_with_its_work_where_the_engine_was_killed(
    sdk: tuple[Any, Any], engine: socket.socket
) -> None:
    engine.close()
    with pytest.raises(grpc.RpcError) as caught:
        sdk[0].Create(creation(Failing(), plain=True), timeout=30)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert sdk[1].read() == ""  # its output has ended, and so has the process


def test_the_sdks_process_prints_the_sentence_alone(sdk: tuple[Any, Any]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        sdk[0].Create(creation(Failing(), plain=True), timeout=30)
    assert caught.value.details() == "one sentence"


def test_what_nobody_foresaw_keeps_its_traceback(sdk: tuple[Any, Any]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        sdk[0].Create(creation(Failing(), plain=False), timeout=30)
    assert caught.value.details().startswith("Traceback")
    assert "ValueError: unforeseen" in caught.value.details()
