"""Documents written to get past the rules, as data: kind, type, properties, verdict; two or more of each kind.

What an adversary writes is a violation though it looks bound; what is bound is fine beside it.
"""

from collections.abc import Iterator
from typing import Any

from tests.policies.corpus.entrance import ACCOUNT, GITHUB, GUARDED, ROLE, admit, trust
from tests.policies.corpus.identity import PASSED, allow, deny, when
from tests.policies.corpus.verdicts import ADVICE, FINE, VIOLATION

_IAM = f"arn:aws:iam::{ACCOUNT}"
_LOCAL = f"eu-west-1:{ACCOUNT}"
_TARGETS = f"arn:aws:application-autoscaling:{_LOCAL}:scalable-target/"
_JOB = f"arn:aws:codebuild:{_LOCAL}:project/a"
_OWN = f"{_IAM}:policy/bounds"
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_GITLAB = f"{_IAM}:oidc-provider/gitlab.com"
_TERRAFORM = f"{_IAM}:oidc-provider/app.terraform.io"
_BITBUCKET = f"{_IAM}:oidc-provider/api.bitbucket.org/2.0/workspaces/me/pipelines-config/identity/oidc"
_CIRCLE = f"{_IAM}:oidc-provider/oidc.circleci.com/org/11111111-2222-3333-4444-555555555555"
_ORGANISATION = "11111111-2222-3333-4444-555555555555"
_UUID = "{aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee}"


def _bound(key: str, value: Any, operator: str = "StringEquals") -> dict[str, Any]:
    return when(operator, key, value)


def _deny_others(action: str, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "NotResource": resource, **more}


IDENTITIES: tuple[tuple[str, Any, str], ...] = (
    # IAM fills the missing fields of an ARN with wildcards.
    ("incomplete ARN", allow("sqs:SendMessage", "arn:aws:sqs"), VIOLATION),
    ("incomplete ARN", allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1"), VIOLATION),
    ("incomplete ARN", allow("sts:AssumeRole", "arn:aws:iam"), VIOLATION),
    ("incomplete ARN", allow("dynamodb:DeleteItem", f"arn:aws:dynamodb:{_LOCAL}"), VIOLATION),
    ("incomplete ARN", allow("s3:ListBucket", "arn:aws:s3"), ADVICE),
    ("incomplete ARN", [allow("sqs:SendMessage"), deny("sqs:*", "arn:aws:sqs")], FINE),
    ("incomplete ARN", [allow("sqs:SendMessage"), _deny_others("sqs:*", "arn:aws:sqs")], VIOLATION),
    # A word that nearly every name has is none.
    ("pattern that nearly all fit", allow("iam:PassRole", f"{_IAM}:role/*-*", **PASSED), VIOLATION),
    ("pattern that nearly all fit", allow("s3:DeleteObject", "arn:aws:s3:::*e*"), VIOLATION),
    ("pattern that nearly all fit", allow("lambda:InvokeFunction", f"arn:aws:lambda:{_LOCAL}:function:*-*"), VIOLATION),
    ("pattern that nearly all fit", allow("kms:Decrypt", f"arn:aws:kms:{_LOCAL}:key/*-*-*-*-*"), VIOLATION),
    ("pattern that nearly all fit", allow("lambda:InvokeFunction", f"arn:aws:lambda:{_LOCAL}:function:*-app"), FINE),
    ("pattern that nearly all fit", allow("lambda:InvokeFunction", f"arn:aws:lambda:{_LOCAL}:function:*app*"), FINE),
    # All of a type.
    ("all of a type", allow("ssm:SendCommand", f"arn:aws:ec2:{_LOCAL}:instance/*"), VIOLATION),
    ("all of a type", allow("states:UpdateStateMachine", f"arn:aws:states:{_LOCAL}:stateMachine:*"), VIOLATION),
    ("all of a type", allow("kms:CreateGrant", f"arn:aws:kms:{_LOCAL}:key/*"), VIOLATION),
    ("all of a type", allow("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/*"), FINE),
    ("all of a type", allow("route53:ChangeResourceRecordSets", "*"), VIOLATION),
    ("all of a type", allow("codebuild:BatchGetBuilds", f"arn:aws:codebuild:{_LOCAL}:project/*"), FINE),
    ("all of a type", allow("cloudfront:DeleteCachePolicy", f"arn:aws:cloudfront::{ACCOUNT}:cache-policy/*"), FINE),
    (
        "all of a type",
        allow("cloudfront:DeleteDistribution", f"arn:aws:cloudfront::{ACCOUNT}:distribution/*"),
        VIOLATION,
    ),
    ("all of a type", allow("apigateway:PATCH", "arn:aws:apigateway:eu-west-1::/restapis/*"), VIOLATION),
    ("all of a type", allow("apigateway:POST", "arn:aws:apigateway:eu-west-1::/restapis"), FINE),
    ("all of a type", allow("application-autoscaling:RegisterScalableTarget", f"{_TARGETS}*"), VIOLATION),
    ("all of a type", allow("application-autoscaling:RegisterScalableTarget", f"{_TARGETS}??"), VIOLATION),
    ("all of a type", allow("application-autoscaling:RegisterScalableTarget", f"{_TARGETS}?"), FINE),
    # Conditions that bind to what AWS made for everybody, or remove what they name.
    ("bound to AWS's policy", allow("iam:AttachRolePolicy", **_bound("iam:PolicyARN", _ADMINISTRATOR)), VIOLATION),
    ("bound to AWS's policy", allow("iam:CreateRole", **_bound("iam:PermissionsBoundary", _ADMINISTRATOR)), VIOLATION),
    (
        "bound to AWS's policy",
        allow("iam:AttachRolePolicy", **_bound("iam:PolicyARN", [_OWN, _ADMINISTRATOR], "ArnEquals")),
        VIOLATION,
    ),
    (
        "bound to AWS's policy",
        allow("iam:PutRolePolicy", **_bound("iam:PermissionsBoundary", "arn:aws:iam::*:policy/Bounds", "ArnLike")),
        VIOLATION,
    ),
    (
        "bound to AWS's policy",
        [allow("iam:AttachRolePolicy"), deny("iam:*", **_bound("iam:PolicyARN", _ADMINISTRATOR, "ArnNotEquals"))],
        VIOLATION,
    ),
    ("bound to AWS's policy", allow("iam:AttachRolePolicy", **_bound("iam:PolicyARN", _OWN)), FINE),
    (
        "boundary that is removed",
        allow("iam:DeleteRolePermissionsBoundary", **_bound("iam:PermissionsBoundary", _OWN)),
        VIOLATION,
    ),
    (
        "boundary that is removed",
        allow("iam:DeleteUserPermissionsBoundary", **_bound("iam:PermissionsBoundary", _OWN)),
        VIOLATION,
    ),
    (
        "boundary that is removed",
        [
            allow("iam:DeleteRolePermissionsBoundary"),
            deny("iam:*", **_bound("iam:PermissionsBoundary", _OWN, "StringNotEquals")),
        ],
        VIOLATION,
    ),
    (
        "boundary that is removed",
        allow("iam:PutRolePermissionsBoundary", **_bound("iam:PermissionsBoundary", _OWN)),
        FINE,
    ),
    (
        "a condition on any of a type",
        allow("ec2:RunInstances", **_bound("ec2:Vpc", "arn:aws:ec2:*:*:vpc/*", "ArnLike")),
        VIOLATION,
    ),
    (
        "a condition on any of a type",
        allow("kms:Decrypt", **_bound("kms:ResourceAliases", "alias/*-*", "ForAnyValue:StringLike")),
        VIOLATION,
    ),
    # Denials.
    ("Deny as wide as the Allow", [allow("iam:PassRole"), _deny_others("iam:PassRole", f"{_IAM}:role/*")], VIOLATION),
    (
        "Deny as wide as the Allow",
        [allow("dynamodb:PutItem"), _deny_others("dynamodb:*", f"arn:aws:dynamodb:{_LOCAL}:table/*")],
        VIOLATION,
    ),
    (
        "Deny as wide as the Allow",
        [allow("dynamodb:PutItem"), _deny_others("dynamodb:*", f"arn:aws:dynamodb:{_LOCAL}:table/a")],
        FINE,
    ),
    (
        "Deny that a missing tag escapes",
        [
            allow("ec2:StopInstances"),
            deny("ec2:*", **_bound("aws:ResourceTag/a", "b", "ForAnyValue:StringNotEquals")),
        ],
        VIOLATION,
    ),
    (
        "Deny that a missing tag escapes",
        [allow("kms:Decrypt"), deny("*", **_bound("kms:ResourceAliases", "alias/a", "foranyvalue:stringnotequals"))],
        VIOLATION,
    ),
    (
        "Deny that a missing tag escapes",
        [
            allow("ec2:StopInstances"),
            deny("ec2:*", **_bound("aws:ResourceTag/a", "b", "StringNotEqualsIfExists")),
        ],
        FINE,
    ),
    # Pairs.
    ("trust and assume", allow(["iam:UpdateAssumeRolePolicy", "sts:AssumeRole"], ROLE), VIOLATION),
    ("trust and assume", [allow("iam:UpdateAssumeRolePolicy", ROLE), allow("sts:Assume*", ROLE)], VIOLATION),
    ("trust and assume", [allow("iam:UpdateAssumeRolePolicy", ROLE), allow("sts:AssumeRole", f"{ROLE}-b")], FINE),
    ("trust and assume", [allow("iam:UpdateAssumeRolePolicy", f"{ROLE}*"), allow("sts:AssumeRole", ROLE)], VIOLATION),
    ("create and attach", allow(["iam:CreateRole", "iam:AttachRolePolicy"], f"{_IAM}:role/app-*"), VIOLATION),
    ("create and attach", [allow("iam:CreateUser", f"{_IAM}:user/a"), allow("iam:Put*", f"{_IAM}:user/a")], VIOLATION),
    (
        "create and attach",
        allow(["iam:CreateRole", "iam:PutRolePolicy"], f"{_IAM}:role/app-*", **_bound("iam:PermissionsBoundary", _OWN)),
        FINE,
    ),
    (
        "create and attach",
        [
            allow("iam:CreateRole", f"{_IAM}:role/app-*"),
            allow("iam:AttachRolePolicy", f"{_IAM}:role/app-*", **_bound("iam:PolicyARN", _OWN)),
        ],
        FINE,
    ),
    ("rights and use", [allow("iam:PutRolePolicy", ROLE), allow("iam:PassRole", ROLE, **PASSED)], VIOLATION),
    ("rights and use", allow(["iam:AttachUserPolicy", "iam:CreateAccessKey"], f"{_IAM}:user/a"), VIOLATION),
    ("code for a role", allow(["codebuild:UpdateProject", "codebuild:StartBuild"], _JOB), VIOLATION),
    ("code for a role", allow(["codebuild:UpdateProject", "codebuild:BatchGetProjects"], _JOB), FINE),
    (
        "code for a role",
        allow(["lambda:UpdateFunctionCode", "lambda:InvokeFunction"], f"arn:aws:lambda:{_LOCAL}:function:a"),
        VIOLATION,
    ),
    ("code for a role", allow(["glue:UpdateJob", "glue:StartJobRun"], f"arn:aws:glue:{_LOCAL}:job/a"), VIOLATION),
    (
        "code for a role",
        [
            allow(
                "sagemaker:UpdateNotebookInstanceLifecycleConfig",
                f"arn:aws:sagemaker:{_LOCAL}:notebook-instance-lifecycle-config/a",
            ),
            allow("sagemaker:StartNotebookInstance", f"arn:aws:sagemaker:{_LOCAL}:notebook-instance/a"),
        ],
        VIOLATION,
    ),
    (
        "code for a role",
        [
            allow(["glue:UpdateJob", "glue:StartJobRun"], f"arn:aws:glue:{_LOCAL}:job/a"),
            deny("glue:StartJobRun"),
        ],
        FINE,
    ),
    # Text that readers read differently.
    (
        "member twice",
        '{"Statement":[{"Effect":"Allow","Action":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/x"}]}',
        VIOLATION,
    ),
    (
        "member twice",
        '{"Statement":[],"Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}',
        VIOLATION,
    ),
)


def _token(provider: str, subject: Any, operator: str = "StringLike", key: str = "sub") -> dict[str, Any]:
    host = provider.partition("oidc-provider/")[2]
    more = {"Action": "sts:AssumeRoleWithWebIdentity", **when(operator, f"{host}:{key}", subject)}
    return trust({"Federated": provider}, **more)


TRUSTS: tuple[tuple[str, Any, str], ...] = (
    ("subject of any owner", _token(GITHUB, "repo:*:ref:refs/heads/main"), VIOLATION),
    ("subject of any owner", _token(GITHUB, "repo:*/deploy:*"), VIOLATION),
    ("subject of any owner", _token(GITHUB, "repo*"), VIOLATION),
    ("subject of any owner", _token(GITHUB, "repo:me*/app:*"), VIOLATION),
    ("subject of any owner", _token(GITHUB, ["repo:me/app:*", "repo:*/app:*"]), VIOLATION),
    ("subject of any owner", _token(GITHUB, "environment:prod", "StringEquals"), VIOLATION),
    ("subject of any owner", _token(_GITLAB, "project_path:*:ref_type:branch:ref:main"), VIOLATION),
    ("subject of any owner", _token(_GITLAB, "project_path:*/app:ref_type:branch:ref:main"), VIOLATION),
    ("subject of any owner", _token(_TERRAFORM, "organization:*:project:a:workspace:b:run_phase:apply"), VIOLATION),
    ("subject of any owner", _token(_BITBUCKET, "*:{aaaaaaaa-0000-0000-0000-000000000000}"), VIOLATION),
    ("subject of any owner", _token(_CIRCLE, "org/*/project/*/user/*"), VIOLATION),
    ("subject of any repository", _token(GITHUB, "repo:me/*"), VIOLATION),
    ("subject of any repository", _token(GITHUB, "repo:me/*:ref:refs/heads/main"), VIOLATION),
    ("subject of any repository", _token(_GITLAB, "project_path:me/*:ref_type:branch:ref:main"), VIOLATION),
    ("subject of any repository", _token(_TERRAFORM, "organization:me:project:*:workspace:*:run_phase:*"), VIOLATION),
    ("subject of any repository", _token(_CIRCLE, f"org/{_ORGANISATION}/project/*/user/*"), VIOLATION),
    ("subject of one repository", _token(GITHUB, "repo:me/app:*"), FINE),
    ("subject of one repository", _token(GITHUB, "repo:me/app-*:ref:refs/heads/main"), FINE),
    ("subject of one repository", _token(GITHUB, "me/app/.github/workflows/a.yml@*", key="job_workflow_ref"), FINE),
    ("subject of one repository", _token(_GITLAB, "project_path:me/app:ref_type:*"), FINE),
    (
        "subject of one repository",
        _token(_GITLAB, "project_path:me/team/app:ref_type:branch:ref:main", "StringEquals"),
        FINE,
    ),
    ("subject of one repository", _token(_TERRAFORM, "organization:me:project:*:workspace:app:run_phase:*"), FINE),
    ("subject of one repository", _token(_BITBUCKET, f"{_UUID}:*"), FINE),
    ("subject of one repository", _token(_CIRCLE, f"org/{_ORGANISATION}/project/a/user/*"), FINE),
    ("a client of Google", _token("accounts.google.com", "1234.apps.example", "StringEquals", "aud"), FINE),
    (
        "a client of Google",
        trust({"Federated": "accounts.google.com"}, **when("StringEquals", "accounts.google.com:aud", "1")),
        FINE,
    ),
    ("a client of many", _token(_GITLAB, "https://gitlab.com", "StringEquals", "aud"), VIOLATION),
    ("a client of many", _token(GITHUB, "sts.amazonaws.com", "StringEquals", "aud"), VIOLATION),
    ("ids that all roles begin with", trust({"AWS": "*"}, **_bound("aws:userid", "AROA*", "StringLike")), VIOLATION),
    (
        "ids that all roles begin with",
        trust({"AWS": "*"}, **_bound("aws:userid", "AIDA????????*", "StringLike")),
        VIOLATION,
    ),
    (
        "ids that all roles begin with",
        trust({"AWS": "*"}, **_bound("aws:userid", "AROAEXAMPLEID0123456:*", "StringLike")),
        FINE,
    ),
    (
        "ids that all roles begin with",
        trust({"AWS": "*"}, **_bound("aws:userid", "AROAEXAMPLEID01*:a", "StringLike")),
        VIOLATION,
    ),
    (
        "organisations that begin alike",
        trust({"AWS": "*"}, **_bound("aws:PrincipalOrgPaths", "o-1*", "ForAnyValue:StringLike")),
        VIOLATION,
    ),
    (
        "organisations that begin alike",
        trust({"AWS": "*"}, **_bound("aws:PrincipalOrgPaths", "o-a?/*", "ForAnyValue:StringLike")),
        VIOLATION,
    ),
    (
        "organisations that begin alike",
        trust({"AWS": "*"}, **_bound("aws:PrincipalOrgPaths", "o-1/*", "ForAnyValue:StringLike")),
        FINE,
    ),
    ("Lambda at the edge", trust({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}, **GUARDED), FINE),
    (
        "Lambda at the edge",
        trust({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com", "ec2.amazonaws.com"]}, **GUARDED),
        VIOLATION,
    ),
    ("Lambda at the edge", trust({"Service": ["ec2.amazonaws.com", "edgelambda.amazonaws.com"]}, **GUARDED), VIOLATION),
)

_LOGS = {"Service": "logs.eu-west-1.amazonaws.com"}
_ADMINISTRATION = ["kms:Create*", "kms:Describe*", "kms:Put*", "kms:Update*", "kms:Revoke*", "kms:ScheduleKeyDeletion"]
POLICIES: tuple[tuple[str, str, Any, str], ...] = (
    (
        "Deny for somebody else",
        "s3/bucketPolicy:BucketPolicy",
        [admit({"AWS": "999999999999"}, "s3:*", "*"), deny("s3:*", Principal={"AWS": f"{_IAM}:user/b"})],
        VIOLATION,
    ),
    (
        "Deny for somebody else",
        "sqs/queuePolicy:QueuePolicy",
        [admit({"AWS": ROLE}, "sqs:*", "*"), deny("sqs:*", NotPrincipal={"AWS": ROLE})],
        VIOLATION,
    ),
    (
        "Deny for somebody else",
        "sqs/queuePolicy:QueuePolicy",
        [admit({"AWS": ROLE}, "sqs:*", "*"), deny("sqs:*", Principal={"AWS": "*"})],
        FINE,
    ),
    (
        "a context that is none",
        "kms/key:Key",
        admit(_LOGS, "kms:Decrypt", "*", **_bound("kms:EncryptionContextKeys", "a", "ForAnyValue:StringEquals")),
        VIOLATION,
    ),
    (
        "a context that is none",
        "kms/key:Key",
        admit(_LOGS, "kms:Decrypt", "*", **_bound("kms:EncryptionContext:aws:logs:arn", "*log-group*", "StringLike")),
        VIOLATION,
    ),
    (
        "a context that is none",
        "kms/key:Key",
        admit(
            _LOGS,
            "kms:Decrypt",
            "*",
            **_bound("kms:EncryptionContext:aws:logs:arn", "arn:aws:logs:*:log-group:*", "ArnLike"),
        ),
        VIOLATION,
    ),
    (
        "a context that is none",
        "kms/key:Key",
        admit(
            _LOGS,
            "kms:Decrypt",
            "*",
            **_bound("kms:EncryptionContext:aws:logs:arn", f"arn:aws:logs:{_LOCAL}:*", "ArnLike"),
        ),
        VIOLATION,
    ),
    (
        "a context that is none",
        "kms/key:Key",
        admit(
            _LOGS,
            "kms:Decrypt",
            "*",
            **_bound("kms:EncryptionContext:aws:logs:arn", f"arn:aws:logs:{_LOCAL}:log-group:*", "ArnLike"),
        ),
        FINE,
    ),
    (
        "a context that is none",
        "kms/key:Key",
        admit(_LOGS, "kms:Decrypt", "*", **_bound("kms:EncryptionContext:purpose", "b*", "StringLike")),
        FINE,
    ),
    (
        "ids that all have",
        "s3/bucketPolicy:BucketPolicy",
        admit("*", "s3:GetObject", "*", **_bound("aws:SourceVpce", "vpce-*", "StringLike")),
        VIOLATION,
    ),
    (
        "ids that all have",
        "s3/bucketPolicy:BucketPolicy",
        admit("*", "s3:GetObject", "*", **_bound("aws:SourceVpc", "vpc-?*", "StringLike")),
        VIOLATION,
    ),
    (
        "ids that all have",
        "s3/bucketPolicy:BucketPolicy",
        admit("*", "s3:GetObject", "*", **_bound("aws:SourceVpce", "vpce-1", "StringLike")),
        FINE,
    ),
    (
        "ids that all have",
        "s3/bucketPolicy:BucketPolicy",
        admit(
            "*", "s3:GetObject", "*", **_bound("s3:DataAccessPointArn", f"arn:aws:s3:{_LOCAL}:accesspoint/*", "ArnLike")
        ),
        FINE,
    ),
    ("key administrators", "kms/key:Key", admit({"AWS": ROLE}, _ADMINISTRATION, "*"), FINE),
    (
        "key administrators",
        "kms/key:Key",
        admit({"AWS": [ROLE]}, ["kms:Enable*", "kms:Create*", "kms:TagResource"], "*"),
        FINE,
    ),
    ("key administrators", "kms/key:Key", admit({"AWS": "*"}, _ADMINISTRATION, "*"), VIOLATION),
    ("key administrators", "kms/key:Key", admit({"AWS": "999999999999"}, _ADMINISTRATION, "*"), VIOLATION),
    ("key administrators", "kms/key:Key", admit({"AWS": ROLE}, [*_ADMINISTRATION, "kms:Dec*"], "*"), VIOLATION),
    ("key administrators", "sns/topicPolicy:TopicPolicy", admit({"AWS": ROLE}, "sns:Add*", "*"), VIOLATION),
    ("key administrators", "kms/key:Key", admit(_LOGS, _ADMINISTRATION, "*", **GUARDED), VIOLATION),
)


def cases() -> Iterator[tuple[str, str, str, dict[str, Any], str]]:
    """Family, kind, resource type, properties, verdict."""
    for kind, statements, expected in IDENTITIES:
        yield "identity", kind, "aws:iam/policy:Policy", {"policy": _document(statements)}, expected
    for kind, statements, expected in TRUSTS:
        yield "trust", kind, "aws:iam/role:Role", {"assumeRolePolicy": _document(statements)}, expected
    for kind, short, statements, expected in POLICIES:
        given = {"policy": _document(statements), "enableKeyRotation": True}
        yield "resource policies", kind, f"aws:{short}", given, expected


def _document(statements: Any) -> Any:
    return statements if isinstance(statements, str) else {"Version": "2012-10-17", "Statement": statements}
