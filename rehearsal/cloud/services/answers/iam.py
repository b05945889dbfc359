"""IAM: which members of a role, a policy and a user an operation answers."""

from typing import Any
from urllib.parse import quote

from rehearsal.cloud.core.api import Call, operation


@operation("iam", "CreateRole")
def create_role(call: Call) -> dict[str, Any]:
    """GetRole answers them, CreateRole does not."""
    answer = call.forward()
    for name in ("MaxSessionDuration", "RoleLastUsed"):
        answer["Role"].pop(name, None)
    return answer


@operation("iam", "CreatePolicy")
def create_policy(call: Call) -> dict[str, Any]:
    answer = call.forward()
    answer["Policy"].setdefault("PermissionsBoundaryUsageCount", 0)
    return answer


@operation("iam", "GetPolicyVersion")
def policy_version(call: Call) -> dict[str, Any]:
    """The document is URL-encoded, so what is encoded in it stays so.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyVersion.html
    """
    answer = call.forward()
    answer["PolicyVersion"]["Document"] = quote(_kept(call, answer["PolicyVersion"]["VersionId"]))
    return answer


def _kept(call: Call, version: str) -> str:
    policy = call.cloud.backend("iam", call.account, call.region).get_policy(call.params["PolicyArn"])
    (found,) = [each for each in policy.versions if each.version_id == version]
    return str(found.document)
