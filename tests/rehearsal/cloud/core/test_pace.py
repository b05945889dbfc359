"""Minutes that last until the traffic that belongs into them was answered."""

import threading

import pytest

from rehearsal.cloud.core import pace
from rehearsal.cloud.core.clock import Clock
from rehearsal.cloud.core.pace import Pace, Traffic
from tests.rehearsal.cloud.core.conftest import MINUTE


def go(clock: Clock) -> threading.Event:
    ended = threading.Event()
    clock.after_minute(ended.set)
    threading.Thread(target=clock.govern, daemon=True).start()
    return ended


def test_without_traffic_minutes_end_by_themselves(clock: Clock) -> None:
    Pace(clock)
    assert go(clock).wait(60)


def test_a_minute_lasts_until_most_of_its_requests_were_answered(clock: Clock) -> None:
    held = Pace(clock)
    held.follow(Traffic(rate=500, threads=3))  # ten requests a minute, of which eight must come
    ended = go(clock)
    for _ in range(7):
        held.count(0.0)
    assert not ended.wait(10 * MINUTE)
    held.count(0.0)
    held.count(0.0)
    assert ended.wait(60)


def test_slow_answers_count_for_the_requests_that_could_not_be_made(clock: Clock) -> None:
    held = Pace(clock)
    held.follow(Traffic(rate=500, threads=1))
    ended = go(clock)
    assert not ended.wait(10 * MINUTE)
    held.count(MINUTE)
    assert ended.wait(60)


def test_traffic_that_ends_holds_nothing(clock: Clock) -> None:
    held = Pace(clock)
    held.follow(Traffic(rate=500, threads=3))
    ended = go(clock)
    assert not ended.wait(10 * MINUTE)
    held.follow(None)
    assert ended.wait(60)


def test_a_client_that_is_gone_is_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_PATIENCE_SECONDS", 0.1)
    held = Pace(clock)
    held.follow(Traffic(rate=500, threads=3))
    assert go(clock).wait(60)
