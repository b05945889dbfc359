"""What a call needs where its service asks for nothing but its own action on its resources."""

from rehearsal.cloud.authorization.arns import resources
from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.core.call import Call


def general(call: Call) -> list[Need]:
    """The call's own action on the resources that its parameters name, or on `*`."""
    found = resources(call.service, call.operation, call.params, call.region, call.account) or ["*"]
    return [Need(call.action, arn, owner(arn)) for arn in found]


def owner(arn: str) -> str:
    """The account in an ARN; empty where it has none."""
    return arn.split(":")[4] if arn.startswith("arn:") else ""
