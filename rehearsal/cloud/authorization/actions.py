"""The IAM action behind an operation, where it is not simply `<signing name>:<operation>`."""

import functools

from rehearsal.cloud.wire.protocol import service_model

_PREFIXES = {
    "cloudwatch": "cloudwatch",
    "resourcegroupstaggingapi": "tag",
}

_S3 = {
    "HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions", "HeadObject": "GetObject", "ListBuckets": "ListAllMyBuckets",
    "CopyObject": "PutObject", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject", "CompleteMultipartUpload": "PutObject", "ListParts": "ListMultipartUploadParts",
    "ListMultipartUploads": "ListBucketMultipartUploads", "DeleteObjects": "DeleteObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration", "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration", "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration", "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetBucketCors": "GetBucketCORS", "PutBucketCors": "PutBucketCORS", "DeleteBucketCors": "PutBucketCORS",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "DeleteBucketTagging": "PutBucketTagging", "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
}  # fmt: skip
_LAMBDA = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}


@functools.cache
def action_of(service: str, operation: str) -> str:
    """E.g. `s3:GetObject` for HeadObject, `lambda:InvokeFunction` for Invoke, `apigateway:GET` for GetRestApi."""
    if service == "s3":
        return f"s3:{_S3.get(operation, operation)}"
    if service == "lambda":
        return f"lambda:{_LAMBDA.get(operation, operation)}"
    if service == "execute-api":
        return f"execute-api:{operation}"
    model = service_model(service)
    if service in ("apigateway", "apigatewayv2"):
        return f"apigateway:{model.operation_model(operation).http['method']}"
    return f"{_PREFIXES.get(service, model.signing_name)}:{operation}"
