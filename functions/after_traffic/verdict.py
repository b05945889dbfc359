"""What follows from the judge's verdict on the shift."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.judging import ASK_SECONDS, question_key, record_key
from functions.shared.hook import AskedError, HookError
from functions.shared.store import read_if_there, write_json

UNSPOKEN = "unspoken"
"""Outcome of a judge that has not come to one."""
_POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Policy:
    """What follows where the verdict is inconclusive: `accept`, `ask` or `return`; and where a person who was asked
    says nothing: `accept` or `return`."""

    inconclusive: str
    silence: str


def read_policy(environment: Mapping[str, str]) -> Policy:
    """From `ON_INCONCLUSIVE` and `ON_SILENCE`."""
    return Policy(environment["ON_INCONCLUSIVE"], environment["ON_SILENCE"])


def await_verdict(
    s3: Any, bucket: str, deployment: str, seconds: float, sleep: Callable[[float], None]
) -> tuple[str, str]:
    """Outcome and sentence, once the judge has spoken; after `seconds` without a word the outcome is UNSPOKEN."""
    until = time.monotonic() + seconds
    while True:
        said = _said(s3, bucket, deployment)
        if said:
            return said
        if time.monotonic() >= until:
            return UNSPOKEN, f"Inconclusive: the judge has not spoken for {seconds:.0f} s after the shift."
        sleep(_POLL_SECONDS)


def follow(outcome: str, sentence: str, policy: Policy, ask: Callable[[str], None]) -> str:
    """The sentence with what follows. Raises HookError where traffic goes back, AskedError where a person is asked."""
    if outcome == "pass":
        return sentence
    if outcome == "fail":
        raise HookError(sentence)
    # A judge that is dead would neither mail the question nor carry an answer by silence.
    key = "onSilence" if outcome == UNSPOKEN and policy.inconclusive == "ask" else "onInconclusive"
    word = policy.silence if key == "onSilence" else policy.inconclusive
    if word == "return":
        raise HookError(f"{sentence} glidepath:deployment.{key} is return.")
    if word == "accept":
        return f"{sentence} Accepted, as glidepath:deployment.{key} says."
    ask(sentence)
    raise AskedError(
        f"{sentence} A person is asked: ./glidepath verdict ENVIRONMENT --accept or --return; without an answer within"
        f" {ASK_SECONDS // 60} minutes: {policy.silence}."
    )


def ask(s3: Any, bucket: str, key_arn: str, deployment: str, hook: str, sentence: str) -> None:
    """Leave the question where the judge, which mails it and waits for the answer, and the command line find it."""
    write_json(s3, bucket, question_key(deployment), json.dumps({"hook": hook, "sentence": sentence}), key_arn)


def _said(s3: Any, bucket: str, deployment: str) -> tuple[str, str] | None:
    text = read_if_there(s3, bucket, record_key(deployment))
    verdict = json.loads(text)["verdict"] if text else None
    return (verdict["outcome"], verdict["sentence"]) if verdict else None
