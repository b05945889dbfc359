"""The policy simulator over the wire, on the gateway."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.iam_cases import allow, deny, policy

TRUST = json.dumps(
    policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
)
OBJECT = "arn:aws:s3:::bucket/key"


@pytest.fixture
def iam(cloud: Cloud, account: str) -> Any:
    return cloud.client("iam", account, "us-east-1")


def make_role(iam: Any, *statements: dict[str, Any], boundary: str | None = None) -> str:
    extra = {"PermissionsBoundary": boundary} if boundary else {}
    arn = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST, **extra)["Role"]["Arn"]
    iam.put_role_policy(RoleName="worker", PolicyName="own", PolicyDocument=json.dumps(policy(*statements)))
    return str(arn)


def custom(iam: Any, document: dict[str, Any], action: str = "s3:GetObject", **more: Any) -> dict[str, Any]:
    texts = [json.dumps(document)]
    arguments: dict[str, Any] = {"PolicyInputList": texts, "ActionNames": [action], "ResourceArns": [OBJECT], **more}
    found: list[dict[str, Any]] = iam.simulate_custom_policy(**arguments)["EvaluationResults"]
    return found[0]


def test_decisions_of_a_custom_policy(iam: Any) -> None:
    assert custom(iam, policy(allow()))["EvalDecision"] == "allowed"
    assert custom(iam, policy(allow(), deny()))["EvalDecision"] == "explicitDeny"
    assert custom(iam, policy(allow("s3:PutObject")))["EvalDecision"] == "implicitDeny"


def test_every_action_with_every_resource(iam: Any) -> None:
    resources = [OBJECT, "arn:aws:s3:::other/key"]
    results = iam.simulate_custom_policy(
        PolicyInputList=[json.dumps(policy(allow()))],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=resources,
    )["EvaluationResults"]
    found = {(r["EvalActionName"], r["EvalResourceName"]): r["EvalDecision"] for r in results}
    assert len(found) == 4
    assert [key for key, decision in found.items() if decision == "allowed"] == [("s3:GetObject", OBJECT)]
    assert all(r["ResourceSpecificResults"][0]["EvalResourceDecision"] == r["EvalDecision"] for r in results)


def test_without_resources_any_resource_is_asked_for(iam: Any) -> None:
    result = iam.simulate_custom_policy(
        PolicyInputList=[json.dumps(policy(allow("sqs:*", "*"), allow()))],
        ActionNames=["s3:GetObject", "sqs:SendMessage"],
    )["EvaluationResults"]
    assert [(r["EvalResourceName"], r["EvalDecision"]) for r in result] == [("*", "implicitDeny"), ("*", "allowed")]


def test_the_matched_statement_is_found_in_the_text(iam: Any) -> None:
    text = '{"Version": "2012-10-17",\n "Statement": [\n  {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},\n'
    text += '  {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
    result = iam.simulate_custom_policy(PolicyInputList=[text], ActionNames=["s3:GetObject"])["EvaluationResults"][0]
    (matched,) = result["MatchedStatements"]
    assert matched["SourcePolicyId"] == "PolicyInputList.1"
    assert matched["StartPosition"] == {"Line": 4, "Column": 4}
    assert matched["EndPosition"]["Line"] == 4


def test_context_keys_with_several_values(iam: Any) -> None:
    document = policy(allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}))

    def entry(*values: str) -> list[dict[str, Any]]:
        return [{"ContextKeyName": "aws:tagkeys", "ContextKeyValues": list(values), "ContextKeyType": "stringList"}]

    assert custom(iam, document, ContextEntries=entry("a", "b"))["EvalDecision"] == "allowed"
    assert custom(iam, document, ContextEntries=entry("a", "c"))["EvalDecision"] == "implicitDeny"
    with pytest.raises(ClientError, match="aws:tagkeys has several values, and type string"):
        custom(iam, document, ContextEntries=[{**entry("a", "b")[0], "ContextKeyType": "string"}])


def test_missing_context_is_named(iam: Any) -> None:
    document = policy(
        allow(resource="arn:aws:s3:::${aws:username}/*", Condition={"Bool": {"aws:SecureTransport": "true"}})
    )
    entries = [{"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}]
    assert custom(iam, document)["MissingContextValues"] == ["aws:SecureTransport", "aws:username"]
    assert custom(iam, document, ContextEntries=entries)["MissingContextValues"] == ["aws:username"]


def test_boundary_of_the_request(iam: Any) -> None:
    boundary = [json.dumps(policy(allow("sqs:*", "*")))]
    result = custom(iam, policy(allow()), PermissionsBoundaryPolicyInputList=boundary)
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_resource_policy_and_caller(iam: Any, account: str, other_account: str) -> None:
    caller = f"arn:aws:iam::{account}:user/ann"
    bucket = json.dumps(policy(allow(Principal={"AWS": caller})))
    nothing = policy(allow("sqs:*", "*"))
    assert custom(iam, nothing, ResourcePolicy=bucket, CallerArn=caller)["EvalDecision"] == "allowed"
    foreign = custom(iam, nothing, ResourcePolicy=bucket, CallerArn=caller, ResourceOwner=other_account)
    assert foreign["EvalDecision"] == "implicitDeny"
    assert foreign["EvalDecisionDetails"] == {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}
    with pytest.raises(ClientError, match="CallerArn is required"):
        custom(iam, nothing, ResourcePolicy=bucket)


def test_principal_policies_and_boundary(iam: Any) -> None:
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(policy(allow("s3:*", "*"))))["Policy"][
        "Arn"
    ]
    role = make_role(iam, allow(["s3:GetObject", "sqs:SendMessage"], "*"), boundary=limit)
    results = iam.simulate_principal_policy(
        PolicySourceArn=role, ActionNames=["s3:GetObject", "sqs:SendMessage"], ResourceArns=[OBJECT]
    )["EvaluationResults"]
    assert [r["EvalDecision"] for r in results] == ["allowed", "implicitDeny"]
    assert [r["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"] for r in results] == [True, False]
    matched = results[0]["MatchedStatements"]
    assert {(m["SourcePolicyId"], m["SourcePolicyType"]) for m in matched} >= {("own", "IAM Policy")}


def test_policies_of_a_users_groups_count(iam: Any) -> None:
    user = iam.create_user(UserName="ann")["User"]["Arn"]
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(UserName="ann", GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="read", PolicyDocument=json.dumps(policy(allow())))
    result = iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=["s3:GetObject"], ResourceArns=[OBJECT])
    (evaluated,) = result["EvaluationResults"]
    assert evaluated["EvalDecision"] == "allowed"
    assert evaluated["MatchedStatements"][0]["SourcePolicyType"] == "IAM Policy"


def test_pages(iam: Any) -> None:
    role = make_role(iam, allow())
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role,
        ActionNames=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        PaginationConfig={"PageSize": 2},
    )
    sizes = [len(page["EvaluationResults"]) for page in pages]
    assert sizes == [2, 1]


def test_context_keys_of_policies(iam: Any) -> None:
    document = policy(allow(resource="arn:aws:s3:::${aws:username}", Condition={"StringLike": {"s3:prefix": "a"}}))
    names = iam.get_context_keys_for_custom_policy(PolicyInputList=[json.dumps(document)])["ContextKeyNames"]
    assert names == ["aws:username", "s3:prefix"]
    role = make_role(iam, allow(Condition={"Bool": {"aws:SecureTransport": "true"}}))
    found = iam.get_context_keys_for_principal_policy(PolicySourceArn=role)["ContextKeyNames"]
    assert found == ["aws:SecureTransport"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ActionNames": ["s3:*"]}, "no wildcard"),
        ({"ActionNames": ["GetObject"]}, "must be <service>:<action>"),
        ({"PolicyInputList": ["{"]}, "PolicyInputList.1: the policy is not valid JSON"),
        ({"PolicyInputList": ['{"Statement": {"Effect": "Perhaps", "Action": "*"}}']}, "Effect must be Allow or Deny"),
        ({"Marker": "x"}, "Invalid Marker"),
        (
            {"ResourcePolicy": "[", "CallerArn": "arn:aws:iam::111111111111:user/ann"},
            "ResourcePolicy: the policy is not valid JSON",
        ),
        ({"CallerArn": "arn:aws:s3:::bucket/somewhere"}, "no ARN of a user or role"),
    ],
)
def test_bad_input_is_reported(iam: Any, arguments: dict[str, Any], words: str) -> None:
    base: dict[str, Any] = {"PolicyInputList": [json.dumps(policy(allow()))], "ActionNames": ["s3:GetObject"]}
    with pytest.raises(ClientError, match=words):
        iam.simulate_custom_policy(**base | arguments)


def test_an_unknown_principal(iam: Any, account: str) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{account}:role/nobody", ActionNames=["s3:GetObject"]
        )
