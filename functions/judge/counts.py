"""What of a shift is counted: the windows of ten seconds that the judge may compare, and why the others are left out.

The comparison is only as honest as its counts, so each rule here keeps one assumption of functions/judge/evidence.py:

| rule | what it keeps |
|---|---|
| left out: a window in which weights moved, or may have | the share is constant, so it may be multiplied with a rate |
| counted once, when three minutes old, never revised | reports that come late cannot be chosen by what they say |
| first calls of new sandboxes do not count (the predict function leaves them out) | the new version has more of them |
| a judge that looked away for two minutes ends it | weights were not read, and nobody would have been warned |

What only AWS counts (requests that crash the function) comes by the minute. There, windows in which the weight moved
are kept, with the larger weight as the least share that evidence may reckon with: no event was likelier to be the new
version's. That is less than could be seen, and never too much.

Windows, and not minutes: a shift whose steps last a minute has no clock minute in which nothing moves. CloudWatch
keeps metrics of the embedded format by the second where their StorageResolution is 1, for three hours:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

WINDOW_SECONDS = 10
AGE_SECONDS = 180
"""From the window's end. What comes later is lost, and lost alike for both versions."""
MISSED_SECONDS = 120
"""Between two looks, where these are planned to be no further apart than half of it."""
BLOCK_REQUESTS = 20
"""Windows of one weight are added up to blocks of so many requests: the share of three requests says little."""


@dataclass(frozen=True)
class Counts:
    """Of one metric, over the same time: requests and events (failed, or slow) of the old version and the new one.

    Whole numbers but for bins of predictions, where a request counts by parts.
    """

    old_requests: float
    old_events: float
    new_requests: float
    new_events: float
    least_share: float = 0.0

    @property
    def share(self) -> float:
        """Of the requests, the new version's. There is at least one request."""
        return self.new_requests / (self.old_requests + self.new_requests)

    @property
    def bounded_share(self) -> float:
        """No event of a version that is no worse is likelier to be the new one's."""
        return max(self.share, self.least_share)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.old_requests + other.old_requests,
            self.old_events + other.old_events,
            self.new_requests + other.new_requests,
            self.new_events + other.new_events,
            max(self.least_share, other.least_share),
        )


NOTHING = Counts(0, 0, 0, 0)


@dataclass(frozen=True)
class Bins:
    """Requests in each bin of the predictions, of both versions over the same time; none where nothing was answered.

    A request of several rows counts in several bins by parts.
    """

    old: tuple[float, ...] = ()
    new: tuple[float, ...] = ()

    def __add__(self, other: Bins) -> Bins:
        return Bins(_sum(self.old, other.old), _sum(self.new, other.new))


@dataclass(frozen=True)
class Reported:
    """By one version, in one window. `events`: metric → requests with that event. `bins`: requests by the bin of their
    prediction."""

    requests: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    bins: tuple[float, ...] = ()

    def counted(self, metric: str) -> tuple[int, int]:
        """Requests, and those with the event. A line of metrics that comes twice must not make more events of it."""
        return self.requests, min(self.events.get(metric, 0), self.requests)


@dataclass(frozen=True)
class Reading:
    """Of the alias: when it was read, in epoch seconds, and the new version's weight."""

    at: float
    weight: float


@dataclass(frozen=True)
class Window:
    """Ten seconds, or the tally's, from `start`, in epoch seconds."""

    start: float
    old: Reported = Reported()
    new: Reported = Reported()


@dataclass(frozen=True)
class Block:
    """Windows of one weight, added up; metric → counts."""

    weight: float
    counts: Mapping[str, Counts]
    bins: Bins = Bins()

    @property
    def requests(self) -> float:
        """Of both versions. Every metric has the same."""
        return max((each.old_requests + each.new_requests for each in self.counts.values()), default=0)

    def __add__(self, other: Block) -> Block:
        counts = {name: each + other.counts[name] for name, each in self.counts.items()}
        return replace(self, counts=counts, bins=self.bins + other.bins)


@dataclass(frozen=True)
class Tally:
    """Everything the judge remembers between two looks.

    `seconds`: of its windows. `moving`: whether those are kept in which the weight moved.
    `until`: windows that start before were dealt with. `left`: start and reason of each window that was left out.
    `broken`: why the shift can no longer be judged; empty as long as it can.
    """

    metrics: tuple[str, ...]
    until: float
    looked: float
    seconds: int = WINDOW_SECONDS
    moving: bool = False
    blocks: tuple[Block, ...] = ()
    open: Block | None = None
    left: tuple[tuple[float, str], ...] = ()
    broken: str = ""

    def counts(self, metric: str) -> tuple[Counts, ...]:
        """Of the closed blocks, in the order of time."""
        return tuple(block.counts[metric] for block in self.blocks)

    @property
    def weights(self) -> tuple[Block, ...]:
        """The closed blocks added up, one for each weight."""
        found: dict[float, Block] = {}
        for block in self.blocks:
            found[block.weight] = found[block.weight] + block if block.weight in found else block
        return tuple(found.values())

    def by_weight(self, metric: str) -> tuple[Counts, ...]:
        """Of the closed blocks, one for each weight."""
        return tuple(block.counts[metric] for block in self.weights)


def look(
    tally: Tally, now: float, windows: Sequence[Window], readings: Sequence[Reading], missed: float = MISSED_SECONDS
) -> Tally:
    """Counts what has become old enough since the last look. A window that nobody reported had no request.

    `missed`: seconds for which the judge may look away.
    """
    if now - tally.looked > missed:
        away = f"the judge did not look for {now - tally.looked:.0f} s, and {missed:.0f} s are allowed"
        tally = replace(tally, broken=tally.broken or away)
    reported = {window.start: window for window in windows}
    start = tally.until
    while start + tally.seconds + AGE_SECONDS <= now:
        tally = _count(tally, reported.get(start, Window(start)), readings)
        start += tally.seconds
    return replace(tally, until=start, looked=now)


def close(tally: Tally) -> Tally:
    """At the shift's end: what is in the open block counts too, however little it is."""
    return tally if tally.open is None else replace(tally, blocks=(*tally.blocks, tally.open), open=None)


def _count(tally: Tally, window: Window, readings: Sequence[Reading]) -> Tally:
    weight, reason = _weight(tally, window.start, readings)
    if reason:
        return replace(tally, left=(*tally.left, (window.start, reason)))
    if tally.open is not None and tally.open.weight != weight:
        tally = close(tally)
    least = weight if tally.moving else 0.0
    counts = {name: Counts(*window.old.counted(name), *window.new.counted(name), least) for name in tally.metrics}
    block = Block(weight, counts, Bins(window.old.bins, window.new.bins))
    block = block if tally.open is None else tally.open + block
    # Closed by the number of requests, which says nothing of their outcome: closing by events would choose the share.
    tally = replace(tally, open=block)
    return close(tally) if block.requests >= BLOCK_REQUESTS else tally


def _weight(tally: Tally, start: float, readings: Sequence[Reading]) -> tuple[float, str]:
    """The weight all through a window, or where it may move the largest one, or why it is left out.

    The readings next to it on either side must agree. A shift's weights only grow, so nothing moved between them.
    """
    end = start + tally.seconds
    before = max((each for each in readings if each.at <= start), key=lambda each: each.at, default=None)
    after = min((each for each in readings if each.at >= end), key=lambda each: each.at, default=None)
    if before is None or after is None:
        return 0.0, "weights not read"
    if before.weight != after.weight and not tally.moving:
        return 0.0, "weights moved"
    if not 0 < after.weight < 1:
        return 0.0, "one version only"
    return after.weight, ""


def _sum(one: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip_longest(one, other, fillvalue=0.0))
