"""The end of an analysis: what failed is measured, and drift is told each time that it is found again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3

from contracts.monitoring import DETAIL_TYPE, SOURCE, drift_detail
from functions.monitor.metrics import failure
from functions.monitor.window import Release, Window, of_job
from functions.shared.log import log
from functions.shared.store import read_text


def tell(detail: Mapping[str, Any], release: Release, environment: Mapping[str, str]) -> dict[str, str]:
    """What came of a job, by SageMaker's event for its end."""
    name, status = detail["ProcessingJobName"], detail["ProcessingJobStatus"]
    window = of_job(name, release)
    if window is None:
        log("INFO", "a job of another release", job=name)
        return {"ignored": name}
    if status != "Completed":
        reason = detail.get("FailureReason") or detail.get("ExitMessage") or "no reason was given"
        log("ERROR", f"the analysis ended as {status}: {reason}", job=name)
        failure(release.service)
        return {"failed": name}
    return _completed(name, window, release, environment)


def _completed(name: str, window: Window, release: Release, environment: Mapping[str, str]) -> dict[str, str]:
    report = f"s3://{environment['CAPTURE_BUCKET']}/{window.reports(release)}summary.json"
    summary = json.loads(read_text(boto3.client("s3"), report))
    log("INFO", summary["sentence"], job=name)
    drifted = summary["drifted"]
    if not drifted:
        return {"completed": name}
    # The alarm may have been in ALARM for hours: it speaks when it changes, and this each time.
    found = drift_detail(environment["ENV"], release.id, release.endpoint, drifted, (window.start, window.end), report)
    entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(found)}
    answer = boto3.client("events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"the event on drift was refused: {answer['Entries'][0].get('ErrorMessage')}")
    log("WARNING", "drift", features=drifted, report=report)
    return {"drift": name}
