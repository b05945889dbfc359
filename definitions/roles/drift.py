"""What it takes to compare an environment with its state: every read of the deployer, and those of the foundation.

Reads of settings only: no object of a bucket but release manifests, no log, no request.
"""

from typing import TYPE_CHECKING

from definitions.roles.statements import Statement, allow

if TYPE_CHECKING:
    from definitions.roles.environment import Environment

_READS = ("Describe", "Get", "List", "GET")


def reads(statements: list[Statement]) -> list[Statement]:
    """Those actions of the statements that only read."""
    found = [
        {**statement, "Action": [a for a in statement["Action"] if a.partition(":")[2].startswith(_READS)]}
        for statement in statements
    ]
    return [statement for statement in found if statement["Action"]]


def foundation(at: "Environment") -> list[Statement]:
    """Reads of the key, the capture bucket, the topic, the roles and their boundary."""
    account, partition = at.names.accounts[at.env], at.names.partition
    bucket = at.names.bucket_arn(at.capture)
    return [
        allow(
            "Roles",
            [
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
            ],
            [f"arn:{partition}:iam::{account}:role/{at.prefix}-*"],
        ),
        allow(
            "Boundary",
            ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags", "iam:ListPolicyVersions"],
            [at.names.boundary_arn(at.env)],
        ),
        allow(
            "Key",
            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"],
            [at.key_arn],
        ),
        allow("KeyAliases", ["kms:ListAliases"], ["*"]),
        allow(
            "Bucket",
            [
                f"s3:Get{setting}"
                for setting in (
                    "AccelerateConfiguration",
                    "BucketAcl",
                    "BucketCORS",
                    "BucketLocation",
                    "BucketLogging",
                    "BucketObjectLockConfiguration",
                    "BucketOwnershipControls",
                    "BucketPolicy",
                    "BucketPublicAccessBlock",
                    "BucketRequestPayment",
                    "BucketTagging",
                    "BucketVersioning",
                    "BucketWebsite",
                    "EncryptionConfiguration",
                    "LifecycleConfiguration",
                    "ReplicationConfiguration",
                )
            ]
            + ["s3:ListBucket"],
            [bucket],
        ),
        allow(
            "Topic",
            ["sns:GetTopicAttributes", "sns:ListTagsForResource"],
            [at.arn("sns", f"{at.prefix}-alarms")],
        ),
        allow("Subscriptions", ["sns:GetSubscriptionAttributes"], [at.arn("sns", f"{at.prefix}-alarms:*")]),
        allow("ApiAccount", ["apigateway:GET"], [f"arn:{partition}:apigateway:{at.names.region}::/account"]),
    ]
