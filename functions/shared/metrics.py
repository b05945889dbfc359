"""Asking CloudWatch for metrics' data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def query(
    identity: str, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str, period: int
) -> dict[str, Any]:
    """One query of GetMetricData."""
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    wanted = {"Namespace": namespace, "MetricName": metric, "Dimensions": pairs}
    return {"Id": identity, "MetricStat": {"Metric": wanted, "Period": period, "Stat": statistic}}


def results(client: Any, queries: Sequence[Mapping[str, Any]], start: float, end: float) -> Iterator[dict[str, Any]]:
    """Each result of every page, as GetMetricData has it. `start` and `end` are epoch seconds."""
    request: dict[str, Any] = {
        "MetricDataQueries": list(queries),
        "StartTime": datetime.fromtimestamp(start, UTC),
        "EndTime": datetime.fromtimestamp(end, UTC),
    }
    while True:
        page = client.get_metric_data(**request)
        yield from page["MetricDataResults"]
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def points(result: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Start of a period, in epoch seconds, and its value."""
    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
        yield at.timestamp(), value
