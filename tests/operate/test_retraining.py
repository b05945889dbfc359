"""What status says of retraining: from the ledger that the function leaves, and from config."""

import io
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cli.status import retraining_line
from contracts.names import Names
from functions.retrain.ledger import Decision, Ledger, Run, render_ledger
from operate.project import Project
from operate.retraining import retraining
from tests.functions.retrain.support import NOW
from tests.program.harness import ROOT

NAMES = Names("glidepath", "eu-west-1", {"delivery": "1" * 12, "prod": "3" * 12})
BUCKET = NAMES.artifacts_bucket
RUN = Run(
    NOW, "e1", "drift", "distance has drifted", "collected/a.csv", "v1", "s3://d/collected/a.csv", (), "t", "run-1"
)
STARTED = Decision(NOW, "e1", "drift", "distance has drifted", "", "run run-1 on s3://d/collected/a.csv", "run-1")
BRAKED = Decision(NOW, "e2", "drift", "distance has drifted", "cooldown", "not before tomorrow")


class Clients:
    """One client, whatever it is asked for."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def of(self, *_: str) -> Any:
        return self._client


def read(ledger: Ledger | None, **config: Any) -> dict[str, Any]:
    client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        asked = {"Bucket": BUCKET, "Prefix": "retrain/ledger.json", "MaxKeys": 1}
        stub.add_response("list_objects_v2", {"KeyCount": 0 if ledger is None else 1}, asked)
        if ledger is not None:
            body = io.BytesIO(render_ledger(ledger).encode())
            stub.add_response("get_object", {"Body": body}, {"Bucket": BUCKET, "Key": "retrain/ledger.json"})
        project = Project(ROOT, NAMES, {"glidepath:retrain": config})
        return retraining(Clients(client), project)  # type: ignore[arg-type]


def test_nothing_was_asked_yet() -> None:
    found = read(None)
    assert found == {"enabled": True, "runs": [], "decisions": []}
    assert retraining_line(found) == "retraining nothing has asked for one yet"


def test_a_run_that_was_started() -> None:
    found = read(Ledger((RUN,), (BRAKED, STARTED)))
    assert found["runs"][0]["data"] == {"uri": "s3://d/collected/a.csv", "version": "v1"}
    assert [decision["brake"] for decision in found["decisions"]] == [None, "cooldown"]
    assert retraining_line(found) == (
        "retraining 2026-11-21T12:00:00Z: distance has drifted; started run run-1 on s3://d/collected/a.csv"
    )


def test_a_brake_that_holds_and_the_run_before_it() -> None:
    assert retraining_line(read(Ledger((RUN,), (STARTED, BRAKED)))) == (
        "retraining 2026-11-21T12:00:00Z: distance has drifted; nothing started (cooldown): not before tomorrow\n"
        "           the last run that it began: run-1, at 2026-11-21T12:00:00Z, for distance has drifted"
    )


@pytest.mark.parametrize("ledger", [None, Ledger((RUN,), (STARTED,))])
def test_switched_off(ledger: Ledger | None) -> None:
    found = read(ledger, enabled=False)
    assert found["enabled"] is False
    assert retraining_line(found) == "retraining is switched off (glidepath:retrain.enabled)"
