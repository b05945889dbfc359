"""AWS's hours need not be waited for."""

import socket
from collections.abc import Iterator
from datetime import datetime
from urllib.error import HTTPError

import pytest

from rehearsal.cloud.process import lifecycle
from rehearsal.environment import Rehearsal
from scenarios.gateway import ask, hasten


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cloud of its own, since others would not expect their hours to pass; in its own process: one has one cloud."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    rehearsal = Rehearsal(folder=tmp_path_factory.mktemp("clock"), port=port)
    lifecycle.start(rehearsal)
    try:
        yield rehearsal.endpoint
    finally:
        lifecycle.stop(rehearsal)


def test_hours_pass_when_asked_to(endpoint: str) -> None:
    before = ask(endpoint, "GET", "/_rehearsal/clock")
    hasten(endpoint, hours=3)
    after = ask(endpoint, "GET", "/_rehearsal/clock")
    assert after["seconds"] - before["seconds"] >= 3 * 3600
    assert (datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])).total_seconds() >= 3 * 3600


@pytest.mark.parametrize(
    "asked", [None, {}, {"hours": 0}, {"hours": -1, "minutes": 90}, {"days": 1}, {"hours": 200}, [1]]
)
def test_what_says_no_time_is_refused(endpoint: str, asked: object) -> None:
    with pytest.raises(HTTPError) as refused:
        ask(endpoint, "PUT", "/_rehearsal/clock", asked)
    assert refused.value.code == 400
