"""The second corpus: every case gets its verdict, and what is told names the statement."""

from typing import Any

import pytest

from policies.rules.model import Resource
from tests.policies.corpus import verdicts
from tests.policies.harness import as_text, document, judge, policy, resource

IDENTITIES = list(verdicts.identities())
CARRIED = [(kind, prop, *case) for kind, prop, action in verdicts.CARRIERS for case in verdicts.admissions(action)]


def _check(one: Resource, expected: str, place: str) -> None:
    violations, advice = judge(one)
    assert verdicts.verdict(violations, advice) == expected
    told = [*violations, *(text for text in advice if not text.startswith(verdicts.BESIDE))]
    assert [text for text in told if f"{place}: " not in text] == []


@pytest.mark.parametrize("kind", ["aws:iam/policy:Policy", "aws:iam/userPolicy:UserPolicy"])
@pytest.mark.parametrize(("statements", "expected"), [c[1:] for c in IDENTITIES], ids=[c[0] for c in IDENTITIES])
def test_identity(statements: Any, expected: str, kind: str) -> None:
    _check(policy(as_text(document(statements)), kind), expected, "statement 0 of policy")


@pytest.mark.parametrize(("statements", "expected"), [c[1:] for c in IDENTITIES], ids=[c[0] for c in IDENTITIES])
def test_inline(statements: Any, expected: str) -> None:
    """In the second of two inline policies."""
    first = {"name": "a", "policy": as_text(document([]))}
    second = {"name": "b", "policy": as_text(document(statements))}
    role = resource("aws:iam/role:Role", {"inlinePolicies": [first, second]})
    _check(role, expected, "statement 0 of inlinePolicies[1].policy")


@pytest.mark.parametrize(
    ("statements", "expected"), [c[1:] for c in verdicts.TRUSTS], ids=[c[0] for c in verdicts.TRUSTS]
)
def test_trust(statements: Any, expected: str) -> None:
    role = resource("aws:iam/role:Role", {"assumeRolePolicy": as_text(document(statements))})
    _check(role, expected, "1 of assumeRolePolicy" if isinstance(statements, list) else "0 of assumeRolePolicy")


@pytest.mark.parametrize(
    ("kind", "prop", "statements", "expected"),
    [(kind, prop, *case) for kind, prop, _, *case in CARRIED],
    ids=[f"{kind} {name}" for kind, _, name, *_ in CARRIED],
)
def test_resource_policy(kind: str, prop: str, statements: Any, expected: str) -> None:
    one = resource(kind, {prop: as_text(document(statements)), "enableKeyRotation": True})
    _check(one, expected, f"statement 0 of {prop}")
