"""S3 and Glue: what internal/service/{s3,glue}/*.go refuse before they call AWS."""

from __future__ import annotations

from typing import Any

from rehearsal.provider.rules.vocabulary import (
    Enums,
    Rules,
    Values,
    account_id,
    arn,
    at_least,
    between,
    conflict,
    iam_policy,
    items,
    length,
    one_of,
)  # fmt: skip

BUCKET = length(1, 63)
NOT_EMPTY = length(1, 2**31 - 1)


def _lower_case_keys(name: str, value: Any, _: Enums) -> str | None:
    """object.go: validateMetadataIsLowerCase."""
    upper = [key for key in value if key != key.lower()] if isinstance(value, dict) else []
    return f"metadata must be lowercase only. Offending key: '{upper[0]}'" if upper else None


def _job_timeout(given: Values) -> list[tuple[str, str]]:
    """job.go, CustomizeDiff: 0 is for streaming only, and a Ray job has none."""
    timeout, command = given.get("timeout"), given.get("command")
    kind = command.get("name", "glueetl") if isinstance(command, dict) else None
    if timeout is None or not isinstance(kind, str):
        return []
    if kind == "glueray":
        return [("timeout", "timeout can not be set for a Ray job")]
    if timeout == 0 and kind != "gluestreaming":
        return [("timeout", "expected timeout to be at least (1), got 0")]
    return []


RULES = {
    "aws:glue/job:Job": Rules(
        "glue/job.go",
        {
            "command.pythonVersion": one_of("2", "3", "3.9"),
            "command.runtime": one_of("Ray2.4"),
            "executionClass": one_of("FLEX", "STANDARD"),
            "executionProperty.maxConcurrentRuns": at_least(1),
            "jobMode": one_of("SCRIPT", "VISUAL", "NOTEBOOK"),
            "maxRetries": between(0, 10),
            "name": NOT_EMPTY,
            "notificationProperty.notifyDelayAfter": at_least(1),
            "numberOfWorkers": at_least(1),
            "roleArn": arn,
            "timeout": at_least(0),
            "workerType": one_of(
                *"Standard G.1X G.2X G.4X G.8X G.025X Z.2X G.12X G.16X R.1X R.2X R.4X R.8X".split()
            ),
        },
        (conflict("maxCapacity", "numberOfWorkers", "workerType"), _job_timeout),
    ),
    "aws:glue/securityConfiguration:SecurityConfiguration": Rules(
        "glue/security_configuration.go",
        {
            "encryptionConfiguration.cloudwatchEncryption.cloudwatchEncryptionMode": one_of("DISABLED", "SSE-KMS"),
            "encryptionConfiguration.cloudwatchEncryption.kmsKeyArn": arn,
            "encryptionConfiguration.jobBookmarksEncryption.jobBookmarksEncryptionMode": one_of("CSE-KMS", "DISABLED"),
            "encryptionConfiguration.jobBookmarksEncryption.kmsKeyArn": arn,
            "encryptionConfiguration.s3Encryption.s3EncryptionMode": one_of("DISABLED", "SSE-KMS", "SSE-S3"),
            "encryptionConfiguration.s3Encryption.kmsKeyArn": arn,
            "name": length(1, 255),
        },
    ),
    "aws:s3/bucket:Bucket": Rules(
        "s3/bucket.go",
        {"bucket": length(0, 63), "bucketPrefix": length(0, 37)},
        (conflict("bucket", "bucketPrefix"),),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Rules(
        "s3/bucket_lifecycle_configuration.go",
        {
            "bucket": BUCKET,
            "expectedBucketOwner": account_id,
            "rules": items(1, 1000),
            "rules.id": length(1, 255),
            "rules.status": one_of("Enabled", "Disabled"),
            "transitionDefaultMinimumObjectSize": one_of("varies_by_storage_class", "all_storage_classes_128K"),
        },
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": Rules(
        "s3/object.go",
        {
            "acl": one_of(
                "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read",
                "bucket-owner-read", "bucket-owner-full-control",
            ),
            "bucket": NOT_EMPTY,
            "key": NOT_EMPTY,
            "kmsKeyId": arn,
            "metadata": _lower_case_keys,
            "serverSideEncryption": one_of("AES256", "aws:fsx", "aws:kms", "aws:kms:dsse"),
            "storageClass": one_of(
                *"STANDARD REDUCED_REDUNDANCY STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER DEEP_ARCHIVE OUTPOSTS "
                "GLACIER_IR SNOW EXPRESS_ONEZONE FSX_OPENZFS FSX_ONTAP".split()
            ),
        },
        (
            conflict("content", "source", "contentBase64"),
            conflict("source", "contentBase64"),
            conflict("etag", "kmsKeyId"),
        ),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Rules(
        "s3/bucket_ownership_controls.go",
        {
            "bucket": NOT_EMPTY,
            "rule.objectOwnership": one_of("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"),
        },
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Rules("s3/bucket_policy.go", {"policy": iam_policy}),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Rules(
        "s3/bucket_server_side_encryption_configuration.go",
        {
            "bucket": BUCKET,
            "expectedBucketOwner": account_id,
            "rules.applyServerSideEncryptionByDefault.sseAlgorithm": one_of(
                "AES256", "aws:fsx", "aws:kms", "aws:kms:dsse"
            ),
            "rules.blockedEncryptionTypes": items(0, 2, one_of("NONE", "SSE-C")),
        },
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Rules(
        "s3/bucket_versioning.go",
        {
            "bucket": BUCKET,
            "expectedBucketOwner": account_id,
            "versioningConfiguration.mfaDelete": one_of("Enabled", "Disabled"),
            "versioningConfiguration.status": one_of("Enabled", "Suspended", "Disabled"),
        },
    ),
}  # fmt: skip
