"""The shift's provider: what it does when it is interrupted, and in the SDK's own process."""

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

from components import traffic_shift
from components.traffic_shift import ShiftError, TrafficShiftProvider

ROOT = Path(__file__).resolve().parents[2]
PROPS = {
    "application": "glidepath-prod",
    "group": "predict",
    "configuration": "steps",
    "function": "glidepath-prod-predict",
    "alias": "live",
    "version": "2",
    "before": "before",
    "after": "after",
    "release": "r2",
    "limit_minutes": 60,
}


class AlreadyCompleted(Exception):
    pass


class Aws:
    """Alias and deployment of one function: at 10 % until the deployment is stopped, which takes the alias back."""

    exceptions = type("Exceptions", (), {"DeploymentAlreadyCompletedException": AlreadyCompleted})

    def __init__(self, rollback_polls: int = 0, completes: bool = False) -> None:
        self.weights = {"2": 0.1}
        self.stopped: list[dict[str, Any]] = []
        self.rollback_polls, self.completes = rollback_polls, completes

    def get_alias(self, **_: Any) -> dict[str, Any]:
        version = "2" if self.stopped and self.completes else "1"
        return {"FunctionVersion": version, "RoutingConfig": {"AdditionalVersionWeights": self.weights}}

    def list_deployments(self, **_: Any) -> dict[str, Any]:
        if not self.stopped:
            return {"deployments": []}
        self.rollback_polls -= 1
        return {"deployments": ["d-ROLLBACK"] if self.rollback_polls >= 0 else []}

    def create_deployment(self, **_: Any) -> dict[str, Any]:
        return {"deploymentId": "d-1"}

    def get_deployment(self, **_: Any) -> dict[str, Any]:
        return {"deploymentInfo": {"status": "InProgress"}}

    def list_deployment_targets(self, **_: Any) -> dict[str, Any]:
        return {"targetIds": []}

    def stop_deployment(self, **request: Any) -> None:
        self.stopped.append(request)
        self.weights = {}
        if self.completes:
            raise AlreadyCompleted


@pytest.fixture
def cancelled() -> Iterator[None]:
    """The engine has called Cancel."""
    traffic_shift._CANCELLED.set()
    yield
    traffic_shift._CANCELLED.clear()


def shift(monkeypatch: pytest.MonkeyPatch, aws: Aws, **props: Any) -> None:
    monkeypatch.setattr(TrafficShiftProvider, "_client", lambda *_: aws)
    TrafficShiftProvider().create(PROPS | props)


@pytest.mark.usefixtures("cancelled")
def test_an_interrupted_shift_is_stopped_with_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()
    with pytest.raises(ShiftError, match="interrupted; deployment d-1 has ended, version 1 takes all traffic"):
        shift(monkeypatch, aws)
    assert aws.stopped == [{"deploymentId": "d-1", "autoRollbackEnabled": True}]


@pytest.mark.usefixtures("cancelled")
def test_it_waits_for_the_rollback_so_that_the_next_update_can_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    aws = Aws(rollback_polls=3)
    with pytest.raises(ShiftError, match="version 1 takes all traffic"):
        shift(monkeypatch, aws)
    assert aws.rollback_polls < 0


@pytest.mark.usefixtures("cancelled")
def test_a_deployment_that_ended_meanwhile_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ShiftError, match="interrupted; deployment d-1 has ended, version 2 takes all traffic"):
        shift(monkeypatch, Aws(completes=True))


def test_one_that_takes_too_long_is_stopped_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()
    with pytest.raises(ShiftError, match="took over 0 minutes; deployment d-1 has ended, version 1"):
        shift(monkeypatch, aws, limit_minutes=0)
    assert len(aws.stopped) == 1


class Patient(dynamic.ResourceProvider):
    """Waits for the engine's Cancel as a shift does; created in the SDK's process."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        traffic_shift.heed_cancellation()
        print("waiting", flush=True)
        return dynamic.CreateResult("cancelled" if traffic_shift._CANCELLED.wait(20) else "never told", {})


def test_the_engines_cancel_reaches_a_provider_in_the_sdks_process() -> None:
    command = [sys.executable, "-u", "-m", "pulumi.dynamic"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(provider_pb2.ConfigureRequest())
            properties = struct_pb2.Struct()
            properties["__provider"] = serialize_provider(Patient())
            created = stub.Create.future(provider_pb2.CreateRequest(properties=properties), timeout=30)
            assert process.stdout.readline() == "waiting\n"
            stub.Cancel(empty_pb2.Empty())
            assert created.result().id == "cancelled"
    finally:
        process.kill()
        process.wait()
