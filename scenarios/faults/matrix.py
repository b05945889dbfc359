"""Runs the matrix: one world, one fault after the other, a row for each."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

import rehearsal.errors
from contracts.errors import UserError
from rehearsal.cloud.process import lifecycle
from rehearsal.environment import Rehearsal
from scenarios.faults import world as worlds
from scenarios.faults.fault import Fault
from scenarios.faults.judge import Row, judge
from scenarios.faults.outcome import Outcome
from scenarios.faults.world import World
from scenarios.tour.display import Display
from scenarios.tour.interrupt import interruptible, undisturbed

REPORT = "faults.json"
# What may go wrong while a fault is injected: it is the row's finding, and no reason to end the matrix.
_TOLD = (UserError, rehearsal.errors.UserError)
FAILURES = (*_TOLD, ClientError, BotoCoreError, OSError, AssertionError, KeyError, ValueError)


def run(
    here: Rehearsal, faults: Sequence[Fault], display: Display, keep: bool = False, data: Path | None = None
) -> list[Row]:
    """Every row; `faults.json` in the rehearsal's folder grows with each. Nothing stays up unless `keep`.

    Raises UserError where the world cannot be made, or is lost.
    """
    report = here.folder / REPORT
    rows: list[Row] = []
    with opened(here, display, keep, data) as world:
        for row in play(world, faults):
            rows.append(row)
            write(report, rows)
            announce(display, row)
    return rows


@contextmanager
def opened(here: Rehearsal, display: Display, keep: bool, data: Path | None = None) -> Iterator[World]:
    """The world, as it was kept or made anew. Nothing stays up unless `keep`. Raises UserError where it is not made."""
    rehearsal = worlds.place(here)
    world: World | None = None
    with interruptible():
        try:
            world = worlds.resume(rehearsal, display, data) or worlds.build(rehearsal, display, data)
            yield world
        except KeyboardInterrupt:
            keep = False
            raise
        finally:
            with undisturbed():
                display.rest()
                if world:
                    world.close(keep)
                elif not keep:
                    lifecycle.stop(rehearsal)


def play(world: World, faults: Sequence[Fault]) -> Iterator[Row]:
    """One row after the other; after each the world is whole again."""
    names = world.project.names
    for fault in (each.at(names.production, names.environments[0]) for each in faults):
        world.display.say(f"{fault.name}: {fault.title}")
        started = time.monotonic()
        before = world.old.id if not fault.alternates else world.serving(world.project.production)
        problems = restore(world, fault)
        outcome, found = inject(world, fault)
        problems += found
        gone = lifecycle.died(world.rehearsal)
        if gone:
            raise UserError(f"{fault.name}: {gone}", "The matrix cannot go on: start it again.")
        bound = fault.expected.bound(world) if fault.expected.bound else None
        problems += judge(fault, outcome, before, bound)
        problems += restore(world, fault)
        yield Row(fault, outcome, bound, tuple(problems), time.monotonic() - started)


def inject(world: World, fault: Fault) -> tuple[Outcome, list[str]]:
    """What came of it, and what is wrong with production as the fault left it."""
    try:
        outcome = fault.inject(world)
        return outcome, world.disagreements()
    except FAILURES as error:
        text = f"{type(error).__name__}: {error}" if not isinstance(error, _TOLD) else error.message
        return Outcome("-", text, "unknown", 0, 0), [f"it could not be injected: {text}"]


def restore(world: World, fault: Fault) -> list[str]:
    """What is wrong with the world before or after a fault, where it cannot be made whole."""
    try:
        world.calm() if fault.alternates else world.restore()
        return []
    except FAILURES as error:
        return [f"the world could not be made whole: {error}"]


def write(path: Path, rows: Sequence[Row]) -> None:
    """`faults.json`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([row.as_dict() for row in rows], indent=2) + "\n", encoding="utf-8")


def announce(display: Display, row: Row) -> None:
    """One line while the matrix runs."""
    outcome = row.outcome
    end = f"{outcome.requests} requests, {outcome.failed} failed, {row.seconds:.0f} s"
    if row.ok:
        display.say(f"{row.fault.name}: as expected ({end})", "green")
    else:
        display.say(f"{row.fault.name}: NOT as expected: {'; '.join(row.problems)} ({end})", "red")
