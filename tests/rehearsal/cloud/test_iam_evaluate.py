"""The evaluator against AWS's documentation, and against properties that no table can list."""

import fnmatch
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.policy_language.conditions import PolicyError
from rehearsal.cloud.policy_language.evaluate import Decision, Effect, Kind, Policies, Request, Source, evaluate
from rehearsal.cloud.policy_language.policy import parse_policy
from rehearsal.cloud.policy_language.principals import Requester
from rehearsal.cloud.policy_language.template import template
from tests.rehearsal.cloud.iam_cases import CASES, KEY, OBJECT, ROLE, ROOT, SESSION, Case, allow, deny, policy


def decide(case: Case) -> Decision:
    account = case.principal.split(":")[4]
    requester = Requester(case.principal, account, ROLE if ":assumed-role/" in case.principal else None)
    context = {key.lower(): tuple(v) if isinstance(v, list) else (v,) for key, v in case.context.items()}
    decides = case.action.startswith(("kms:", "sts:"))
    request = Request(requester, case.action, case.resource, context, case.owner, decides)
    return evaluate(
        request,
        Policies(
            identity=[_source(f"p{i}", Kind.IDENTITY, text) for i, text in enumerate(case.identity)],
            boundary=_source("boundary", Kind.BOUNDARY, case.boundary) if case.boundary else None,
            sessions=[_source("session", Kind.SESSION, case.session)] if case.session else [],
            resource=_source("resource", Kind.RESOURCE, case.resource_policy) if case.resource_policy else None,
        ),
    )


def _source(name: str, kind: Kind, document: dict[str, Any]) -> Source:
    return Source(name, kind, parse_policy(document))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_aws_semantics(case: Case) -> None:
    assert decide(case).effect == case.expected


def test_names_in_the_table_are_unique_and_plenty() -> None:
    assert len(CASES) >= 120
    assert len({case.name for case in CASES}) == len(CASES)


# --- who is responsible ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        (Case("", "", ()), Kind.IDENTITY),
        (Case("", "", (policy(allow()),), boundary=policy(allow("iam:*", "*"))), Kind.BOUNDARY),
        (Case("", "", (policy(allow()),), session=policy(allow("iam:*", "*"))), Kind.SESSION),
        (Case("", "", (policy(allow()),), owner="222222222222"), Kind.RESOURCE),
        (Case("", "", (policy(allow("kms:*", "*")),), action="kms:Decrypt", resource=KEY), Kind.RESOURCE),
        (Case("", "", (policy(allow(), deny()),)), Kind.IDENTITY),
        (Case("", "", (policy(allow()),), resource_policy=policy(deny(Principal="*"))), Kind.RESOURCE),
    ],
)
def test_the_policy_that_refuses_is_named(case: Case, kind: Kind) -> None:
    assert decide(case).responsible is kind


def test_the_statements_that_allowed_are_named() -> None:
    case = Case("", "", (policy(allow("s3:PutObject", Sid="No"), allow(Sid="Yes")),))
    assert [(m.source.name, m.statement.sid) for m in decide(case).matches] == [("p0", "Yes")]


def test_the_boundary_is_named_as_such() -> None:
    assert decide(Case("", "", (policy(allow()),), boundary=policy(allow("*", "*")))).by_boundary is True
    assert decide(Case("", "", (policy(allow()),), boundary=policy(allow("iam:*", "*")))).by_boundary is False
    assert decide(Case("", "", (policy(allow()),))).by_boundary is None


def test_a_service_is_let_in_by_the_resource_alone() -> None:
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
    }
    resource = _source("trust", Kind.RESOURCE, policy(trust))
    for account, effect in (("111111111111", Effect.ALLOWED), ("222222222222", Effect.IMPLICIT_DENY)):
        requester = Requester("lambda.amazonaws.com", "111111111111", service=True)
        context = {"aws:sourceaccount": (account,)}
        request = Request(requester, "sts:AssumeRole", ROLE, context, "111111111111", True)
        assert evaluate(request, Policies(resource=resource)).effect is effect


def test_a_grant_stands_in_for_the_identity_policy() -> None:
    request = Request(Requester(SESSION, "111111111111", ROLE), "kms:Decrypt", KEY, {}, "111111111111", True)
    nobody = _source("key", Kind.RESOURCE, policy(allow("kms:*", "*", Principal={"AWS": ROOT})))
    assert evaluate(request, Policies(resource=nobody, granted=True)).allowed
    assert not evaluate(request, Policies(resource=nobody)).allowed


# --- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", "not valid JSON|an object"),
        ({"Version": "2011-01-01", "Statement": []}, "Version must be one of"),
        (policy({"Effect": "Maybe", "Action": "*"}), "Effect must be Allow or Deny, not 'Maybe'"),
        (policy({"Effect": "Allow", "Resource": "*"}), "statement 0 names no Action"),
        (policy({"Effect": "Allow", "Action": "*", "NotAction": "*"}), "both Action and NotAction"),
        (policy(allow(Condition={"StringIs": {"a": "b"}})), "unknown condition operator StringIs"),
        (policy(allow(Condition={"ForSome:StringEquals": {"a": "b"}})), "unknown condition operator ForSome"),
        (policy(allow(Condition={"NullIfExists": {"a": "true"}})), "unknown condition operator NullIfExists"),
        (policy(allow(Principal="ann")), "Principal must be"),
        (policy(allow(Resources="x")), "unknown elements: Resources"),
    ],
)
def test_a_bad_document_is_refused_with_a_reason(document: Any, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        parse_policy(document)


def test_documents_are_read_once() -> None:
    text = json.dumps(policy(allow()))
    assert parse_policy(text) is parse_policy(text)


def test_the_keys_a_statement_looks_at() -> None:
    statement = parse_policy(
        policy(
            allow(resource="arn:aws:s3:::${aws:username}", Condition={"StringLike": {"s3:Prefix": "${aws:userid}/*"}})
        )
    ).statements[0]
    assert set(statement.keys().values()) == {"aws:username", "s3:Prefix", "aws:userid"}


# --- properties ------------------------------------------------------------------------------------------------------

_TEXT = st.text("ab*?/:.[]", max_size=8)


@given(_TEXT, st.text("ab/:.[]", max_size=8))
def test_wildcards_agree_with_a_reference(pattern: str, text: str) -> None:
    reference = fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))
    assert template(pattern).like(text, {}) is reference


@given(st.lists(_TEXT, min_size=6, max_size=6), st.lists(st.text("ab/.", max_size=5), min_size=6, max_size=6))
def test_arns_match_component_by_component(patterns: list[str], texts: list[str]) -> None:
    patterns = [p.replace(":", "") for p in patterns]
    reference = all(
        fnmatch.fnmatchcase(text, pattern.replace("[", "[[]")) for pattern, text in zip(patterns, texts, strict=True)
    )
    assert template(":".join(patterns)).arn_like(":".join(texts), {}) is reference


@given(st.text("ab*?$", max_size=8))
def test_a_variables_value_counts_literally(value: str) -> None:
    pattern = template("x${aws:username}y")
    assert pattern.like(f"x{value}y", {"aws:username": (value,)})
    assert not pattern.like(f"x{value}z", {"aws:username": (value,)})


@given(st.text("aB*?", min_size=1, max_size=6), st.text("aBc", min_size=1, max_size=6))
def test_actions_ignore_case(pattern: str, action: str) -> None:
    def allowed(pattern: str, action: str) -> bool:
        case = Case("", "", (policy(allow(f"s3:{pattern}", "*")),), action=f"s3:{action}")
        return decide(case).allowed

    assert len({allowed(p, a) for p in (pattern, pattern.lower()) for a in (action, action.upper())}) == 1


_STATEMENTS = st.lists(
    st.builds(
        lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
        st.sampled_from(["Allow", "Deny"]),
        st.sampled_from(["s3:GetObject", "s3:Put*", "s3:*", "*", "iam:*"]),
        st.sampled_from([OBJECT, "*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::other/*"]),
    ),
    max_size=5,
)


@given(_STATEMENTS, st.randoms())
def test_neither_order_nor_grouping_matters(statements: list[dict[str, Any]], random: Any) -> None:
    shuffled = statements[:]
    random.shuffle(shuffled)
    together = decide(Case("", "", (policy(*statements),)))
    apart = decide(Case("", "", tuple(policy(statement) for statement in shuffled)))
    assert together.effect is apart.effect


@given(_STATEMENTS, _STATEMENTS)
def test_a_boundary_never_adds(identity: list[dict[str, Any]], boundary: list[dict[str, Any]]) -> None:
    bounded = decide(Case("", "", (policy(*identity),), boundary=policy(*boundary)))
    assert not bounded.allowed or decide(Case("", "", (policy(*identity),))).allowed


@given(_STATEMENTS)
def test_a_deny_of_everything_always_wins(statements: list[dict[str, Any]]) -> None:
    assert decide(Case("", "", (policy(*statements, deny("*", "*")),))).effect is Effect.EXPLICIT_DENY


def test_the_reference_itself_can_fail() -> None:
    assert re.fullmatch(fnmatch.translate("a*"), "b") is None
