"""What the systems that this project replaces were allowed: every over-broad statement is found, by its rule."""

import pytest

from tests.policies.corpus.identity import ACTION, PASS, RESOURCE, allow
from tests.policies.harness import as_text, document, judge, resource, rules_of


@pytest.mark.parametrize("service", ["cloudformation", "apigateway", "codedeploy", "lambda", "events", "kms"])
@pytest.mark.parametrize("kind", ["aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"])
def test_service_wide_roles_on_everything(service: str, kind: str) -> None:
    violations, _ = judge(resource(kind, {"policy": as_text(document(allow(f"{service}:*", Sid="Broad")))}))
    assert rules_of(violations) == {ACTION, RESOURCE}
    assert all("statement 'Broad'" in message for message in violations)


def test_the_fork_that_may_everything() -> None:
    inline = [{"name": "all", "policy": as_text(document(allow("*")))}]
    violations, _ = judge(resource("aws:iam/role:Role", {"inlinePolicies": inline}))
    assert rules_of(violations) == {ACTION, RESOURCE}


def test_the_notebook_that_may_all_of_two_services() -> None:
    violations, _ = judge(
        resource("aws:iam/rolePolicy:RolePolicy", {"policy": document(allow(["sagemaker:*", "s3:*"]))})
    )
    assert rules_of(violations) == {ACTION, RESOURCE}
    assert "`sagemaker:*`, `s3:*`" in violations[0]


def test_the_bare_pass_role() -> None:
    violations, _ = judge(resource("aws:iam/rolePolicy:RolePolicy", {"policy": document(allow("iam:PassRole"))}))
    assert rules_of(violations) == {PASS}


@pytest.mark.parametrize(
    "name", ["IAMFullAccess", "AmazonSageMakerFullAccess", "AWSLambda_FullAccess", "AmazonS3FullAccess"]
)
def test_managed_full_access(name: str) -> None:
    given = {"role": "a", "policyArn": f"arn:aws:iam::aws:policy/{name}"}
    violations, _ = judge(resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", given))
    assert rules_of(violations) == {"managed-full-access"}


def test_mixed_trust() -> None:
    services = [
        "codebuild.amazonaws.com",
        "codepipeline.amazonaws.com",
        "cloudformation.amazonaws.com",
        "lambda.amazonaws.com",
    ]
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    violations, _ = judge(resource("aws:iam/role:Role", {"assumeRolePolicy": document(statement)}))
    assert rules_of(violations) == {"mixed-trust"}
