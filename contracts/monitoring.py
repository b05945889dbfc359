"""What the monitor tells others: its alarms' names, its metrics, and the event that says that drift persists.

The event is put on the default bus of the environment's account after each analysis, for as long as drift lasts: an
alarm speaks only when it changes its state. Whoever starts retrainings listens to it, and to the alarm's own change.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

NAMESPACE = "Glidepath/Monitor"
"""Namespace of the metrics of an analysis."""
ANALYSES = "Analyses"
"""Metric: 1 for each analysis that came to an end, too few records included. Dimension `Service`."""
FAILURES = "Failures"
"""Metric: 1 for each analysis that could not be started, or that failed. Dimension `Service`."""
RECORDS = "Records"
"""Metric: rows that an analysis found. Dimension `Service`."""
DRIFT = "Drift"
"""Metric: distance of a column from the baseline, 0 to 1. Dimensions `Service`, `Endpoint` and `Feature`."""
SOURCE = "glidepath.monitor"
"""`source` of the monitor's events."""
DETAIL_TYPE = "Drift"
"""`detail-type` of the event that says that drift persists."""
ARCHIVE = "analyzer.zip"
"""Name of the analyzer's archive, beside the workflow's code."""
REPORTS = "monitor"
"""First part of the keys of reports in the capture bucket."""
CAPTURED = "capture"
"""First part of the keys of captured requests in the capture bucket."""
GOLDEN_IDS = "golden-"
"""What the traffic hooks' inference ids begin with. No caller may choose one: the hook after traffic looks for them."""
REPLAY_IDS = "replay-"
"""What the inference ids of captured requests begin with that are sent to a new version before traffic: no caller's,
and not judged as one. No caller may choose one either: whoever could would not be counted."""
PROBES = "probe-"
"""What the inference ids of the probe's requests begin with: no caller's, and not judged as one."""


def jobs(service: str) -> str:
    """What the names of an environment's analyses begin with; `service` is `{name}-{env}`."""
    return f"{service}-monitor-"


def drift_alarm(service: str, feature: str) -> str:
    """Name of the alarm on one feature's drift; `service` is `{name}-{env}`."""
    return f"{drift_alarms(service)}{feature}"


def drift_alarms(service: str) -> str:
    """What the names of all drift alarms of an environment begin with."""
    return f"{service}-drift-"


def drift_detail(
    env: str,
    release: str,
    endpoint: str,
    features: Sequence[str],
    window: tuple[datetime.datetime, datetime.datetime],
    report: str,
) -> dict[str, Any]:
    """`detail` of the event: which features, of which release, in which hour, and where the report lies."""
    return {
        "env": env,
        "release": release,
        "endpoint": endpoint,
        "features": list(features),
        "window": {"start": stamp(window[0]), "end": stamp(window[1])},
        "report": report,
    }


def stamp(moment: datetime.datetime) -> str:
    """`2026-11-21T03:00:00Z`."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: UP017
