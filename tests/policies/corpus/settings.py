"""Settings of resources, as data: each row of the table wrong and right; secrets, networks, APIs, releases."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from policies.rules.hardening import SETTINGS
from tests.policies.corpus.props import (
    ALARM,
    CONFIGURATION,
    FUNCTION,
    GROUP,
    PROJECT,
    SCALED,
    SHIFT,
    SHIFTS,
    TARGET,
    configuration,
    variables,
)
from tests.policies.corpus.verdicts import ADVICE, FINE, VIOLATION

_PARAMETER = "aws:ssm/parameter:Parameter"
_RIGHT: dict[str, Any] = {
    "runtime": "python3.13",
    "securityPolicy": "TLS_1_2",
    "clusterEndpointEncryptionType": "TLS",
    "httpTokens": "required",
    "autoAcceptSharedAttachments": "disable",
    "loggingLevel": "INFO",
    "imageTagMutability": "IMMUTABLE",
    "multiAz": True,
    "backupRetentionPeriod": 7,
    "s3EncryptionMode": "SSE-KMS",
    "cloudwatchEncryptionMode": "SSE-KMS",
    "status": "ENABLED",
    "projectVisibility": "PRIVATE",
    "location": "https://git.example/a",
    "appNetworkAccessType": "VpcOnly",
    "logPublishingOptions": [{"a": "b"}],
    "encryptionConfiguration": {"a": "b"},
    "encryptionKey": {"id": "a"},
    "enabledCloudwatchLogsExports": ["error"],
    "enabledClusterLogTypes": ["api"],
    "kmsKeyId": "a",
    "subnetId": "a",
    "ingress": [],
    "directInternetAccess": "Disabled",
    "password": None,
    "masterPassword": None,
}
_WRONG: dict[str, Any] = {
    "runtime": "python3.8",
    "securityPolicy": "TLS_1_0",
    "httpTokens": "optional",
    "autoAcceptSharedAttachments": "enable",
    "loggingLevel": "OFF",
    "status": "DISABLED",
    "projectVisibility": "PUBLIC_READ",
    "backupRetentionPeriod": 6,
    "location": "https://ann:x@git.example/a",
    "ingress": [{"fromPort": 443, "toPort": 443}],
    "password": "a",
    "directInternetAccess": "Enabled",
    "masterPassword": "a",
    "appNetworkAccessType": "PublicInternetOnly",
    "imageTagMutability": "MUTABLE",
    "clusterEndpointEncryptionType": "NONE",
    "s3EncryptionMode": "DISABLED",
    "cloudwatchEncryptionMode": "DISABLED",
    "logPublishingOptions": [],
    "encryptionConfiguration": None,
    "enabledCloudwatchLogsExports": [],
    "enabledClusterLogTypes": [],
    "kmsKeyId": None,
    "subnetId": None,
    "encryptionKey": None,
}


def _value(path: str, right: bool) -> Any:
    """A property's right value, or its wrong one: switches are on where that is right, else off."""
    name = path.rpartition(".")[2]
    known = _RIGHT if right else _WRONG
    if name in known:
        return known[name]
    dangerous = ("Disabled", "privilegedMode", "insecureSsl", "ublicIp")
    return right is not any(each in name for each in dangerous)


def placed(path: str, value: Any) -> dict[str, Any]:
    """Properties that hold a value at a path."""
    head, _, rest = path.partition(".")
    inner = placed(rest, value) if rest else value
    return {head.removesuffix("[]"): [inner] if head.endswith("[]") else inner}


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two sets of properties as one."""
    found = dict(one)
    for name, value in other.items():
        mine = found.get(name)
        if isinstance(mine, dict) and isinstance(value, dict):
            found[name] = merged(mine, value)
        elif isinstance(mine, list) and isinstance(value, list) and mine and value and isinstance(mine[0], dict):
            found[name] = [merged(mine[0], value[0])]
        else:
            found[name] = value
    return found


def right(kind: str) -> dict[str, Any]:
    """A resource that every row of its type is content with."""
    found: dict[str, Any] = {}
    for row in SETTINGS:
        if row.type == kind:
            found = merged(found, placed(row.path, _value(row.path, True)))
    return found


def rows() -> Iterator[tuple[str, str, str, dict[str, Any], dict[str, Any]]]:
    """Rule, message, type, right and wrong properties of each row."""
    for row in SETTINGS:
        yield (
            row.rule,
            row.what,
            row.type,
            right(row.type),
            merged(right(row.type), placed(row.path, _value(row.path, False))),
        )


_KEYED = "".join(["eyJhbGciOiJIUzI1NiJ9", ".", "eyJzdWIiOiIxIn0", ".", "abcdefghijklmnop"])
_CASES: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    *(
        ("secrets by name", FUNCTION, variables(**{name: "hunter2hunter2"}), VIOLATION)
        for name in ("PASSWORD_DB", "ENCRYPTION_KEY", "SIGNING_KEY", "tokenGit")
    ),
    *(
        ("secrets by name", FUNCTION, variables(**{name: "hunter2hunter2"}), FINE)
        for name in ("TOKEN_URL", "PASSWORD_LENGTH", "SECRET_ARN", "MONKEY")
    ),
    *(
        ("secrets by value", FUNCTION, variables(A=value), VIOLATION)
        for value in (
            "glpat-" + "a" * 20,
            "AIza" + "b" * 35,
            _KEYED,
            "redis://:p4ssw0rd@h",
            "Server=a;password=hunter2;",
            "github_pat_" + "a" * 30,
            "Bearer " + "a1" * 12,
        )
    ),
    *(
        ("secrets by value", FUNCTION, variables(A=value), FINE)
        for value in ("postgres://u:${PASSWORD}@h/db", "redis://h:6379", "eyJ", "sk-1")
    ),
    *(
        ("names of secrets", FUNCTION, variables(DB_SECRET=value), FINE)
        for value in (
            "prod/db-credentials",
            "prod-db-credentials",
            "arn:aws:secretsmanager:a",
            "${SECRET}",
            "12345678-1234-1234-1234-123456789012",
        )
    ),
    *(("names of secrets", FUNCTION, variables(CSRF_TOKEN=value), FINE) for value in ("X-CSRF-Token", "Authorization")),
    *(
        ("names of secrets", FUNCTION, variables(CSRF_TOKEN=value), VIOLATION)
        for value in ("Hunter2hunter2", "hunter2/Hunter3")
    ),
    (
        "secrets elsewhere",
        "aws:ec2/instance:Instance",
        {"userData": "#!/bin/sh\nexport DB_PASSWORD=hunter2\n"},
        VIOLATION,
    ),
    (
        "secrets elsewhere",
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"metadataOptions": {"httpTokens": "required"}, "userData": base64.b64encode(b"API_TOKEN='hunter2'").decode()},
        VIOLATION,
    ),
    ("secrets elsewhere", "aws:ec2/instance:Instance", {"userData": "export TABLE=orders\n"}, FINE),
    (
        "secrets elsewhere",
        "aws-native:lambda:Function",
        {"environment": {"variables": {"DB_PASSWORD": "hunter2"}}},
        VIOLATION,
    ),
    (
        "secrets elsewhere",
        "aws:ecs/taskDefinition:TaskDefinition",
        {"containerDefinitions": json.dumps([{"environment": [{"name": "DB_PASSWORD", "value": "hunter2"}]}])},
        VIOLATION,
    ),
    (
        "secrets elsewhere",
        PROJECT,
        {
            "encryptionKey": "a",
            "environment": {"environmentVariables": [{"name": "TOKEN", "value": "a/b", "type": "SECRETS_MANAGER"}]},
        },
        FINE,
    ),
    (
        "secrets elsewhere",
        "aws:codepipeline/pipeline:Pipeline",
        {
            "artifactStores": [{"encryptionKey": {"id": "a"}}],
            "stages": [{"actions": [{"configuration": {"OAuthToken": "hunter2hunter2"}}]}],
        },
        VIOLATION,
    ),
    ("secrets elsewhere", _PARAMETER, {"type": "String", "name": "/a/password", "value": "hunter2"}, VIOLATION),
    ("secrets elsewhere", _PARAMETER, {"type": "SecureString", "name": "/a/password", "value": "hunter2"}, FINE),
    ("secrets elsewhere", "aws:secretsmanager/secretVersion:SecretVersion", {"secretString": "AKIA" + "A" * 16}, FINE),
    ("secrets elsewhere", "other:thing/thing:Thing", {"environment": {"TOKEN": "hunter2"}}, FINE),
    (
        "networks in parts",
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [{"fromPort": 22, "toPort": 22, "ipv6CidrBlocks": ["::/1", "8000::/1"]}]},
        VIOLATION,
    ),
    (
        "networks in parts",
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [{"fromPort": "22", "toPort": "22", "cidrBlocks": ["0.0.0.0/2"]}]},
        VIOLATION,
    ),
    (
        "networks in parts",
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [{"fromPort": 22, "toPort": 22, "cidrBlocks": ["10.0.0.0/8", "x"]}]},
        FINE,
    ),
    (
        "networks in parts",
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [{"fromPort": 22, "toPort": 22, "ipv6CidrBlocks": ["2001::/16"]}]},
        FINE,
    ),
    (
        "networks, natively",
        "aws-native:ec2:SecurityGroup",
        {"securityGroupIngress": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"}]},
        VIOLATION,
    ),
    (
        "networks, natively",
        "aws-native:ec2:SecurityGroupIngress",
        {"ipProtocol": "-1", "cidrIp": "0.0.0.0/0"},
        VIOLATION,
    ),
    ("public by a switch", "aws:dms/replicationInstance:ReplicationInstance", {"publiclyAccessible": True}, VIOLATION),
    ("public by a switch", "aws:mq/broker:Broker", {"publiclyAccessible": "true"}, VIOLATION),
    ("public by a switch", "aws:rds/snapshot:Snapshot", {"sharedAccounts": ["all"]}, VIOLATION),
    ("public by a switch", "aws:ec2/amiLaunchPermission:AmiLaunchPermission", {"group": "all"}, VIOLATION),
    ("public by a switch", "aws:rds/snapshot:Snapshot", {"sharedAccounts": ["111111111111"]}, FINE),
    ("public by a switch", "aws:ssm/document:Document", {"permissions": {"accountIds": "1, All"}}, VIOLATION),
    ("public by a switch", "aws:ssm/document:Document", {"permissions": {"accountIds": "111111111111"}}, FINE),
    ("public by a switch", "aws:other/document:Document", {"permissions": {"accountIds": "all"}}, FINE),
    *(
        (
            "clusters' APIs",
            "aws:eks/cluster:Cluster",
            {"enabledClusterLogTypes": ["api"], "vpcConfig": config},
            expected,
        )
        for config, expected in (
            ({"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}, VIOLATION),
            ({}, VIOLATION),
            ({"endpointPublicAccess": False}, FINE),
            ({"endpointPublicAccess": "false"}, FINE),
            ({"publicAccessCidrs": ["192.0.2.0/24"]}, FINE),
        )
    ),
    *(
        (
            "network ACLs",
            "aws:ec2/networkAclRule:NetworkAclRule",
            {"ruleAction": "allow", "cidrBlock": "0.0.0.0/0", "protocol": "tcp", **given},
            expected,
        )
        for given, expected in (
            ({"fromPort": 22, "toPort": 22}, VIOLATION),
            ({"fromPort": 0, "toPort": 65535}, VIOLATION),
            ({"fromPort": 3389, "toPort": 4000}, VIOLATION),
            ({"protocol": "-1"}, VIOLATION),
            ({"fromPort": 443, "toPort": 443}, FINE),
            ({"fromPort": 22, "toPort": 22, "egress": True}, FINE),
            ({"fromPort": 22, "toPort": 22, "ruleAction": "deny"}, FINE),
            ({"fromPort": 22, "toPort": 22, "cidrBlock": "10.0.0.0/8"}, FINE),
            ({"fromPort": 22}, FINE),
            ({"toPort": 22}, FINE),
            ({"portRange": {"from": 22, "to": 22}}, VIOLATION),
        )
    ),
    (
        "buckets, natively",
        "aws-native:s3:Bucket",
        {"publicAccessBlockConfiguration": {"blockPublicAcls": False}},
        VIOLATION,
    ),
    (
        "buckets, natively",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {
            "blockPublicAcls": "false",
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        VIOLATION,
    ),
    ("buckets, natively", "aws-native:s3:Bucket", {}, FINE),
    (
        "OpenAPI",
        "aws:apigateway/restApi:RestApi",
        {"body": json.dumps({"paths": {"/p": {"post": {"x-amazon-apigateway-auth": {"type": "NONE"}}}}})},
        VIOLATION,
    ),
    (
        "OpenAPI",
        "aws:apigateway/restApi:RestApi",
        {"body": json.dumps({"security": [{"a": []}], "paths": {"/p": {"post": {"security": []}}}})},
        VIOLATION,
    ),
    (
        "OpenAPI",
        "aws:apigateway/restApi:RestApi",
        {"body": json.dumps({"security": [{"a": []}], "paths": {"/p": {"post": {"security": [{}, {"a": []}]}}}})},
        VIOLATION,
    ),
    (
        "OpenAPI",
        "aws:apigateway/restApi:RestApi",
        {
            "body": json.dumps(
                {"components": {"securitySchemes": {"b": {}}}, "paths": {"/p": {"post": {"security": [{"a": []}]}}}}
            )
        },
        VIOLATION,
    ),
    ("OpenAPI", "aws:apigateway/restApi:RestApi", {"body": "paths:\n  /p:\n    post: {}\n"}, VIOLATION),
    ("OpenAPI", "aws:apigatewayv2/api:Api", {"body": json.dumps({"paths": {"/p": {"trace": {}}}})}, VIOLATION),
    (
        "OpenAPI",
        "aws:apigateway/restApi:RestApi",
        {"body": json.dumps({"security": [{"a": []}], "paths": {"/p": {"post": {}}}})},
        FINE,
    ),
    (
        "OpenAPI",
        "aws:apigateway/restApi:RestApi",
        {"body": json.dumps({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}, "paths": {"/p": {"post": {}}}})},
        FINE,
    ),
    ("quick create", "aws:apigatewayv2/api:Api", {"protocolType": "HTTP", "target": "arn:a"}, VIOLATION),
    ("quick create", "aws:apigatewayv2/route:Route", {"routeKey": "$default", "authorizationType": "NONE"}, VIOLATION),
    ("quick create", "aws:apigatewayv2/api:Api", {"protocolType": "HTTP"}, FINE),
    ("APIs, natively", "aws-native:lambda:Url", {"authType": "NONE"}, VIOLATION),
    ("APIs, natively", "aws-native:apigateway:Method", {"authorizationType": "NONE", "httpMethod": "GET"}, VIOLATION),
    ("keys in clients", "aws:appsync/graphQLApi:GraphQLApi", {"authenticationType": "API_KEY"}, ADVICE),
    ("keys in clients", "aws:appsync/graphQLApi:GraphQLApi", {"authenticationType": "AWS_IAM"}, FINE),
    *(
        (
            "buckets that call",
            "aws:lambda/permission:Permission",
            {"action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com", **given},
            expected,
        )
        for given, expected in (
            ({"sourceArn": "arn:aws:s3:::a"}, ADVICE),
            ({"sourceArn": "arn:aws:s3:::a", "sourceAccount": "111111111111"}, FINE),
            ({"sourceArn": "arn:aws:s3:eu-west-1:111111111111:accesspoint/a"}, FINE),
        )
    ),
    ("capture", CONFIGURATION, {**configuration(), "asyncInferenceConfig": {"outputConfig": {}}}, VIOLATION),
    ("capture", CONFIGURATION, configuration(enableCapture="false"), VIOLATION),
    ("capture", CONFIGURATION, configuration(initialSamplingPercentage="50"), VIOLATION),
    (
        "capture",
        CONFIGURATION,
        {"kmsKeyArn": "a", "productionVariants": [{"serverlessConfig": {"maxConcurrency": 1}}]},
        ADVICE,
    ),
    (
        "capture",
        CONFIGURATION,
        {
            "kmsKeyArn": "a",
            "productionVariants": [{"serverlessConfig": {"maxConcurrency": 1}}, {"initialInstanceCount": 2}],
        },
        VIOLATION,
    ),
    (
        "steps",
        SHIFTS,
        {
            "computePlatform": "Lambda",
            "trafficRoutingConfig": {"type": "TimeBasedCanary", "timeBasedCanary": {"percentage": 95}},
        },
        VIOLATION,
    ),
    (
        "steps",
        SHIFTS,
        {
            "computePlatform": "Lambda",
            "trafficRoutingConfig": {"type": "TimeBasedLinear", "timeBasedLinear": {"percentage": "51"}},
        },
        VIOLATION,
    ),
    (
        "steps",
        SHIFTS,
        {
            "computePlatform": "Lambda",
            "trafficRoutingConfig": {"type": "TimeBasedLinear", "timeBasedLinear": {"percentage": 50}},
        },
        FINE,
    ),
    *(
        (
            "steps",
            "aws:sagemaker/endpoint:Endpoint",
            {
                "deploymentConfig": {
                    "autoRollbackConfiguration": {"alarms": [{"alarmName": "a"}]},
                    "blueGreenUpdatePolicy": {
                        "trafficRoutingConfiguration": {"type": "CANARY", "canarySize": {"type": kind, "value": value}}
                    },
                }
            },
            expected,
        )
        for kind, value, expected in (
            ("CAPACITY_PERCENT", 60, VIOLATION),
            ("CAPACITY_PERCENT", 30, FINE),
            ("INSTANCE_COUNT", 60, FINE),
        )
    ),
    ("switches as text", GROUP, {**SHIFT, "alarmConfiguration": {"enabled": "false", "alarms": ["a"]}}, VIOLATION),
    (
        "switches as text",
        GROUP,
        {**SHIFT, "autoRollbackConfiguration": {**SHIFT["autoRollbackConfiguration"], "enabled": "false"}},
        VIOLATION,
    ),
    ("switches as text", TARGET, {**SCALED, "minCapacity": "1"}, VIOLATION),
    *(
        ("alarms that cannot fire", ALARM, {"alarmActions": ["a"], "metricName": "Errors", **given}, expected)
        for given, expected in (
            ({"comparisonOperator": "GreaterThanThreshold", "threshold": 1e9}, VIOLATION),
            ({"comparisonOperator": "GreaterThanThreshold", "threshold": 1e8}, FINE),
            ({"comparisonOperator": "LessThanThreshold", "threshold": 0}, VIOLATION),
            ({"comparisonOperator": "LessThanThreshold", "threshold": 1}, FINE),
            ({"comparisonOperator": "GreaterThanThreshold", "threshold": 0}, FINE),
            ({"evaluationPeriods": 1, "datapointsToAlarm": 2}, VIOLATION),
            ({"evaluationPeriods": 2, "datapointsToAlarm": 2}, FINE),
            ({"evaluationPeriods": 25, "period": 3600}, VIOLATION),
            ({"evaluationPeriods": 24, "period": 3600}, FINE),
        )
    ),
    (
        "alarms that cannot fire",
        ALARM,
        {
            "alarmActions": ["a"],
            "metricName": "CPUUtilizationNormalized",
            "comparisonOperator": "GreaterThanThreshold",
            "threshold": 100,
        },
        VIOLATION,
    ),
)


def cases() -> Iterator[tuple[str, str, str, dict[str, Any], str]]:
    """Family, kind, resource type, properties, verdict."""
    for kind, type_, given, expected in _CASES:
        yield "settings", kind, type_, given, expected
