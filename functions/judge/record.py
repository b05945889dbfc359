"""What the judge remembers of a deployment between two looks, as a JSON document.

One execution looks at a deployment, one look after the other: nobody else writes its record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from functions.judge.bins import Pair
from functions.judge.counts import MISSED_SECONDS, Bins, Block, Counts, Reading, Tally

FAILED, SLOW, CRASHED = "failed", "slow", "crashed"
"""Events of requests. Crashes are counted by Lambda alone, and by the minute."""
WORDS = {FAILED: "failed", SLOW: "were slow", CRASHED: "crashed"}
"""Event → what so many requests did."""


@dataclass(frozen=True)
class Bake:
    """Full traffic, with the old version still there.

    Times are epoch seconds. `counted` and `crashes_counted`: windows that start before were dealt with. `bounds`: event
    → rate that a release may have. `looks`: event → requests and events of each look.
    """

    start: float
    until: float
    counted: float
    crashes_counted: float
    bounds: Mapping[str, float]
    looks: Mapping[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class Said:
    """An outcome with the sentence that says why; of a shift: `pass`, `fail` or `inconclusive`."""

    outcome: str
    sentence: str


@dataclass(frozen=True)
class Point:
    """Evidence at a look, as shares of what suffices, by event (`predictions` among them)."""

    at: float
    weight: float
    evidence: Mapping[str, float]


@dataclass(frozen=True)
class Record:
    """One deployment.

    `judged`: whether traffic moves by steps, so that there is something to compare. `edges`: by which the two versions
    count their predictions, `pair` what the evaluation knows of both, `unpaired` why it knows nothing. `ended`: when
    the alias was first seen with all traffic on the new version. `asked`: when a question was first seen. `apart`: why
    the versions' requests cannot be compared. `missed`: seconds for which the judge may look away. `returned`: when a
    return was begun from a release that failed its bake. `over`: why nothing is looked at any more.
    """

    deployment: str
    release: str
    former: str
    old: str
    new: str
    began: float
    judged: bool
    requests: Tally
    crashes: Tally
    bounds: Mapping[str, float]
    pair: Pair | None = None
    unpaired: str = ""
    readings: tuple[Reading, ...] = ()
    path: tuple[Point, ...] = ()
    ended: float | None = None
    verdict: Said | None = None
    bake: Bake | None = None
    baked: Said | None = None
    asked: float | None = None
    answered: bool = False
    apart: str = ""
    missed: float = MISSED_SECONDS
    returned: float | None = None
    over: str = ""

    @property
    def tallies(self) -> tuple[Tally, Tally]:
        """Everything that is counted of a shift; the first one holds the bins."""
        return self.requests, self.crashes


def begin(
    deployment: str, release: str, former: str, versions: tuple[str, str], now: float, judged: bool,
    pair: Pair | None, unpaired: str, bounds: Mapping[str, float],
) -> Record:  # fmt: skip
    """At the first look, before any traffic has moved. `versions`: the old one and the new one."""
    first, minute = Tally((FAILED, SLOW), 0, now), Tally((CRASHED,), 0, now, 60, moving=True)
    first, minute = (replace(tally, until=-(-now // tally.seconds) * tally.seconds) for tally in (first, minute))
    return Record(deployment, release, former, *versions, now, judged, first, minute, dict(bounds), pair, unpaired)


def render(record: Record) -> str:
    """The record as JSON."""
    # Apart, as asdict would spell out each of thousands of blocks.
    document = asdict(replace(record, requests=_EMPTY, crashes=_EMPTY))
    document |= {"requests": _tally(record.requests), "crashes": _tally(record.crashes)}
    document["readings"] = [[each.at, each.weight] for each in record.readings]
    document["pair"] = record.pair.rows if record.pair else None
    return json.dumps(document)


def parse(text: str) -> Record:
    """What `render` wrote."""
    found = json.loads(text)
    pair = Pair(tuple(tuple(row) for row in found["pair"])) if found["pair"] else None
    return Record(**found | {
        "requests": _read_tally(found["requests"]),
        "crashes": _read_tally(found["crashes"]),
        "pair": pair,
        "readings": tuple(Reading(*each) for each in found["readings"]),
        "path": tuple(Point(**each) for each in found["path"]),
        "verdict": _said(found["verdict"]),
        "baked": _said(found["baked"]),
        "bake": _bake(found["bake"]),
    })  # fmt: skip


_EMPTY = Tally((), 0, 0)


def _said(found: dict[str, Any] | None) -> Said | None:
    return Said(**found) if found else None


def _bake(found: dict[str, Any] | None) -> Bake | None:
    if not found:
        return None
    looks = {event: tuple(tuple(each) for each in seen) for event, seen in found["looks"].items()}
    return Bake(**found | {"looks": looks})


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "metrics": tally.metrics,
        "until": tally.until,
        "looked": tally.looked,
        "seconds": tally.seconds,
        "moving": tally.moving,
        "blocks": [_block(each) for each in tally.blocks],
        "open": _block(tally.open) if tally.open else None,
        "left": tally.left,
        "broken": tally.broken,
    }


def _read_tally(found: dict[str, Any]) -> Tally:
    return Tally(**found | {
        "metrics": tuple(found["metrics"]),
        "blocks": tuple(_read_block(each) for each in found["blocks"]),
        "open": _read_block(found["open"]) if found["open"] else None,
        "left": tuple((at, reason) for at, reason in found["left"]),
    })  # fmt: skip


def _block(block: Block) -> list[Any]:
    """Short, as there are thousands of them in a long shift."""
    counts = {
        name: [each.old_requests, each.old_events, each.new_requests, each.new_events, each.least_share]
        for name, each in block.counts.items()
    }
    return [block.weight, counts, block.bins.old, block.bins.new]


def _read_block(found: list[Any]) -> Block:
    weight, counts, old, new = found
    return Block(weight, {name: Counts(*each) for name, each in counts.items()}, Bins(tuple(old), tuple(new)))
