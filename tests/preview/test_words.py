"""Rights in words: the exact sentences."""

import json
from typing import Any

import pytest

from preview.iam.words import capabilities
from preview.model import Danger
from preview.names import Names
from preview.plan import UNKNOWN, Resource
from tests.preview.world import MANAGED, POLICY, ROLE, allow, deny, policy, resources, role

BUCKET = "arn:aws:s3:::captures/*"
NONE = Names()


def said(before: dict[str, Resource], after: dict[str, Resource]) -> list[str]:
    return [each.text for each in capabilities(before, after, NONE)]


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        (
            [],
            [allow("s3:GetObject", BUCKET)],
            ["role `prod-predict` can now `s3:GetObject` on `arn:aws:s3:::captures/*`"],
        ),
        (
            [allow(["s3:GetObject", "s3:PutObject"], BUCKET)],
            [allow("s3:PutObject", BUCKET)],
            ["role `prod-predict` can no longer `s3:GetObject` on `arn:aws:s3:::captures/*`"],
        ),
        (
            [allow("s3:GetObject", "arn:aws:s3:::captures/live/*")],
            [allow("s3:GetObject", BUCKET)],
            [
                (
                    "role `prod-predict` can now `s3:GetObject` on `arn:aws:s3:::captures/*`"
                    " (beyond `arn:aws:s3:::captures/live/*`)"
                )
            ],
        ),
        (
            [],
            [allow("s3:GetObject", BUCKET), deny("s3:*", "arn:aws:s3:::captures/secret/*")],
            [
                (
                    "role `prod-predict` can now `s3:GetObject` on `arn:aws:s3:::captures/*`"
                    " (except `arn:aws:s3:::captures/secret/*`)"
                )
            ],
        ),
        (
            [allow("s3:GetObject", BUCKET), deny("s3:*", "arn:aws:s3:::captures/secret/*")],
            [allow("s3:GetObject", BUCKET)],
            ["role `prod-predict` can now `s3:GetObject` on `arn:aws:s3:::captures/secret/*`"],
        ),
        (
            [allow("s3:GetObject", BUCKET)],
            [
                allow("s3:GetObject", BUCKET),
                deny("s3:GetObject", "*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
            ],
            [
                (
                    "role `prod-predict` can no longer `s3:GetObject` on `arn:aws:s3:::captures/*`,"
                    " over an unencrypted connection"
                )
            ],
        ),
        (
            [allow("s3:GetObject", BUCKET, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})],
            [allow("s3:GetObject", BUCKET)],
            [
                (
                    "role `prod-predict` can now `s3:GetObject` on `arn:aws:s3:::captures/*`"
                    " (before only when `aws:principaltag/team` is `a`)"
                )
            ],
        ),
        (
            [],
            [allow("kms:Decrypt", "*", Condition={"StringEquals": {"kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}})],
            ["role `prod-predict` can now `kms:Decrypt` on everything (`*`), through `s3.eu-west-1.amazonaws.com`"],
        ),
        (
            [],
            [
                allow(
                    "iam:PassRole",
                    "arn:aws:iam::1:role/r",
                    Condition={"StringEquals": {"iam:PassedToService": ["a", "b"]}},
                )
            ],
            ["role `prod-predict` can now `iam:PassRole` on `arn:aws:iam::1:role/r`, to `a` or `b`"],
        ),
        (
            [],
            [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::secret/*"}],
            ["role `prod-predict` can now `s3:GetObject` on everything (`*`) but `arn:aws:s3:::secret/*`"],
        ),
        ([], [allow("nosuch:Thing", "arn:x")], ["role `prod-predict` can now `nosuch:Thing` on `arn:x:*:*:*:*`"]),
    ],
)
def test_what_a_role_can_do(old: list[Any], new: list[Any], sentences: list[str]) -> None:
    assert said(role(*old), role(*new)) == sentences


def test_many_actions_are_described_by_the_pattern_that_means_them() -> None:
    (sentence,) = said(role(), role(allow("sqs:*", "arn:aws:sqs:eu-west-1:1:q")))
    assert sentence.startswith("role `prod-predict` can now `sqs:*` (")
    assert sentence.endswith("actions) on `arn:aws:sqs:eu-west-1:1:q`")


@pytest.mark.parametrize(
    ("statement", "danger"),
    [
        (allow("s3:GetObject", BUCKET), Danger.RIGHTS),
        (allow("s3:GetObject", "*"), Danger.POWER),
        (allow("iam:PassRole", "arn:aws:iam::1:role/r"), Danger.POWER),
        (allow("s3:PutBucketPolicy", "arn:aws:s3:::captures"), Danger.POWER),
        (allow("xray:PutTraceSegments", "*"), Danger.RIGHTS),
    ],
)
def test_power_is_read_from_rights(statement: dict[str, Any], danger: Danger) -> None:
    (found,) = capabilities(role(), role(statement), NONE)
    assert found.danger is danger


LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
ROOT = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}


def test_trust() -> None:
    before = role(trust=policy({**LAMBDA, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}))
    after = role(trust=policy(ROOT))
    assert said(before, after) == [
        "role `prod-predict` is now trusted by account `111111111111`",
        "role `prod-predict` is no longer trusted by service `lambda.amazonaws.com`, for account `1`",
    ]


def test_the_same_trust_in_another_spelling() -> None:
    other = {**ROOT, "Principal": {"AWS": ["arn:aws:iam::111111111111:root"]}, "Action": ["sts:AssumeRole"]}
    assert said(role(trust=policy(ROOT)), role(trust=policy(other))) == []


def test_trust_in_everybody_is_power() -> None:
    (found,) = capabilities(role(trust=policy()), role(trust=policy({**ROOT, "Principal": "*"})), NONE)
    assert found.text == "role `prod-predict` is now trusted by everybody"
    assert found.danger is Danger.POWER


def test_a_boundary_limits_what_is_gained() -> None:
    boundary = (
        MANAGED,
        "limit",
        {"name": "limit", "arn": "arn:limit", "policy": policy(allow("s3:GetObject", BUCKET))},
    )
    bound = {"permissionsBoundary": "arn:limit"}
    before = resources(boundary) | role(**bound)
    after = resources(boundary) | role(allow(["s3:GetObject", "s3:PutObject"], "*"), **bound)
    assert said(before, after) == ["role `prod-predict` can now `s3:GetObject` on `arn:aws:s3:::captures/*`"]


def test_a_boundary_that_goes() -> None:
    boundary = (
        MANAGED,
        "limit",
        {"name": "limit", "arn": "arn:limit", "policy": policy(allow("s3:GetObject", BUCKET))},
    )
    rights = allow(["s3:GetObject", "s3:PutObject"], BUCKET)
    before = resources(boundary) | role(rights, permissionsBoundary="arn:limit")
    assert said(before, resources(boundary) | role(rights)) == [
        "no permissions boundary limits role `prod-predict` any more",
        "role `prod-predict` can now `s3:PutObject` on `arn:aws:s3:::captures/*`",
    ]


def test_a_managed_policy_of_aws() -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    attached = ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "a", {"role": "prod-predict", "policyArn": arn})
    assert said(role(), role() | resources(attached)) == [
        f"role `prod-predict` now has the policy `{arn}`, which is not of this stack"
    ]


def test_a_policy_that_is_not_known_yet_says_what_it_waits_for() -> None:
    key = resources(("aws:kms/key:Key", "foundation", {}))
    after = role() | key
    (work,) = [one for one in after.values() if one.type == POLICY]
    later = Resource(work.urn, POLICY, "", {**work.inputs, "policy": UNKNOWN}, sources={"policy": tuple(key)})
    assert said({}, {**after, later.urn: later}) == [
        (
            "what role `prod-predict` allows cannot be determined: role policy `work` is not known before the update:"
            " it depends on key `foundation`"
        )
    ]


def test_a_role_that_goes_goes_with_its_rights() -> None:
    assert said(role(allow("s3:GetObject", BUCKET)), {}) == ["role `prod-predict` is gone with all its rights"]


def test_a_role_that_only_moves_in_the_program_gives_no_line() -> None:
    moved = resources(
        (ROLE, "other", {"name": "prod-predict"}),
        (POLICY, "elsewhere", {"name": "new", "role": "prod-predict", "policy": policy(allow("s3:GetObject", BUCKET))}),
    )
    assert said(role(allow("s3:GetObject", BUCKET)), moved) == []


def test_whom_a_bucket_lets_in() -> None:
    def bucket(*statements: dict[str, Any]) -> dict[str, Resource]:
        return resources(
            ("aws:s3/bucketPolicy:BucketPolicy", "p", {"bucket": "captures", "policy": policy(*statements)})
        )

    reader = {**allow("s3:GetObject", BUCKET), "Principal": {"AWS": "arn:aws:iam::1:role/r"}}
    assert said(bucket(), bucket(reader)) == [
        "bucket `captures` now lets `arn:aws:iam::1:role/r` `s3:GetObject` on `arn:aws:s3:::captures/*`"
    ]
    public = {**reader, "Principal": "*"}
    assert said(bucket(reader), bucket(public)) == [
        "bucket `captures` now lets everybody besides `arn:aws:iam::1:role/r` `s3:GetObject` on `" + BUCKET + "`"
    ]


def test_who_may_call_a_function() -> None:
    given = {"function": "predict", "action": "lambda:InvokeFunction", "principal": "apigateway.amazonaws.com"}
    permission = (
        "aws:lambda/permission:Permission",
        "p",
        {**given, "sourceArn": "arn:aws:execute-api:eu-west-1:1:a/*"},
    )
    assert said({}, resources(permission)) == [
        (
            "function `predict` now lets service `apigateway.amazonaws.com` `lambda:InvokeFunction`, on behalf of"
            " `arn:aws:execute-api:eu-west-1:1:a/*`"
        )
    ]


def test_no_json_is_ever_shown() -> None:
    broken = resources((ROLE, "predict", {"name": "r", "assumeRolePolicy": json.dumps({"Statement": [1]})}))
    (sentence,) = said({}, broken)
    assert "{" not in sentence
    assert sentence.startswith("what role `r` allows cannot be determined: role `predict`: its document")
