"""One look at a deployment: what is new is counted, what follows from it is said. No clients but the reports' source.

| part | begins | ends |
|---|---|---|
| the shift | with the first look | with its verdict, three minutes after all traffic was on the new version |
| the bake | when the deployment has succeeded | `bakeMinutes` later, or when its evidence suffices |

A deployment that CodeDeploy ended otherwise is looked at no more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from functions.judge import bake, bins, counts, evidence
from functions.judge.counts import Reading, Window
from functions.judge.record import CRASHED, FAILED, SLOW, WORDS, Bake, Point, Record, Said
from functions.judge.verdict import verdict

EVENTS = (FAILED, SLOW, CRASHED)
PREDICTIONS = "predictions"
SUCCEEDED, ENDED = "Succeeded", ("Failed", "Stopped")
"""A deployment's statuses from which it does not go on."""
BAKED = evidence.threshold(len(EVENTS))
"""The logarithm of the evidence from which on a bake fails."""


class Reports(Protocol):
    """`functions.judge.reports.Source`."""

    def windows(
        self, start: float, end: float, now: float, old: str, new: str, bins: tuple[int, int]
    ) -> list[Window]: ...
    def crashes(self, start: float, end: float, now: float, old: str, new: str) -> list[Window]: ...
    def all_crashes(self, start: float, end: float, now: float) -> list[Window]: ...


@dataclass(frozen=True)
class Seen:
    """At a look: when, in epoch seconds; the new version's share of the traffic; the deployment's status."""

    now: float
    weight: float
    status: str


def look(record: Record, seen: Seen, reports: Reports, bake_minutes: int) -> Record:
    """What is known afterwards. `record.over` says why there is nothing more to look at."""
    if seen.weight == 1 and record.ended is None:
        record = replace(record, ended=seen.now)
    if record.judged and record.verdict is None:
        record = _compare(record, seen, reports)
    if seen.status in ENDED:
        return replace(record, over=f"CodeDeploy ended the deployment ({seen.status}): traffic went back")
    if seen.status != SUCCEEDED or (record.judged and record.verdict is None):
        return record
    if not bake_minutes:
        return replace(record, over="the deployment has succeeded")
    if record.baked:
        return record
    if seen.weight < 1:
        return replace(record, over="traffic has been taken from the new version, by another than the judge")
    return _bake(record, seen, reports, bake_minutes)


def suffices(record: Record) -> float:
    """The largest evidence so far, as a share of what suffices to stop the release; 0 where there is none."""
    found = largest_of_bake(record) if record.bake else max(_shares(record).values(), default=0.0)
    return max(found, 0.0)


def largest_of_bake(record: Record) -> float:
    """Of a bake, as a share of what suffices."""
    if record.bake is None:
        return 0.0
    return (
        max(bake.largest(_whole(looks), record.bake.bounds[event]) for event, looks in record.bake.looks.items())
        / BAKED
    )


def failing(record: Record) -> str:
    """Why the evidence suffices, while traffic still moves; empty where it does not."""
    found = verdict(record.tallies, record.pair) if record.judged and suffices(record) >= 1 else None
    return found.sentence if found and found.outcome == "fail" else ""


# --- the shift -------------------------------------------------------------------------------------------------------


def _compare(record: Record, seen: Seen, reports: Reports) -> Record:
    if not record.apart:
        return _judge(_count(record, seen, reports), seen)
    if record.ended is None and seen.status not in (SUCCEEDED, *ENDED):
        return record
    return replace(record, verdict=Said("inconclusive", f"Inconclusive: {record.apart}."))


def _count(record: Record, seen: Seen, reports: Reports) -> Record:
    now, old, new = seen.now, record.old, record.new
    readings = (*record.readings, Reading(now, seen.weight))
    width = (len(record.pair.rows), len(record.pair.rows[0])) if record.pair else (0, 0)
    until = now - counts.AGE_SECONDS
    tens = reports.windows(record.requests.until, until, now, old, new, width)
    minutes = reports.crashes(record.crashes.until, until, now, old, new)
    requests = counts.look(record.requests, now, tens, readings, record.missed)
    crashes = counts.look(record.crashes, now, minutes, readings, record.missed)
    # Older ones are next to no window that is still to be counted.
    oldest = min(requests.until, crashes.until)
    kept = next((number for number, each in enumerate(readings[1:]) if each.at > oldest), len(readings) - 1)
    record = replace(record, requests=requests, crashes=crashes, readings=readings[kept:])
    point = Point(now, seen.weight, {name: round(share, 4) for name, share in _shares(record).items()})
    changed = not record.path or (point.weight, point.evidence) != (record.path[-1].weight, record.path[-1].evidence)
    return replace(record, path=(*record.path, point)) if changed else record


def _judge(record: Record, seen: Seen) -> Record:
    """The verdict, once everything of the shift is counted, or as far as it came."""
    counted = record.ended is not None and all(tally.until >= record.ended for tally in record.tallies)
    if not counted and seen.status not in (SUCCEEDED, *ENDED):
        return record
    found = verdict(record.tallies, record.pair)
    sentence = found.sentence
    if record.unpaired and found.outcome != "fail":
        sentence = f"{sentence.rstrip('.')}; predictions are not judged: {record.unpaired}."
    return replace(record, verdict=Said(found.outcome, sentence))


def _shares(record: Record) -> dict[str, float]:
    """Evidence by event, as shares of what suffices."""
    if not record.judged:
        return {}
    limit = evidence.threshold(len(EVENTS) + (record.pair is not None))
    found = {name: evidence.largest(tally.counts(name)) for tally in record.tallies for name in tally.metrics}
    if record.pair:
        found[PREDICTIONS] = bins.largest([block.bins for block in record.requests.blocks], record.pair)
    return {name: value / limit for name, value in found.items()}


# --- the bake --------------------------------------------------------------------------------------------------------


def _bake(record: Record, seen: Seen, reports: Reports, minutes: int) -> Record:
    found = _look_at_bake(record.bake or _begin(record, seen.now, minutes), record, seen.now, reports)
    record = replace(record, bake=found)
    if largest_of_bake(record) >= 1:
        return replace(record, baked=Said("fail", f"Failed: {_worst(found)}."))
    if found.counted < found.until:
        return record
    said = Said("pass", f"Held: {minutes} minutes at full traffic, {_seen(found)}.")
    return replace(record, baked=said, over=said.sentence)


def _begin(record: Record, now: float, minutes: int) -> Bake:
    """What came after all traffic had moved belongs to it already: the shift's verdict did not look at it."""
    ended = now if record.ended is None else record.ended
    tens, minute = (math.ceil(ended / width) * width for width in (counts.WINDOW_SECONDS, 60))
    return Bake(ended, now + 60 * minutes, tens, minute, record.bounds, dict.fromkeys(EVENTS, ()))


def _look_at_bake(found: Bake, record: Record, now: float, reports: Reports) -> Bake:
    until = now - counts.AGE_SECONDS
    tens, minute = (math.floor(until / width) * width for width in (counts.WINDOW_SECONDS, 60))
    new = dict.fromkeys(EVENTS, (0.0, 0.0))
    if tens > found.counted:
        windows = reports.windows(found.counted, tens, now, record.old, record.new, (0, 0))
        new |= {event: _summed(windows, event) for event in (FAILED, SLOW)}
    if minute > found.crashes_counted:
        new[CRASHED] = _summed(reports.all_crashes(found.crashes_counted, minute, now), CRASHED)
    looks = {event: (*found.looks[event], *([seen] if seen[0] else [])) for event, seen in new.items()}
    counted, crashes = max(tens, found.counted), max(minute, found.crashes_counted)
    return replace(found, counted=counted, crashes_counted=crashes, looks=looks)


def _summed(windows: list[Window], event: str) -> tuple[float, float]:
    requests = sum(each.new.requests for each in windows)
    # A report that comes late must not make more events than requests.
    return requests, min(requests, sum(each.new.events.get(event, 0) for each in windows))


def _whole(looks: tuple[tuple[float, float], ...]) -> list[tuple[int, int]]:
    return [(round(requests), round(events)) for requests, events in looks]


def _worst(found: Bake) -> str:
    event = max(found.looks, key=lambda name: bake.largest(_whole(found.looks[name]), found.bounds[name]))
    requests, events = (sum(column) for column in zip(*found.looks[event], strict=True))
    return (
        f"{events:.0f} of {requests:.0f} requests at full traffic {WORDS[event]}, where"
        f" {100 * found.bounds[event]:.2g} % are allowed by what the former version did in the seven days before"
    )


def _seen(found: Bake) -> str:
    sums = {
        event: [sum(column) for column in zip(*looks, strict=True)] for event, looks in found.looks.items() if looks
    }
    told = [f"{seen[1]:.0f} of {seen[0]:.0f} {WORDS[event]}" for event, seen in sums.items()]
    return ", ".join(told) or "without a request"


def weights(alias: Mapping[str, object], new: str) -> float:
    """The new version's share, of what Lambda's GetAlias says."""
    if alias["FunctionVersion"] == new:
        return 1.0
    routing = alias.get("RoutingConfig")
    shares = routing.get("AdditionalVersionWeights") if isinstance(routing, Mapping) else None
    return float(shares.get(new, 0.0)) if isinstance(shares, Mapping) else 0.0
