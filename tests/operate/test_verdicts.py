"""What the judge has found, for people and for machines."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.errors import UserError
from contracts.judging import question_key, record_key
from contracts.names import Names
from functions.judge.record import FAILED, Record, render
from operate import verdicts
from operate.releases import Attempt
from operate.verdicts import Question
from tests.functions.judge.fakes import Aws
from tests.functions.judge.world import World, record, watch

NAMES = Names("fares", "eu-west-1", {"delivery": "1" * 12, "dev": "2" * 12, "prod": "3" * 12})
BUCKET = NAMES.capture_bucket("prod")


@pytest.fixture(scope="module")
def bad() -> Record:
    """A shift to a release that errs, up to its verdict."""
    world = World(old={FAILED: 0.001}, new={FAILED: 0.2})
    return next(each for each in watch(world, record()) if each.verdict)


def test_the_newest_record_is_found() -> None:
    aws = Aws()
    for deployment in ("d-1", "d-3"):
        aws.objects[f"{BUCKET}/{record_key(deployment)}"] = render(replace(record(), deployment=deployment)).encode()
    found = verdicts.find(aws, NAMES, "prod", ["d-4", "d-3", "d-1"])
    assert found is not None
    assert found.deployment == "d-3"
    assert verdicts.find(aws, NAMES, "prod", ["d-4"]) is None


def test_the_document_has_counts_evidence_and_verdict(bad: Record) -> None:
    found = json.loads(json.dumps(verdicts.document(bad, None)))
    failed = found["metrics"]["failed"]
    assert found["outcome"] == "fail"
    assert failed["new"]["events"] / failed["new"]["requests"] == pytest.approx(0.2, abs=0.05)
    assert failed["old"]["events"] <= failed["old"]["requests"] * 0.01
    assert failed["evidence"] > 1
    seconds = [point["second"] for point in found["evidence"]]
    assert seconds == sorted(seconds)
    assert found["evidence"][-1]["failed"] == failed["evidence"]
    assert found["left"]["weights moved"] > 0


def test_people_read_why(bad: Record) -> None:
    text = "\n".join(verdicts.lines(verdicts.document(bad, None)))
    assert text.startswith("release new over old, version 7 to 8, deployment d-1\n  Failed: failed: ")
    assert "evidence    ▁" in text
    assert "█ at most" in text
    assert "windows left out: " in text


def test_a_record_without_any_look_can_be_told() -> None:
    text = "\n".join(verdicts.lines(verdicts.document(record(), None)))
    assert "the judge has not spoken yet" in text
    assert "failed      new 0 of 0, old 0 of 0; no loss is ruled out" in text


def test_a_bake_is_told_with_what_is_allowed() -> None:
    last = watch(World(later={FAILED: 0.2}), record(), bake_minutes=30)[-1]
    found = verdicts.document(last, None)
    assert found["bake"]["outcome"] == "fail"
    text = "\n".join(verdicts.lines(found))
    assert re.search(r"bake: Failed: \d+ of \d+ requests at full traffic failed", text)
    assert "1 % allowed" in text


@pytest.mark.parametrize(
    ("status", "changes", "words"),
    [
        ("Failed", {}, "rolled back: it erred"),
        ("InProgress", {}, "under way"),
        ("Succeeded", {}, "in its bake"),
        ("Succeeded", {"over": "Held."}, "has all traffic since"),
        ("Succeeded", {"bounds": {}}, "has all traffic since"),
    ],
)
def test_people_read_what_became_of_the_release(status: str, changes: dict[str, Any], words: str) -> None:
    attempt = Attempt("d-1", "new", status, datetime(2026, 11, 21, tzinfo=UTC), cause="it erred.")
    found = verdicts.document(replace(record(), **changes), None, attempt)
    assert found["outcome_of_shift"] == words
    assert f"  outcome     {words}" in verdicts.lines(found)


def asked(aws: Aws, known: Record) -> Question | None:
    aws.objects[f"{BUCKET}/{question_key('d-1')}"] = b'{"hook": "h-1", "sentence": "Inconclusive."}'
    return verdicts.question(aws, NAMES, "prod", known)


def test_a_question_stands_until_it_is_answered(bad: Record) -> None:
    aws = Aws()
    assert verdicts.question(aws, NAMES, "prod", bad) is None
    assert asked(aws, bad) == Question("h-1", "Inconclusive.")
    assert asked(aws, replace(bad, answered=True)) is None
    assert asked(aws, replace(bad, over="the deployment has succeeded")) is None
    assert asked(aws, record()) is None


@pytest.mark.parametrize(("accept", "status"), [(True, "Succeeded"), (False, "Failed")])
def test_a_person_answers_for_the_hook(bad: Record, accept: bool, status: str) -> None:
    aws = Aws()
    said = verdicts.answer(aws, bad, Question("h-1", "Inconclusive."), accept)
    assert "deployment d-1 was told so" in said
    assert aws.reported == [{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "h-1", "status": status}]


def test_nobody_answers_what_is_not_asked(bad: Record) -> None:
    with pytest.raises(UserError, match="no question is open: deployment d-1 of release new waits for nobody"):
        verdicts.answer(Aws(), bad, None, accept=True)
    late = Aws(answered=True)
    with pytest.raises(UserError, match="waits for no answer any more"):
        verdicts.answer(late, bad, Question("h-1", "?"), accept=True)


def test_another_error_of_codedeploys_is_not_swallowed(bad: Record) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Put")

    codedeploy = SimpleNamespace(put_lifecycle_event_hook_execution_status=refuse)
    with pytest.raises(ClientError):
        verdicts.answer(codedeploy, bad, Question("h-1", "?"), accept=True)
