"""Is "gains nothing" ever wrong? A sample here; `python -m tests.preview.soundness` tries as many as wanted."""

from dataclasses import replace
from typing import Any

import pytest

from preview.iam.words import capabilities
from preview.model import Capability
from preview.names import Names
from preview.plan import UNKNOWN, Resource
from tests.preview.sound.trial import run, summary
from tests.preview.world import MANAGED, POLICY, ROLE, allow, deny, policy, resources, role

PAIRS = 150
X = "arn:aws:s3:::b/x"
TEAM = "${aws:PrincipalTag/team}"


def gained(before: dict[str, Resource], after: dict[str, Resource]) -> list[Capability]:
    return [each for each in capabilities(before, after, Names()) if each.gained]


def test_a_sample_of_pairs() -> None:
    counts = run(PAIRS, seed=20, requests=40, free=PAIRS)
    assert not counts.unsound, summary(counts)
    assert not counts.apart, summary(counts)
    assert counts.silent > PAIRS / 4, "most pairs gain something: little was asked"
    assert len(counts.nothing) <= max(3, PAIRS / 50), summary(counts)


def when(operator: str, value: Any, key: str = "aws:PrincipalTag/team") -> dict[str, Any]:
    return allow("s3:GetObject", X, Condition={operator: {key: value}})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([when("StringEquals", "a*")], [when("StringLike", "a*")]),
        ([when("StringLike", "arn:aws:s3:::*x", "aws:SourceArn")], [when("StringLike", "arn:aws:*x", "aws:SourceArn")]),
        ([when("ArnLike", "arn:aws:s3:*:*:b", "k:a")], [when("StringLike", "arn:aws:s3:*:*:b", "k:a")]),
        ([allow("s3:GetObject", "arn:aws:s3:::b/*team*/x")], [allow("s3:GetObject", f"arn:aws:s3:::b/{TEAM}/x")]),
        (
            [allow("s3:GetObject", "arn:aws:s3:::b/*"), deny("s3:GetObject", f"arn:aws:s3:::b/{TEAM}/*")],
            [allow("s3:GetObject", "arn:aws:s3:::b/*"), deny("s3:GetObject", "arn:aws:s3:::b/*{*")],
        ),
        (
            [allow("s3:GetObject", f"arn:aws:s3:::b/{TEAM}/*"), deny("s3:GetObject", "arn:aws:s3:::b/alice/*")],
            [allow("s3:GetObject", f"arn:aws:s3:::b/{TEAM}/*")],
        ),
        (
            [{**allow("s3:GetObject"), "NotResource": "arn:aws:s3:::b/alice/*"}],
            [{**allow("s3:GetObject"), "NotResource": f"arn:aws:s3:::b/{TEAM}/*"}],
        ),
    ],
    ids=[
        "equal and like",
        "wider like",
        "ARN and text",
        "variable in a wildcard",
        "variable denied",
        "denial goes",
        "not",
    ],
)
def test_what_differs_though_it_looks_alike(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    for each in (*old, *new):
        if "NotResource" in each:
            del each["Resource"]
    assert gained(role(*old), role(*new))


def bounded(identity: dict[str, Any], boundary: dict[str, Any]) -> dict[str, Resource]:
    limit = (MANAGED, "limit", {"name": "l", "arn": "arn:limit", "policy": policy(boundary)})
    return role(identity, permissionsBoundary="arn:limit") | resources(limit)


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [("kms:ResourceAliases", "alias/a", "alias/b"), ("aws:PrincipalTag/team", "${aws:username}", "bob")],
    ids=["two values at once", "a variable may be any value"],
)
def test_conditions_that_do_not_exclude_each_other(key: str, one: str, other: str) -> None:
    boundary = when("StringEquals", other, key)
    assert gained(bounded(deny("s3:GetObject", X), boundary), bounded(when("StringEquals", one, key), boundary))


def test_two_variables_may_have_one_value() -> None:
    boundary = allow("s3:GetObject", "arn:aws:s3:::b/alice/*")
    old, new = allow("s3:PutObject", X), allow("s3:GetObject", f"arn:aws:s3:::b/{TEAM}/*")
    assert gained(bounded(old, boundary), bounded(new, boundary))


def test_in_an_older_document_a_variable_is_plain_text() -> None:
    after = role(allow("s3:GetObject", f"arn:aws:s3:::b/{TEAM}/*"))
    (work,) = [one for one in after.values() if one.type == POLICY]
    older = replace(work, inputs={**work.inputs, "policy": work.inputs["policy"].replace("2012", "2008")})
    assert gained(after, {**after, work.urn: older})
    assert gained({**after, work.urn: older}, after)


def test_too_many_patterns_report_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("preview.iam.language._MOST_WORK", 1)
    one = allow("sqs:ReceiveMessage", ["arn:aws:sqs:*:1:*a*", "arn:aws:sqs:*:1:*c*"])
    assert gained(role(one, deny("sqs:ReceiveMessage", "arn:aws:sqs:*:1:*b*")), role(one))
    assert gained(role(one), role(allow("sqs:ReceiveMessage", "arn:aws:sqs:*:1:*d*")))
    assert not gained(role(one), role(one, deny("sqs:ReceiveMessage", "arn:aws:sqs:*:1:*b*")))


# --- denials, and what others allow ----------------------------------------------------------------------------------


def bucket(*statements: dict[str, Any]) -> dict[str, Resource]:
    return resources(("aws:s3/bucketPolicy:BucketPolicy", "p", {"bucket": "b", "policy": policy(*statements)}))


def to(principal: Any, statement: dict[str, Any]) -> dict[str, Any]:
    return {**statement, "Principal": principal}


def test_a_bucket_that_denies_no_more() -> None:
    insecure = to("*", deny("s3:*", X, Condition={"Bool": {"aws:SecureTransport": "false"}}))
    other = to({"AWS": "arn:aws:iam::1:role/r"}, allow("s3:GetBucketLocation", "arn:aws:s3:::b"))
    (found,) = gained(bucket(insecure, other), bucket(other))
    assert found.text.startswith("the policy of bucket `b` no longer denies everybody `s3:*` (")
    assert gained(bucket(insecure), {})
    assert gained(bucket(insecure), bucket(to({"AWS": "arn:aws:iam::1:role/r"}, deny("s3:*", X))))


def test_a_denial_of_an_account_is_one_of_its_roles() -> None:
    reader = to({"AWS": "arn:aws:iam::111111111111:role/p/r"}, allow("s3:GetObject", X))
    assert gained(bucket(reader, to({"AWS": "111111111111"}, deny("s3:GetObject", X))), bucket(reader))
    session = to({"AWS": "arn:aws:sts::111111111111:assumed-role/r/s"}, allow("s3:GetObject", X))
    denied = to({"AWS": "arn:aws:iam::111111111111:role/p/r"}, deny("s3:GetObject", X))
    assert gained(bucket(session, denied), bucket(session))


def test_whom_a_policy_names_itself_needs_no_more() -> None:
    account = to({"AWS": "111111111111"}, allow("s3:GetObject", X))
    named = to({"AWS": "arn:aws:iam::111111111111:user/u"}, allow("s3:GetObject", X))
    assert gained(bucket(account), bucket(named))


def test_not_principal_spares_only_with_the_account() -> None:
    everybody = to("*", allow("s3:GetObject", X))

    def spare(*names: str) -> dict[str, Any]:
        return {**deny("s3:GetObject", X), "NotPrincipal": {"AWS": list(names)}}

    user, account = "arn:aws:iam::111111111111:user/u", "arn:aws:iam::111111111111:root"
    assert gained(bucket(everybody, spare(user)), bucket(everybody, spare(user, account)))
    assert not gained(bucket(everybody, spare(user, account)), bucket(everybody, spare(user)))


THEIRS: Any = {"managedPolicyArns": ["arn:aws:iam::1:policy/theirs"]}


def test_a_denial_that_goes_where_another_policy_allows() -> None:
    denied, other = deny("s3:GetObject", X), allow("sqs:SendMessage")
    (found,) = gained(role(denied, other, **THEIRS), role(other, **THEIRS))
    assert (
        found.text
        == f"role `prod-predict` is no longer kept from `s3:GetObject` on `{X}`, where another policy allows it"
    )
    assert not gained(role(denied, other), role(other))
    lets = bucket(to({"AWS": "arn:aws:iam::1:role/prod-predict"}, allow("s3:GetObject", X)))
    assert gained(role(denied, other) | lets, role(other) | lets)


def test_a_boundary_that_widens_where_another_policy_allows() -> None:
    def side(boundary: dict[str, Any]) -> dict[str, Resource]:
        limit = (MANAGED, "limit", {"name": "l", "arn": "arn:limit", "policy": policy(boundary)})
        return role(allow("sqs:SendMessage"), permissionsBoundary="arn:limit", **THEIRS) | resources(limit)

    assert gained(side(allow("sqs:SendMessage")), side(allow(["sqs:SendMessage", "s3:GetObject"])))


def test_a_group_that_denies_no_more() -> None:
    def group(*statements: dict[str, Any]) -> dict[str, Resource]:
        made = ("aws:iam/group:Group", "g", {"name": "g"})
        given = ("aws:iam/groupPolicy:GroupPolicy", "p", {"group": "g", "policy": policy(*statements)})
        return resources(made, given)

    assert gained(group(deny("s3:GetObject", X), allow("sqs:SendMessage")), group(allow("sqs:SendMessage")))


@pytest.mark.parametrize(("arn", "more"), [("1:policy/theirs", True), ("aws:policy/AWSDenyAll", True),
                                           ("aws:policy/ReadOnlyAccess", False)])  # fmt: skip
def test_a_policy_of_another_stack_that_goes_may_have_denied(arn: str, more: bool) -> None:
    assert bool(gained(role(managedPolicyArns=[f"arn:aws:iam::{arn}"]), role())) is more


def test_an_inline_policy_that_is_not_known_yet() -> None:
    def inline(text: str) -> dict[str, Resource]:
        return resources((ROLE, "r", {"name": "r", "inlinePolicies": [{"name": "p", "policy": text}]}))

    assert gained(inline(policy(allow("s3:GetObject", X))), inline(UNKNOWN))


def test_what_narrows_who_may_call_a_function() -> None:
    def permission(**more: str) -> dict[str, Resource]:
        given = {"function": "f", "action": "lambda:InvokeFunction", "principal": "*", **more}
        return resources(("aws:lambda/permission:Permission", "p", given))

    for prop in ("principalOrgId", "sourceAccount", "qualifier", "functionUrlAuthType"):
        assert gained(permission(**{prop: "x"}), permission()), prop
