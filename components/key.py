"""A stack's key and its alias."""

import json
from typing import Any, TypedDict

import pulumi
from pulumi_aws.kms.alias import Alias
from pulumi_aws.kms.key import Key as KmsKey


class KeyArgs(TypedDict):
    """Arguments of a key."""

    alias: str
    """`alias/…`."""
    policy: dict[str, Any]
    """Who may use it."""


class Key(pulumi.ComponentResource):
    """A symmetric key that rotates every year; deleted 30 days after it is asked for."""

    arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:storage:Key", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        key = KmsKey(
            name,
            description=args["alias"].removeprefix("alias/"),
            policy=json.dumps(args["policy"]),
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=own,
        )
        alias = Alias(name, name=args["alias"], target_key_id=key.key_id, opts=own)
        # Roles reach the key by its alias: who has the ARN may count on both.
        self.arn = pulumi.Output.all(key.arn, alias.id).apply(lambda both: both[0])
        self.register_outputs({"arn": self.arn})
