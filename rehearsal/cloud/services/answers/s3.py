"""S3: what a new bucket has without anybody putting it, and what a stored object says about itself.

Since April 2023 every new bucket blocks public access, and since January 2023 every object is encrypted:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html.
"""

from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.services.rules.s3 import bucket_of

_BLOCKED = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
_ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}


_DELETED = {
    "DeletePublicAccessBlock": "access_unblocked",
    # AWS goes back to the default; here a read tells that the configuration is gone, which the provider waits for.
    "DeleteBucketEncryption": "encryption_deleted",
    "DeleteBucketOwnershipControls": "ownership_deleted",
}
"""What a bucket remembers of a default that somebody deleted."""


@operation("s3", *_DELETED)
def delete_default(call: Call) -> dict[str, Any]:
    answer = call.forward()
    bucket = bucket_of(call)
    if bucket is not None:
        setattr(bucket, _DELETED[call.operation], True)
    return answer


@operation("s3", "GetPublicAccessBlock")
def public_access_block(call: Call) -> dict[str, Any]:
    """The one of a new bucket, until somebody deletes it."""
    bucket = bucket_of(call)
    if bucket is not None and bucket.public_access_block is None and not getattr(bucket, "access_unblocked", False):
        return {"PublicAccessBlockConfiguration": dict(_BLOCKED)}
    return call.forward()


@operation("s3", "GetBucketEncryption")
def bucket_encryption(call: Call) -> dict[str, Any]:
    try:
        return call.forward()
    except AwsError as error:
        deleted = getattr(bucket_of(call), "encryption_deleted", False)
        if error.code != "ServerSideEncryptionConfigurationNotFoundError" or deleted:
            raise
    return {"ServerSideEncryptionConfiguration": _ENCRYPTED}


@operation("s3", "GetBucketOwnershipControls")
def ownership_controls(call: Call) -> dict[str, Any]:
    """A new bucket has no access lists: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html"""
    bucket = bucket_of(call)
    if bucket is not None and bucket.ownership_rule is None and not getattr(bucket, "ownership_deleted", False):
        return {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}
    return call.forward()


@operation("s3", "ListObjectVersions")
def list_versions(call: Call) -> dict[str, Any]:
    """Owners have no name any more, and versions name the algorithm of their checksum."""
    answer = call.forward()
    for kind in ("Versions", "DeleteMarkers"):
        for shown in answer.get(kind) or ():
            (shown.get("Owner") or {}).pop("DisplayName", None)
    bucket = bucket_of(call)
    for shown in answer.get("Versions") or ():
        kept = _version(bucket, shown)
        algorithm = getattr(kept, "checksum_algorithm", None)
        if algorithm:
            shown |= {"ChecksumAlgorithm": [algorithm], "ChecksumType": "FULL_OBJECT"}
    if call.params.get("EncodingType"):
        answer["EncodingType"] = call.params["EncodingType"]
    return answer


def _version(bucket: Any, shown: dict[str, Any]) -> Any:
    found = bucket.keys.getlist(shown["Key"], default=[]) if bucket is not None else []
    return next((kept for kept in found if str(kept.version_id) == shown.get("VersionId")), None)
