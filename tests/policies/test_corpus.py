"""The corpus: every case gets exactly the verdicts that stand beside it, as text and as an object."""

from typing import Any

import pytest

from tests.policies.corpus import entrance, identity, props
from tests.policies.harness import as_text, document, made, policy, resource, rules


@pytest.mark.parametrize(
    ("statements", "expected"), [case[1:] for case in identity.CASES], ids=[c[0] for c in identity.CASES]
)
def test_identity(statements: Any, expected: set[str]) -> None:
    found = document(statements)
    assert rules(policy(as_text(found))) == expected
    assert rules(policy(found)) == expected


@pytest.mark.parametrize(
    ("statements", "expected"), [c[1:] for c in entrance.TRUST], ids=[c[0] for c in entrance.TRUST]
)
def test_trust(statements: Any, expected: set[str]) -> None:
    found = document(statements)
    for each in (found, as_text(found)):
        assert rules(policy(each, "aws:iam/role:Role", "assumeRolePolicy")) == expected
    assert rules(policy(found, "aws-native:iam:Role", "assumeRolePolicyDocument")) == expected


@pytest.mark.parametrize(
    ("kind", "statements", "expected"), [c[1:] for c in entrance.POLICIES], ids=[c[0] for c in entrance.POLICIES]
)
def test_resource_policies(kind: str, statements: Any, expected: set[str]) -> None:
    for each in (document(statements), as_text(document(statements))):
        found = resource(kind, {"policy": each, "enableKeyRotation": True})
        assert rules(found) == expected


@pytest.mark.parametrize(
    ("kind", "given", "stack", "expected"), [c[1:] for c in props.CASES], ids=[c[0] for c in props.CASES]
)
def test_properties(kind: str, given: dict[str, Any], stack: str, expected: set[str]) -> None:
    assert rules(made(kind, given, stack)) == expected
