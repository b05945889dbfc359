"""What both versions reported, as CloudWatch gives it: windows of ten seconds, crashes by the minute.

Data of high resolution can be asked by periods of ten seconds for three hours:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import judging
from functions.judge.counts import Reported, Window
from functions.judge.record import CRASHED, FAILED, SLOW
from functions.shared import metrics

Metric = tuple[str, str, dict[str, str]]
"""Namespace, name and dimensions."""
_WEEK = 7 * 86_400
_HOUR = 3_600
_QUERIES = 500
"""In one call: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""


@dataclass(frozen=True)
class Source:
    """Where a version's reports are. `client` is a boto3 CloudWatch client, `alias` that of the function."""

    client: Any
    namespace: str
    service: str
    function: str
    alias: str

    def windows(self, start: float, end: float, now: float, old: str, new: str, bins: tuple[int, int]) -> list[Window]:
        """Of ten seconds, from `start` to `end`; those without any request are left out. `bins`: of either version."""
        names = {old: self._names(bins[0]), new: self._names(bins[1])}
        found = self._sums(
            {(version, name): self._own(version, name) for version in names for name in names[version]},
            start, end, now, 10,
        )  # fmt: skip
        return [
            Window(at, *(self._reported(values, version, names[version]) for version in (old, new)))
            for at, values in found.items()
        ]

    def crashes(self, start: float, end: float, now: float, old: str, new: str) -> list[Window]:
        """By the minute, of what Lambda counts of the alias's versions."""
        names = ("Invocations", "Errors")
        wanted = {(version, name): self._executed(version, name) for version in (old, new) for name in names}
        found = self._sums(wanted, start, end, now, 60)
        return [
            Window(at, *(_crashed(*(values.get((version, name), 0) for name in names)) for version in (old, new)))
            for at, values in found.items()
        ]

    def all_crashes(self, start: float, end: float, now: float) -> list[Window]:
        """By the minute, of all that came by the alias, whichever version it was: at full traffic, the one that serves.

        AWS describes the counts by version for aliases that share traffic between two, and says nothing of others:
        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
        """
        names = ("Invocations", "Errors")
        found = self._sums({("", name): self._aliased(name) for name in names}, start, end, now, 60)
        return [
            Window(at, new=_crashed(*(values.get(("", name), 0) for name in names))) for at, values in found.items()
        ]

    def week(self, version: str, now: float) -> dict[str, tuple[int, int]]:
        """Event → requests and events of a version in the last seven days; crashes of all that came by the alias."""
        wanted = {(FAILED, name): self._own(version, name) for name in (judging.JUDGED, judging.FAILED, judging.SLOW)}
        wanted |= {(CRASHED, name): self._aliased(name) for name in ("Invocations", "Errors")}
        found = self._sums(wanted, now - _WEEK, now, now, _HOUR)
        summed: dict[tuple[str, str], float] = {}
        for values in found.values():
            for key, value in values.items():
                summed[key] = summed.get(key, 0) + value

        def seen(kind: str, name: str) -> int:
            return round(summed.get((kind, name), 0))

        requests = seen(FAILED, judging.JUDGED)
        return {
            FAILED: (requests, seen(FAILED, judging.FAILED)),
            SLOW: (requests, seen(FAILED, judging.SLOW)),
            CRASHED: (seen(CRASHED, "Invocations"), seen(CRASHED, "Errors")),
        }

    def _names(self, bins: int) -> list[str]:
        return [judging.JUDGED, judging.FAILED, judging.SLOW, *(f"Bin{number}" for number in range(bins))]

    def _own(self, version: str, name: str) -> Metric:
        return self.namespace, name, {"Service": self.service, "Version": version}

    def _executed(self, version: str, name: str) -> Metric:
        return "AWS/Lambda", name, {**self._behind_alias, "ExecutedVersion": version}

    def _aliased(self, name: str) -> Metric:
        return "AWS/Lambda", name, self._behind_alias

    @property
    def _behind_alias(self) -> dict[str, str]:
        return {"FunctionName": self.function, "Resource": f"{self.function}:{self.alias}"}

    def _reported(self, values: Mapping[tuple[str, str], float], version: str, names: Sequence[str]) -> Reported:
        requests, failed, slow, *bins = (values.get((version, name), 0.0) for name in names)
        events = {FAILED: round(failed), SLOW: round(slow)}
        return Reported(requests=round(requests), events=events, bins=tuple(bins) if any(bins) else ())

    def _sums(
        self, wanted: Mapping[tuple[str, str], Metric], start: float, end: float, now: float, period: int
    ) -> dict[float, dict[tuple[str, str], float]]:
        """Start of a period → key → sum, in the order of time. Nothing is asked where nothing is old enough yet."""
        if end <= start:
            return {}
        keys = list(wanted)
        queries = [metrics.query(f"m{number}", *wanted[key], "Sum", period) for number, key in enumerate(keys)]
        found: dict[float, dict[tuple[str, str], float]] = {}
        for first in range(0, len(queries), _QUERIES):
            # Asked up to this moment, and cut to what is wanted: the answer is the same, whenever it is asked.
            for identity, at, value in metrics.series(self.client, queries[first : first + _QUERIES], start, now):
                if start <= at < end:
                    found.setdefault(at, {})[keys[int(identity[1:])]] = value
        return dict(sorted(found.items()))


def _crashed(invocations: float, errors: float) -> Reported:
    return Reported(requests=round(invocations), events={CRASHED: round(errors)})
