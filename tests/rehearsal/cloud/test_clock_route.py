"""AWS's hours need not be waited for."""

import socket
import time
from collections.abc import Iterator
from datetime import datetime
from urllib.error import HTTPError

import pytest

from rehearsal.cloud.process import lifecycle
from rehearsal.environment import Rehearsal
from scenarios.gateway import ask, hasten, held_minute


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A cloud of its own, since others would not expect their hours to pass; in its own process: one has one cloud."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    made = Rehearsal(folder=tmp_path_factory.mktemp("clock"), port=port)
    lifecycle.start(made)
    try:
        yield made
    finally:
        lifecycle.stop(made)


def test_hours_pass_when_asked_to(rehearsal: Rehearsal) -> None:
    before = ask(rehearsal, "GET", "/_rehearsal/clock")
    hasten(rehearsal, hours=3)
    after = ask(rehearsal, "GET", "/_rehearsal/clock")
    assert after["seconds"] - before["seconds"] >= 3 * 3600
    assert (datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])).total_seconds() >= 3 * 3600


_HOLDS = [{"hold": -1}, {"hold": 601}, {"hold": 1, "hours": 1}]


@pytest.mark.parametrize(
    "asked", [None, {}, *_HOLDS, {"hours": 0}, {"hours": -1, "minutes": 90}, {"days": 1}, {"hours": 200}, [1]]
)
def test_what_says_no_time_is_refused(rehearsal: Rehearsal, asked: object) -> None:
    with pytest.raises(HTTPError) as refused:
        ask(rehearsal, "PUT", "/_rehearsal/clock", asked)
    assert refused.value.code == 400


def test_a_minute_can_be_held(rehearsal: Rehearsal) -> None:
    """Twenty minutes would have passed at its speed of one a second, but for the hold."""
    hasten(rehearsal, hours=0.01)
    with held_minute(rehearsal):
        minute = ask(rehearsal, "GET", "/_rehearsal/clock")["seconds"] // 60
        ask(rehearsal, "PUT", "/_rehearsal/clock", {"minutes": 20})
        time.sleep(2)
        assert ask(rehearsal, "GET", "/_rehearsal/clock")["seconds"] // 60 == minute
    hasten(rehearsal, hours=0.1)
    assert ask(rehearsal, "GET", "/_rehearsal/clock")["seconds"] // 60 >= minute + 6
