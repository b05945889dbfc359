"""IAM. The page of each operation below https://docs.aws.amazon.com/IAM/latest/APIReference/.

Quotas: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
"""

import json
import re
from typing import Any
from urllib.parse import unquote

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.rules import tags

_MANAGED_SIZE = 6144
_TRUST_SIZE = 2048
_INLINE_SIZES = {"Role": 10240, "Group": 5120, "User": 2048}
_ATTACHED = 10
_ARN = re.compile(r"arn:[\w-]+:iam::(\d{12}|aws):policy/.+")
_SUFFIXES = ("autoscaling", "connect", "lexv2", "profile", "voiceid", "dax", "iotsitewise")
"""Services whose linked roles may have a suffix."""


def _input(text: str) -> AwsError:
    return AwsError("InvalidInput", text, Type="Sender")


def _malformed(text: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", text, Type="Sender")


def _limit(text: str) -> AwsError:
    return AwsError("LimitExceeded", text, 409, Type="Sender")


def _document(text: str, kind: str) -> None:
    try:
        grammar.check(unquote(text) if text.startswith("%7B") else text, kind)
    except grammar.PolicyError as error:
        raise _malformed(str(error)) from None


def _length(text: str) -> int:
    """Without white space, which IAM does not count."""
    return len(re.sub(r"\s", "", text))


# --- roles -----------------------------------------------------------------------------------------------------------


@request_rule("iam", "CreateRole")
def create_role(call: Call) -> None:
    params = call.params
    if (params.get("Path") or "").startswith("/aws-service-role/"):
        raise AwsError("ValidationError", "The specified value for path is reserved for service-linked roles.",
                       Type="Sender")  # fmt: skip
    _trust(params["AssumeRolePolicyDocument"])
    _boundary(params.get("PermissionsBoundary"))


@request_rule("iam", "UpdateAssumeRolePolicy")
def update_trust(call: Call) -> None:
    _trust(call.params["PolicyDocument"])


def _trust(text: str) -> None:
    _document(text, grammar.TRUST)
    if _length(text) > _TRUST_SIZE:
        raise _limit(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_SIZE}")


def _boundary(arn: str | None) -> None:
    if arn is not None and not _ARN.fullmatch(arn):
        raise AwsError("ValidationError", f"ARN {arn} is not valid.", Type="Sender")


@request_rule("iam", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary")
def put_boundary(call: Call) -> None:
    _boundary(call.params["PermissionsBoundary"])


@request_rule("iam", "CreateRole", "CreateUser", "CreatePolicy", "CreateInstanceProfile", "TagRole", "TagUser",
              "TagPolicy", "TagInstanceProfile", "CreateOpenIDConnectProvider", "TagOpenIDConnectProvider")  # fmt: skip
def tagged(call: Call) -> None:
    tags.check(call.params.get("Tags"), _input, fold=True)


@state_rule("iam", "CreateRole")
def unique_name(call: Call) -> None:
    """ "Names are not distinguished by case."""
    name = call.params["RoleName"]
    roles = call.cloud.backend("iam", call.account, call.region).roles.values()
    if any(role.name.lower() == name.lower() for role in list(roles)):
        raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", 409, Type="Sender")


@request_rule("iam", "CreateServiceLinkedRole")
def linked_role(call: Call) -> None:
    service = call.params["AWSServiceName"]
    if not re.fullmatch(r"[\w.-]+\.amazonaws\.com", service):
        raise _input(f"{service} is not a valid AWS service name.")
    if call.params.get("CustomSuffix") and service.split(".")[0] not in _SUFFIXES:
        raise _input(f"Custom suffix is not allowed for {service}")


@state_rule("iam", "CreateServiceLinkedRole")
def linked_already(call: Call) -> None:
    service, suffix = call.params["AWSServiceName"], call.params.get("CustomSuffix")
    path = f"/aws-service-role/{service}/"
    for role in list(call.cloud.backend("iam", call.account, call.region).roles.values()):
        if role.path == path and (role.name.endswith(f"_{suffix}") if suffix else True):
            text = f"Service role name {role.name} has been taken in this account, please try a different suffix."
            raise _input(text)


# --- policies --------------------------------------------------------------------------------------------------------


@request_rule("iam", "CreatePolicy", "CreatePolicyVersion")
def managed(call: Call) -> None:
    text = call.params["PolicyDocument"]
    _document(text, grammar.IDENTITY)
    if _length(text) > _MANAGED_SIZE:
        raise _limit(f"Cannot exceed quota for PolicySize: {_MANAGED_SIZE}")


@request_rule("iam", "PutRolePolicy", "PutUserPolicy", "PutGroupPolicy")
def inline(call: Call) -> None:
    _document(call.params["PolicyDocument"], grammar.IDENTITY)


@state_rule("iam", "PutRolePolicy", "PutUserPolicy", "PutGroupPolicy")
def inline_size(call: Call) -> None:
    """All inline policies of one principal together."""
    kind = call.operation.removeprefix("Put").removesuffix("Policy")
    name = call.params[f"{kind}Name"]
    holder = _holder(call, kind, name)
    if holder is None:
        return
    kept = dict(holder.policies) if isinstance(holder.policies, dict) else {}
    kept[call.params["PolicyName"]] = call.params["PolicyDocument"]
    total = sum(_length(text if isinstance(text, str) else json.dumps(text)) for text in kept.values())
    if total > _INLINE_SIZES[kind]:
        raise _limit(f"Maximum policy size of {_INLINE_SIZES[kind]} bytes exceeded for {kind.lower()} {name}")


def _holder(call: Call, kind: str, name: str) -> Any:
    backend = call.cloud.backend("iam", call.account, call.region)
    if kind == "Role":
        return next((role for role in list(backend.roles.values()) if role.name == name), None)
    return (backend.users if kind == "User" else backend.groups).get(name)


@request_rule("iam", "AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy", "DetachRolePolicy",
              "DetachUserPolicy", "DetachGroupPolicy", "GetPolicy", "DeletePolicy", "CreatePolicyVersion",
              "GetPolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion", "ListPolicyVersions")  # fmt: skip
def policy_arn(call: Call) -> None:
    arn = call.params["PolicyArn"]
    if not arn.startswith("arn:") or arn.count(":") < 5:
        raise AwsError("ValidationError", "Invalid ARN:  Could not be parsed!", Type="Sender")
    if not _ARN.fullmatch(arn):
        raise _input(f"ARN {arn} is not valid.")


@state_rule("iam", "AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy")
def attached(call: Call) -> None:
    kind = call.operation.removeprefix("Attach").removesuffix("Policy")
    holder = _holder(call, kind, call.params[f"{kind}Name"])
    known = set(getattr(holder, "managed_policies", None) or {})
    if len(known | {call.params["PolicyArn"]}) > _ATTACHED:
        raise _limit(f"Cannot exceed quota for PoliciesPer{kind}: {_ATTACHED}")


# --- identity providers ----------------------------------------------------------------------------------------------


@request_rule("iam", "CreateOpenIDConnectProvider")
def provider(call: Call) -> None:
    params = call.params
    if not re.fullmatch(r"https://[^\s/?#:]+(/[^\s?#]*)?", params["Url"]):
        raise AwsError("ValidationError", "Invalid Open ID Connect Provider URL", Type="Sender")
    _thumbprints(params.get("ThumbprintList") or [])
    if len(params.get("ClientIDList") or ()) > 100:
        raise _limit("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100")


@request_rule("iam", "UpdateOpenIDConnectProviderThumbprint")
def thumbprints(call: Call) -> None:
    _thumbprints(call.params["ThumbprintList"])


def _thumbprints(found: list[str]) -> None:
    if len(found) > 5:
        raise _input("Thumbprint list must contain fewer than 5 entries.")
    for each in found:
        if not re.fullmatch(r"[0-9a-fA-F]{40}", each):
            raise _input(f"The thumbprint {each} is not valid: it has 40 hexadecimal characters.")
