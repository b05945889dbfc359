"""A clock that nobody waits for."""

import time

import pytest

from providers import process as provider_process
from providers.traffic_shift import baking, capacity, hook_verdict, shifting
from tests.times import own_time


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second that is waited for passes at once."""
    now = [time.monotonic()]

    def wait(seconds: float) -> bool:
        now[0] += seconds
        return provider_process.CANCELLED.is_set()

    monkeypatch.setattr(provider_process.CANCELLED, "wait", wait)
    modules = baking, capacity, hook_verdict, shifting
    own_time(monkeypatch, *modules, sleep=wait, monotonic=lambda: now[0])
