"""A clock whose minutes are short."""

from collections.abc import Iterator

import pytest

from rehearsal.cloud.core.clock import Clock

MINUTE = 0.02
"""Real seconds that a minute of the fixture's clock lasts."""


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock(MINUTE)
    yield made
    made.stop()
