"""What a rehearsal does before its first step: it comes up while the engine is found, and refuses a port of others."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from operate.project import read_project
from rehearsal.cloud.process import lifecycle
from rehearsal.engine import Engine
from rehearsal.environment import Rehearsal
from rehearsal.errors import UserError
from scenarios.tour import conduct
from scenarios.tour.display import Display
from tests.ports import free_port

PATIENCE_SECONDS = 60


def test_the_cloud_comes_up_while_the_engine_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal(folder=tmp_path, port=free_port())

    def find(found: Rehearsal) -> Engine:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not lifecycle.running(found):
            assert time.monotonic() < deadline, "the cloud waits for the engine"
            time.sleep(0.05)
        return Engine(Path("pulumi"), "3.0.0", built=False)

    monkeypatch.setattr(conduct, "ensure_engine", find)
    try:
        conduct.prepare(rehearsal, read_project(rehearsal.root), Display())
        assert lifecycle.running(rehearsal)
    finally:
        lifecycle.stop(rehearsal)


def test_a_port_of_somebody_else_is_refused_before_the_engine_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Engine:
        raise AssertionError("the engine was made ready first")

    monkeypatch.setattr(conduct, "ensure_engine", never)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=str(port)):
            conduct.prepare(Rehearsal(folder=tmp_path, port=port), read_project(Rehearsal().root), Display())
