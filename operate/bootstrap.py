"""The place of Pulumi's state, which no stack can hold: a bucket and a key in the tooling account."""

import json
from typing import Any

from contracts.names import DELIVERY
from definitions.roles.statements import document
from definitions.storage import tls_only
from operate.clients import Clients
from operate.project import Project


def ensure_key(clients: Clients, alias: str) -> str:
    """The ARN of the key behind the alias; made, with yearly rotation, where there is none."""
    kms = clients.of(DELIVERY, "kms")
    try:
        return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
    except kms.exceptions.NotFoundException:
        arn = str(kms.create_key(Description="Encrypts Pulumi's state and secrets")["KeyMetadata"]["Arn"])
        kms.enable_key_rotation(KeyId=arn)
        kms.create_alias(AliasName=alias, TargetKeyId=arn)
        return arn


def ensure_bucket(clients: Clients, project: Project, bucket: str, key: str) -> None:
    """The bucket with every setting that its content needs; a bucket of another account is refused by AWS."""
    s3: Any = clients.of(DELIVERY, "s3")
    owned = {item["Name"] for item in s3.list_buckets()["Buckets"]}
    if bucket not in owned:
        s3.create_bucket(Bucket=bucket, **_location(project.names.region))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document(tls_only(project.names.bucket_arn(bucket)))))


def _location(region: str) -> dict[str, Any]:
    """Where CreateBucket makes a bucket. us-east-1 is S3's default, and refused where it is named.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html (LocationConstraint)
    """
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
