"""Every rule: compliant, violating with the exact message, not applicable, unknown at preview."""

import pytest

from policies.rules.model import UNKNOWN, Resource
from tests.policies.corpus.quads import QUADS
from tests.policies.harness import BY_NAME, judge, made, rules_of

pytestmark = pytest.mark.parametrize("name", sorted(QUADS))


def _messages(one: Resource, name: str) -> list[str]:
    violations, advice = judge(one)
    wrong_place = violations if BY_NAME[name].level == "advisory" else advice
    assert name not in rules_of(wrong_place)
    return [text for text in (*violations, *advice) if text.startswith(f"[{name}]")]


def test_compliant(name: str) -> None:
    kind, compliant, *_ = QUADS[name]
    assert _messages(made(kind, compliant), name) == []


def test_violating(name: str) -> None:
    kind, _, violating, message, _ = QUADS[name]
    rule = BY_NAME[name]
    assert _messages(made(kind, violating), name) == [f"[{name}] {message}\n  Why: {rule.why}\n  Fix: {rule.fix}"]


def test_not_applicable(name: str) -> None:
    _, _, violating, _, _ = QUADS[name]
    assert _messages(made("random:index/randomId:RandomId", violating), name) == []


def test_unknown(name: str) -> None:
    kind, _, violating, _, prop = QUADS[name]
    assert _messages(made(kind, {**violating, prop: UNKNOWN}), name) == []
