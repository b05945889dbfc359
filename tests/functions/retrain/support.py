"""Events, and a pipeline that is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENVIRONMENT = {
    "NAME": "glidepath",
    "ENVIRONMENTS": "dev,prod",
    "COUNTED": "prod",
    "ENABLED": "true",
    "COOLDOWN_MINUTES": "1440",
    "RUNS": "3",
    "PERIOD_DAYS": "30",
    "DATA_BUCKET": "data-bucket",
    "DATA_FOLDER": "collected/",
    "DATA_DAYS": "0",
    "ARTIFACTS_BUCKET": "artifacts",
}


def alarm(event: str = "e1", env: str = "prod", value: str = "ALARM", feature: str = "distance") -> dict[str, Any]:
    """CloudWatch's event, as its documentation shows it."""
    name = f"glidepath-{env}-drift-{feature}"
    return {
        "version": "0", "id": event, "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch",
        "account": "333333333333", "time": "2026-11-21T12:00:00Z", "region": "eu-west-1",
        "resources": [f"arn:aws:cloudwatch:eu-west-1:333333333333:alarm:{name}"],
        "detail": {"alarmName": name, "state": {"value": value}, "previousState": {"value": "OK"}},
    }  # fmt: skip


def drift(event: str = "e1", env: str = "prod") -> dict[str, Any]:
    """The monitor's event for drift that persists."""
    window = {"start": "2026-11-21T11:00:00Z", "end": "2026-11-21T12:00:00Z"}
    detail = {
        "env": env, "release": "20261121-1a2b3c4d", "endpoint": "e", "features": ["distance", "passengers"],
        "window": window, "report": "s3://capture/monitor/e/1.json",
    }  # fmt: skip
    return {"id": event, "source": "glidepath.monitor", "detail-type": "Drift", "detail": detail}


def schedule(event: str = "e1") -> dict[str, Any]:
    """What the schedule hands over."""
    return {"schedule": "retrain", "time": "2026-11-21T12:00:00Z", "id": event}


class Pipeline:
    """A codepipeline client: one run for each token; a run goes until it is ended."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, str]] = {}
        self.going: list[str] = []
        self.runs: list[str] = []

    def start_pipeline_execution(self, **request: Any) -> dict[str, str]:
        """The real client's method."""
        assert request["name"] == "glidepath"
        token = request["clientRequestToken"]
        if token not in self.started:
            run = f"run-{len(self.runs) + 1}"
            self.runs.append(run)
            self.going.append(run)
            self.started[token] = {"run": run} | {item["name"]: item["value"] for item in request["variables"]}
        return {"pipelineExecutionId": self.started[token]["run"]}

    def list_pipeline_executions(self, **_: Any) -> dict[str, Any]:
        """The real client's method."""
        summaries = [
            {"pipelineExecutionId": run, "status": "InProgress" if run in self.going else "Succeeded"}
            for run in reversed(self.runs)
        ]
        return {"pipelineExecutionSummaries": summaries}

    def end(self) -> None:
        """Every run ends."""
        self.going = []
