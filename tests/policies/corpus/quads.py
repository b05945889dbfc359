"""Per rule, as data: a compliant resource, a violating one with its message, the property that may be unknown."""

from typing import Any

from tests.policies.corpus.entrance import GITHUB, GUARDED, LAMBDA, ROLE, ROOT, admit, trust
from tests.policies.corpus.identity import BUCKET, PASSED, allow, deny, when
from tests.policies.corpus.props import (
    ACCESS,
    ALARM,
    ALIAS,
    ATTACHMENT,
    BLOCK,
    CONFIGURATION,
    FUNCTION,
    GROUP,
    IGNORED,
    KEY,
    LOG,
    SCALED,
    SHIFT,
    TARGET,
    configuration,
    rule,
    variables,
    without,
)
from tests.policies.harness import document

POLICY, ROLE_TYPE = "aws:iam/policy:Policy", "aws:iam/role:Role"
SHIFTED = "pulumi-python:dynamic/glidepath:TrafficShift"
NOTEBOOK = "aws:sagemaker/notebookInstance:NotebookInstance"
BUCKETS = "aws:s3/bucketPolicy:BucketPolicy"


def identity(statement: Any) -> dict[str, Any]:
    """A policy of one statement."""
    return {"policy": document(statement)}


def entry(statement: Any) -> dict[str, Any]:
    """A role that trusts."""
    return {"assumeRolePolicy": document(statement), "permissionsBoundary": "arn:aws:iam::1:policy/b"}


READ = identity(allow("s3:GetObject", f"{BUCKET}/*"))
GUARDED_TRUST = entry(trust(LAMBDA, **GUARDED))
TRACED = {"tracingConfig": {"mode": "Active"}}
CAPTURE = "dataCaptureConfig"

# rule → (type, compliant, violating, message up to the reasons, property that is unknown)
QUADS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str, str]] = {
    "wildcard-action": (
        POLICY,
        READ,
        identity(allow("S3:*", BUCKET, Sid="All")),
        "statement 'All' of policy: allows `S3:*`, every action there is",
        "policy",
    ),
    "wildcard-permissions": (
        POLICY,
        READ,
        identity(allow("sns:Add*", "arn:aws:sns:eu-west-1:1:t")),
        "statement 0 of policy: `sns:Add*` reaches `sns:AddPermission`, which change permissions",
        "policy",
    ),
    "wildcard-resource": (
        POLICY,
        READ,
        identity([allow("s3:GetObject", BUCKET), allow("s3:PutObject")]),
        "statement 1 of policy: allows `s3:PutObject` on `*`, though they can be scoped",
        "policy",
    ),
    "wildcard-type": (
        POLICY,
        READ,
        identity(allow("dynamodb:PutItem", ["arn:aws:sqs:eu-west-1:1:a", "arn:aws:dynamodb:eu-west-1:1:table/*"])),
        "statement 0 of policy: allows `dynamodb:PutItem` on all resources of a type in the account",
        "policy",
    ),
    "wildcard-metadata": (
        POLICY,
        READ,
        identity(allow("s3:ListBucket")),
        "statement 0 of policy: reads the metadata of all resources with `s3:ListBucket`",
        "policy",
    ),
    "escalation-pair": (
        POLICY,
        identity([allow("iam:UpdateAssumeRolePolicy", ROLE), allow("sts:AssumeRole", f"{ROLE}-b")]),
        identity([allow("iam:UpdateAssumeRolePolicy", ROLE), allow("sts:AssumeRole", ROLE)]),
        (
            "statement 0 of policy: allows `iam:UpdateAssumeRolePolicy` and `sts:AssumeRole` together:"
            " it lets itself into the role"
        ),
        "policy",
    ),
    "detour": (
        "aws:kms/grant:Grant",
        {"granteePrincipal": ROLE, "operations": ["Decrypt"]},
        {"granteePrincipal": ROLE, "operations": ["Decrypt", "CreateGrant"]},
        "operations: gives a key, and the right to hand it on (CreateGrant)",
        "operations",
    ),
    "open-grant": (
        POLICY,
        identity(allow("kms:CreateGrant", KEY, **when("Bool", "kms:GrantIsForAWSResource", "true"))),
        identity(allow(["kms:Decrypt", "kms:*Grant*"], KEY)),
        "statement 0 of policy: makes grants for anybody: `kms:*Grant*`",
        "policy",
    ),
    "lasting-credential": (
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        {"roles": {"authenticated": ROLE}},
        {"roles": {"unauthenticated": ROLE}},
        "roles.unauthenticated: gives a role to anybody on the internet",
        "roles",
    ),
    "unseen": (
        "aws:cloudformation/stack:Stack",
        {"templateBody": "{}"},
        {"templateUrl": "https://s3.example/a"},
        "templateUrl: has a template that no rule can read",
        "templateUrl",
    ),
    "inverted-allow": (
        POLICY,
        identity(deny("*")),
        identity({"Effect": "Allow", "NotAction": "a:b", "NotResource": "c"}),
        "statement 0 of policy: allows by NotAction and NotResource: all but what is listed",
        "policy",
    ),
    "pass-role": (
        POLICY,
        identity(allow("iam:PassRole", ROLE, **PASSED)),
        identity(allow("iam:PassRole", "*", **PASSED)),
        "statement 0 of policy: passes any role: iam:PassRole on `*`",
        "policy",
    ),
    "pass-role-service": (
        POLICY,
        identity(allow("iam:PassRole", ROLE, **PASSED)),
        identity(allow("iam:PassRole", ROLE)),
        "statement 0 of policy: passes roles to any service: no condition on iam:PassedToService",
        "policy",
    ),
    "escalation": (
        POLICY,
        identity(allow("iam:PutRolePolicy", ROLE)),
        identity(allow("iam:PutRolePolicy", "arn:aws:iam::1:role/*")),
        "statement 0 of policy: allows `iam:PutRolePolicy` on every one in the account",
        "policy",
    ),
    "managed-full-access": (
        ATTACHMENT,
        {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        {"policyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
        "policyArn: attaches AWS's managed policy `AmazonS3FullAccess`",
        "policyArn",
    ),
    "permissions-boundary": (
        ROLE_TYPE,
        GUARDED_TRUST,
        without(GUARDED_TRUST, "permissionsBoundary"),
        "permissionsBoundary: has no permissions boundary",
        "permissionsBoundary",
    ),
    "unknown-action": (
        POLICY,
        READ,
        identity(allow("s3:GetObjekt", BUCKET)),
        "statement 0 of policy: names `s3:GetObjekt`, which AWS does not have",
        "policy",
    ),
    "malformed-document": (
        POLICY,
        READ,
        {"policy": "{"},
        (
            "policy: the document is not valid JSON"
            " (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"
        ),
        "policy",
    ),
    "document-size": (
        POLICY,
        READ,
        {"policy": '{"Statement": [], "Id": "' + "x" * 6200 + '"}'},
        "policy: the document has 6224 characters, AWS takes 6144",
        "policy",
    ),
    "open-principal": (
        BUCKETS,
        identity(admit({"AWS": ROLE}, "s3:GetObject")),
        identity(admit("*", "s3:GetObject")),
        "statement 0 of policy: lets in `*`: anybody",
        "policy",
    ),
    "mixed-trust": (
        ROLE_TYPE,
        GUARDED_TRUST,
        entry(trust({"Service": ["lambda.amazonaws.com", "glue.amazonaws.com"]})),
        "statement 0 of assumeRolePolicy: trusts 2 services: `glue`, `lambda`",
        "assumeRolePolicy",
    ),
    "service-trust": (
        ROLE_TYPE,
        GUARDED_TRUST,
        entry(trust(LAMBDA)),
        "statement 0 of assumeRolePolicy: trusts `lambda.amazonaws.com` whoever it acts for",
        "assumeRolePolicy",
    ),
    "account-trust": (
        ROLE_TYPE,
        entry(trust({"AWS": ROLE})),
        entry(trust({"AWS": ROOT})),
        f"statement 0 of assumeRolePolicy: trusts all of the account `{ROOT}`",
        "assumeRolePolicy",
    ),
    "federated-trust": (
        ROLE_TYPE,
        entry(trust({"Federated": GITHUB}, **when("StringEquals", "a:sub", "repo:a/b:x"))),
        entry(trust({"Federated": GITHUB})),
        f"statement 0 of assumeRolePolicy: trusts every token of `{GITHUB}`",
        "assumeRolePolicy",
    ),
    "confused-deputy": (
        BUCKETS,
        identity(admit(LAMBDA, "s3:GetObject", **GUARDED)),
        identity(admit(LAMBDA, "s3:GetObject")),
        "statement 0 of policy: admits `lambda.amazonaws.com` whoever it acts for",
        "policy",
    ),
    "capture-enabled": (
        CONFIGURATION,
        configuration(),
        without(configuration(), CAPTURE),
        "dataCaptureConfig: captures nothing",
        CAPTURE,
    ),
    "capture-percentage": (
        CONFIGURATION,
        configuration(),
        configuration(initialSamplingPercentage=20),
        "dataCaptureConfig.initialSamplingPercentage: captures 20 % of the requests, 100 % are wanted",
        CAPTURE,
    ),
    "capture-modes": (
        CONFIGURATION,
        configuration(),
        configuration(captureOptions=[]),
        "dataCaptureConfig.captureOptions: does not capture Input and Output",
        CAPTURE,
    ),
    "capture-encrypted": (
        CONFIGURATION,
        configuration(),
        configuration(kmsKeyId=None),
        "dataCaptureConfig.kmsKeyId: captures without a KMS key",
        CAPTURE,
    ),
    "capture-destination": (
        CONFIGURATION,
        configuration(),
        configuration(destinationS3Uri="x"),
        "dataCaptureConfig.destinationS3Uri: captures to 'x', which is no address in S3",
        CAPTURE,
    ),
    "capture-content-types": (
        CONFIGURATION,
        configuration(),
        configuration(captureContentTypeHeader=None),
        "dataCaptureConfig.captureContentTypeHeader: names no content types",
        CAPTURE,
    ),
    "alias-managed": (
        ALIAS,
        {"functionVersion": "1", "ignore_changes": IGNORED},
        {"functionVersion": "$LATEST", "ignore_changes": IGNORED},
        "functionVersion: points to $LATEST: whatever is uploaded serves at once",
        "functionVersion",
    ),
    "all-at-once": (
        GROUP,
        SHIFT,
        {**SHIFT, "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce"},
        "deploymentConfigName: moves all traffic at once: CodeDeployDefault.LambdaAllAtOnce",
        "deploymentConfigName",
    ),
    "rollback": (
        GROUP,
        SHIFT,
        without(SHIFT, "autoRollbackConfiguration"),
        "autoRollbackConfiguration: does not roll back",
        "autoRollbackConfiguration",
    ),
    "deployment-alarms": (
        GROUP,
        SHIFT,
        without(SHIFT, "alarmConfiguration"),
        "alarmConfiguration: is watched by no alarm",
        "alarmConfiguration",
    ),
    "deployment-style": (
        GROUP,
        SHIFT,
        {**SHIFT, "deploymentStyle": {"deploymentType": "BLUE_GREEN"}},
        "deploymentStyle.deploymentOption: deploys without traffic control",
        "deploymentStyle",
    ),
    "shift-hooks": (
        SHIFTED,
        {"before": "a", "after": "b"},
        {"before": "a"},
        "after: has no hook after traffic",
        "after",
    ),
    "production-instances": (
        CONFIGURATION,
        configuration(),
        configuration(count=1),
        "productionVariants[0].initialInstanceCount: runs 1 instance, 2 are wanted in production",
        "productionVariants",
    ),
    "production-scaling": (
        TARGET,
        SCALED,
        {**SCALED, "minCapacity": 1},
        "minCapacity: scales in to 1 instance, 2 are wanted",
        "minCapacity",
    ),
    "protected-state": (
        "aws:s3/bucket:Bucket",
        {},
        {"forceDestroy": True},
        "forceDestroy: is deleted with all it holds",
        "forceDestroy",
    ),
    "public-bucket": (
        BLOCK,
        ACCESS,
        {**ACCESS, "blockPublicAcls": False},
        "blockPublicAcls: leaves open blockPublicAcls",
        "blockPublicAcls",
    ),
    "public-network": (
        "aws:ec2/securityGroup:SecurityGroup",
        rule((443, 443), "0.0.0.0/0"),
        rule((20, 22), "0.0.0.0/0"),
        "ingress[0]: opens ports 20 to 22 to everybody",
        "ingress",
    ),
    "public-api": (
        "aws:lambda/functionUrl:FunctionUrl",
        {"authorizationType": "AWS_IAM"},
        {"authorizationType": "NONE"},
        "authorizationType: answers everybody: authorizationType is NONE",
        "authorizationType",
    ),
    "encryption-at-rest": (
        "aws:efs/fileSystem:FileSystem",
        {"encrypted": True},
        {},
        "encrypted: does not encrypt files",
        "encrypted",
    ),
    "customer-key": (LOG, {"kmsKeyId": KEY}, {}, "kmsKeyId: is not encrypted with a key of one's own", "kmsKeyId"),
    "key-rotation": (
        "aws:kms/key:Key",
        {"enableKeyRotation": True},
        {},
        "enableKeyRotation: never rotates",
        "enableKeyRotation",
    ),
    "notebook-closed": (
        NOTEBOOK,
        {"rootAccess": "Disabled"},
        {},
        "rootAccess: gives root to whoever opens it",
        "rootAccess",
    ),
    "plain-secret": (
        FUNCTION,
        variables(A="b"),
        variables(PASSWORD="hunter2"),
        "environment.variables: holds a secret in plain text: PASSWORD",
        "environment",
    ),
    "log-retention": (LOG, {"retentionInDays": 30}, {}, "retentionInDays: keeps its logs forever", "retentionInDays"),
    "alarm-actions": (ALARM, {"alarmActions": ["a"]}, {}, "alarmActions: notifies nobody", "alarmActions"),
    "tracing": (FUNCTION, TRACED, {}, "tracingConfig.mode: is not traced", "tracingConfig"),
    "access-logs": (
        "aws:apigateway/stage:Stage",
        {"accessLogSettings": {"format": "a"}},
        {},
        "accessLogSettings: keeps no access log",
        "accessLogSettings",
    ),
    "tags": (LOG, {"tags": {"a": "b"}}, {}, "tags: has no tags at all", "tags"),
    "machines": (
        NOTEBOOK,
        {"instanceType": "ml.t3.medium"},
        {"instanceType": "ml.p4d.24xlarge"},
        "instanceType: runs on ml.p4d.24xlarge, which is not allowed here",
        "instanceType",
    ),
    "bucket-source": (
        "aws:lambda/permission:Permission",
        {"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::a", "sourceAccount": "111111111111"},
        {"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::a"},
        "sourceAccount: admits whoever has the bucket `arn:aws:s3:::a`",
        "sourceArn",
    ),
    "capture-possible": (
        CONFIGURATION,
        configuration(),
        {"productionVariants": [{"serverlessConfig": {"maxConcurrency": 1}}]},
        "productionVariants: is serverless: nothing of what it is asked is kept",
        "productionVariants",
    ),
    "public-resource": (
        "aws:rds/instance:Instance",
        {"publiclyAccessible": False},
        {"publiclyAccessible": True},
        "publiclyAccessible: is reachable from the internet",
        "publiclyAccessible",
    ),
    "keyed-api": (
        "aws:appsync/graphQLApi:GraphQLApi",
        {"authenticationType": "AWS_IAM"},
        {"authenticationType": "API_KEY"},
        "authenticationType: is opened by a key that stands in every client",
        "authenticationType",
    ),
    "alarm-fires": (
        ALARM,
        {"comparisonOperator": "GreaterThanThreshold", "threshold": 1},
        {"comparisonOperator": "GreaterThanThreshold", "threshold": 1e9},
        "threshold: cannot fire: nothing reaches 1e+09",
        "threshold",
    ),
    "supported-runtime": (
        FUNCTION,
        {"runtime": "python3.13"},
        {"runtime": "python3.8"},
        "runtime: runs on a runtime that AWS has ended",
        "runtime",
    ),
    "safe-build": (
        "aws:codebuild/project:Project",
        {"environment": {"privilegedMode": False}},
        {"environment": {"privilegedMode": True}},
        "environment.privilegedMode: builds as root of its host (privileged mode)",
        "environment",
    ),
    "encryption-in-transit": (
        "aws:apigateway/domainName:DomainName",
        {"securityPolicy": "TLS_1_2"},
        {"securityPolicy": "TLS_1_0"},
        "securityPolicy: takes TLS 1.0",
        "securityPolicy",
    ),
    "isolated": (
        "aws:ec2/subnet:Subnet",
        {"mapPublicIpOnLaunch": False},
        {"mapPublicIpOnLaunch": True},
        "mapPublicIpOnLaunch: gives its machines public addresses",
        "mapPublicIpOnLaunch",
    ),
    "service-logs": (
        "aws:eks/cluster:Cluster",
        {"enabledClusterLogTypes": ["api"]},
        {"enabledClusterLogTypes": []},
        "enabledClusterLogTypes: sends no log to CloudWatch",
        "enabledClusterLogTypes",
    ),
    "recoverable": (
        "aws:dynamodb/table:Table",
        {"pointInTimeRecovery": {"enabled": True}},
        {},
        "pointInTimeRecovery.enabled: cannot be brought back to a point in time",
        "pointInTimeRecovery",
    ),
}
