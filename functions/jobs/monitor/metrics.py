"""The metrics of an analysis, for alarms and dashboard."""

from __future__ import annotations

from typing import Any

from contracts.monitoring import ANALYSES, DRIFT, NAMESPACE, RECORDS
from functions.jobs.monitor.summary import Asked, Seen

# CloudWatch takes a thousand at once.
_MOST = 1000


def metrics(asked: Asked, seen: Seen) -> list[dict[str, Any]]:
    """As PutMetricData takes them, without a time: an analysis speaks when it ends."""
    service = [{"Name": "Service", "Value": asked.service}]
    endpoint = [*service, {"Name": "Endpoint", "Value": asked.endpoint}]
    drift = [
        _metric(DRIFT, distance, [*endpoint, {"Name": "Feature", "Value": name}], "None")
        for name, distance in seen.distances.items()
        if seen.judged
    ]
    return [
        *drift,
        _metric(RECORDS, seen.records, service, "Count"),
        # Last: what comes after all others is there only if they are.
        _metric(ANALYSES, 1, service, "Count"),
    ]


def _metric(name: str, value: float, dimensions: list[dict[str, str]], unit: str) -> dict[str, Any]:
    return {"MetricName": name, "Value": float(value), "Dimensions": dimensions, "Unit": unit}


def publish(cloudwatch: Any, found: list[dict[str, Any]]) -> None:
    """Send them. `cloudwatch` is a boto3 client."""
    for start in range(0, len(found), _MOST):
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=found[start : start + _MOST])
