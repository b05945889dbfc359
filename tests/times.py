"""A time of its own for the module under test.

Never `time` itself: the gateway of the test process ends AWS's minutes by it, and a moment in the year to come, once
seen, keeps every alarm blind for all tests that follow (tests/unit/test_times_of_tests.py).
"""

import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


def own_time(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType, **functions: Callable[..., Any]) -> None:
    """In these modules `time.time`, `time.sleep`, … are the given functions; what is not given is real."""
    real = {name: getattr(time, name) for name in dir(time) if not name.startswith("_")}
    for module in modules:
        assert module.time is time, f"{module.__name__} does not `import time`"
        monkeypatch.setattr(module, "time", SimpleNamespace(**real | functions))
