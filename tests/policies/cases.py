"""The corpus, the rules' four tests and those of stacks as plain calls: quick enough to be run once per mutant."""

import itertools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from policies.rules.model import UNKNOWN
from tests.policies import adversary, test_edges, test_grants, test_stack
from tests.policies.corpus import entrance, identity, props, verdicts
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
    yield from _verdicts()
    yield from (_adversarial(case) for case in adversary.committed())
    yield from _tests(test_stack)
    yield from _tests(test_edges)
    yield from _tests(test_grants)


def _verdicts() -> Iterator[Case]:
    for _, found, expected in verdicts.identities():
        yield _judged(policy(document(found)), expected)
    for _, found, expected in verdicts.TRUSTS:
        yield _judged(policy(document(found), "aws:iam/role:Role", "assumeRolePolicy"), expected)
    for kind, prop, action in verdicts.CARRIERS:
        for _, found, expected in verdicts.admissions(action):
            yield _judged(resource(kind, {prop: document(found), "enableKeyRotation": True}), expected)


def _judged(one: Any, expected: str) -> Case:
    return lambda: verdicts.verdict(*judge(one)) == expected


def _adversarial(case: adversary.Case) -> Case:
    return lambda: case.verdict() == case.expected


def _tests(module: ModuleType) -> Iterator[Case]:
    """The tests of a module, each with every set of its parameters."""
    for name, function in list(vars(module).items()):
        if name.startswith("test_"):
            sets = [_parameters(mark) for mark in getattr(function, "pytestmark", ())]
            for several in itertools.product(*sets):
                yield _test(function, {name: value for one in several for name, value in one.items()})


def _parameters(mark: Any) -> list[dict[str, Any]]:
    names = [mark.args[0]] if isinstance(mark.args[0], str) and "," not in mark.args[0] else mark.args[0]
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
    return [dict(zip(names, values if len(names) > 1 else (values,), strict=True)) for values in mark.args[1]]


def _test(function: Callable[..., None], arguments: dict[str, Any]) -> Case:
    def check() -> bool:
        function(**arguments)
        return True

    return check


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
