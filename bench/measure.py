"""Timing, and how a result is printed."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One line: what, how much of what it is compared with, and the aim it is held against (None: no aim)."""

    name: str
    value: float
    unit: str
    detail: str = ""
    aim: float | None = None

    def __str__(self) -> str:
        verdict = "" if self.aim is None else f"  aim ≤ {self.aim:g}: {'met' if self.value <= self.aim else 'MISSED'}"
        return f"{self.name:<52} {self.value:8.2f} {self.unit:<4}{verdict}{'  ' + self.detail if self.detail else ''}"


def alternate(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of two things, measured in turns so that whatever else the machine does hits both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for kept, action in zip(times, (first, second), strict=True):
            started = time.perf_counter()
            action()
            kept.append(time.perf_counter() - started)
    return statistics.median(times[0]), statistics.median(times[1])
