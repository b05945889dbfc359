"""S3. The page of each operation below https://docs.aws.amazon.com/AmazonS3/latest/API/."""

import re
import uuid
from collections.abc import Iterable
from typing import Any

from moto.s3.models import FakeDeleteMarker

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.rules import tags

_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_KEY = re.compile(r"[\w\s+\-=.:/@]{1,128}")
_VALUE = re.compile(r"[\w\s+\-=.:/@]{0,256}")
_OBJECT_TAGS = 10
_POLICY_BYTES = 20480
_RULES = 1000
_CLASSES = ("STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE")
_XML = "The XML you provided was not well-formed or did not validate against our published schema"


def _malformed() -> AwsError:
    return AwsError("MalformedXML", _XML)


def _argument(text: str) -> AwsError:
    return AwsError("InvalidArgument", text)


# --- buckets ---------------------------------------------------------------------------------------------------------


@request_rule("s3", "CreateBucket")
def bucket_name(call: Call) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""
    name = call.params["Bucket"]
    wrong = (
        not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name)
        or ".." in name
        or _IPV4.fullmatch(name)
        or name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
        or name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"))
    )
    if wrong:
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", BucketName=name)
    where = (call.params.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
    if call.region == "us-east-1" and where == "us-east-1":
        raise AwsError("InvalidLocationConstraint", "The specified location-constraint is not valid")
    if call.region != "us-east-1" and where not in (call.region, "EU" if call.region == "eu-west-1" else call.region):
        what = where or "unspecified"
        text = f"The {what} location constraint is incompatible for the region specific endpoint this request was "
        raise AwsError("IllegalLocationConstraintException", f"{text}sent to.")


@request_rule("s3", "PutBucketPolicy")
def bucket_policy(call: Call) -> None:
    text = call.params.get("Policy") or ""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if not text.startswith("{"):
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    if len(text.encode()) > _POLICY_BYTES:
        raise AwsError("PolicyTooLarge", "Policy exceeds the maximum allowed document size.")
    try:
        grammar.check(text, grammar.RESOURCE)
    except grammar.PolicyError as error:
        sentence = str(error)
        if "invalid Json" in sentence:
            sentence = "Policies must be valid JSON and the first byte must be '{'"
        raise AwsError("MalformedPolicy", sentence) from None
    _policy_scope(text, call.params["Bucket"])


def _policy_scope(text: str, bucket: str) -> None:
    for statement in grammar.statements(text):
        for action in _listed(statement.get("Action")):
            if action != "*" and not action.lower().startswith(("s3:", "s3-object-lambda:")):
                raise AwsError("MalformedPolicy", "Policy has invalid action")
        for resource in _listed(statement.get("Resource")):
            pattern = resource.partition(":::")[2].partition("/")[0]
            shape = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
            if resource != "*" and not re.fullmatch(shape, bucket):
                raise AwsError("MalformedPolicy", "Policy has invalid resource")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


@request_rule("s3", "PutBucketVersioning")
def versioning(call: Call) -> None:
    status = (call.params.get("VersioningConfiguration") or {}).get("Status")
    if status is None:
        raise AwsError("IllegalVersioningConfigurationException",
                       "The Versioning element must be specified")  # fmt: skip
    if status not in ("Enabled", "Suspended"):
        raise _malformed()


@request_rule("s3", "PutPublicAccessBlock")
def public_access(call: Call) -> None:
    if not call.params["PublicAccessBlockConfiguration"]:
        raise AwsError("InvalidRequest", "Must specify at least one configuration.")


@request_rule("s3", "PutBucketEncryption")
def encryption(call: Call) -> None:
    rules = call.params["ServerSideEncryptionConfiguration"].get("Rules") or []
    if len(rules) != 1:
        raise _malformed()
    default = rules[0].get("ApplyServerSideEncryptionByDefault")
    if default is None:
        return
    if default.get("SSEAlgorithm") not in ("AES256", "aws:kms", "aws:kms:dsse"):
        raise _malformed()
    if default["SSEAlgorithm"] == "AES256" and default.get("KMSMasterKeyID"):
        raise _argument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
                        "aws:kms:dsse")  # fmt: skip


@request_rule("s3", "PutBucketOwnershipControls")
def ownership(call: Call) -> None:
    rules = call.params["OwnershipControls"].get("Rules") or []
    known = ("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in known:
        raise _malformed()


@request_rule("s3", "PutBucketLifecycleConfiguration")
def lifecycle(call: Call) -> None:
    rules = (call.params.get("LifecycleConfiguration") or {}).get("Rules") or []
    if not rules or len(rules) > _RULES:
        raise _malformed()
    names = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(set(names)) < len(names):
        raise _argument("Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        _lifecycle_rule(rule)


_ACTIONS = ("Expiration", "Transitions", "NoncurrentVersionExpiration", "NoncurrentVersionTransitions",
            "AbortIncompleteMultipartUpload")  # fmt: skip


def _lifecycle_rule(rule: dict[str, Any]) -> None:
    if rule.get("Status") not in ("Enabled", "Disabled") or len(rule.get("ID") or "") > 255:
        raise _malformed() if rule.get("ID") is None or len(rule["ID"]) <= 255 else _argument(
            "ID length should not exceed allowed limit of 255")  # fmt: skip
    if not any(rule.get(name) for name in _ACTIONS):
        raise AwsError("InvalidRequest", "At least one action needs to be specified in a rule")
    if ("Filter" in rule) == ("Prefix" in rule):
        raise _malformed()
    expiration = rule.get("Expiration")
    if expiration is not None and len([v for v in expiration.values() if v is not None]) != 1:
        raise _malformed()
    if expiration is not None and (expiration.get("Days") or 1) < 1:
        raise _argument("'Days' for Expiration action must be a positive integer")
    for transition in rule.get("Transitions") or ():
        _transition(transition, (expiration or {}).get("Days"))
    for name in ("NoncurrentVersionExpiration",):
        if (rule.get(name) or {}).get("NoncurrentDays", 1) < 1:
            raise _argument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
    if (rule.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation", 1) < 1:
        raise _argument("'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer")


def _transition(transition: dict[str, Any], expires: int | None) -> None:
    days, kind = transition.get("Days"), transition.get("StorageClass")
    if kind not in _CLASSES:
        raise _malformed()
    if days is not None and days < 30 and kind in ("STANDARD_IA", "ONEZONE_IA"):
        raise _argument(f"'Days' in Transition action must be greater than or equal to 30 for storageClass '{kind}'")
    if days is not None and expires is not None and expires <= days:
        raise _argument("'Days' in the Expiration action for filter must be greater than 'Days' in the Transition "
                        "action")  # fmt: skip


@request_rule("s3", "PutBucketNotificationConfiguration")
def notifications(call: Call) -> None:
    found = call.params["NotificationConfiguration"]
    kinds = {"TopicConfigurations": ("TopicArn", "sns"), "QueueConfigurations": ("QueueArn", "sqs"),
             "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda")}  # fmt: skip
    names: list[str] = []
    for kind, (member, service) in kinds.items():
        for entry in found.get(kind) or ():
            if entry[member].split(":")[2:3] != [service]:
                raise _argument("The ARN could not be parsed")
            for event in entry["Events"]:
                if not re.fullmatch(r"s3:[A-Za-z]+(:[A-Za-z*]+)?", event):
                    raise _argument(f"The event '{event}' is not supported for notifications")
            if entry.get("Id"):
                names.append(entry["Id"])
    if len(set(names)) < len(names):
        raise _argument("Configurations should have unique IDs")


# --- tags ------------------------------------------------------------------------------------------------------------


@request_rule("s3", "PutBucketTagging", "PutObjectTagging")
def tagging(call: Call) -> None:
    found = tags.pairs(call.params["Tagging"]["TagSet"])
    most = tags.MOST if call.operation == "PutBucketTagging" else _OBJECT_TAGS
    if len(found) > most:
        raise AwsError("BadRequest", f"Object tags cannot be greater than {most}")
    _tags(found)


def _tags(found: Iterable[tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-managing.html"""
    seen = set()
    for key, value in found:
        if key in seen:
            raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=key)
        seen.add(key)
        if key.lower().startswith("aws:"):
            raise AwsError("InvalidTag", "System tags cannot be added/updated by requester", TagKey=key)
        if not _KEY.fullmatch(key):
            raise AwsError("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if not _VALUE.fullmatch(value):
            raise AwsError("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)


# --- objects ---------------------------------------------------------------------------------------------------------


@request_rule("s3", "PutObject", "CopyObject", "CreateMultipartUpload")
def put_object(call: Call) -> None:
    params = call.params
    if len(params["Key"].encode()) > 1024:
        raise AwsError("KeyTooLongError", "Your key is too long")
    encryption_, key = params.get("ServerSideEncryption"), params.get("SSEKMSKeyId")
    if encryption_ is not None and encryption_ not in ("AES256", "aws:kms", "aws:kms:dsse", "aws:fsx"):
        raise AwsError("InvalidEncryptionAlgorithmError", "The encryption request that you specified is not valid. The "
                       "valid value is AES256.")  # fmt: skip
    if key and encryption_ not in ("aws:kms", "aws:kms:dsse"):
        raise _argument("Server Side Encryption with AWS KMS managed key requires HTTP header "
                        "x-amz-server-side-encryption : aws:kms")  # fmt: skip
    if params.get("StorageClass") not in (None, "STANDARD", "REDUCED_REDUNDANCY", *_CLASSES):
        raise AwsError("InvalidStorageClass", "The storage class you specified is not valid")
    size = sum(len(name) + len(value) for name, value in (params.get("Metadata") or {}).items())
    if size > 2048:
        raise AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")


@request_rule("s3", "PutObject", "CompleteMultipartUpload", "CopyObject")
def conditional_write(call: Call) -> None:
    """ "Expects the '*' (asterisk) character." https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"""
    none, match = call.params.get("IfNoneMatch"), call.params.get("IfMatch")
    if (none is not None and none != "*") or (match == "*"):
        header = "If-None-Match" if none is not None else "If-Match"
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501,
                       Header=header)  # fmt: skip
    if none is not None and match is not None:
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501,
                       Header="If-Match,If-None-Match")  # fmt: skip


@state_rule("s3", "CopyObject")
def copies_once(call: Call) -> None:
    """ "You can now verify if the object exists … in your destination S3 bucket before copying it": moto copies anyway.

    https://aws.amazon.com/about-aws/whats-new/2025/10/amazon-s3-conditional-write-functionality-copy-operations
    """
    if call.params.get("IfNoneMatch") != "*":
        return
    found = call.cloud.backend("s3", call.account, call.region).buckets.get(call.params["Bucket"])
    versions = found.keys.getlist(call.params["Key"], []) if found else []
    if versions and not isinstance(versions[-1], FakeDeleteMarker):
        text = "At least one of the pre-conditions you specified did not hold"
        raise AwsError("PreconditionFailed", text, 412, Condition="If-None-Match")


@request_rule("s3", "DeleteObjects")
def delete_objects(call: Call) -> None:
    found = call.params["Delete"].get("Objects") or []
    if not 1 <= len(found) <= 1000:
        raise _malformed()


@request_rule("s3", "UploadPart", "UploadPartCopy")
def part_number(call: Call) -> None:
    if not 1 <= call.params["PartNumber"] <= 10000:
        raise _argument("Part number must be an integer between 1 and 10000, inclusive")


@request_rule("s3", "CompleteMultipartUpload")
def parts(call: Call) -> None:
    found = [part["PartNumber"] for part in (call.params.get("MultipartUpload") or {}).get("Parts") or ()]
    if not found:
        raise _malformed()
    if found != sorted(set(found)):
        raise AwsError("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by "
                       "part number.")  # fmt: skip


@request_rule("s3", "ListObjectsV2", "ListObjects", "ListObjectVersions")
def list_limits(call: Call) -> None:
    if call.params.get("MaxKeys", 0) < 0:
        raise _argument("Argument maxKeys must be an integer between 0 and 2147483647")
    if call.params.get("EncodingType") not in (None, "url"):
        raise _argument("Invalid Encoding Method specified in Request")
    if call.params.get("ContinuationToken") == "":
        raise _argument("The continuation token provided is incorrect")


# --- versions --------------------------------------------------------------------------------------------------------


def bucket_of(call: Call) -> Any:
    """moto's bucket, or None."""
    return call.cloud.backend("s3", call.account, call.region).buckets.get(call.params.get("Bucket"))


@state_rule("s3", "GetObject", "HeadObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging")
def version_id(call: Call) -> None:
    """A version is named as S3 names versions; a bucket that keeps none has only `null`."""
    given = call.params.get("VersionId")
    bucket = bucket_of(call)
    if given is None or bucket is None:
        return
    wrong = not given or (given != "null" and (bucket.versioning_status is None or not _is_version(given)))
    if wrong:
        text = "Version id cannot be the empty string" if not given else "Invalid version id specified"
        raise AwsError("InvalidArgument", text, ArgumentName="versionId", ArgumentValue=given)


def _is_version(text: str) -> bool:
    """moto names versions by UUIDs, AWS by 32 letters and more."""
    try:
        uuid.UUID(text)
    except ValueError:
        return len(text) >= 32
    return True


@state_rule("s3", "GetObject", "HeadObject")
def delete_marker(call: Call) -> None:
    """ "If the specified version is a delete marker, the response returns a 405 Method Not Allowed error."""
    bucket, given = bucket_of(call), call.params.get("VersionId")
    if bucket is None or given is None:
        return
    for kept in bucket.keys.getlist(call.params["Key"], default=[]):
        if type(kept).__name__ == "FakeDeleteMarker" and kept.version_id == given:
            verb = "HEAD" if call.operation == "HeadObject" else "GET"
            call.headers["x-amz-delete-marker"] = "true"
            raise AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405,
                           Method=verb, ResourceType="DeleteMarker")  # fmt: skip
