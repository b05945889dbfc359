"""Runs the pack's rules as the engine would, without it."""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from policies.rules.catalogue import FAMILIES, RULES
from policies.rules.judge import Judge
from policies.rules.model import Resource

TODAY = datetime.date(2026, 11, 21)
BESIDE = {"permissions-boundary", "tags", "recoverable", "service-logs", "bucket-source"}
"""Advice that nearly every resource of a type is given; `test_adversary` asks for it."""
BY_NAME = {rule.name: rule for rule in RULES}


def resource(kind: str, props: Mapping[str, Any], name: str = "it", stack: str = "prod", **more: Any) -> Resource:
    """A resource of a program."""
    return Resource(kind, name, props, f"urn:pulumi:{stack}::program::{kind}::{name}", **more)


def policy(document: Any, kind: str = "aws:iam/policy:Policy", prop: str = "policy", **more: Any) -> Resource:
    """A resource that holds one document."""
    return resource(kind, {prop: document}, **more)


def document(statements: Any) -> dict[str, Any]:
    """A document of statements."""
    return {"Version": "2012-10-17", "Statement": statements}


def judge(
    one: Resource, config: Mapping[str, Mapping[str, Any]] | None = None, today: datetime.date = TODAY
) -> tuple[list[str], list[str]]:
    """Messages about a resource: violations, advice."""
    found = Judge(RULES, today)
    violations: list[str] = []
    advice: list[str] = []
    for family in FAMILIES:
        found.resource(family, (config or {}).get(family, {}), one, lambda text, _: violations.append(text))
    found.advice(one.urn, lambda text, _: advice.append(text))
    return violations, advice


def judge_stack(
    resources: Sequence[Resource],
    config: Mapping[str, Mapping[str, Any]] | None = None,
    today: datetime.date = TODAY,
) -> list[tuple[str, str]]:
    """Messages about a whole stack, each with the URN it is about."""
    found = Judge(RULES, today)
    for one in resources:
        for family in FAMILIES:
            found.resource(family, (config or {}).get(family, {}), one, lambda text, _: None)
    messages: list[tuple[str, str]] = []
    found.stack((config or {}).get("stack", {}), resources, lambda text, urn: messages.append((text, urn)))
    return messages


def rules_of(messages: Sequence[str]) -> set[str]:
    """Names of the rules behind messages."""
    return {message[1:].partition("]")[0] for message in messages}


def rules(one: Resource, config: Mapping[str, Mapping[str, Any]] | None = None) -> set[str]:
    """Names of all rules that found something, but for what every role is told."""
    violations, advice = judge(one, config)
    return rules_of([*violations, *advice]) - BESIDE


def as_text(value: Any) -> str:
    """As most programs hand it over."""
    return json.dumps(value)


def made(kind: str, props: Mapping[str, Any], stack: str = "prod") -> Resource:
    """A resource of the corpus; `ignore_changes` stands among its properties there."""
    given = dict(props)
    return resource(kind, given, stack=stack, ignore_changes=given.pop("ignore_changes", ()))
