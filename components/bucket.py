"""A private, versioned, encrypted bucket."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

import pulumi
from pulumi_aws.s3.bucket import Bucket as S3Bucket
from pulumi_aws.s3.bucket_lifecycle_configuration import BucketLifecycleConfiguration
from pulumi_aws.s3.bucket_notification import BucketNotification
from pulumi_aws.s3.bucket_ownership_controls import BucketOwnershipControls
from pulumi_aws.s3.bucket_policy import BucketPolicy
from pulumi_aws.s3.bucket_public_access_block import BucketPublicAccessBlock
from pulumi_aws.s3.bucket_server_side_encryption_configuration import BucketServerSideEncryptionConfiguration
from pulumi_aws.s3.bucket_versioning import BucketVersioning

from definitions.storage import bucket_policy, expire

if TYPE_CHECKING:
    from pulumi_aws.s3 import BucketLifecycleConfigurationRuleArgsDict as LifecycleRule


class BucketArgs(TypedDict):
    """Arguments of a bucket."""

    bucket_name: str
    """Name, unique in the world."""
    key_arn: pulumi.Input[str]
    """Key of its objects."""
    statements: NotRequired[Sequence[dict[str, Any]]]
    """What others may do, beside the rules that hold for everybody."""
    expiry: NotRequired[Sequence[tuple[str, int]]]
    """Prefix and days after which its objects go."""
    events: NotRequired[bool]
    """Whether EventBridge hears of its objects."""


class Bucket(pulumi.ComponentResource):
    """A bucket, kept when the stack is destroyed: what it holds cannot be made again."""

    name: pulumi.Output[str]
    """Name, known once versioning, encryption and policy are in place."""

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:storage:Bucket", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        bucket = S3Bucket(name, bucket=args["bucket_name"], opts=kept)
        BucketOwnershipControls(name, bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=kept)
        BucketPublicAccessBlock(
            name,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=kept,
        )
        versioning = BucketVersioning(
            name, bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=kept
        )
        encryption = BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": args["key_arn"],
                    },
                    "bucket_key_enabled": True,
                }
            ],
            opts=kept,
        )
        statements = args.get("statements", ())
        policy = BucketPolicy(
            name,
            bucket=bucket.bucket,
            policy=pulumi.Output.all(bucket.arn, args["key_arn"]).apply(
                lambda arns: json.dumps(bucket_policy(arns[0], arns[1], *statements))
            ),
            opts=kept,
        )
        BucketLifecycleConfiguration(
            name,
            bucket=bucket.bucket,
            rules=cast("list[LifecycleRule]", expire(args.get("expiry", ()))),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True, depends_on=[versioning]),
        )
        if args.get("events"):
            BucketNotification(name, bucket=bucket.bucket, eventbridge=True, opts=own)
        self.name = pulumi.Output.all(bucket.bucket, versioning.id, encryption.id, policy.id).apply(
            lambda known: known[0]
        )
        self.register_outputs({"name": self.name})
