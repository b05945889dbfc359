"""A stack's keys and their aliases."""

import json
from typing import Any, TypedDict

import pulumi
from pulumi_aws.kms.alias import Alias
from pulumi_aws.kms.key import Key as KmsKey

from contracts.signature import KEY_SPEC


class KeyArgs(TypedDict):
    """Arguments of a key."""

    alias: str
    """`alias/…`."""
    policy: dict[str, Any]
    """Who may use it."""


class Key(pulumi.ComponentResource):
    """A symmetric key that rotates every year. Kept when the stack is destroyed, like the buckets that it encrypts.

    AWS deletes a key 30 days after it was asked to, and nobody ever reads what it encrypted again
    (https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html).
    """

    arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:storage:Key", name, None, opts)
        self.arn = _kept(self, name, args, enable_key_rotation=True)
        self.register_outputs({"arn": self.arn})


class SplitKey(pulumi.ComponentResource):
    """A secret that never leaves KMS, which computes with it. Kept when the stack is destroyed.

    With another one the rows that former models learned from would be among those that the next ones are tested on.
    """

    arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:storage:SplitKey", name, None, opts)
        self.arn = _kept(self, name, args, key_usage="GENERATE_VERIFY_MAC", customer_master_key_spec="HMAC_256")
        self.register_outputs({"arn": self.arn})


class SigningKey(pulumi.ComponentResource):
    """A key pair whose private half never leaves KMS. Kept when the stack is destroyed: releases outlive it.

    AWS rotates no key pair (https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html).
    """

    arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:storage:SigningKey", name, None, opts)
        self.arn = _kept(self, name, args, key_usage="SIGN_VERIFY", customer_master_key_spec=KEY_SPEC)
        self.register_outputs({"arn": self.arn})


def _kept(component: pulumi.Resource, name: str, args: KeyArgs, **kind: Any) -> pulumi.Output[str]:
    """ARN of a component's key, which outlives it, once its alias is there. `kind` is what sets it apart.

    Roles reach the key by its alias: who has the ARN may count on both.
    """
    opts = pulumi.ResourceOptions(parent=component, retain_on_delete=True)
    key = KmsKey(
        name,
        description=args["alias"].removeprefix("alias/"),
        policy=json.dumps(args["policy"]),
        deletion_window_in_days=30,
        opts=opts,
        **kind,
    )
    made = Alias(name, name=args["alias"], target_key_id=key.key_id, opts=opts)
    return pulumi.Output.all(key.arn, made.id).apply(lambda both: both[0])
