"""Entry point of the retraining: `functions.retrain.handler.handle`.

| environment variable | meaning |
|---|---|
| `NAME`             | the project's name, which is the pipeline's; alarms are `{NAME}-{env}-drift-<feature>` |
| `ENVIRONMENTS`     | every environment, separated by commas |
| `COUNTED`          | those whose drift counts |
| `ENABLED`          | `true` or `false` |
| `COOLDOWN_MINUTES` | from the start of one retraining to that of the next |
| `RUNS`, `PERIOD_DAYS` | how many may begin in so many days |
| `DATA_BUCKET`, `DATA_FOLDER` | where new rows lie |
| `DATA_DAYS`        | `0`: the newest object; else all objects of the last days, joined |
| `ARTIFACTS_BUCKET` | bucket of the runs, and of what this function remembers |

Event: EventBridge's `CloudWatch Alarm State Change`, the monitor's `Drift` (`contracts.monitoring`), or the schedule's
`{"schedule", "time", "id"}`. Answer: `{"execution": <id>}`, or `{"brake": <name>, "reason": <sentence>}`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from functions.retrain.asked import parse_event
from functions.retrain.brakes import Limits
from functions.retrain.retraining import Places, Retraining
from functions.shared.log import log


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    return retrain(boto3.client("s3"), boto3.client("codepipeline"), event, os.environ, datetime.now(UTC))


def retrain(
    s3: Any, codepipeline: Any, event: Mapping[str, Any], environment: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """Decide, start or not, and say why."""
    asked = parse_event(event, environment["NAME"], environment["ENVIRONMENTS"].split(","))
    made = Retraining(s3, codepipeline, _places(environment), _limits(environment)).ask(asked, now)
    told = {"event": asked.event, "asked": asked.reason, "why": asked.why}
    if made.brake:
        log("INFO", "nothing started", brake=made.brake, reason=made.words, **told)
        return {"brake": made.brake, "reason": made.words}
    log("INFO", "started", execution=made.execution, data=made.words, **told)
    return {"execution": made.execution}


def _places(environment: Mapping[str, str]) -> Places:
    return Places(
        environment["NAME"],
        environment["DATA_BUCKET"],
        environment["ARTIFACTS_BUCKET"],
        environment["DATA_FOLDER"],
        int(environment["DATA_DAYS"]),
    )


def _limits(environment: Mapping[str, str]) -> Limits:
    return Limits(
        environment["ENABLED"] == "true",
        tuple(environment["COUNTED"].split(",")),
        timedelta(minutes=int(environment["COOLDOWN_MINUTES"])),
        int(environment["RUNS"]),
        timedelta(days=int(environment["PERIOD_DAYS"])),
    )
