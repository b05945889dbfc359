"""Structured log lines and metrics on standard output, in CloudWatch's embedded metric format.

Written by hand: the libraries for it cost a quarter of a second at every cold start.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping

Number = int | float


def log(level: str, message: str, **fields: object) -> None:
    """One JSON line: level, message and whatever helps to understand it."""
    _write({"level": level, "message": message, **fields})


def emit(
    namespace: str,
    dimensions: Mapping[str, str],
    sets: list[list[str]],
    metrics: Mapping[str, tuple[Number | list[float], str]],
    **properties: object,
) -> None:
    """One line of embedded metrics.

    `sets` are the dimension sets under which each metric is published; `metrics` maps a name to value and unit
    (`Count`, `Milliseconds`, `None`), where a value may be a list of up to 100 numbers; `properties` are searchable in
    the logs, without becoming metrics.
    """
    definitions = [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()]
    directive = {"Namespace": namespace, "Dimensions": sets, "Metrics": definitions}
    values = {name: value for name, (value, _) in metrics.items()}
    _write(
        {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
            **dimensions,
            **values,
            **properties,
        }
    )


def _write(document: Mapping[str, object]) -> None:
    # One write per line: a line torn in two is neither a log record nor a metric.
    sys.stdout.write(json.dumps(document, default=str) + "\n")
    sys.stdout.flush()
