"""The corpus and the rules' four tests as plain calls: quick enough to be run once per mutant."""

from collections.abc import Callable, Iterator
from typing import Any

from policies.rules.model import UNKNOWN
from tests.policies.corpus import entrance, identity, props
from tests.policies.corpus.quads import QUADS
from tests.policies.harness import BY_NAME, document, judge, made, policy, resource, rules, rules_of

Case = Callable[[], bool]


def all_cases() -> Iterator[Case]:
    """Every case: true where the verdict is the one expected."""
    yield from (_document(policy(document(found)), expected) for _, found, expected in identity.CASES)
    for _, found, expected in entrance.TRUST:
        yield _document(policy(document(found), "aws:iam/role:Role", "assumeRolePolicy"), expected)
    for _, kind, found, expected in entrance.POLICIES:
        yield _document(resource(kind, {"policy": document(found), "enableKeyRotation": True}), expected)
    for _, kind, given, stack, expected in props.CASES:
        yield _document(made(kind, given, stack), expected)
    for name in QUADS:
        yield _quad(name)


def _document(one: Any, expected: set[str]) -> Case:
    return lambda: rules(one) == expected


def _quad(name: str) -> Case:
    kind, compliant, violating, message, prop = QUADS[name]
    rule = BY_NAME[name]

    def check() -> bool:
        violations, advice = judge(made(kind, violating))
        told = advice if rule.level == "advisory" else violations
        if not any(text.startswith(f"[{name}] {message}\n") for text in told):
            return False
        others = [made(kind, compliant), made(kind, {**violating, prop: UNKNOWN})]
        return all(name not in rules_of([*judge(other)[0], *judge(other)[1]]) for other in others)

    return check
