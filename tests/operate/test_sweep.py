"""A sweep: in which order things go, what stops it, and what it leaves to the next one."""

import json
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UserError
from operate import engine, status, sweep
from operate.updates import HeldError
from tests.operate.leftovers_world import World, error, name, project

OWN = "urn:pulumi:prod::glidepath::pulumi:pulumi:Stack::glidepath-prod"
LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end\n"
    "  file:///x: created by ann@{host} (pid {pid}) at 2026-11-21T12:00:00Z\n"
)


class Engine:
    """The engine of one stack: its state, and how it answers whoever wants to change it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held: list[str] = []
        self.refusal, self.code, self.unread = "", 0, ""
        self.commands: list[list[str]] = []
        monkeypatch.setattr(engine, "run", self.run)

    def run(self, arguments: Sequence[str], root: Path, environ: Any = None) -> subprocess.CompletedProcess[str]:
        self.commands.append([*arguments[:2]])
        if arguments[0] == "stack":
            if self.unread:
                return subprocess.CompletedProcess([], 255, "", self.unread)
            resources = [{"type": "aws:sagemaker/endpoint:Endpoint", "urn": "u", "id": each} for each in self.held]
            own = {"type": "pulumi:pulumi:Stack", "urn": OWN}
            return subprocess.CompletedProcess([], 0, json.dumps({"deployment": {"resources": [own, *resources]}}), "")
        assert arguments[arguments.index("--target") + 1] == OWN
        return subprocess.CompletedProcess([], self.code, "", self.refusal)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


def swept(world: World, root: Path, said: list[str] | None = None) -> sweep.Swept:
    clients: Any = world
    made = project(root)
    return sweep.remove(clients, made, "prod", sweep.find(clients, made, "prod"), (said or []).append)


def test_endpoints_go_before_what_they_use(state: Engine, tmp_path: Path) -> None:
    world, said = World(), [""]
    world.versions["1"], left = world.release(1), world.release(2)
    found = swept(world, tmp_path, said)
    assert world.deleted == [f"endpoint {left}", f"config {left}", f"model {left}"]
    assert [each.thing.name for each in found.removed] == [left] * 3
    assert not found.kept
    assert said[1:] == [f"endpoint {left} removed", f"endpoint-config {left} removed", f"model {left} removed"]


def test_the_engine_is_not_asked_where_nothing_is_left(state: Engine, tmp_path: Path) -> None:
    world = World()
    world.versions["1"] = world.release(1)
    assert sweep.find(world, project(tmp_path), "prod") == []  # type: ignore[arg-type]
    assert not state.commands


def test_nothing_goes_while_an_update_holds_the_stack(state: Engine, tmp_path: Path) -> None:
    world = World(models=[name(1)])
    state.refusal, state.code = LOCKED.format(host="elsewhere", pid=1), 255
    with pytest.raises(HeldError, match="another update holds prod: ann@elsewhere"):
        swept(world, tmp_path)
    assert not world.deleted


def test_the_lock_of_a_dead_engine_does_not_stop_it(
    state: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    world = World(models=[name(1)])
    ended = subprocess.Popen(["true"])
    ended.wait()
    state.refusal, state.code = LOCKED.format(host=socket.gethostname(), pid=ended.pid), 255
    swept(world, tmp_path)
    assert world.deleted == [f"model {name(1)}"]


def test_a_backend_that_gives_another_reason_stops_it(state: Engine, tmp_path: Path) -> None:
    state.refusal, state.code = "error: no credentials", 255
    with pytest.raises(UserError, match="whether an update holds prod cannot be known"):
        swept(World(models=[name(1)]), tmp_path)


def test_what_was_taken_into_the_state_since_the_plan_stays(state: Engine, tmp_path: Path) -> None:
    world, made = World(), project(tmp_path)
    left = world.release(1)
    planned = sweep.find(world, made, "prod")  # type: ignore[arg-type]
    state.held = [left]
    assert sweep.remove(world, made, "prod", planned, print).removed == ()  # type: ignore[arg-type]
    assert not world.deleted


def test_an_endpoint_at_which_sagemaker_works_stays_with_all_that_it_uses(state: Engine, tmp_path: Path) -> None:
    world = World()
    made = world.release(1)
    world.states[made] = "Creating"
    found = swept(world, tmp_path)
    assert not world.deleted
    assert {reason for _, reason in found.kept} == {
        "SageMaker is still at work at it (Creating)",
        "what uses it is still there",
    }


def test_what_aws_refuses_is_told_and_the_rest_goes_on(state: Engine, tmp_path: Path) -> None:
    world = World(models=[name(1), name(2)], refused={name(1): "AccessDeniedException"})
    found = swept(world, tmp_path)
    assert world.deleted == [f"model {name(2)}"]
    assert [reason for _, reason in found.kept] == ["AccessDeniedException: no such thing"]


def test_a_state_that_cannot_be_read_is_one_clear_line(state: Engine, tmp_path: Path) -> None:
    state.unread = "error: no stack named 'prod' found"
    with pytest.raises(UserError, match="the state of prod cannot be read: no stack named 'prod' found"):
        sweep.find(World(models=[name(1)]), project(tmp_path), "prod")  # type: ignore[arg-type]


def test_the_status_says_what_cannot_be_told(state: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world: Any = World(models=[name(1)])
    assert status.unowned(world, project(tmp_path), "prod")["unowned"][0]["name"] == name(1)
    state.unread = "error: no stack"
    assert status.unowned(world, project(tmp_path), "prod") == {
        "unowned": None, "unknown": "the state of prod cannot be read: no stack",
    }  # fmt: skip

    def denied(*_: Any) -> None:
        raise error("AccessDeniedException", "ListEndpoints")

    monkeypatch.setattr(sweep, "find", denied)
    assert "AccessDeniedException" in status.unowned(world, project(tmp_path), "prod")["unknown"]
