"""IAM: which members of a role, a policy and a user an operation answers."""

from typing import Any

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
