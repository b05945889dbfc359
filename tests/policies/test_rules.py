"""Every rule: compliant, violating with the exact message, not applicable, unknown at preview."""

from typing import Any

import pytest

from policies.rules.catalogue import RULES
from policies.rules.model import UNKNOWN, Resource
from tests.policies.corpus.quads import QUADS
from tests.policies.harness import judge, resource, rules_of

BY_NAME = {rule.name: rule for rule in RULES}
STACK_RULES = {rule.name for rule in RULES if rule.stack_check}
pytestmark = pytest.mark.parametrize("name", sorted(QUADS))


def _made(kind: str, props: dict[str, Any]) -> Resource:
    more = dict(props)
    return resource(kind, more, ignore_changes=more.pop("ignore_changes", ()))


def _messages(one: Resource, name: str) -> list[str]:
    violations, advice = judge(one)
    wrong_place = violations if BY_NAME[name].level == "advisory" else advice
    assert name not in rules_of(wrong_place)
    return [text for text in (*violations, *advice) if text.startswith(f"[{name}]")]


def test_compliant(name: str) -> None:
    kind, compliant, *_ = QUADS[name]
    assert _messages(_made(kind, compliant), name) == []


def test_violating(name: str) -> None:
    kind, _, violating, message, _ = QUADS[name]
    rule = BY_NAME[name]
    assert _messages(_made(kind, violating), name) == [f"[{name}] {message}\n  Why: {rule.why}\n  Fix: {rule.fix}"]


def test_not_applicable(name: str) -> None:
    _, _, violating, _, _ = QUADS[name]
    assert _messages(_made("random:index/randomId:RandomId", violating), name) == []


def test_unknown(name: str) -> None:
    kind, _, violating, _, prop = QUADS[name]
    assert _messages(_made(kind, {**violating, prop: UNKNOWN}), name) == []
