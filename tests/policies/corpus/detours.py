"""Ways around the rules, and documents in places where nobody looks: kind, resource type, properties, verdict."""

import json
from collections.abc import Iterator
from typing import Any

from tests.policies.corpus.entrance import ACCOUNT, ROLE, admit
from tests.policies.corpus.identity import allow
from tests.policies.corpus.verdicts import ADVICE, FINE, VIOLATION
from tests.policies.harness import document

_ALL = document(allow("*"))
_OPEN = document(admit("*", "s3:GetObject", "*"))
_ONE = document(admit({"AWS": ROLE}, "s3:GetObject", "*"))
_CONTROL = "aws:cloudcontrol/resource:Resource"
_STACK = "aws:cloudformation/stack:Stack"
_GRANT = "aws:kms/grant:Grant"
_RESOURCES = {"Resources": {"a": {"Type": "AWS::IAM::User", "Properties": {}}}}
_BODY = {"openapi": "3.0.1", "paths": {"/p": {"post": {"security": [{"sigv4": []}]}}}}
_LAKE = "aws:lakeformation/permissions:Permissions"

DETOURS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    (
        "Cloud Control",
        _CONTROL,
        {"typeName": "AWS::IAM::ManagedPolicy", "desiredState": json.dumps({"PolicyDocument": _ALL})},
        VIOLATION,
    ),
    ("Cloud Control", _CONTROL, {"typeName": "AWS::S3::Bucket", "desiredState": "{}"}, VIOLATION),
    ("Cloud Control", _CONTROL, {"typeName": "AWS::Cassandra::Keyspace", "desiredState": "{}"}, ADVICE),
    (
        "Cloud Control",
        _CONTROL,
        {"typeName": "AWS::Cassandra::Keyspace", "desiredState": json.dumps({"A": [{"B": _OPEN}]})},
        VIOLATION,
    ),
    ("stacks", _STACK, {"templateBody": json.dumps(_RESOURCES)}, VIOLATION),
    ("stacks", _STACK, {"templateBody": "Resources:\n  A:\n    Type: AWS::Lambda::Permission\n"}, VIOLATION),
    ("stacks", _STACK, {"templateUrl": "https://s3.example/a", "capabilities": ["CAPABILITY_NAMED_IAM"]}, VIOLATION),
    ("stacks", "aws:cloudformation/stackSet:StackSet", {"templateUrl": "https://s3.example/a"}, ADVICE),
    ("stacks", "aws-native:cloudformation:Stack", {"capabilities": ["CAPABILITY_IAM"]}, VIOLATION),
    (
        "stacks",
        _STACK,
        {"templateBody": '{"Resources": {"a": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}'},
        FINE,
    ),
    ("stacks", _STACK, {"capabilities": ["CAPABILITY_AUTO_EXPAND"], "templateBody": "{}"}, FINE),
    ("grants", _GRANT, {"granteePrincipal": "arn:aws:iam::999999999999:root", "operations": ["Decrypt"]}, VIOLATION),
    ("grants", _GRANT, {"granteePrincipal": ROLE, "operations": ["Decrypt", "CreateGrant"]}, VIOLATION),
    ("grants", _GRANT, {"granteePrincipal": "999999999999", "operations": ["Decrypt"]}, VIOLATION),
    ("grants", _GRANT, {"granteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/*", "operations": ["Decrypt"]}, VIOLATION),
    ("grants", _GRANT, {"granteePrincipal": ROLE, "operations": ["Decrypt"]}, FINE),
    ("permission sets", "aws-native:sso:PermissionSet", {"inlinePolicy": json.dumps(_ALL)}, VIOLATION),
    (
        "permission sets",
        "aws-native:sso:PermissionSet",
        {"managedPolicies": ["arn:aws:iam::aws:policy/IAMFullAccess"]},
        VIOLATION,
    ),
    ("permission sets", "aws-native:sso:PermissionSet", {"inlinePolicy": json.dumps(document([]))}, FINE),
    (
        "managed policies",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/job-function/DatabaseAdministrator"},
        VIOLATION,
    ),
    (
        "managed policies",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/job-function/DataScientist"},
        VIOLATION,
    ),
    (
        "managed policies",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/AWSCodeBuildAdminAccess"},
        VIOLATION,
    ),
    (
        "managed policies",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"},
        FINE,
    ),
    (
        "managed policies",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/job-function/x"},
        FINE,
    ),
    (
        "clusters",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"},
        VIOLATION,
    ),
    (
        "clusters",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy"},
        VIOLATION,
    ),
    (
        "clusters",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"},
        FINE,
    ),
    ("data lakes", _LAKE, {"principal": "IAM_ALLOWED_PRINCIPALS", "permissions": ["SELECT"]}, VIOLATION),
    ("data lakes", _LAKE, {"principal": ROLE, "permissions": ["ALL"]}, VIOLATION),
    ("data lakes", _LAKE, {"principal": ROLE, "permissions": ["SELECT"]}, FINE),
    (
        "data lakes",
        "aws:lakeformation/dataLakeSettings:DataLakeSettings",
        {"createTableDefaultPermissions": [{"principal": "IAM_ALLOWED_PRINCIPALS"}]},
        VIOLATION,
    ),
    ("shares", "aws:ram/resourceShare:ResourceShare", {"allowExternalPrincipals": True}, VIOLATION),
    ("shares", "aws-native:ram:ResourceShare", {"allowExternalPrincipals": True}, VIOLATION),
    ("shares", "aws:ram/resourceShare:ResourceShare", {"allowExternalPrincipals": False}, FINE),
    ("commands", "command:local:Command", {"create": "aws iam attach-role-policy --role-name a"}, VIOLATION),
    ("commands", "command:remote:Command", {"update": "x && aws --profile a kms put-key-policy"}, VIOLATION),
    ("commands", "command:local:Command", {"create": "make"}, ADVICE),
    ("commands", "pulumi-python:dynamic:Resource", {"__provider": "x"}, ADVICE),
    ("commands", "pulumi-python:dynamic/a:Thing", {"__provider": "x"}, FINE),
    ("credentials", "aws:iam/accessKey:AccessKey", {"user": "x"}, ADVICE),
    ("credentials", "aws:iam/userLoginProfile:UserLoginProfile", {"user": "x"}, ADVICE),
    (
        "credentials",
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        {"roles": {"unauthenticated": ROLE}},
        ADVICE,
    ),
    (
        "credentials",
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        {"roles": {"authenticated": ROLE}},
        FINE,
    ),
    (
        "documents within",
        "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy",
        {"details": {"name": "m", "policy": json.dumps(_OPEN)}},
        VIOLATION,
    ),
    (
        "documents within",
        "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
        {"repositoryPolicy": json.dumps(_OPEN)},
        VIOLATION,
    ),
    ("documents within", "aws:organizations/resourcePolicy:ResourcePolicy", {"content": json.dumps(_OPEN)}, VIOLATION),
    (
        "documents within",
        "aws:apigateway/restApi:RestApi",
        {"body": json.dumps({**_BODY, "x-amazon-apigateway-policy": _OPEN})},
        VIOLATION,
    ),
    (
        "documents within",
        "aws:apigateway/restApi:RestApi",
        {"body": json.dumps({**_BODY, "x-amazon-apigateway-policy": _ONE})},
        FINE,
    ),
    ("documents within", "aws:imaginary/thing:Thing", {"settings": [{"permissions": _ALL}]}, VIOLATION),
    (
        "documents within",
        "aws:imaginary/thing:Thing",
        {"settings": [{"permissions": _ONE}], "note": '{"statement": "effect"'},
        FINE,
    ),
    ("documents within", "aws-native:kms:ReplicaKey", {"keyPolicy": _OPEN}, VIOLATION),
    ("documents within", "aws:transfer/access:Access", {"policy": json.dumps(_ALL)}, FINE),
)


def cases() -> Iterator[tuple[str, str, str, dict[str, Any], str]]:
    """Family, kind, resource type, properties, verdict."""
    for kind, type_, given, expected in DETOURS:
        yield "ways around", kind, type_, given, expected
