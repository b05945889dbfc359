"""What it takes to compare an environment with its state: every read of the deployer, and those of the foundation.

Reads of settings only: no object of a bucket but release manifests, no log, no request.
"""

from definitions.roles import deployer, judging
from definitions.roles.record import SHIFT
from definitions.roles.statements import Statement, allow, unscoped
from definitions.roles.subject import Environment

_BUCKET_SETTINGS = (
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
_READS = ("Describe", "Get", "List", "GET", "Verify")


def statements(at: Environment) -> list[Statement]:
    """Compares the environment with its state: reads everything that a stack's resources are set to."""
    records = judging.wait(at)
    return [*_reads([each for each in deployer.statements(at) if each not in records]), *_foundation(at)]


def _reads(statements: list[Statement]) -> list[Statement]:
    """Those actions of the statements that only read."""
    found = [
        {**statement, "Action": [a for a in statement["Action"] if a.partition(":")[2].startswith(_READS)]}
        for statement in statements
    ]
    return [statement for statement in found if statement["Action"]]


def _foundation(at: Environment) -> list[Statement]:
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
            "Policies",
            ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags", "iam:ListPolicyVersions"],
            [
                at.names.boundary_arn(at.env),
                at.names.boundary_arn(at.env, SHIFT),
                at.names.policy_arn(at.env, "deployer"),
            ],
        ),
        allow(
            "Key",
            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"],
            [at.key_arn],
        ),
        unscoped("KeyAliases", ["kms:ListAliases"]),
        allow(
            "Bucket",
            ["s3:ListBucket", *(f"s3:Get{setting}" for setting in _BUCKET_SETTINGS)],
            [bucket],
        ),
        allow(
            "Topic",
            ["sns:GetTopicAttributes", "sns:ListTagsForResource"],
            [at.arn("sns", f"{at.prefix}-alarms")],
        ),
        allow(
            "Announcements",
            ["events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"],
            [at.arn("events", f"rule/{at.prefix}-drift-*")],
        ),
        *(_judging(at) if at.judge else []),
        allow("Subscriptions", ["sns:GetSubscriptionAttributes"], [at.arn("sns", f"{at.prefix}-alarms:*")]),
    ]


def _judging(at: Environment) -> list[Statement]:
    """The state machine that has shifts judged. Its log is read as every function's is."""
    reads = ("DescribeStateMachine", "ListStateMachineVersions", "ListTagsForResource")
    return [allow("Judging", [f"states:{read}" for read in reads], [at.names.judge_arn(at.env)])]
