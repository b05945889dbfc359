"""A role for one principal, with its own document and its boundary."""

import json
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, TypeVar

import pulumi
from pulumi_aws.iam.role import Role as IamRole
from pulumi_aws.iam.role_policy import RolePolicy

from definitions.roles.record import Record
from definitions.roles.statements import document

Subject = TypeVar("Subject")


class RoleArgs(TypedDict):
    """Arguments of a role."""

    role_name: str
    """Name in IAM."""
    description: str
    """Whom it serves."""
    trust: dict[str, Any]
    """Who may assume it."""
    statements: pulumi.Input[Sequence[dict[str, Any]]]
    """What it may do."""
    boundary: NotRequired[pulumi.Input[str]]
    """ARN of its permissions boundary."""


def role_args(record: Record[Subject], at: pulumi.Input[Subject]) -> RoleArgs:
    """Arguments of the role that a record describes; `at` is the stack as its statements see it."""
    return {
        "role_name": record.name,
        "description": record.description,
        "trust": record.trust,
        "statements": pulumi.Output.from_input(at).apply(record.statements),
    }


class Role(pulumi.ComponentResource):
    """A role with one inline policy."""

    arn: pulumi.Output[str]
    """ARN, known once the policy is attached: whoever uses the role by it waits for its rights."""

    def __init__(self, name: str, args: RoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:iam:Role", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        role = IamRole(
            name,
            name=args["role_name"],
            description=args["description"],
            assume_role_policy=json.dumps(args["trust"]),
            permissions_boundary=args.get("boundary"),
            opts=own,
        )
        policy = RolePolicy(
            name,
            name="work",
            role=role.name,
            policy=pulumi.Output.from_input(args["statements"]).apply(lambda found: json.dumps(document(*found))),
            opts=own,
        )
        self.arn = pulumi.Output.all(role.arn, policy.id).apply(lambda both: both[0])
        self.register_outputs({"arn": self.arn})
