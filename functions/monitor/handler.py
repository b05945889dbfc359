"""Entry point of the monitor: `functions.monitor.handler.handle`.

| environment variable | meaning |
|---|---|
| `ENV`, `SERVICE` | the environment, and `{name}-{env}` |
| `RELEASE_ID`, `ENDPOINT_NAME`, `VARIANT` | the release that serves, and whose capture is looked at |
| `CAPTURE_BUCKET` | captured requests, and reports |
| `STATISTICS_URI`, `CONSTRAINTS_URI` | the release's baseline |
| `STATISTICS_SHA256`, `CONSTRAINTS_SHA256` | what the manifest vouches for; none for releases from before that |
| `IMAGE_URI`, `ROLE_ARN`, `KEY_ARN`, `INSTANCE_TYPE`, `VOLUME_GB`, `SECONDS` | the job |
| `CLASSES` | how many probabilities are answered to a row; none where it is one number |
| `LEAST_RECORDS`, `DRIFT_LIMIT` | fewer records are not judged; from this distance on a column has drifted |

Two events: the schedule's `{"scheduled": "2026-11-21T04:15:00Z"}` starts the analysis of the hour before; the end of
such a job (EventBridge) is told, and drift that persists is put on the default bus (`contracts/monitoring.py`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from functions.monitor.ended import tell
from functions.monitor.metrics import failure
from functions.monitor.start import start
from functions.monitor.window import Release
from functions.shared.log import log


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    release = release_of(os.environ)
    try:
        if "scheduled" in event:
            return start(event["scheduled"], release, os.environ)
        return tell(event["detail"], release, os.environ)
    except Exception as error:
        log("ERROR", f"{type(error).__name__}: {error}")
        failure(release.service)
        raise


def release_of(environment: Mapping[str, str]) -> Release:
    """The release that serves."""
    return Release(
        environment["SERVICE"], environment["RELEASE_ID"], environment["ENDPOINT_NAME"], environment["VARIANT"]
    )
