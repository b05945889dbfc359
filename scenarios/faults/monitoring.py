"""Faults of the monitor: an analysis fails, there is nothing to look at, or nothing to compare with.

Production serves on in all of them. A failed analysis is an alarm of its own, an hour without requests is none.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from contracts.errors import UserError
from contracts.names import DELIVERY
from contracts.s3 import parse_s3_uri
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import NONE, Outcome
from scenarios.faults.world import TRICKLE, World
from scenarios.gateway import clock, pass_the_hour
from scenarios.tour import evidence
from scenarios.vouching import overwrite, restore

_SEEN_SECONDS = 180.0
_REQUESTS = 3


def analysis_fails(world: World) -> Outcome:
    """The baseline of the serving release is another than the manifest vouches for."""
    return _failed(world, lambda s3, uri: overwrite(s3, uri, b"["))


def baseline_gone(world: World) -> Outcome:
    """The baseline of the serving release was deleted."""

    def gone(s3: Any, uri: str) -> list[str]:
        bucket, key = parse_s3_uri(uri)
        return [s3.delete_object(Bucket=bucket, Key=key)["VersionId"]]

    return _failed(world, gone)


def no_capture(world: World) -> Outcome:
    """An hour in which nobody asked."""
    # Whatever was asked until now belongs to the hour before.
    _hour(world)
    sentence = _hour(world)
    with world.traffic(TRICKLE) as traffic:
        _asked(traffic)
    return world.outcome(NONE, sentence.partition(": ")[2], traffic)


def _hour(world: World) -> str:
    """Lets the hour that runs now end; what its own analysis says, which may come after an earlier one's."""
    production = world.project.production
    end = f"/{clock(world.rehearsal):%Y/%m/%d/%H}/summary.json"
    pass_the_hour(world.rehearsal)

    def sentence() -> str:
        found = evidence.summaries(world.clients, world.project, production)
        return next((str(report["sentence"]) for key, report in found.items() if key.endswith(end)), "")

    return str(_until(sentence, "the hour was not told of"))


def _failed(world: World, spoil: Callable[[Any, str], list[str]]) -> Outcome:
    """What the monitor's log says of the hour that could not be analysed, once the alarm on that has gone off."""
    production, service = world.project.production, world.project.names.stack(world.project.production)
    logs, watch = world.clients.of(production, "logs"), world.clients.of(production, "cloudwatch")
    known = _errors(logs, service)
    with _spoilt(world, spoil):
        with world.traffic(TRICKLE) as traffic:
            _asked(traffic)
        pass_the_hour(world.rehearsal)

        def reason() -> str:
            new = [text for event, text in _errors(logs, service).items() if event not in known]
            return new[0] if new else ""

        sentence = str(_until(reason, "no analysis failed"))
        alarm = f"{service}-monitor-failed"
        _until(lambda: _state(watch, alarm) == "ALARM", f"the alarm {alarm} did not go off")
    return world.outcome(NONE, sentence, traffic)


def _asked(traffic: Any) -> None:
    """A few requests have been answered."""
    _until(lambda: traffic.counts()[0] >= _REQUESTS, "nobody asked production")


@contextmanager
def _spoilt(world: World, spoil: Callable[[Any, str], list[str]]) -> Iterator[None]:
    """The old release's baseline is another one, or none, until the block ends."""
    s3 = world.clients.of(DELIVERY, "s3")
    uri = world.old.manifest["baseline"]["statistics"]
    made = spoil(s3, uri)
    try:
        yield
    finally:
        restore(s3, uri, made)


def _errors(logs: Any, service: str) -> dict[str, str]:
    """What went wrong in the monitor's function, oldest first: the event's id to what it says."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{service}-monitor")
    events = [event for page in pages for event in page["events"] if event["message"].startswith('{"level": "ERROR"')]
    return {event["eventId"]: str(json.loads(event["message"])["message"]) for event in events}


def _state(watch: Any, alarm: str) -> str:
    return str(watch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"])


def _until(look: Callable[[], Any], otherwise: str) -> Any:
    """What is seen at last. Raises UserError."""
    deadline = time.monotonic() + _SEEN_SECONDS
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise UserError(f"{otherwise} within {_SEEN_SECONDS:.0f} s", "see the monitor function's log")
        time.sleep(0.3)
    return seen


FAULTS: tuple[Fault, ...] = (
    Fault(
        "analysis-fails",
        "The analysis of an hour fails",
        analysis_fails,
        Expected(NONE, r"statistics\.json has SHA-256 \w{64}, but the manifest vouches for"),
    ),
    Fault("baseline-gone", "The serving release's baseline is gone", baseline_gone, Expected(NONE, r"statistics")),
    Fault(
        "no-capture",
        "Nobody asks for an hour",
        no_capture,
        Expected(NONE, r"not enough records: no record of at least \d+"),
    ),
)
