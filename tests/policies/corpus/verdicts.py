"""A second, independent corpus, as data: what is fine, advice or a violation, whatever rule says so.

Written from the verdicts, not from the rules: every wildcard spelling, every condition, every resource that carries a
document.
"""

# ruff: noqa: SIM905  words in a row read better than a list of hundreds of quotes
from collections.abc import Iterator, Sequence
from typing import Any

from tests.policies.corpus.entrance import ACCOUNT, GUARDED, LAMBDA, ROLE, ROOT, admit, trust
from tests.policies.corpus.identity import BUCKET, PASSED, TABLE, TAGGED, allow, deny, when

FINE, ADVICE, VIOLATION = "fine", "advice", "violation"
_LOCAL = f"eu-west-1:{ACCOUNT}"
_FUNCTION = f"arn:aws:lambda:{_LOCAL}:function:a"
_KEY = f"arn:aws:kms:{_LOCAL}:key/a"
_ROLES = f"arn:aws:iam::{ACCOUNT}:role"
_POLICIES = f"arn:aws:iam::{ACCOUNT}:policy"
_ORG = when("StringEquals", "aws:PrincipalOrgID", "o-1")

# Every spelling of "all" is a violation, on one object too.
_ALL = (
    "s3:* S3:* s3:?* s3:** s3:*? s3:?*? lambda:** * ** ?* *? *:* *:?* ?*:* Iam:* iam:???* dynamodb:* s3:*T* ec2:*e*"
    " s?:* *3:* S*:* sagemaker:* SAGEMAKER:* codedeploy:?* logs:*?*"
).split()
# Partial wildcards that reach a call which changes permissions, on one resource.
_CHANGING = (
    ("iam:*Policy*", ROLE),
    ("iam:Put*", ROLE),
    ("iam:Attach*", ROLE),
    ("iam:Create*", ROLE),
    ("iam:Update*", ROLE),
    ("iam:P*", ROLE),
    ("s3:Delete*", BUCKET),
    ("s3:PutObject*", f"{BUCKET}/*"),
    ("s3:P*", f"{BUCKET}/*"),
    ("s3:*Acl", f"{BUCKET}/*"),
    ("S3:PUT*", BUCKET),
    ("s3:*Bucket*", BUCKET),
    ("kms:*Grant", _KEY),
    ("kms:Put*", _KEY),
    ("kms:C*", _KEY),
    ("lambda:Remove*", _FUNCTION),
    ("lambda:A*", _FUNCTION),
    ("lambda:*Permission", _FUNCTION),
    ("ecr:*Policy", f"arn:aws:ecr:{_LOCAL}:repository/a"),
    ("secretsmanager:Put*", f"arn:aws:secretsmanager:{_LOCAL}:secret:a"),
    ("logs:Put*", f"arn:aws:logs:{_LOCAL}:log-group:/a:*"),
    ("events:Put*", f"arn:aws:events:{_LOCAL}:rule/a"),
    ("ec2:Create*", f"arn:aws:ec2:{_LOCAL}:instance/i-1"),
    ("*:Put*", BUCKET),
    ("s*:Put*", BUCKET),
    ("sns:*Permission", "*"),
)
# Writes, permissions, tags and data of customers, on everything.
_BROAD = (
    "sqs:Send* sagemaker:Create* secretsmanager:Get* ec2:RunInstances events:PutEvents sns:Publish"
    " states:StartExecution athena:GetQueryResults dynamodb:Query dynamodb:GetRecords kinesis:PutRecord"
    " ssm:GetParametersByPath lambda:Get*"
    " codecommit:GitPull cloudwatch:PutMetricAlarm ec2:CreateNetworkInterface codepipeline:StartPipelineExecution"
    " codebuild:StartBuild apigateway:POST sagemaker:AddTags ecr:PutImage sagemaker:InvokeEndpoint"
    " application-autoscaling:RegisterScalableTarget logs:GetLogEvents sqs:ReceiveMessage ec2:CreateTags"
    " s3:DeleteObject"
).split()
# Metadata on everything.
_READS = (
    "iam:Get* iam:List* kms:Describe* sagemaker:Describe* ec2:Describe* glue:GetTable s3:List* dynamodb:DescribeTable"
    " cloudwatch:ListTagsForResource apigateway:GET s3:GetBucketPolicy lambda:GetFunctionConfiguration"
).split()
# No narrower form.
_UNSCOPED = (
    "ec2:DescribeNetworkInterfaces application-autoscaling:DescribeScalableTargets xray:PutTraceSegments"
    " s3:ListAllMyBuckets"
    " sagemaker:ListEndpoints sagemaker:Search cloudwatch:PutMetricData sts:GetCallerIdentity ecr:GetAuthorizationToken"
).split()
_NARROW = (
    ("iam:Get*", ROLE),
    ("s3:DeleteObject*", f"{BUCKET}/*"),
    ("s3:*Object", f"{BUCKET}/*"),
    ("s3:Pu?Object", f"{BUCKET}/*"),
    ("sqs:*Message", f"arn:aws:sqs:{_LOCAL}:q"),
    ("logs:Create*", f"arn:aws:logs:{_LOCAL}:log-group:/a:*"),
    ("kms:GenerateDataKey*", _KEY),
    ("kms:ReEncrypt*", _KEY),
    ("lambda:Update*", _FUNCTION),
    ("lambda:Invoke*", _FUNCTION),
    ("sts:Assume*", ROLE),
    ("cloudformation:Create*", f"arn:aws:cloudformation:{_LOCAL}:stack/a/*"),
    ("codedeploy:Create*", f"arn:aws:codedeploy:{_LOCAL}:deploymentgroup:a/b"),
    ("dynamodb:Query", f"{TABLE}/index/*"),
    ("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/app/*"),
    ("sts:AssumeRole", "arn:aws:iam::*:role/deploy"),
    ("sagemaker:InvokeEndpoint", "arn:aws:sagemaker:*:*:endpoint/app-*"),
    ("s3:Get*", [BUCKET, f"{BUCKET}/*"]),
    ("apigateway:GET", "arn:aws:apigateway:eu-west-1::/restapis/*"),
)
_EVERYWHERE = (
    "** ?* arn:* arn:aws:* arn:aws:s3:* arn:aws:s3:::* arn:aws:s3:::** arn:aws:s3:::?* arn:aws:s3:::*/*"
    " arn:aws:s3:::?*/?*"
    " arn:*:s3:::* arn:aws:*:*:*:* *:*:*:*:*:* arn:aws:s3:*:*:*"
).split()
_BINDING = {
    "tag": when("StringEquals", "aws:ResourceTag/a", "b"),
    "tag in any case": when("StringEqualsIgnoreCase", "aws:ResourceTag/a", "b"),
    "tag without wildcard": when("StringLike", "aws:ResourceTag/a", "b"),
    "tag for any value": when("ForAnyValue:StringEquals", "aws:ResourceTag/a", "b"),
    "two tags' values": when("StringEquals", "aws:ResourceTag/a", ["b", "c"]),
    "a tag that is a star": when("StringEquals", "aws:ResourceTag/a", "*"),
    "the caller's tag": when("StringEquals", "aws:ResourceTag/a", "${aws:PrincipalTag/a}"),
    "a database's own tag": when("StringEquals", "rds:db-tag/a", "b"),
    "tag and TLS": {"Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}, "Bool": {"aws:SecureTransport": "true"}}},
}
_LOOSE = {
    "tag by pattern": when("StringLike", "aws:ResourceTag/a", "b*"),
    "tag for all values": when("ForAllValues:StringEquals", "aws:ResourceTag/a", "b"),
    "tag if it exists": when("StringLikeIfExists", "aws:ResourceTag/a", "b"),
    "other tag": when("StringNotLike", "aws:ResourceTag/a", "b"),
    "no value": when("StringEquals", "aws:ResourceTag/a", []),
    "no condition": {"Condition": {}},
    "MFA": when("Bool", "aws:MultiFactorAuthPresent", "true"),
    "organisation of the caller": _ORG,
    "organisation of the resource": when("StringEquals", "aws:ResourceOrgID", "o-1"),
    "account": when("StringEquals", "aws:ResourceAccount", ACCOUNT),
    "region": when("StringEquals", "aws:RequestedRegion", "eu-west-1"),
    "called via": when("ForAnyValue:StringEquals", "aws:CalledVia", "cloudformation.amazonaws.com"),
    "absent tag": when("Null", "aws:ResourceTag/a", "true"),
    "present tag": when("Null", "aws:ResourceTag/a", "false"),
    "network": when("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
    "VPC endpoint": when("StringEquals", "aws:SourceVpce", "vpce-1"),
    "date": when("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z"),
    "tag keys": when("ForAllValues:StringEquals", "aws:TagKeys", "a"),
    "tag of the request": when("StringEquals", "aws:RequestTag/a", "b"),
    "tag of the caller": when("StringEquals", "aws:PrincipalTag/a", "b"),
}
_ALIASES = {
    "alias": (when("StringEquals", "kms:RequestAlias", "alias/a"), FINE),
    "aliases": (when("ForAnyValue:StringEquals", "kms:ResourceAliases", ["alias/a", "alias/b"]), FINE),
    "any alias": (when("StringLike", "kms:RequestAlias", "*"), VIOLATION),
    "any alias, spelled out": (when("StringLike", "kms:RequestAlias", "alias/*"), VIOLATION),
    "via a service": (when("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com"), VIOLATION),
    "caller's account": (when("StringEquals", "kms:CallerAccount", ACCOUNT), VIOLATION),
    "alias if it exists": (when("StringEqualsIfExists", "kms:RequestAlias", "alias/a"), VIOLATION),
}
_ATTACHING = {
    "policy": (when("ArnEquals", "iam:PolicyARN", f"{_POLICIES}/x"), FINE),
    "any policy": (when("ArnLike", "iam:PolicyARN", "*"), VIOLATION),
    "any policy of the account": (when("ArnLike", "iam:PolicyARN", f"{_POLICIES}/*"), VIOLATION),
    "any but one": (when("ArnNotEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/AdministratorAccess"), VIOLATION),
    "boundary": (when("StringEquals", "iam:PermissionsBoundary", f"{_POLICIES}/b"), FINE),
    "any boundary": (when("StringLike", "iam:PermissionsBoundary", "*"), VIOLATION),
}
_WRITES = ["s3:*Policy*", "s3:*Acl*", "s3:*OwnershipControls", "s3:*Block", "s3:*Grant*", "s3:*AccessPoint*"]
_DENIED: tuple[tuple[str, Any, str], ...] = (
    ("all but IAM", [allow("*"), deny("iam:*")], VIOLATION),
    ("all taken back", [allow("s3:*"), deny("s3:*")], FINE),
    ("all taken back with all", [allow("s3:*", f"{BUCKET}/*"), deny("*")], FINE),
    ("all taken back in part", [allow("s3:*"), deny("s3:*", f"{BUCKET}/*")], VIOLATION),
    ("all taken back under condition", [allow("s3:*"), deny("s3:*", **_ORG)], VIOLATION),
    ("all of one, another taken back", [allow("s3:*"), deny("ec2:*")], VIOLATION),
    ("two, one taken back", [allow(["s3:*", "ec2:*"], f"{BUCKET}/*"), deny("s3:*")], VIOLATION),
    ("all of AWS, one service taken back", [allow("*"), deny("s3:*")], VIOLATION),
    (
        "all but others",
        [allow("s3:PutObject"), {"Effect": "Deny", "NotAction": "ec2:DescribeVpcs", "Resource": "*"}],
        FINE,
    ),
    (
        "it is among the others",
        [allow("s3:PutObject"), {"Effect": "Deny", "NotAction": "s3:Put*", "Resource": "*"}],
        VIOLATION,
    ),
    ("permissions taken back", [allow("s3:Put*", BUCKET), deny(_WRITES)], FINE),
    ("all of a service's resources", [allow("s3:GetObject"), deny("s3:GetObject", "arn:aws:s3:::*")], FINE),
    ("all queues anywhere", [allow("sqs:SendMessage"), deny("sqs:*", "arn:aws:sqs:*:*:*")], FINE),
    ("all objects anywhere", [allow("s3:GetObject"), deny("s3:GetObject", "arn:aws:s3:::*/*")], FINE),
    ("objects, not buckets", [allow("s3:DeleteBucket"), deny("s3:*", "arn:aws:s3:::*/*")], VIOLATION),
    (
        "all functions anywhere",
        [allow("lambda:InvokeFunction"), deny("lambda:*", "arn:aws:lambda:*:*:function:*")],
        FINE,
    ),
    ("all of another service", [allow("s3:GetObject"), deny("s3:*", "arn:aws:sqs:*:*:*")], VIOLATION),
    ("all of an incomplete ARN", [allow("s3:PutObject"), deny("s3:*", "arn:aws:s3")], FINE),
    ("all queues of one account", [allow("sqs:SendMessage"), deny("sqs:*", f"arn:aws:sqs:{_LOCAL}:*")], VIOLATION),
    ("all queues of one region", [allow("sqs:SendMessage"), deny("sqs:*", "arn:aws:sqs:eu-west-1:*:*")], VIOLATION),
    (
        "what is tagged otherwise",
        [allow("ec2:TerminateInstances"), deny("*", **when("StringNotEquals", "aws:ResourceTag/a", "b"))],
        FINE,
    ),
    (
        "without MFA",
        [allow("ec2:TerminateInstances"), deny("*", **when("BoolIfExists", "aws:MultiFactorAuthPresent", "false"))],
        VIOLATION,
    ),
)
_INVERTED: tuple[tuple[str, Any, str], ...] = (
    ("both", {"Effect": "Allow", "NotAction": "s3:*", "NotResource": BUCKET}, VIOLATION),
    ("under a tag", {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*", **TAGGED}, VIOLATION),
    ("on objects", {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": f"{BUCKET}/*"}, VIOLATION),
    ("denied", {"Effect": "Deny", "NotAction": "s3:*", "NotResource": BUCKET}, FINE),
)
_PASSING: tuple[tuple[str, Any, str], ...] = (
    ("all", allow("iam:PassRole"), VIOLATION),
    ("all in capitals", allow("IAM:PASSROLE", **PASSED), VIOLATION),
    ("all as ?*", allow("iam:PassRole", "?*"), VIOLATION),
    ("all roles", allow("iam:PassRole", f"{_ROLES}/?*", **PASSED), VIOLATION),
    ("all that begin with role", allow("iam:PassRole", f"{_ROLES}*", **PASSED), VIOLATION),
    ("one and all", allow("iam:PassRole", [ROLE, f"{_ROLES}/*"], **PASSED), VIOLATION),
    (
        "by what it is for",
        allow("iam:PassRole", **when("StringLike", "iam:AssociatedResourceArn", _FUNCTION)),
        VIOLATION,
    ),
    ("by a wildcard's service", allow("*:PassRole"), VIOLATION),
    ("with what starts functions", allow(["lambda:CreateFunction", "iam:PassRole"]), VIOLATION),
    ("one", allow("iam:PassRole", ROLE), ADVICE),
    (
        "one to any service",
        allow("iam:PassRole", ROLE, **when("StringLike", "iam:PassedToService", "*.amazonaws.com")),
        ADVICE,
    ),
    ("two to one service", allow("iam:PassRole", [ROLE, f"{_ROLES}/b"], **PASSED), FINE),
    (
        "one to two services",
        allow(
            "iam:PassRole",
            ROLE,
            **when("StringEquals", "iam:PassedToService", ["lambda.amazonaws.com", "glue.amazonaws.com"]),
        ),
        FINE,
    ),
    ("one of any account", allow("iam:PassRole", "arn:aws:iam::*:role/app-exec", **PASSED), FINE),
)


BESIDE = ("[permissions-boundary]", "[tags]", "[customer-key]")


def verdict(violations: Sequence[str], advice: Sequence[str]) -> str:
    """The verdict that messages add up to, but for advice about what stands beside the document."""
    told = [text for text in advice if not text.startswith(BESIDE)]
    return VIOLATION if violations else ADVICE if told else FINE


def identities() -> Iterator[tuple[str, Any, str]]:
    """Name, statements, verdict."""
    yield from ((f"every action as {each}", allow(each, f"{BUCKET}/*"), VIOLATION) for each in _ALL)
    yield from ((f"{action} on one", allow(action, resource), VIOLATION) for action, resource in _CHANGING)
    yield from ((f"{action} on all", allow(action), VIOLATION) for action in _BROAD)
    yield from ((f"{action} on all", allow(action), ADVICE) for action in _READS)
    yield from ((f"{action} on all", allow(action), FINE) for action in _UNSCOPED)
    yield from ((f"{action} on {resource}", allow(action, resource), FINE) for action, resource in _NARROW)
    yield from ((f"put on {each}", allow("s3:PutObject", each), VIOLATION) for each in _EVERYWHERE)
    for name, condition in _BINDING.items():
        yield f"bound by {name}", allow("dynamodb:DeleteTable", "*", **condition), FINE
    for name, condition in _LOOSE.items():
        yield f"not bound by {name}", allow("dynamodb:DeleteTable", "*", **condition), VIOLATION
    for name, (condition, verdict) in _ALIASES.items():
        yield f"key by {name}", allow(["kms:Decrypt", "kms:GenerateDataKey"], "*", **condition), verdict
    for name, (condition, verdict) in _ATTACHING.items():
        yield f"attach by {name}", allow(["iam:AttachRolePolicy"], "*", **condition), verdict
    yield from ((f"Deny: {name}", found, verdict) for name, found, verdict in _DENIED)
    yield from ((f"inverted: {name}", found, verdict) for name, found, verdict in _INVERTED)
    yield from ((f"pass {name}", found, verdict) for name, found, verdict in _PASSING)


_SUBJECT = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
TRUSTS: tuple[tuple[str, Any, str], ...] = (
    ("a service", trust(LAMBDA), ADVICE),
    ("a guarded service", trust(LAMBDA, **GUARDED), FINE),
    (
        "a service, guarded if it exists",
        trust(LAMBDA, **when("StringEqualsIfExists", "aws:SourceAccount", ACCOUNT)),
        ADVICE,
    ),
    ("two services", trust({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}, **GUARDED), VIOLATION),
    ("the edge's too", trust({"Service": ["edgelambda.amazonaws.com", "lambda.amazonaws.com"]}, **GUARDED), FINE),
    (
        "one service, regional",
        trust({"Service": ["states.eu-west-1.amazonaws.com", "states.amazonaws.com"]}, **GUARDED),
        FINE,
    ),
    ("a role and a service", trust({"AWS": ROLE, **LAMBDA}, **GUARDED), FINE),
    ("anybody in a list", trust({"AWS": ["*"]}), VIOLATION),
    ("anybody second", [trust({"AWS": ROLE}), trust("*")], VIOLATION),
    ("any account's root", trust({"AWS": "arn:aws:iam::*:root"}), VIOLATION),
    ("anybody with external id", trust({"AWS": "*"}, **when("StringEquals", "sts:ExternalId", "x")), VIOLATION),
    ("anybody of an organisation", trust({"AWS": "*"}, **_ORG), FINE),
    (
        "anybody of a unit",
        trust({"AWS": "*"}, **when("ForAnyValue:StringEquals", "aws:PrincipalOrgPaths", "o-1/r-1/ou-1/")),
        FINE,
    ),
    ("anybody by ARN", trust({"AWS": "*"}, **when("StringLike", "aws:PrincipalArn", f"{_ROLES}/ci-*")), FINE),
    ("anybody by any ARN", trust({"AWS": "*"}, **when("StringLike", "aws:PrincipalArn", "*")), VIOLATION),
    (
        "anybody by ARN if it exists",
        trust({"AWS": "*"}, **when("ArnLikeIfExists", "aws:PrincipalArn", ROLE)),
        VIOLATION,
    ),
    (
        "all values of an organisation",
        trust({"AWS": "*"}, **when("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-1")),
        VIOLATION,
    ),
    ("anybody in a network", trust({"AWS": "*"}, **when("IpAddress", "aws:SourceIp", "10.0.0.0/8")), VIOLATION),
    ("anybody with a tag", trust({"AWS": "*"}, **when("StringEquals", "aws:PrincipalTag/a", "b")), VIOLATION),
    ("two accounts", trust({"AWS": [ROOT, "arn:aws:iam::222222222222:root"]}), ADVICE),
    ("an account with MFA", trust({"AWS": ROOT}, **when("Bool", "aws:MultiFactorAuthPresent", "true")), ADVICE),
    ("a user", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/x"}), FINE),
    ("every action", trust(LAMBDA, Action="*", **GUARDED), VIOLATION),
    ("every call to sts", trust(LAMBDA, Action="sts:*", **GUARDED), VIOLATION),
    ("sessions with tags", trust({"AWS": ROLE}, Action=["sts:AssumeRole", "sts:TagSession"]), FINE),
    ("any provider", trust({"Federated": "*"}, Action="sts:AssumeRoleWithWebIdentity"), VIOLATION),
    (
        "a cluster's account",
        trust(
            {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{_SUBJECT}"},
            Action="sts:AssumeRoleWithWebIdentity",
            **when("StringEquals", f"{_SUBJECT}:sub", "system:serviceaccount:a:b"),
        ),
        FINE,
    ),
    (
        "a cluster",
        trust(
            {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{_SUBJECT}"}, Action="sts:AssumeRoleWithWebIdentity"
        ),
        VIOLATION,
    ),
)

# Resources with a policy of their own: type, property, one of its actions.
CARRIERS = (
    ("aws:s3/bucketPolicy:BucketPolicy", "policy", "s3:GetObject"),
    ("aws:s3/bucket:Bucket", "policy", "s3:GetObject"),
    ("aws:s3/bucketV2:BucketV2", "policy", "s3:GetObject"),
    ("aws:s3/accessPoint:AccessPoint", "policy", "s3:GetObject"),
    ("aws:sns/topicPolicy:TopicPolicy", "policy", "sns:Publish"),
    ("aws:sns/topic:Topic", "policy", "sns:Publish"),
    ("aws:sqs/queuePolicy:QueuePolicy", "policy", "sqs:SendMessage"),
    ("aws:sqs/queue:Queue", "policy", "sqs:SendMessage"),
    ("aws:kms/key:Key", "policy", "kms:Decrypt"),
    ("aws:kms/keyPolicy:KeyPolicy", "policy", "kms:Decrypt"),
    ("aws:kms/replicaKey:ReplicaKey", "policy", "kms:Decrypt"),
    ("aws:secretsmanager/secretPolicy:SecretPolicy", "policy", "secretsmanager:GetSecretValue"),
    ("aws:secretsmanager/secret:Secret", "policy", "secretsmanager:GetSecretValue"),
    ("aws:ecr/repositoryPolicy:RepositoryPolicy", "policy", "ecr:BatchGetImage"),
    ("aws:ecr/registryPolicy:RegistryPolicy", "policy", "ecr:ReplicateImage"),
    ("aws:apigateway/restApiPolicy:RestApiPolicy", "policy", "execute-api:Invoke"),
    ("aws:apigateway/restApi:RestApi", "policy", "execute-api:Invoke"),
    ("aws:cloudwatch/eventBusPolicy:EventBusPolicy", "policy", "events:PutEvents"),
    ("aws:cloudwatch/logResourcePolicy:LogResourcePolicy", "policyDocument", "logs:PutLogEvents"),
    ("aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy", "accessPolicy", "logs:PutSubscriptionFilter"),
    ("aws:glue/resourcePolicy:ResourcePolicy", "policy", "glue:GetTable"),
    (
        "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy",
        "resourcePolicy",
        "sagemaker:DescribeModelPackage",
    ),
    ("aws:efs/fileSystemPolicy:FileSystemPolicy", "policy", "elasticfilesystem:ClientMount"),
    ("aws:backup/vaultPolicy:VaultPolicy", "policy", "backup:CopyIntoBackupVault"),
    ("aws:opensearch/domainPolicy:DomainPolicy", "accessPolicies", "es:ESHttpGet"),
    ("aws:dynamodb/resourcePolicy:ResourcePolicy", "policy", "dynamodb:GetItem"),
    ("aws:kinesis/resourcePolicy:ResourcePolicy", "policy", "kinesis:PutRecord"),
    (
        "aws:codeartifact/domainPermissionsPolicy:DomainPermissionsPolicy",
        "policyDocument",
        "codeartifact:GetAuthorizationToken",
    ),
    ("aws:codebuild/resourcePolicy:ResourcePolicy", "policy", "codebuild:BatchGetProjects"),
    ("aws:acmpca/policy:Policy", "policy", "acm-pca:IssueCertificate"),
    ("aws:schemas/registryPolicy:RegistryPolicy", "policy", "schemas:DescribeRegistry"),
)
_EVENTS = {"Service": "events.amazonaws.com"}
_RULES = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/*"


def admissions(action: str) -> Iterator[tuple[str, Any, str]]:
    """What holds for every resource policy: name, statements, verdict."""
    everything = action.partition(":")[0] + ":*"
    yield "a role", admit({"AWS": ROLE}, action, "*"), FINE
    yield "anybody", admit("*", action, "*"), VIOLATION
    yield "anybody of an organisation", admit({"AWS": "*"}, action, "*", **_ORG), FINE
    yield "anybody over TLS", admit("*", action, "*", **when("Bool", "aws:SecureTransport", "true")), VIOLATION
    yield "anybody from anywhere", admit("*", action, "*", **when("IpAddress", "aws:SourceIp", "0.0.0.0/0")), VIOLATION
    yield "anybody of a network", admit("*", action, "*", **when("IpAddress", "aws:SourceIp", "192.0.2.0/24")), FINE
    yield (
        "anybody but of a network",
        admit("*", action, "*", **when("NotIpAddress", "aws:SourceIp", "192.0.2.0/24")),
        VIOLATION,
    )
    yield "any service", admit("*", action, "*", **when("Bool", "aws:PrincipalIsAWSService", "true")), VIOLATION
    yield "a role to everything", admit({"AWS": ROLE}, everything, "*"), VIOLATION
    yield "a service", admit(_EVENTS, action, "*"), VIOLATION
    yield "a service, by ARN", admit(_EVENTS, action, "*", **when("ArnLike", "aws:SourceArn", _RULES)), FINE
    yield (
        "a service, by any ARN",
        admit(_EVENTS, action, "*", **when("ArnLike", "aws:SourceArn", "arn:aws:events:*:*:*")),
        VIOLATION,
    )
    yield (
        "a service, by organisation",
        admit(_EVENTS, action, "*", **when("StringEquals", "aws:SourceOrgID", "o-1")),
        FINE,
    )
    yield "a service, by the caller's organisation", admit(_EVENTS, action, "*", **_ORG), VIOLATION
    yield (
        "all but one",
        {"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": action, "Resource": "*"},
        VIOLATION,
    )
    yield (
        "Deny to all but one",
        {"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": everything, "Resource": "*"},
        FINE,
    )
