"""Ways around the rules: resources that make, or open, others which no rule then sees."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from .model import UNKNOWN, Context, Finding, Resource, Rule, items, known, section, text
from .references import NIST, WELL_ARCHITECTED
from .statements import FAMILY

# What these services make is judged by the other rules, and must not come in by another door.
_JUDGED = (
    "ApiGateway|ApiGatewayV2|CloudWatch|CodeBuild|CodeDeploy|CodePipeline|Cognito|DynamoDB|EC2|ECR|EFS|EKS|Events|Glue|IAM"
    "|KMS|Kinesis|LakeFormation|Lambda|Logs|OpenSearchService|Organizations|RAM|RDS|Redshift|RolesAnywhere|S3|SNS|SQS"
    "|SSM|SSO|SageMaker|Scheduler|SecretsManager|StepFunctions"
)
_JUDGED_TYPE = re.compile(rf"AWS::({_JUDGED})::\w+")
_STACKS = (
    "aws:cloudformation/stack:Stack",
    "aws:cloudformation/stackSet:StackSet",
    "aws-native:cloudformation:Stack",
    "aws-native:cloudformation:StackSet",
)
_COMMANDS = re.compile(r"^(command:|null:|pulumi-nodejs:dynamic:Resource$|pulumi-python:dynamic:Resource$)")
_AWS_CALL = re.compile(r"\baws\s+(--\S+\s+(\S+\s+)?)*(iam|sts|kms|organizations|sso-admin|s3api\s+put|lambda\s+add)\b")


def _cloud_control(resource: Resource) -> Iterator[Finding]:
    name = text(resource.props.get("typeName"))
    if _JUDGED_TYPE.fullmatch(name):
        yield Finding(f"makes {name} by Cloud Control, where no rule looks at it", "typeName")


def _stack(resource: Resource) -> Iterator[Finding]:
    props = resource.props
    rights = [
        each for each in items(props.get("capabilities")) if text(each).startswith(("CAPABILITY_IAM", "CAPABILITY_N"))
    ]
    made = sorted(set(_JUDGED_TYPE.findall(str(props.get("templateBody")))))
    if rights:
        yield Finding(f"makes identities by a CloudFormation stack: it has {rights[0]}", "capabilities")
    elif made:
        yield Finding(f"makes resources of {', '.join(made[:4])} by a CloudFormation stack", "templateBody")


_OPERATIONS = frozenset({"CreateGrant", "RetireGrant"})


def _grant(resource: Resource) -> Iterator[Finding]:
    grantee, operations = text(resource.props.get("granteePrincipal")), items(resource.props.get("operations"))
    if re.fullmatch(r"\d{12}|arn:[\w-]+:iam::\d{12}:root", grantee) or re.search("[*?]", grantee):
        yield Finding(f"gives a key to all of the account `{grantee}`", "granteePrincipal")
    if not _OPERATIONS.isdisjoint(each for each in operations if isinstance(each, str)):
        yield Finding("gives a key, and the right to hand it on (CreateGrant)", "operations")


def _cluster(resource: Resource) -> Iterator[Finding]:
    name = text(resource.props.get("policyArn")).rpartition("/")[2]
    if name in ("AmazonEKSClusterAdminPolicy", "AmazonEKSAdminPolicy"):
        yield Finding(f"makes an administrator of the cluster: {name}", "policyArn")


def _lake(resource: Resource) -> Iterator[Finding]:
    if "IAM_ALLOWED_PRINCIPALS" in _words(resource.props):
        yield Finding("opens the data to everybody of the account: IAM_ALLOWED_PRINCIPALS", "principal")
    elif not {"ALL", "SUPER"}.isdisjoint(map(text, items(resource.props.get("permissions")))):
        yield Finding("grants every permission on the data: ALL", "permissions")


def _words(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {word for each in value.values() for word in _words(each)}
    return {text(value)} if not isinstance(value, list) else {word for each in value for word in _words(each)}


def _share(resource: Resource) -> Iterator[Finding]:
    if resource.props.get("allowExternalPrincipals") in (True, "true"):
        yield Finding("may be shared with any account of AWS", "allowExternalPrincipals")


_JUDGES: dict[str, Callable[[Resource], Iterator[Finding]]] = {
    "aws:cloudcontrol/resource:Resource": _cloud_control,
    **dict.fromkeys(_STACKS, _stack),
    "aws:kms/grant:Grant": _grant,
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _cluster,
    "aws:lakeformation/permissions:Permissions": _lake,
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": _lake,
    "aws-native:lakeformation:PrincipalPermissions": _lake,
    "aws-native:lakeformation:DataLakeSettings": _lake,
    "aws:ram/resourceShare:ResourceShare": _share,
    "aws-native:ram:ResourceShare": _share,
}


def detour(resource: Resource, context: Context) -> Iterator[Finding]:
    """What makes or opens other resources past the rules."""
    judge = _JUDGES.get(resource.type)
    if judge:
        yield from judge(resource)
    if _COMMANDS.search(resource.type):
        for name in ("create", "update", "delete"):
            if _AWS_CALL.search(text(resource.props.get(name))):
                yield Finding("changes who may do what by a command", name)


_KEYS = (
    "aws:iam/accessKey:AccessKey",
    "aws-native:iam:AccessKey",
    "aws:iam/userLoginProfile:UserLoginProfile",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential",
)


def lasting(resource: Resource, context: Context) -> Iterator[Finding]:
    """Credentials that do not end by themselves."""
    if resource.type in _KEYS:
        yield Finding("is a credential that never ends", "user")
    roles = resource.props.get("roles")
    if resource.type.endswith("IdentityPoolRoleAttachment") and known(section(roles, "unauthenticated")):
        yield Finding("gives a role to anybody on the internet", "roles.unauthenticated")


def unseen(resource: Resource, context: Context) -> Iterator[Finding]:
    """Resources whose effect no rule can see."""
    props = resource.props
    if resource.type == "aws:cloudcontrol/resource:Resource" and props.get("typeName") is not UNKNOWN:
        if not _JUDGED_TYPE.fullmatch(text(props.get("typeName"))):
            yield Finding("is made by Cloud Control: no rule looks at it", "typeName")
    elif resource.type in _STACKS and text(props.get("templateUrl")):
        yield Finding("has a template that no rule can read", "templateUrl")
    elif _COMMANDS.search(resource.type):
        yield Finding("does what its code says: no rule can see it", "create")


_REFERENCES = (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"])
RULES = (
    Rule(
        "detour",
        FAMILY,
        "mandatory",
        "high",
        "Nothing is made or opened past the rules",
        "what comes in by another door (Cloud Control, a stack, a grant, a share, a command) is judged by nobody",
        "make the resource itself, with the provider that the rules read; name who is let in",
        _REFERENCES,
        detour,
    ),
    Rule(
        "lasting-credential",
        FAMILY,
        "advisory",
        "medium",
        "Credentials end",
        "a key that leaks opens the account until somebody notices",
        "let roles be assumed (OIDC, Identity Center), and switch unauthenticated identities off",
        (NIST["IA-5"], WELL_ARCHITECTED["SEC02-BP03"]),
        lasting,
    ),
    Rule(
        "unseen",
        FAMILY,
        "advisory",
        "low",
        "Resources can be judged",
        "a preview that does not know what will be made says nothing about it",
        "make the resource itself, with the provider that the rules read",
        _REFERENCES,
        unseen,
    ),
)
