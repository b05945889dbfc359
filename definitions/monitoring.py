"""What watches an environment's data by itself: the schedule's expressions, and alarms as pure data."""

import re
from collections.abc import Sequence
from typing import Any

from contracts.monitoring import ANALYSES, DRIFT, FAILURES, NAMESPACE
from definitions.health import METRICS

_CRON = re.compile(r"cron\((?P<minute>\d+) (?P<hour>\*|\d+)(?:/(?P<every>\d+))? \? \* \* \*\)")
_HOUR = 3600
# So many periods with requests and without an analysis, one after the other: one beat may be late, or fall out.
_SILENT_HOURS, _SILENT_PERIODS = 3, 2


def hours_between(schedule: str) -> int:
    """Hours from one run to the next."""
    match = _CRON.fullmatch(schedule)
    if match is None:
        raise ValueError(f"{schedule} is no hourly or daily schedule")  # settings refuse this before
    if match["hour"] == "*":
        return 1
    return int(match["every"] or 24)


def on_the_hour(schedule: str) -> str:
    """The schedule as SageMaker's monitor takes it: it begins within twenty minutes of the full hour."""
    return re.sub(r"\(\d+ ", "(0 ", schedule)


def drift(service: str, endpoint: Any, feature: str) -> dict[str, Any]:
    """The metric of one column's drift, as an alarm names it."""
    return {
        "namespace": NAMESPACE,
        "metric_name": DRIFT,
        "dimensions": {"Service": service, "Endpoint": endpoint, "Feature": feature},
    }


def failed(service: str) -> dict[str, Any]:
    """Arguments of the alarm on an analysis that could not be started, or that failed."""
    return {
        "namespace": NAMESPACE,
        "metric_name": FAILURES,
        "dimensions": {"Service": service},
        "statistic": "Sum",
        "comparison_operator": "GreaterThanOrEqualToThreshold",
        "threshold": 1,
        "period": _HOUR,
        "evaluation_periods": 1,
        "treat_missing_data": "notBreaching",
    }


def missing(service: str, schedule: str) -> dict[str, Any]:
    """Arguments of the alarm on analyses that do not come although there are requests to look at.

    Without requests there is no data, so an environment that nobody asks, or that has just been made, is not ill.
    """
    hours = hours_between(schedule)
    return {
        "comparison_operator": "LessThanThreshold",
        "threshold": 1,
        "evaluation_periods": _SILENT_HOURS if hours == 1 else _SILENT_PERIODS,
        "treat_missing_data": "notBreaching",
        "metric_queries": [
            _query("requests", METRICS, "Requests", service, hours),
            _query("analyses", NAMESPACE, ANALYSES, service, hours),
            {
                "id": "watched",
                "expression": "IF(requests > 0, FILL(analyses, 0), 1)",
                "label": "analyses while there are requests",
                "return_data": True,
            },
        ],
    }


def _query(name: str, namespace: str, metric: str, service: str, hours: int) -> dict[str, Any]:
    measured = {
        "namespace": namespace,
        "metric_name": metric,
        "dimensions": {"Service": service},
        "stat": "Sum",
        "period": hours * _HOUR,
    }
    return {"id": name, "metric": measured, "return_data": False}


def ended(prefix: str) -> dict[str, Any]:
    """The pattern of EventBridge's rule for the end of an analysis; `prefix` is that of the jobs' names."""
    return {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Processing Job State Change"],
        "detail": {
            "ProcessingJobName": [{"prefix": prefix}],
            "ProcessingJobStatus": ["Completed", "Failed", "Stopped"],
        },
    }


def drift_rows(service: str, endpoint: Any, features: Sequence[str]) -> list[list[Any]]:
    """The dashboard's lines: how far each column is from the baseline."""
    dimensions = ["Service", service, "Endpoint", endpoint, "Feature"]
    return [[NAMESPACE, DRIFT, *dimensions, feature, {"label": feature}] for feature in features]
