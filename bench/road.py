"""The verdict on a shift, on the rehearsal's road: real deployments, alarms, hooks and judge at 5 requests a second.

Beside the simulation (`bench/verdict.py`), which plays the rule alone. No engine and no endpoint: the versions answer
by a die and report as the real function does (`bench/on_road`). Healthy and bad releases take turns, each shifted to
from one with 0.1 % errors. SHIFTS=<number> plays so many of each instead of 20, MINUTE=<seconds> takes a longer minute
on a machine that is too busy.
"""

import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.on_road.callers import Callers, asker
from bench.on_road.shift import Outcome, play
from bench.on_road.world import REGION, World
from contracts.errors import UserError
from contracts.names import LIVE, PREDICT
from rehearsal.cloud.core.ports import Place
from rehearsal.cloud.process.running import RunningCloud

SHIFTS = 20
RATE = 5.0
"""Requests per second of AWS's time."""
BASE, BAD = 0.001, 0.05
MINUTE = 3.0
"""Real seconds of one of AWS's minutes, at least: two cores make its 300 requests in a quarter of them, and a look of
the judge takes three of AWS's seconds, so that it looks every thirteen instead of every ten."""
_ACCOUNT = "123456789012"


def measure() -> Iterator[str]:
    """A line for each shift, and what they come to. Raises UserError for a SHIFTS or MINUTE that is no such number."""
    number, minute = int(_given("SHIFTS", SHIFTS, 1)), _given("MINUTE", MINUTE, 0.1)
    found: dict[float, list[Outcome]] = {BASE: [], BAD: []}
    with tempfile.TemporaryDirectory() as folder:
        for failing, outcome in shifts(Path(folder), minute, RATE, [BASE, BAD] * number):
            found[failing].append(outcome)
            yield line(failing, outcome)
    for failing, outcomes in found.items():
        yield summary(failing, outcomes)


def shifts(folder: Path, minute: float, rate: float, failing: Sequence[float]) -> Iterator[tuple[float, Outcome]]:
    """Shifts, one after the other, to releases that fail such shares of their requests; in a cloud of their own."""
    running = RunningCloud(folder, 0, minute).start()
    try:
        cloud = running.cloud
        world = World(cloud, _ACCOUNT, BASE)
        with Callers(cloud.clock, asker(cloud, Place(_ACCOUNT, REGION), PREDICT, LIVE), rate) as callers:
            for share in failing:
                yield share, play(world, callers, share)
    finally:
        running.stop()


def line(failing: float, outcome: Outcome) -> str:
    """One shift. What the judge compared says how much it saw: in the simulation four windows of each six."""
    what = f"went back by {outcome.stopped}" if outcome.stopped else "stayed"
    return (
        f"{_name(failing)} {what} after {outcome.minutes:4.1f} minutes; the judge: {outcome.said or 'nothing'};"
        f" new version: {outcome.failed} of {outcome.requests} requests failed; {outcome.compared} of both compared;"
        f" {outcome.seconds:.0f} s"
    )


def summary(failing: float, outcomes: Sequence[Outcome]) -> str:
    """All shifts to releases with that share of errors."""
    said = Counter("went back" if each.stopped else each.said or "nothing" for each in outcomes)
    parts = [f"{said[key]} {word}" for key, word in _WORDS.items() if said[key] or key in ("went back", "pass")]
    text = f"{_name(failing)} of {len(outcomes)}: {', '.join(parts)}; {_mean(outcomes, 'seconds', 's each')}"
    back = [each for each in outcomes if each.stopped]
    if back:
        by = ", ".join(f"{times} by {name}" for name, times in Counter(each.stopped for each in back).most_common())
        text = f"{text}; {by}, after {_mean(back, 'minutes', 'minutes')}"
    return f"{text}; {_mean(outcomes, 'failed', 'failed requests of the new version')}"


_WORDS = {
    "went back": "went back",
    "pass": "passed",
    "inconclusive": "were inconclusive and stayed",
    "fail": "failed and stayed",
    "nothing": "stayed without a verdict",
}
"""Outcome → how it is said."""


def _name(failing: float) -> str:
    return f"{100 * BASE:g} % errors, then {100 * failing:g} %:".ljust(29)


def _mean(outcomes: Sequence[Outcome], member: str, unit: str) -> str:
    values = [getattr(each, member) for each in outcomes]
    return f"{statistics.mean(values):.1f} ({min(values):.1f} to {max(values):.1f}) {unit}"


def _given(name: str, default: float, least: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value >= least:
        raise UserError(f"{name} is {text!r}, and must be a number of {least:g} or more, as {name}={default:g}")
    return value
