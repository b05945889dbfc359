"""Data points and their statistics, as pure data."""

import math
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile

_KEPT = 200_000
_MINUTE = 60
SHORT_SECONDS = 3 * 3600
"""How long periods below a minute are kept.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""
_PERCENTILE = re.compile(r"(p|tm)(\d{1,2}(?:\.\d{1,10})?|100)")
# The trimmed count between absolute values, either of which may be left out.
_COUNT = re.compile(r"TC\((\d+(?:\.\d{1,10})?)?:(\d+(?:\.\d{1,10})?)?\)")
STATISTICS = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})

Key = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A value seen `count` times, or a statistic set (`low` and `high` differ). `resolution`: 1 or 60 seconds."""

    timestamp: float
    count: float
    total: float
    low: float
    high: float
    unit: str
    resolution: int = _MINUTE


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (incl.) to `end` (excl.); periods are counted from `origin`.

    All three are in the seconds that `at` makes of a sample's time stamp: real ones, or those of AWS's clock; `now` is
    the moment of asking. No sample stamped before `since`, in real time, lies in it.
    """

    start: float
    end: float
    origin: float = 0.0
    at: Callable[[float], float] = float
    since: float = -math.inf
    now: float = -math.inf

    def kept(self, width: float) -> "Span":
        """What is still there of it in periods of so many seconds."""
        return self if width >= _MINUTE else replace(self, start=max(self.start, self.now - SHORT_SECONDS))

    def moment(self, sample: Sample, width: float) -> float:
        """When a sample happened, as far as its metric tells.

        One of standard resolution is stored at its minute, so of the shorter periods of that minute the first has all
        of it and the others have no data. AWS says so of alarms: one of ten seconds gets no data in the attempts that
        are not at a minute (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html,
        Period). Of reading, its pages say no more than that such a period "must be a multiple of 60".
        """
        moment = self.at(sample.timestamp)
        if width >= _MINUTE or sample.resolution < _MINUTE:
            return moment
        return math.floor(moment / _MINUTE) * _MINUTE


class Metrics:
    """The metrics of one account and region."""

    def __init__(self) -> None:
        self._samples: defaultdict[Key, deque[Sample]] = defaultdict(lambda: deque(maxlen=_KEPT))
        # The newest stamp of each metric, and by how much a sample that came after it was older.
        self._newest: dict[Key, float] = {}
        self._late: defaultdict[Key, float] = defaultdict(float)
        self._lock = threading.Lock()

    def add(self, key: Key, sample: Sample) -> None:
        with self._lock:
            self._samples[key].append(sample)
            newest = self._newest[key] = max(self._newest.get(key, -math.inf), sample.timestamp)
            self._late[key] = max(self._late[key], newest - sample.timestamp)

    def all(self) -> list[Key]:
        with self._lock:
            return list(self._samples)

    def buckets(self, key: Key, span: Span, width: float, unit: str | None) -> dict[int, list[Sample]]:
        """The samples of a span, by the number of the period (`width` seconds) that they lie in."""
        with self._lock:
            # From the newest on: alarms look at the last minutes of what may be hours.
            oldest = span.since - self._late.get(key, 0.0)
            samples = [*takewhile(lambda item: item.timestamp >= oldest, reversed(self._samples.get(key, ())))]
        span = span.kept(width)
        found: defaultdict[int, list[Sample]] = defaultdict(list)
        for sample in reversed(samples):
            moment = span.moment(sample, width)
            if span.start <= moment < span.end and (unit is None or unit == sample.unit):
                found[math.floor((moment - span.origin) / width)].append(sample)
        return dict(found)


def key_of(namespace: str, name: str, dimensions: Mapping[str, str]) -> Key:
    return namespace, name, frozenset(dimensions.items())


def statistic(name: str, samples: Iterable[Sample]) -> float | None:
    """One statistic of some samples, e.g. `Average`, `p99`, `tm90`, `TC(100:)`. None where the samples do not give it.

    Raises ValueError for a name that is no statistic.
    """
    items = list(samples)
    count = sum(sample.count for sample in items)
    if name in STATISTICS:
        if not items or not count:
            return None
        total = sum(sample.total for sample in items)
        return {
            "SampleCount": count,
            "Sum": total,
            "Average": total / count,
            "Minimum": min(sample.low for sample in items),
            "Maximum": max(sample.high for sample in items),
        }[name]
    match, between = _PERCENTILE.fullmatch(name), _COUNT.fullmatch(name)
    if not match and not (between and any(between.groups())):
        raise ValueError(f"{name!r} is no statistic that the rehearsal computes")
    values = sorted((sample.low, sample.count) for sample in items if sample.low == sample.high)
    if not values:
        return None
    if not match:
        assert between is not None
        return _count(values, float(between[1] or -math.inf), float(between[2] or math.inf))
    fraction = float(match[2]) / 100
    return _percentile(values, fraction) if match[1] == "p" else _trimmed_mean(values, fraction)


def _percentile(values: list[tuple[float, float]], fraction: float) -> float:
    """Linear between the closest ranks."""
    expanded_count = sum(count for _, count in values)
    rank = fraction * (expanded_count - 1)
    below, above = _at(values, math.floor(rank)), _at(values, math.ceil(rank))
    return below + (above - below) * (rank - math.floor(rank))


def _at(values: list[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for value, count in values:
        seen += count
        if rank < seen:
            return value
    return values[-1][0]


def _count(values: list[tuple[float, float]], low: float, high: float) -> float:
    """Without what is at the lower boundary, with what is at the upper one.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    return sum(count for value, count in values if low < value <= high)


def _trimmed_mean(values: list[tuple[float, float]], fraction: float) -> float:
    limit = fraction * sum(count for _, count in values)
    taken, total = 0.0, 0.0
    for value, count in values:
        part = min(count, limit - taken)
        if part <= 0:
            break
        taken += part
        total += value * part
    return total / taken if taken else values[0][0]
