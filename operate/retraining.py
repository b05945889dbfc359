"""What started, or did not start, a run by itself, and why."""

from typing import Any

from contracts.names import DELIVERY
from contracts.retraining import LEDGER_KEY
from functions.retrain.ledger import Decision, Run, parse_ledger
from operate.clients import Clients
from operate.project import Project

_SHOWN = 10


def retraining(clients: Clients, project: Project) -> dict[str, Any]:
    """Whether retraining is on, the runs that it began and its last decisions, the newest first."""
    config = project.config.get("glidepath:retrain") or {}
    found: dict[str, Any] = {"enabled": bool(config.get("enabled", True)), "runs": [], "decisions": []}
    s3 = clients.of(DELIVERY, "s3")
    place = {"Bucket": project.names.artifacts_bucket}
    try:
        listed = s3.list_objects_v2(**place, Prefix=LEDGER_KEY, MaxKeys=1)
    except s3.exceptions.NoSuchBucket:
        return found
    if not listed.get("KeyCount"):
        return found
    ledger = parse_ledger(s3.get_object(**place, Key=LEDGER_KEY)["Body"].read().decode())
    found["runs"] = [_run(run) for run in reversed(ledger.runs[-_SHOWN:])]
    found["decisions"] = [_decision(decision) for decision in reversed(ledger.decisions[-_SHOWN:])]
    return found


def _run(run: Run) -> dict[str, Any]:
    return {
        "at": f"{run.at:%Y-%m-%dT%H:%M:%SZ}",
        "execution": run.execution or None,
        "reason": run.reason,
        "why": run.why,
        "data": {"uri": run.uri, "version": run.version},
    }


def _decision(made: Decision) -> dict[str, Any]:
    return {
        "at": f"{made.at:%Y-%m-%dT%H:%M:%SZ}",
        "reason": made.reason,
        "why": made.why,
        "brake": made.brake or None,
        "words": made.words,
        "execution": made.execution or None,
    }
