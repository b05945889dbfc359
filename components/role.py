"""A role for one principal, with its own document and its boundary."""

import json
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, TypeVar

import pulumi
from pulumi_aws.iam.policy import Policy
from pulumi_aws.iam.role import Role as IamRole
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.iam.role_policy_attachment import RolePolicyAttachment

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
    attached: NotRequired[pulumi.Input[Sequence[dict[str, Any]]]]
    """What it may do by a managed policy of its own."""
    boundary: NotRequired[pulumi.Input[str]]
    """ARN of its permissions boundary."""


def role_args(record: Record[Subject], at: pulumi.Input[Subject]) -> RoleArgs:
    """Arguments of the role that a record describes; `at` is the stack as its statements see it."""
    known = pulumi.Output.from_input(at)
    args: RoleArgs = {
        "role_name": record.name,
        "description": record.description,
        "trust": record.trust,
        "statements": known.apply(record.inline),
    }
    if record.attached:
        args["attached"] = known.apply(record.attached)
    return args


class Role(pulumi.ComponentResource):
    """A role with one inline policy, and a managed one where that does not hold all."""

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
            policy=_text(args["statements"]),
            opts=own,
        )
        rights = [policy.id, *([self._attach(name, args, role)] if "attached" in args else [])]
        self.arn = pulumi.Output.all(role.arn, *rights).apply(lambda made: made[0])
        self.register_outputs({"arn": self.arn})

    def _attach(self, name: str, args: RoleArgs, role: IamRole) -> pulumi.Output[str]:
        own = pulumi.ResourceOptions(parent=self)
        more = Policy(
            name,
            name=args["role_name"],
            description=f"More of {args['description']}",
            policy=_text(args["attached"]),
            opts=own,
        )
        return RolePolicyAttachment(name, role=role.name, policy_arn=more.arn, opts=own).id


def _text(statements: pulumi.Input[Sequence[dict[str, Any]]]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(statements).apply(lambda found: json.dumps(document(*found)))
