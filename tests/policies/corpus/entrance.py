"""Who comes in: trust policies and resource policies, and the rules that find something in them."""

from typing import Any

from tests.policies.corpus.identity import when

ACCOUNT = "111111111111"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/a"
OPEN, MIXED, SERVICE, WHOLE = "open-principal", "mixed-trust", "service-trust", "account-trust"
FEDERATED, DEPUTY, ACTION, PERMISSIONS, INVERTED = (
    "federated-trust",
    "confused-deputy",
    "wildcard-action",
    "wildcard-permissions",
    "inverted-allow",
)
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


def trust(principal: Any, **more: Any) -> dict[str, Any]:
    """A trust statement."""
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}


def admit(principal: Any, action: Any, resource: Any = "arn:aws:s3:::orders/*", **more: Any) -> dict[str, Any]:
    """A statement of a resource policy."""
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **more}


GUARDED = when("StringEquals", "aws:SourceAccount", ACCOUNT)
LAMBDA = {"Service": "lambda.amazonaws.com"}
TRUST: list[tuple[str, Any, set[str]]] = [
    ("service, guarded by account", trust(LAMBDA, **GUARDED), set()),
    (
        "service, guarded by ARN",
        trust(LAMBDA, **when("ArnLike", "aws:SourceArn", f"arn:aws:lambda:*:{ACCOUNT}:*")),
        set(),
    ),
    ("service, guarded by nothing of worth", trust(LAMBDA, **when("StringLike", "aws:SourceAccount", "*")), {SERVICE}),
    (
        "service, guarded if it exists",
        trust(LAMBDA, **when("StringEqualsIfExists", "aws:SourceAccount", ACCOUNT)),
        {SERVICE},
    ),
    ("service", trust(LAMBDA), {SERVICE}),
    ("service that names no account where it assumes a role", trust({"Service": "apigateway.amazonaws.com"}), set()),
    ("two services", trust({"Service": ["lambda.amazonaws.com", "glue.amazonaws.com"]}, **GUARDED), {MIXED}),
    (
        "two services in two statements",
        [trust(LAMBDA, **GUARDED), trust({"Service": "glue.amazonaws.com"}, **GUARDED)],
        {MIXED},
    ),
    (
        "one service of two regions",
        trust({"Service": ["logs.eu-west-1.amazonaws.com", "logs.amazonaws.com"]}, **GUARDED),
        set(),
    ),
    (
        "one service of two partitions",
        trust({"Service": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]}, **GUARDED),
        set(),
    ),
    ("the same service twice", trust({"Service": ["lambda.amazonaws.com"] * 2}, **GUARDED), set()),
    (
        "a service, another denied",
        [trust(LAMBDA, **GUARDED), {**trust({"Service": "glue.amazonaws.com"}), "Effect": "Deny"}],
        set(),
    ),
    ("service and role", [trust(LAMBDA, **GUARDED), trust({"AWS": ROLE})], set()),
    ("anybody", trust("*"), {OPEN}),
    ("anybody by AWS", trust({"AWS": "*"}), {OPEN}),
    ("anybody in a list", trust({"AWS": [ROLE, "*"]}), {OPEN}),
    ("anybody by account", trust({"AWS": "arn:aws:iam::*:root"}), {OPEN}),
    ("any service", trust({"Service": "*"}, **GUARDED), set()),
    ("any service, unguarded", trust({"Service": "*"}), {OPEN, SERVICE}),
    ("anybody with external id", trust("*", **when("StringEquals", "sts:ExternalId", "x")), {OPEN}),
    ("anybody of the organisation", trust("*", **when("StringEquals", "aws:PrincipalOrgID", "o-abc")), set()),
    ("anybody of any organisation", trust("*", **when("StringLike", "aws:PrincipalOrgID", "*")), {OPEN}),
    (
        "anybody of organisation paths",
        trust("*", **when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-abc/r-x/*")),
        set(),
    ),
    ("anybody by principal ARN", trust({"AWS": "*"}, **when("ArnEquals", "aws:PrincipalArn", ROLE)), set()),
    (
        "anybody by principal ARN of any account",
        trust("*", **when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/a")),
        {OPEN},
    ),
    ("anybody by principal account", trust("*", **when("StringEquals", "aws:PrincipalAccount", ACCOUNT)), set()),
    ("anybody but one", trust("*", **when("StringNotEquals", "aws:PrincipalOrgID", "o-abc")), {OPEN}),
    ("anybody, org if it exists", trust("*", **when("StringEqualsIfExists", "aws:PrincipalOrgID", "o-abc")), {OPEN}),
    ("anybody from anywhere", trust("*", **when("IpAddress", "aws:SourceIp", "0.0.0.0/0")), {OPEN}),
    ("anybody with MFA", trust("*", **when("Bool", "aws:MultiFactorAuthPresent", "true")), {OPEN}),
    ("root", trust({"AWS": ROOT}), {WHOLE}),
    ("root by number", trust({"AWS": ACCOUNT}), {WHOLE}),
    ("root by principal ARN", trust({"AWS": ROOT}, **when("ArnEquals", "aws:PrincipalArn", ROLE)), set()),
    ("root with external id", trust({"AWS": ROOT}, **when("StringEquals", "sts:ExternalId", "x")), set()),
    ("role", trust({"AWS": ROLE}), set()),
    ("all but one", {"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}, {INVERTED}),
    ("any sts call", {**trust({"AWS": ROLE}), "Action": "sts:*"}, {ACTION}),
    (
        "GitHub, anybody",
        trust(
            {"Federated": GITHUB},
            **when("StringEquals", "token.actions.githubusercontent.com:aud", "sts.amazonaws.com"),
        ),
        {FEDERATED},
    ),
    (
        "GitHub, one repository",
        trust({"Federated": GITHUB}, **when("StringLike", "token.actions.githubusercontent.com:sub", "repo:a/b:*")),
        set(),
    ),
    (
        "GitHub, any repository",
        trust({"Federated": GITHUB}, **when("StringLike", "token.actions.githubusercontent.com:sub", "repo:*")),
        {FEDERATED},
    ),
    (
        "Cognito, one pool",
        trust(
            {"Federated": "cognito-identity.amazonaws.com"},
            **when("StringEquals", "cognito-identity.amazonaws.com:aud", "p"),
        ),
        set(),
    ),
    (
        "SAML",
        trust({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/a"}, **when("StringEquals", "SAML:aud", "x")),
        set(),
    ),
    (
        "any organisation's paths",
        trust("*", **when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/r-x/*")),
        {OPEN},
    ),
    (
        "no organisation's paths",
        trust("*", **when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*/r-x/*")),
        {OPEN},
    ),
    ("accounts by pattern", trust("*", **when("StringLike", "aws:PrincipalAccount", "1111*")), {OPEN}),
    ("accounts by question mark", trust("*", **when("StringLike", "aws:PrincipalAccount", "11111111111?")), {OPEN}),
    ("account by a pattern that is none", trust("*", **when("StringLike", "aws:PrincipalAccount", ACCOUNT)), set()),
    (
        "service for an organisation's paths",
        trust(LAMBDA, **when("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-a/r-x/*")),
        set(),
    ),
    (
        "service for any organisation's paths",
        trust(LAMBDA, **when("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-*/*")),
        {SERVICE},
    ),
    (
        "service for no organisation's paths",
        trust(LAMBDA, **when("ForAnyValue:StringLike", "aws:SourceOrgPaths", "r-x/*")),
        {SERVICE},
    ),
    (
        "service for accounts by question mark",
        trust(LAMBDA, **when("ArnLike", "aws:SourceArn", "arn:aws:lambda:eu-west-1:11111111111?:function:a")),
        {SERVICE},
    ),
    ("Deny of anybody", {**trust("*"), "Effect": "Deny"}, set()),
]

BUCKET, KEY = "aws:s3/bucketPolicy:BucketPolicy", "aws:kms/key:Key"
TOPIC, QUEUE = "aws:sns/topicPolicy:TopicPolicy", "aws:sqs/queuePolicy:QueuePolicy"
SNS = {"Service": "sns.amazonaws.com"}
POLICIES: list[tuple[str, str, Any, set[str]]] = [
    ("role reads", BUCKET, admit({"AWS": ROLE}, "s3:GetObject"), set()),
    ("anybody reads", BUCKET, admit("*", "s3:GetObject"), {OPEN}),
    ("anybody by AWS reads", BUCKET, admit({"AWS": "*"}, "s3:GetObject"), {OPEN}),
    ("anybody by TLS", BUCKET, admit("*", "s3:GetObject", **when("Bool", "aws:SecureTransport", "true")), {OPEN}),
    (
        "anybody of the organisation",
        BUCKET,
        admit("*", "s3:GetObject", **when("StringEquals", "aws:PrincipalOrgID", "o-a")),
        set(),
    ),
    ("anybody in a VPC", BUCKET, admit("*", "s3:GetObject", **when("StringEquals", "aws:SourceVpce", "vpce-1")), set()),
    (
        "anybody by referer",
        BUCKET,
        admit("*", "s3:GetObject", **when("StringLike", "aws:Referer", "https://a/*")),
        {OPEN},
    ),
    (
        "anybody from anywhere",
        BUCKET,
        admit("*", "s3:GetObject", **when("IpAddress", "aws:SourceIp", "0.0.0.0/0")),
        {OPEN},
    ),
    (
        "Deny without TLS",
        BUCKET,
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            **when("Bool", "aws:SecureTransport", "false"),
        },
        set(),
    ),
    ("all of the service", BUCKET, admit({"AWS": ROLE}, "s3:*"), {ACTION}),
    ("permissions by wildcard", BUCKET, admit({"AWS": ROLE}, "s3:Put*"), {PERMISSIONS}),
    (
        "all but one principal",
        BUCKET,
        {"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"},
        {INVERTED},
    ),
    ("service unguarded", BUCKET, admit({"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject"), {DEPUTY}),
    (
        "service guarded by ARN",
        BUCKET,
        admit(
            {"Service": "cloudtrail.amazonaws.com"},
            "s3:PutObject",
            **when("StringEquals", "aws:SourceArn", f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/a"),
        ),
        set(),
    ),
    (
        "service guarded by account",
        BUCKET,
        admit({"Service": "logging.s3.amazonaws.com"}, "s3:PutObject", **GUARDED),
        set(),
    ),
    (
        "service guarded by any account",
        BUCKET,
        admit({"Service": "logging.s3.amazonaws.com"}, "s3:PutObject", **when("StringLike", "aws:SourceAccount", "*")),
        {DEPUTY},
    ),
    (
        "service guarded by TLS alone",
        BUCKET,
        admit(LAMBDA, "s3:PutObject", **when("Bool", "aws:SecureTransport", "true")),
        {DEPUTY},
    ),
    ("the key itself", KEY, admit({"AWS": ROLE}, ["kms:Decrypt", "kms:GenerateDataKey"], "*"), set()),
    ("the account decides", KEY, admit({"AWS": ROOT}, "kms:*", "*"), set()),
    ("a role does all with a key", KEY, admit({"AWS": ROLE}, "kms:*", "*"), {ACTION}),
    ("two accounts decide", KEY, admit({"AWS": [ROOT, "222222222222"]}, "kms:*", "*"), {ACTION}),
    ("anybody decrypts", KEY, admit("*", "kms:Decrypt", "*"), {OPEN}),
    (
        "anybody via a service, of this account",
        KEY,
        admit("*", "kms:Decrypt", "*", **when("StringEquals", "kms:CallerAccount", ACCOUNT)),
        set(),
    ),
    (
        "logs by context",
        KEY,
        admit(
            {"Service": "logs.eu-west-1.amazonaws.com"},
            "kms:Decrypt",
            "*",
            **when("ArnLike", "kms:EncryptionContext:aws:logs:arn", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:*"),
        ),
        set(),
    ),
    (
        "logs by any context",
        KEY,
        admit(
            {"Service": "logs.eu-west-1.amazonaws.com"},
            "kms:Decrypt",
            "*",
            **when("ArnLike", "kms:EncryptionContext:aws:logs:arn", "*"),
        ),
        {DEPUTY},
    ),
    ("logs unguarded", KEY, admit({"Service": "logs.eu-west-1.amazonaws.com"}, "kms:Decrypt", "*"), {DEPUTY}),
    (
        "topic, alarms guarded",
        TOPIC,
        admit({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish", "arn:aws:sns:eu-west-1:1:t", **GUARDED),
        set(),
    ),
    (
        "topic, events unguarded",
        TOPIC,
        admit({"Service": "events.amazonaws.com"}, "sns:Publish", "arn:aws:sns:eu-west-1:1:t"),
        {DEPUTY},
    ),
    (
        "topic, anybody, guarded by source owner",
        TOPIC,
        admit({"AWS": "*"}, "sns:Publish", "*", **when("StringEquals", "aws:SourceOwner", ACCOUNT)),
        set(),
    ),
    (
        "queue, topic guarded",
        QUEUE,
        admit(SNS, "sqs:SendMessage", "*", **when("ArnEquals", "aws:SourceArn", f"arn:aws:sns:eu-west-1:{ACCOUNT}:t")),
        set(),
    ),
    (
        "queue, any topic",
        QUEUE,
        admit(SNS, "sqs:SendMessage", "*", **when("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*")),
        {DEPUTY},
    ),
    (
        "queue, a bucket",
        QUEUE,
        admit(
            {"Service": "s3.amazonaws.com"},
            "sqs:SendMessage",
            "*",
            **when("ArnLike", "aws:SourceArn", "arn:aws:s3:::orders"),
        ),
        set(),
    ),
    (
        "queue, a bucket as S3 spells it",
        QUEUE,
        admit(
            {"Service": "s3.amazonaws.com"},
            "sqs:SendMessage",
            "*",
            **when("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:orders"),
        ),
        set(),
    ),
    (
        "queue, any bucket",
        QUEUE,
        admit(
            {"Service": "s3.amazonaws.com"},
            "sqs:SendMessage",
            "*",
            **when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"),
        ),
        {DEPUTY},
    ),
    (
        "queue, any bucket's folder",
        QUEUE,
        admit(
            {"Service": "s3.amazonaws.com"},
            "sqs:SendMessage",
            "*",
            **when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*/a"),
        ),
        {DEPUTY},
    ),
    (
        "queue, no account",
        QUEUE,
        admit(SNS, "sqs:SendMessage", "*", **when("ArnLike", "aws:SourceArn", "arn:aws:sns:eu-west-1::t")),
        {DEPUTY},
    ),
    ("queue, anybody", QUEUE, admit("*", "sqs:*", "*"), {OPEN, ACTION}),
    (
        "secret",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        admit({"AWS": ROLE}, "secretsmanager:GetSecretValue", "*"),
        set(),
    ),
    (
        "repository",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"},
        {OPEN},
    ),
    ("event bus", "aws:cloudwatch/eventBusPolicy:EventBusPolicy", admit("*", "events:PutEvents", "*"), {OPEN}),
    ("API", "aws:apigateway/restApiPolicy:RestApiPolicy", admit("*", "execute-api:Invoke", "execute-api:/*"), {OPEN}),
]
PACKAGES = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
