"""The IAM diff against an evaluator that knows nothing of it: the one that decides on the rehearsal's calls.

What is compared are decisions on concrete requests. That a sentence's *words* are right is tested with the words.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from policies.rules.documents import Document, parse
from preview.iam.clauses import Clauses
from preview.iam.compare import Difference, Scope
from preview.iam.sides import differences
from rehearsal.cloud.policy_language.conditions import parse_conditions
from rehearsal.cloud.policy_language.evaluate import Kind, Policies, Request, Source, evaluate
from rehearsal.cloud.policy_language.policy import parse_policy
from rehearsal.cloud.policy_language.principals import Requester
from rehearsal.cloud.policy_language.template import template
from tests.preview.prepared import document as recorded
from tests.preview.world import MANAGED, POLICY

ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "iam:PassRole", "sqs:SendMessage", "sqs:ReceiveMessage"]
PATTERNS = [*ACTIONS, "s3:*Object", "S3:Get*", "sqs:*", "sqs:?e*Message", "iam:Pass*"]
RESOURCES = [
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/x/*",
    "arn:aws:s3:::*/x",
    "arn:aws:s3:::?/x",
    "arn:aws:s3:*",
    "arn:aws:sqs:eu-west-1:1:q",
    "arn:aws:sqs:*:1:q*",
    "arn:aws:sqs:eu-*-1:*:q",
]
CONCRETE = [
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::b",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::b/x",
    "arn:aws:s3:::ab/x",
    "arn:aws:s3:::a/y",
    "arn:aws:s3:::a/x/y",
    "arn:aws:s3:::a/x/x",
    "arn:aws:s3:::a/y:z",
    "arn:aws:s3:::b/y/x",
    "arn:aws:sqs:eu-west-1:1:q",
    "arn:aws:sqs:eu-west-1:1:q2",
    "arn:aws:sqs:us-east-1:1:q",
    "arn:aws:sqs:us-east-1:1:q2",
    "arn:aws:sqs:eu-west-1:2:q",
    "arn:aws:sqs:us-east-1:2:p",
    "arn:aws:iam::1:role/r",
]
CONDITIONS: list[dict[str, Any] | None] = [
    None,
    {"StringEquals": {"k:One": "a"}},
    {"StringEquals": {"k:One": ["a", "b"]}},
    {"StringLike": {"k:One": "a*"}},
    {"StringLike": {"k:One": ["ab*", "b"]}},
    {"StringNotEquals": {"k:One": "a"}},
    {"StringEqualsIfExists": {"k:One": "b"}},
    {"Bool": {"k:Two": "true"}},
    {"Null": {"k:Two": "true"}},
    {"StringEquals": {"k:One": "a"}, "Bool": {"k:Two": "false"}},
    {"ForAnyValue:StringEquals": {"k:One": "b"}},
]
CONTEXTS = [
    {key: (value,) for key, value in (("k:one", one), ("k:two", two)) if value is not None}
    for one in (None, "a", "b", "ab", "abc", "c")
    for two in (None, "true", "false")
]
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example is small as it is; shrinking it would take minutes."""
ASKER = Requester("arn:aws:sts::1:assumed-role/r/s", "1", "arn:aws:iam::1:role/r")
REQUESTS = list(itertools.product(ACTIONS, CONCRETE, CONTEXTS))


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"])),
        "Action": draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2)),
        draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"])): draw(
            st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2)
        ),
    }
    condition = draw(st.sampled_from(CONDITIONS))
    return found | ({"Condition": condition} if condition else {})


@dataclass(frozen=True)
class Rights:
    """One side: the documents of a role, and its boundary."""

    identity: tuple[dict[str, Any], ...]
    boundary: dict[str, Any] | None

    def sides(self) -> tuple[list[Document], list[Document] | None]:
        return [_parsed(each) for each in self.identity], [_parsed(self.boundary)] if self.boundary else None

    def allows(self, action: str, resource: str, context: Mapping[str, tuple[str, ...]]) -> bool:
        identity = [Source("i", Kind.IDENTITY, parse_policy(each)) for each in self.identity]
        boundary = Source("b", Kind.BOUNDARY, parse_policy(self.boundary)) if self.boundary else None
        return evaluate(Request(ASKER, action, resource, context), Policies(identity, boundary)).allowed


def _parsed(document: dict[str, Any]) -> Document:
    found = parse(json.dumps(document))
    assert isinstance(found, Document)
    assert not found.error
    return found


documents = st.lists(statements(), max_size=3).map(lambda found: {"Version": "2012-10-17", "Statement": found})
rights = st.builds(Rights, st.lists(documents, max_size=2).map(tuple), st.none() | st.none() | documents)


@st.composite
def changed(draw: st.DrawFn) -> tuple[Rights, Rights]:
    """Two sides that mostly share what they have, as the two sides of a change do."""
    old = draw(rights)
    if draw(st.booleans()) or not old.identity:
        return old, draw(rights)
    first = old.identity[0]
    more = {**first, "Statement": [*first["Statement"], draw(statements())]}
    new = Rights((more, *old.identity[1:]), old.boundary)
    return (old, new) if draw(st.booleans()) else (new, old)


def _holds(clauses: Clauses, context: Mapping[str, tuple[str, ...]]) -> bool:
    """By the evaluator's own reading of conditions."""
    for each in clauses:
        spelled = (f"{each.quantifier}:" if each.quantifier else "") + each.operator
        spelled += "IfExists" if each.if_exists else ""
        (parsed,) = parse_conditions({spelled: {each.key: list(each.values)}}, variables=True)
        if not parsed.holds(context):
            return False
    return True


def _covers(pattern: str, resource: str) -> bool:
    if pattern == "*":
        return True
    return resource != "*" and template(pattern).covers(resource, {})


def _names(scope: Scope, resource: str, strictly: bool) -> bool:
    if not all(_covers(one.text, resource) is one.positive for one in scope.literals):
        return False
    return not strictly or not any(_covers(each, resource) for each in (*scope.beyond, *scope.but))


def _about(difference: Difference, resource: str, context: Mapping[str, tuple[str, ...]], strictly: bool) -> bool:
    return any(_names(scope, resource, strictly) for scope in difference.scopes) and _holds(difference.clauses, context)


def _reported(old: Rights, new: Rights) -> Iterator[tuple[Difference, tuple[str, ...]]]:
    yield from differences(old.sides(), new.sides(), principals=False)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(changed())
def _every_decision_that_changes_is_reported(met: list[str], sides: tuple[Rights, Rights]) -> None:
    old, new = sides
    shown = list(_reported(old, new))
    for action, resource, context in REQUESTS:
        before, after = old.allows(action, resource, context), new.allows(action, resource, context)
        if before == after:
            continue
        met.append(action)
        assert any(
            each.gained is after and action in actions and _about(each, resource, context, strictly=False)
            for each, actions in shown
        ), (action, resource, context, before, after)


def test_every_decision_that_changes_is_reported() -> None:
    met: list[str] = []
    _every_decision_that_changes_is_reported(met)
    assert met, "no example changed a decision: nothing was tested"


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(changed())
def test_what_is_reported_is_true(sides: tuple[Rights, Rights]) -> None:
    old, new = sides
    for each, actions in _reported(old, new):
        has, other = (new, old) if each.gained else (old, new)
        for action, resource, context in REQUESTS:
            if action not in actions or not _about(each, resource, context, strictly=True):
                continue
            if any(_holds(clauses, context) for clauses in each.unless):
                continue
            assert has.allows(action, resource, context), (each, action, resource, context)
            if not any(_holds(clauses, context) for clauses in each.otherwise):
                assert not other.allows(action, resource, context), (each, action, resource, context)


@given(rights)
@settings(max_examples=60, deadline=None)
def test_the_same_rights_in_another_spelling_give_no_line(side: Rights) -> None:
    """Statements split by action and resource, in another order and another case."""
    respelled = tuple({**each, "Statement": list(_split(each["Statement"]))} for each in reversed(side.identity))
    assert list(_reported(side, Rights(respelled, side.boundary))) == []


def _split(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, statement in reversed(list(enumerate(found))):
        for action in statement["Action"]:
            for resource in statement.get("Resource", [None]):
                one = {**statement, "Sid": f"S{number}", "Action": action.swapcase().replace("SqS", "sqs")}
                yield one | ({"Resource": resource} if resource else {})


def _allow(action: str, resource: str = "arn:aws:s3:::a/*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _of(*found: dict[str, Any]) -> Rights:
    return Rights(({"Version": "2012-10-17", "Statement": list(found)},), None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([_allow("s3:GetObject")], [_allow("s3:getobject", "arn:aws:s3:::a/**")]),
        (
            [_allow("s3:GetObject", "arn:aws:s3:::a/*")],
            [_allow("s3:GetObject", "arn:aws:s3:::a/*"), _allow("s3:GetObject", "arn:aws:s3:::a/x")],
        ),
        (
            [_allow("s3:GetObject", Condition={"StringLike": {"s3:prefix": "a/*"}})],
            [
                _allow("s3:GetObject", Condition={"StringLike": {"S3:Prefix": ["a/*"]}}),
                _allow("s3:GetObject", Condition={"StringLike": {"s3:prefix": "a/b/*"}}),
            ],
        ),
        (
            [_allow("s3:GetObject", Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::b"}})],
            [_allow("s3:GetObject", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}})],
        ),
        (
            [_allow("s3:GetObject"), {**_allow("s3:GetObject", "arn:aws:s3:::a/x/*"), "Effect": "Deny"}],
            [
                _allow("s3:GetObject"),
                {**_allow("s3:Get*", "arn:aws:s3:::a/x/*"), "Effect": "Deny"},
                {**_allow("s3:PutObject", "*"), "Effect": "Deny"},
            ],
        ),
    ],
    ids=["case and stars", "already covered", "narrower condition", "equal operators", "denials of nothing"],
)
def test_the_same_meaning_gives_no_line(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    assert list(_reported(_of(*old), _of(*new))) == []


def test_everything_but_a_service() -> None:
    """NotAction means thousands of actions: they are shown, and in time."""
    granted = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    ((difference, actions),) = _reported(_of(), _of(granted))
    assert difference.gained
    assert len(actions) > 10_000
    assert "s3:GetObject" in actions
    assert not any(action.startswith("iam:") for action in actions)


def _roles(name: str, side: str) -> dict[str, Rights]:
    """Each role's real documents on one side of a prepared change."""
    states = [step[side] for step in recorded(name)["steps"] if step[side]]
    boundary = next(json.loads(each["inputs"]["policy"]) for each in states if each["type"] == MANAGED)
    found = [each["inputs"] for each in states if each["type"] == POLICY]
    return {each["role"]: Rights((json.loads(each["policy"]),), boundary) for each in found}


def _requests_about(*sides: Rights) -> list[tuple[str, str, Mapping[str, tuple[str, ...]]]]:
    """For every statement, a request that it is about, and some that it is just not about."""
    found: list[tuple[str, str, Mapping[str, tuple[str, ...]]]] = []
    granted = [s for side in sides for document in (*side.identity, side.boundary or {}) for s in document["Statement"]]
    for statement in granted:
        values = {
            key.lower(): (str(listed[0] if isinstance(listed, list) else listed).replace("*", "x"),)
            for block in statement.get("Condition", {}).values()
            for key, listed in block.items()
        }
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                concrete = resource.replace("*", "x") if resource != "*" else "*"
                found += [(action, concrete, context) for context in (values, {})]
                found.append((action, f"{concrete}-not", values))
    return found


@pytest.mark.parametrize("name", ["wider-role", "narrower-role", "tag", "new-release", "instance-type"])
def test_the_roles_of_prepared_changes_are_described_right(name: str) -> None:
    before, after = _roles(name, "old"), _roles(name, "new")
    assert before
    for role in before:
        old, new = before[role], after[role]
        shown = list(_reported(old, new))
        if old == new:
            assert shown == []
            continue
        for action, resource, context in _requests_about(old, new):
            was, now = old.allows(action, resource, context), new.allows(action, resource, context)
            covering = [
                each.gained
                for each, actions in shown
                if action in actions
                and _about(each, resource, context, strictly=True)
                and not any(_holds(clauses, context) for clauses in (*each.unless, *each.otherwise))
            ]
            assert (was == now and not covering) or now in covering, (role, action, resource, context)
