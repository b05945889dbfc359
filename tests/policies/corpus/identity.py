"""Identity statements: the statement (or the whole list), and the rules that find something in it."""

from typing import Any

A = "arn:aws"
BUCKET = "arn:aws:s3:::orders"
TABLE = "arn:aws:dynamodb:eu-west-1:111111111111:table/orders"
ROLE = "arn:aws:iam::111111111111:role/jobs-train"
ACTION, RESOURCE, PERMISSIONS = "wildcard-action", "wildcard-resource", "wildcard-permissions"
INVERTED, PASS, SERVICE, TYPE = "inverted-allow", "pass-role", "pass-role-service", "wildcard-type"
METADATA = "wildcard-metadata"
ESCALATION, UNKNOWN_ACTION = "escalation", "unknown-action"


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """An Allow."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A Deny."""
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def when(operator: str, key: str, value: Any) -> dict[str, Any]:
    """A condition block."""
    return {"Condition": {operator: {key: value}}}


PASSED = when("StringEquals", "iam:PassedToService", "sagemaker.amazonaws.com")
TAGGED = when("StringEquals", "aws:ResourceTag/project", "glidepath")

CASES: list[tuple[str, Any, set[str]]] = [
    # Every action, in every spelling, whatever the resource.
    ("all of all", allow("*"), {ACTION, RESOURCE}),
    ("all of all, twice", allow("**"), {ACTION, RESOURCE}),
    ("all of all, with colon", allow("*:*"), {ACTION, RESOURCE}),
    ("all of all on one bucket", allow("*", BUCKET), {ACTION}),
    ("service", allow("s3:*", f"{BUCKET}/*"), {ACTION}),
    ("service in capitals", allow("S3:*", f"{BUCKET}/*"), {ACTION}),
    ("service with one character", allow("s3:?*", f"{BUCKET}/*"), {ACTION}),
    ("service with a late one", allow("s3:*?", f"{BUCKET}/*"), {ACTION}),
    ("service twice", allow("lambda:**", f"{A}:lambda:eu-west-1:111111111111:function:a"), {ACTION}),
    ("service by a letter all have", allow("sqs:*e*", f"{A}:sqs:eu-west-1:111111111111:q"), {ACTION}),
    ("service among others", allow(["s3:GetObject", "dynamodb:*"], [f"{BUCKET}/*", TABLE]), {ACTION}),
    ("service on all", allow("cloudformation:*"), {ACTION, RESOURCE}),
    ("service without resources on all", allow("ce:*"), {ACTION, RESOURCE}),
    ("service with tag condition", allow("ec2:*", "*", **TAGGED), {ACTION}),
    ("service with white space", allow(" s3:* ", f"{BUCKET}/*"), {ACTION}),
    ("a service AWS does not have", allow("nosuch:*", BUCKET), {ACTION}),
    ("service with Deny beside", [allow("s3:*", BUCKET), deny("s3:Delete*")], {ACTION}),
    # Partial wildcards that reach permission management.
    ("s3 Put", allow("s3:Put*", [BUCKET, f"{BUCKET}/*"]), {PERMISSIONS}),
    ("s3 put in lower case", allow("s3:put*", [BUCKET, f"{BUCKET}/*"]), {PERMISSIONS}),
    ("iam Policy", allow("iam:*Policy*", ROLE), {PERMISSIONS}),
    ("s3 any Policy", allow("s3:*Policy", BUCKET), {PERMISSIONS}),
    ("lambda Add", allow("lambda:Add*", f"{A}:lambda:eu-west-1:111111111111:function:a"), {PERMISSIONS}),
    ("kms Create", allow("kms:Create*", f"{A}:kms:eu-west-1:111111111111:key/a"), {PERMISSIONS}),
    ("sns question marks", allow("sns:AddPermissio?", f"{A}:sns:eu-west-1:111111111111:t"), {PERMISSIONS}),
    ("ecr Set", allow("ecr:Set*", f"{A}:ecr:eu-west-1:111111111111:repository/a"), {PERMISSIONS}),
    ("any service's Put", allow("*:Put*", BUCKET), {PERMISSIONS}),
    (
        "s3 Put with those denied",
        [
            allow("s3:Put*", f"{BUCKET}/*"),
            deny(
                ["s3:*Policy", "s3:*Acl", "s3:*AccessBlock", "s3:*OwnershipControls", "s3:*Grant*", "s3:*AccessPoint*"]
            ),
        ],
        set(),
    ),
    # Partial wildcards that reach none are judged by their resource.
    ("s3 Get on a bucket", allow("s3:Get*", [BUCKET, f"{BUCKET}/*"]), set()),
    ("s3 Get on all", allow("s3:Get*"), {RESOURCE, METADATA}),
    ("S3 Get in capitals on all", allow("S3:GET*"), {RESOURCE, METADATA}),
    ("s3 GetObject* on all", allow("s3:GetObject*"), {RESOURCE, METADATA}),
    ("s3 List on all", allow("s3:List*"), {METADATA}),
    ("dynamodb Batch on a table", allow("dynamodb:Batch*", TABLE), set()),
    ("ec2 Describe on all", allow("ec2:Describe*"), {METADATA}),
    ("cloudwatch Get on all", allow("cloudwatch:GetMetric*"), {METADATA}),
    ("sqs Receive by question mark on all", allow("sqs:ReceiveMessag?"), {RESOURCE}),
    # Resources.
    ("read data on all", allow("s3:GetObject"), {RESOURCE}),
    ("read data on all buckets", allow("s3:GetObject", "arn:aws:s3:::*"), {RESOURCE}),
    ("read data on all objects", allow("s3:GetObject", "arn:aws:s3:::*/*"), {RESOURCE}),
    ("read data, all spelled ?*", allow("s3:GetObject", "arn:aws:s3:::?*"), {RESOURCE}),
    ("all spelled **", allow("s3:PutObject", "**"), {RESOURCE}),
    ("all as arn:*", allow("s3:PutObject", "arn:*"), {RESOURCE}),
    ("all as arn:aws:s3:*", allow("s3:PutObject", "arn:aws:s3:*"), {RESOURCE}),
    ("queues", allow("sqs:SendMessage", "arn:aws:sqs:*:*:*"), {RESOURCE}),
    ("queues of the account", allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:*"), {RESOURCE}),
    (
        "logs, the usual way",
        allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:*:*:*"),
        {RESOURCE},
    ),
    ("tables anywhere", allow("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/*"), {RESOURCE}),
    ("functions anywhere", allow("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:*"), {RESOURCE}),
    ("tables of the account", allow("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/*"), {TYPE}),
    (
        "functions of the account",
        allow("lambda:InvokeFunction", f"{A}:lambda:eu-west-1:111111111111:function:*"),
        {TYPE},
    ),
    ("one of several is all", allow("s3:PutObject", [f"{BUCKET}/*", "*"]), {RESOURCE}),
    ("write on all", allow("dynamodb:DeleteItem"), {RESOURCE}),
    ("tags on all", allow("sagemaker:AddTags"), {RESOURCE}),
    ("permissions on all", allow("sns:AddPermission"), {RESOURCE}),
    ("secret on all", allow("secretsmanager:GetSecretValue"), {RESOURCE}),
    ("parameter on all", allow("ssm:GetParameter"), {RESOURCE}),
    ("decrypt on all", allow("kms:Decrypt"), {RESOURCE}),
    ("invoke on all", allow("sagemaker:InvokeEndpoint"), {RESOURCE}),
    ("image on all", allow("ecr:BatchGetImage"), {RESOURCE}),
    ("log events on all", allow("logs:GetLogEvents"), {RESOURCE}),
    ("messages on all", allow("sqs:ReceiveMessage"), {RESOURCE}),
    ("scan on all", allow("dynamodb:Scan"), {RESOURCE}),
    ("records on all", allow("kinesis:GetRecords"), {RESOURCE}),
    ("assume on all", allow("sts:AssumeRole"), {RESOURCE}),
    ("network interface on all", allow("ec2:CreateNetworkInterface"), {RESOURCE}),
    ("mixed on all", allow(["ecr:GetAuthorizationToken", "ecr:PutImage"]), {RESOURCE}),
    ("metadata on all", allow("lambda:GetFunctionConfiguration"), {METADATA}),
    ("describe on all", allow("sagemaker:DescribeEndpoint"), {METADATA}),
    ("list on all", allow("s3:ListBucket"), {METADATA}),
    ("policy read on all", allow("s3:GetBucketPolicy"), {METADATA}),
    ("object tags on all", allow("s3:GetObjectTagging"), {METADATA}),
    ("key description on all", allow("kms:DescribeKey"), {METADATA}),
    # Actions that AWS gives no resource.
    ("token", allow("ecr:GetAuthorizationToken"), set()),
    ("metrics", allow("cloudwatch:PutMetricData"), set()),
    ("traces", allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"]), set()),
    ("identity", allow("sts:GetCallerIdentity"), set()),
    ("buckets' names", allow("s3:ListAllMyBuckets"), set()),
    ("new key", allow("kms:CreateKey"), set()),
    ("log deliveries", allow("logs:CreateLogDelivery"), set()),
    ("ec2 describe", allow(["ec2:DescribeSubnets", "ec2:DescribeVpcs"]), set()),
    ("parameters' names", allow("ssm:DescribeParameters"), set()),
    # Narrow.
    ("one object prefix", allow(["s3:GetObject", "s3:PutObject"], f"{BUCKET}/in/*"), set()),
    ("one bucket and its objects", allow(["s3:ListBucket", "s3:GetObject"], [BUCKET, f"{BUCKET}/*"]), set()),
    ("name prefix", allow("lambda:InvokeFunction", f"{A}:lambda:eu-west-1:111111111111:function:app-*"), set()),
    ("bucket prefix", allow("s3:GetObject", "arn:aws:s3:::orders-*/in/*"), set()),
    ("log group", allow("logs:PutLogEvents", f"{A}:logs:eu-west-1:111111111111:log-group:/aws/lambda/a:*"), set()),
    ("any region, one name", allow("sqs:SendMessage", "arn:aws:sqs:*:111111111111:orders"), set()),
    ("own folder", allow("s3:PutObject", f"{BUCKET}/" + "${aws:username}/*"), set()),
    ("bucket by variable", allow("s3:PutObject", "arn:aws:s3:::${aws:PrincipalTag/team}/*"), set()),
    ("star as a character", allow("s3:GetObject", f"{BUCKET}/" + "${*}"), set()),
    ("China", allow("s3:GetObject", "arn:aws-cn:s3:::orders/*"), set()),
    ("API method", allow("execute-api:Invoke", f"{A}:execute-api:eu-west-1:111111111111:abc/live/POST/*"), set()),
    (
        "two services, one broad in metadata",
        allow(["s3:GetObject", "logs:DescribeLogStreams"], [f"{BUCKET}/*", "arn:aws:logs:*:*:*"]),
        {METADATA},
    ),
    # Conditions.
    ("tag binds", allow("ec2:TerminateInstances", "*", **TAGGED), set()),
    (
        "service's own tag key binds",
        allow("ec2:StopInstances", "*", **when("StringEquals", "ec2:ResourceTag/a", "b")),
        set(),
    ),
    (
        "tag of the caller binds",
        allow("ec2:StopInstances", "*", **when("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}")),
        set(),
    ),
    (
        "alias binds",
        allow("kms:Decrypt", "*", **when("ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/a")),
        set(),
    ),
    (
        "alias of a request binds",
        allow("kms:Decrypt", "*", **when("StringEquals", "kms:RequestAlias", "alias/a")),
        set(),
    ),
    (
        "alias pattern binds",
        allow("kms:Decrypt", "*", **when("ForAnyValue:StringLike", "kms:ResourceAliases", "alias/app-*")),
        set(),
    ),
    (
        "policy ARN binds",
        allow("iam:AttachRolePolicy", "*", **when("ArnEquals", "iam:PolicyARN", f"{A}:iam::111111111111:policy/a")),
        set(),
    ),
    (
        "boundary binds",
        allow(
            "iam:CreateRole", "*", **when("StringEquals", "iam:PermissionsBoundary", f"{A}:iam::111111111111:policy/b")
        ),
        set(),
    ),
    (
        "linked role binds",
        allow("iam:CreateServiceLinkedRole", "*", **when("StringEquals", "iam:AWSServiceName", "ecs.amazonaws.com")),
        set(),
    ),
    (
        "condition key in other case",
        allow("ec2:StopInstances", "*", **when("stringequals", "AWS:RESOURCETAG/a", "b")),
        set(),
    ),
    (
        "any alias does not bind",
        allow("kms:Decrypt", "*", **when("ForAnyValue:StringLike", "kms:ResourceAliases", "alias/*")),
        {RESOURCE},
    ),
    (
        "any tag does not bind",
        allow("ec2:StopInstances", "*", **when("StringLike", "aws:ResourceTag/a", "*")),
        {RESOURCE},
    ),
    (
        "one of two values is any",
        allow("ec2:StopInstances", "*", **when("StringLike", "aws:ResourceTag/a", ["b", "*"])),
        {RESOURCE},
    ),
    (
        "IfExists does not bind",
        allow("ec2:StopInstances", "*", **when("StringEqualsIfExists", "aws:ResourceTag/a", "b")),
        {RESOURCE},
    ),
    (
        "ForAllValues does not bind",
        allow("kms:Decrypt", "*", **when("ForAllValues:StringEquals", "kms:ResourceAliases", "alias/a")),
        {RESOURCE},
    ),
    (
        "negated does not bind",
        allow("ec2:StopInstances", "*", **when("StringNotEquals", "aws:ResourceTag/a", "b")),
        {RESOURCE},
    ),
    (
        "presence does not bind",
        allow("ec2:StopInstances", "*", **when("Null", "aws:ResourceTag/a", "false")),
        {RESOURCE},
    ),
    ("TLS does not bind", allow("s3:PutObject", "*", **when("Bool", "aws:SecureTransport", "true")), {RESOURCE}),
    ("network does not bind", allow("s3:PutObject", "*", **when("IpAddress", "aws:SourceIp", "0.0.0.0/0")), {RESOURCE}),
    (
        "real network does not bind the resource",
        allow("s3:PutObject", "*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/8")),
        {RESOURCE},
    ),
    (
        "via service does not bind",
        allow("kms:Decrypt", "*", **when("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com")),
        {RESOURCE},
    ),
    (
        "tag of the request does not bind",
        allow("ec2:StopInstances", "*", **when("StringEquals", "aws:RequestTag/a", "b")),
        {RESOURCE},
    ),
    (
        "region does not bind",
        allow("dynamodb:PutItem", "*", **when("StringEquals", "aws:RequestedRegion", "eu-west-1")),
        {RESOURCE},
    ),
    (
        "account does not bind",
        allow("dynamodb:PutItem", "*", **when("StringEquals", "aws:ResourceAccount", "111111111111")),
        {RESOURCE},
    ),
    (
        "MFA does not bind",
        allow("dynamodb:PutItem", "*", **when("Bool", "aws:MultiFactorAuthPresent", "true")),
        {RESOURCE},
    ),
    (
        "caller does not bind",
        allow("dynamodb:PutItem", "*", **when("StringEquals", "aws:PrincipalTag/a", "b")),
        {RESOURCE},
    ),
    # Deny.
    ("Deny of all", deny("*"), set()),
    ("Deny with NotAction", {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}, set()),
    ("Deny with NotResource", {"Effect": "Deny", "Action": "s3:*", "NotResource": f"{BUCKET}/*"}, set()),
    ("Allow taken back", [allow("s3:PutObject"), deny("s3:PutObject")], set()),
    ("Allow taken back by wildcard", [allow("s3:PutObject"), deny("s3:Put*")], set()),
    (
        "Allow bound by Deny of others",
        [allow("s3:PutObject"), {"Effect": "Deny", "Action": "s3:*", "NotResource": f"{BUCKET}/*"}],
        set(),
    ),
    (
        "Allow bound by Deny without the tag",
        [allow("ec2:StopInstances"), deny("ec2:*", **when("StringNotEquals", "aws:ResourceTag/a", "b"))],
        set(),
    ),
    (
        "Deny under condition takes nothing back",
        [allow("s3:PutObject"), deny("s3:PutObject", **when("Bool", "aws:SecureTransport", "false"))],
        {RESOURCE},
    ),
    ("Deny of something else", [allow("s3:PutObject"), deny("s3:DeleteObject")], {RESOURCE}),
    ("Deny elsewhere", [allow("s3:PutObject"), deny("s3:PutObject", f"{BUCKET}/*")], {RESOURCE}),
    (
        "Deny by any tag binds nothing",
        [allow("s3:PutObject"), deny("s3:*", **when("StringNotLike", "aws:ResourceTag/a", "*"))],
        {RESOURCE},
    ),
    (
        "Deny by caller binds nothing",
        [allow("s3:PutObject"), deny("s3:*", **when("StringNotEquals", "aws:PrincipalTag/a", "b"))],
        {RESOURCE},
    ),
    (
        "pass to a pattern",
        allow("iam:PassRole", ROLE, **when("StringLike", "iam:PassedToService", "lam?da.amazonaws.com")),
        {SERVICE},
    ),
    (
        "policy ARN with a colon binds",
        allow("iam:AttachRolePolicy", "*", **when("ArnLike", "iam:PolicyARN", f"{A}:iam::111111111111:policy/a:*")),
        set(),
    ),
    # Inverted.
    (
        "NotResource with all denied elsewhere",
        [{"Effect": "Allow", "Action": "s3:*", "NotResource": BUCKET}, deny("s3:*", BUCKET)],
        {ACTION, INVERTED},
    ),
    (
        "NotResource with some denied elsewhere",
        [{"Effect": "Allow", "Action": "s3:Put*", "NotResource": BUCKET}, deny("s3:Put*", BUCKET)],
        {PERMISSIONS, INVERTED},
    ),
    ("NotAction", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, {INVERTED}),
    ("NotAction on one bucket", {"Effect": "Allow", "NotAction": ["s3:DeleteBucket"], "Resource": BUCKET}, {INVERTED}),
    ("NotResource", {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": f"{BUCKET}/secret/*"}, {INVERTED}),
    # PassRole.
    ("pass all", allow("iam:PassRole"), {PASS, SERVICE}),
    ("pass all to one service", allow("iam:PassRole", "*", **PASSED), {PASS}),
    ("pass all roles", allow("iam:PassRole", f"{A}:iam::111111111111:role/*", **PASSED), {PASS}),
    ("pass all roles anywhere", allow("iam:PassRole", "arn:aws:iam::*:role/*", **PASSED), {PASS}),
    ("pass all iam", allow("iam:PassRole", "arn:aws:iam::111111111111:*", **PASSED), {PASS}),
    ("pass one to any service", allow("iam:PassRole", ROLE), {SERVICE}),
    ("pass one to one", allow("iam:PassRole", ROLE, **PASSED), set()),
    ("pass one in other case", allow("IAM:passrole", ROLE, **PASSED), set()),
    ("pass prefix", allow("iam:PassRole", f"{A}:iam::111111111111:role/app-*", **PASSED), set()),
    ("pass by tag", allow("iam:PassRole", "*", **TAGGED), {PASS, SERVICE}),
    ("pass to anything", allow("iam:PassRole", ROLE, **when("StringLike", "iam:PassedToService", "*")), {SERVICE}),
    (
        "pass IfExists",
        allow("iam:PassRole", ROLE, **when("StringEqualsIfExists", "iam:PassedToService", "a")),
        {SERVICE},
    ),
    ("pass among others", allow(["s3:GetObject", "iam:PassRole"], [ROLE, "*"], **PASSED), {PASS, RESOURCE}),
    ("pass by wildcard", allow("iam:Pass*", "*", **PASSED), {PASS, PERMISSIONS}),
    ("pass taken back", [allow("iam:PassRole"), deny("iam:PassRole")], set()),
    # Escalation.
    ("rewrite all roles", allow("iam:PutRolePolicy", f"{A}:iam::111111111111:role/*"), {ESCALATION, TYPE}),
    ("rewrite all policies", allow("iam:CreatePolicyVersion", f"{A}:iam::111111111111:policy/*"), {ESCALATION, TYPE}),
    ("keys for all users", allow("iam:CreateAccessKey", f"{A}:iam::111111111111:user/*"), {ESCALATION, TYPE}),
    ("assume all roles", allow("sts:AssumeRole", f"{A}:iam::111111111111:role/*"), {ESCALATION, TYPE}),
    (
        "attach with boundary",
        allow(
            "iam:AttachRolePolicy",
            f"{A}:iam::111111111111:role/*",
            **when("StringEquals", "iam:PermissionsBoundary", f"{A}:iam::111111111111:policy/b"),
        ),
        set(),
    ),
    ("rewrite one role", allow("iam:PutRolePolicy", ROLE), set()),
    # Slips.
    ("no such action", allow("s3:GetObjekt", f"{BUCKET}/*"), {UNKNOWN_ACTION}),
    ("no such service", allow("nosuch:GetThing"), {UNKNOWN_ACTION}),
    ("no colon", allow("GetObject", f"{BUCKET}/*"), {UNKNOWN_ACTION}),
    ("nothing allowed", [], set()),
]
