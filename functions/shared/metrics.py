"""Asking CloudWatch for metrics' data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


class IncompleteError(Exception):
    """A part of the answer is missing. Counted as nothing, it would hide a fault, or convict a good release.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataResult.html
    """


def query(
    identity: str, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str, period: int
) -> dict[str, Any]:
    """One query of GetMetricData."""
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    wanted = {"Namespace": namespace, "MetricName": metric, "Dimensions": pairs}
    return {"Id": identity, "MetricStat": {"Metric": wanted, "Period": period, "Stat": statistic}}


def _results(client: Any, queries: Sequence[Mapping[str, Any]], start: float, end: float) -> Iterator[dict[str, Any]]:
    """Each result of every page, as GetMetricData has it. `start` and `end` are epoch seconds."""
    request: dict[str, Any] = {
        "MetricDataQueries": list(queries),
        "StartTime": datetime.fromtimestamp(start, UTC),
        "EndTime": datetime.fromtimestamp(end, UTC),
    }
    while True:
        page = client.get_metric_data(**request)
        yield from page["MetricDataResults"]
        token = page.get("NextToken")
        if not token:
            return
        if token == request.get("NextToken"):
            raise IncompleteError("CloudWatch gave the same page twice: to be asked again")
        request["NextToken"] = token


def series(
    client: Any, queries: Sequence[Mapping[str, Any]], start: float, end: float
) -> Iterator[tuple[str, float, float]]:
    """Id of the query, start of a period in epoch seconds, and its value; raises IncompleteError at the end."""
    status: dict[str, str] = {}
    for result in _results(client, queries, start, end):
        # Where there are more pages, all but the last one say PartialData.
        status[result["Id"]] = result["StatusCode"]
        for at, value in zip(result["Timestamps"], result["Values"], strict=True):
            yield result["Id"], at.timestamp(), value
    incomplete = {code for code in status.values() if code != "Complete"}
    if incomplete:
        raise IncompleteError(f"CloudWatch answered in part ({', '.join(sorted(incomplete))}): to be asked again")
