"""What follows from the judge's verdict."""

from __future__ import annotations

import json

import pytest

from contracts.judging import question_key, record_key
from functions.after_traffic import verdict
from functions.after_traffic.verdict import UNSPOKEN, Policy, ask, await_verdict, follow
from functions.shared.hook import AskedError, HookError
from tests.functions.judge.fakes import BUCKET, Aws
from tests.times import own_time


def record(verdict: dict[str, str] | None) -> bytes:
    return json.dumps({"verdict": verdict}).encode()


class Clock:
    """Sleeps by moving on; after `speaks` seconds the judge has spoken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, aws: Aws, speaks: float) -> None:
        self.now, self._aws, self._speaks = 0.0, aws, speaks
        own_time(monkeypatch, verdict, monotonic=lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self._speaks:
            said = {"outcome": "pass", "sentence": "Passed."}
            self._aws.objects[f"{BUCKET}/{record_key('d-1')}"] = record(said)


def test_the_verdict_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(objects={f"{BUCKET}/{record_key('d-1')}": record(None)})
    clock = Clock(monkeypatch, aws, speaks=200)
    assert await_verdict(aws, BUCKET, "d-1", 600, clock.sleep) == ("pass", "Passed.")
    assert clock.now == 200


@pytest.mark.parametrize("there", [False, True])
def test_a_judge_that_does_not_speak_is_inconclusive(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    aws = Aws(objects={f"{BUCKET}/{record_key('d-1')}": record(None)} if there else {})
    clock = Clock(monkeypatch, aws, speaks=1e9)
    outcome, sentence = await_verdict(aws, BUCKET, "d-1", 600, clock.sleep)
    assert outcome == UNSPOKEN
    assert "has not spoken for 600 s" in sentence
    assert clock.now == 600


def test_another_deployments_record_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(objects={f"{BUCKET}/{record_key('d-10')}": record({"outcome": "pass", "sentence": "Passed."})})
    clock = Clock(monkeypatch, aws, speaks=1e9)
    assert await_verdict(aws, BUCKET, "d-1", 10, clock.sleep)[0] == UNSPOKEN


def nobody(_sentence: str) -> None:
    raise AssertionError("nobody is to be asked")


@pytest.mark.parametrize("inconclusive", ["accept", "ask", "return"])
def test_a_clear_verdict_needs_no_policy(inconclusive: str) -> None:
    policy = Policy(inconclusive, "return")
    assert follow("pass", "Passed.", policy, nobody) == "Passed."
    with pytest.raises(HookError, match=r"^Failed: it errs\.$"):
        follow("fail", "Failed: it errs.", policy, nobody)


def test_what_follows_from_no_clear_verdict_is_configs() -> None:
    accepted = follow("inconclusive", "Inconclusive.", Policy("accept", "return"), nobody)
    assert accepted == "Inconclusive. Accepted, as glidepath:deployment.onInconclusive says."
    with pytest.raises(HookError, match="onInconclusive is return"):
        follow("inconclusive", "Inconclusive.", Policy("return", "return"), nobody)
    asked: list[str] = []
    with pytest.raises(AskedError, match=r"verdict ENVIRONMENT --accept or --return; .* 40 minutes: accept"):
        follow("inconclusive", "Inconclusive.", Policy("ask", "accept"), asked.append)
    assert asked == ["Inconclusive."]


def test_where_the_judge_has_not_spoken_nobody_is_asked() -> None:
    """It would neither mail the question nor carry an answer by silence."""
    accepted = follow(UNSPOKEN, "Inconclusive.", Policy("ask", "accept"), nobody)
    assert accepted == "Inconclusive. Accepted, as glidepath:deployment.onSilence says."
    with pytest.raises(HookError, match="onSilence is return"):
        follow(UNSPOKEN, "Inconclusive.", Policy("ask", "return"), nobody)
    with pytest.raises(HookError, match="onInconclusive is return"):
        follow(UNSPOKEN, "Inconclusive.", Policy("return", "accept"), nobody)


def test_the_question_lies_where_the_judge_looks_for_it() -> None:
    aws = Aws()
    ask(aws, BUCKET, "key", "d-1", "h-1", "Inconclusive.")
    assert json.loads(aws.objects[f"{BUCKET}/{question_key('d-1')}"]) == {"hook": "h-1", "sentence": "Inconclusive."}
