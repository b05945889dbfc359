"""Metrics of what no job could measure, in CloudWatch's embedded format on standard output."""

from __future__ import annotations

import json
import sys
import time

from contracts.monitoring import ANALYSES, FAILURES, NAMESPACE, RECORDS


def failure(service: str) -> None:
    """An analysis that could not be started, or that failed."""
    _write(service, {FAILURES: 1})


def nothing(service: str) -> None:
    """An hour without a record: that, too, is an analysis."""
    _write(service, {RECORDS: 0, ANALYSES: 1})


def _write(service: str, values: dict[str, int]) -> None:
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Service"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
    }
    document = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "Service": service,
        **values,
    }
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()
