"""S3: buckets, objects and versions, and the keys that encrypt them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.s3.models import s3_backends

from rehearsal.cloud.authorization import kms
from rehearsal.cloud.authorization.need import Need, many
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.policy_language.template import Context

_OF_VERSION = {
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
    "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
    "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
}
_READS = frozenset({"GetObject", "GetObjectAttributes"})
_LOOKS = frozenset({"GetObject", "HeadObject", "GetObjectAttributes", "GetObjectTagging"})
_WRITES = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload"})


def bucket(name: str) -> Any:
    """moto's bucket, whoever owns it; None for one that does not exist."""
    backend = _backend(name)
    return None if backend is None else backend.buckets.get(name)


def _backend(name: str) -> Any:
    """The account's store that has the bucket; None where none has."""
    for backends in list(s3_backends.values()):
        for backend in list(backends.values()):
            if name in backend.buckets:
                return backend
    return None


def needs(call: Call) -> list[Need]:
    """A call of S3."""
    params = call.params
    name = params.get("Bucket")
    if not name:
        return [Need(call.action, "*")]
    found = bucket(name)
    owner = str(found.account_id) if found is not None else ""
    context = {**_context(params, owner), **_creation(call)}
    if call.operation == "DeleteObjects":
        return [
            _object(_versioned(call.action, item), name, item["Key"], owner, context)
            for item in params["Delete"].get("Objects", ())
        ]
    key = params.get("Key")
    if key is None:
        return [Need(call.action, f"arn:aws:s3:::{name}", owner, context)]
    own = [
        _object(_versioned(call.action, params), name, key, owner, context),
        *_further(call, name, key, owner, context),
    ]
    if call.operation == "CopyObject" or call.operation == "UploadPartCopy":
        own += _source(call, context)
    return [*own, *_keys(call, found, name, key), *_listing(call, found, name, key, owner)]


def _object(action: str, bucket_name: str, key: str, owner: str, context: Context) -> Need:
    return Need(action, f"arn:aws:s3:::{bucket_name}/{key}", owner, context)


def _versioned(action: str, params: Mapping[str, Any]) -> str:
    return _OF_VERSION.get(action, action) if params.get("VersionId") else action


def _further(call: Call, name: str, key: str, owner: str, context: Context) -> list[Need]:
    params = call.params
    actions = []
    if call.operation == "GetObjectAttributes":
        actions.append(_versioned("s3:GetObject", params))
    if call.operation in _WRITES and params.get("Tagging"):
        actions.append("s3:PutObjectTagging")
    if call.operation in _WRITES and params.get("ACL"):
        actions.append("s3:PutObjectAcl")
    return [_object(action, name, key, owner, context) for action in actions]


def _source(call: Call, context: Context) -> list[Need]:
    source = call.params.get("CopySource", "")
    if isinstance(source, Mapping):
        name, key, version = source["Bucket"], source["Key"], source.get("VersionId")
    else:
        path, _, query = str(source).partition("?")
        name, _, key = unquote(path).lstrip("/").partition("/")
        version = next(iter(parse_qs(query).get("versionId", ())), None)
    found = bucket(name)
    owner = str(found.account_id) if found is not None else ""
    read = _object("s3:GetObjectVersion" if version else "s3:GetObject", name, key, owner, context)
    copied = _tags(call, name, key, version, owner, context) if _copies_tags(call, found, key, version) else []
    return [read, *copied, *_decrypt(call, found, name, key, version)]


def _copies_tags(call: Call, found: Any, key: str, version: str | None) -> bool:
    """Tags of the source are copied unless others are given: CopyObject's TaggingDirective is COPY by default.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    if call.operation != "CopyObject" or call.params.get("TaggingDirective") == "REPLACE" or found is None:
        return False
    stored = _stored(found, key, version)
    return stored is not None and bool(_backend(found.name).tagger.get_tag_dict_for_resource(stored.arn))


def _tags(call: Call, name: str, key: str, version: str | None, owner: str, context: Context) -> list[Need]:
    target = f"arn:aws:s3:::{call.params['Bucket']}/{call.params['Key']}"
    read = "s3:GetObjectVersionTagging" if version else "s3:GetObjectTagging"
    return [_object(read, name, key, owner, context), Need("s3:PutObjectTagging", target)]


def _listing(call: Call, found: Any, name: str, key: str, owner: str) -> list[Need]:
    """Who may not list a bucket is not told that an object is missing: 403, not 404."""
    if call.operation not in _LOOKS or found is None or _stored(found, key, call.params.get("VersionId")) is not None:
        return []
    if call.params.get("VersionId"):
        return []
    return [Need("s3:ListBucket", f"arn:aws:s3:::{name}", owner, many({"s3:ResourceAccount": owner}))]


def _stored(found: Any, key: str, version: str | None) -> Any:
    versions = found.keys.getlist(key, default=[]) or []
    if version:
        return next((item for item in versions if str(getattr(item, "version_id", "")) == version), None)
    latest = versions[-1] if versions else None
    return latest if latest is not None and type(latest).__name__ == "FakeKey" else None


def _keys(call: Call, found: Any, name: str, key: str) -> list[Need]:
    if found is None:
        return []
    operation, params = call.operation, call.params
    if operation in _READS or (operation == "HeadObject" and params.get("ChecksumMode") == "ENABLED"):
        return _decrypt(call, found, name, key, params.get("VersionId"))
    if operation == "CompleteMultipartUpload":
        return _use(call, found, "kms:Decrypt", _default_key(found), name, key)
    if operation in _WRITES:
        return _use(call, found, "kms:GenerateDataKey", _wanted_key(params, found), name, key)
    return []


def _wanted_key(params: Mapping[str, Any], found: Any) -> str | None:
    """The key of a write: the request's, else the bucket's. None where KMS is not asked for."""
    algorithm = params.get("ServerSideEncryption")
    if algorithm and not algorithm.startswith("aws:kms"):
        return None
    return params.get("SSEKMSKeyId") or _default_key(found)


def _default_key(found: Any) -> str | None:
    rule = _rule(found).get("ApplyServerSideEncryptionByDefault") or {}
    return rule.get("KMSMasterKeyID") if str(rule.get("SSEAlgorithm", "")).startswith("aws:kms") else None


def _rule(found: Any) -> dict[str, Any]:
    rule = (found.encryption or {}).get("Rule") or {}
    return rule[0] if isinstance(rule, list) else rule


def _decrypt(call: Call, found: Any, name: str, key: str, version: str | None) -> list[Need]:
    stored = _stored(found, key, version) if found is not None else None
    if stored is None or not stored.kms_key_id or not str(stored.encryption or "").startswith("aws:kms"):
        return []
    return _use(call, found, "kms:Decrypt", stored.kms_key_id, name, key)


def _use(call: Call, found: Any, action: str, key_text: str | None, name: str, key: str) -> list[Need]:
    if not key_text:
        return []
    # With a bucket key one data key serves the whole bucket.
    bucket_key = str(_rule(found).get("BucketKeyEnabled", "")).lower() == "true"
    arn = f"arn:aws:s3:::{name}" if bucket_key else f"arn:aws:s3:::{name}/{key}"
    whole = key_text if key_text.startswith("arn:") else _own(key_text, found)
    return [
        Need(need.action, need.resource, need.account, {**need.context, "kms:calleraccount": (call.account,)})
        for need in kms.via("s3", action, whole, call.account, found.region_name, {"aws:s3:arn": arn})
    ]


def _own(key_text: str, found: Any) -> str:
    """A bare key id or alias in a bucket's settings is of the bucket owner's account."""
    resource = key_text if key_text.startswith("alias/") else f"key/{key_text}"
    return f"arn:aws:kms:{found.region_name}:{found.account_id}:{resource}"


_PARTS = ("CreateMultipartUpload", "UploadPart", "UploadPartCopy")


def _creation(call: Call) -> Context:
    """Whether a write makes an object, and on which condition.

    Parts of an upload make none, and take no conditional headers.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    if call.action != "s3:PutObject":
        return {}
    return many(
        {
            "s3:ObjectCreationOperation": call.operation not in _PARTS,
            "s3:if-none-match": call.params.get("IfNoneMatch"),
            "s3:if-match": call.params.get("IfMatch"),
        }
    )


def _context(params: Mapping[str, Any], owner: str) -> Context:
    return many(
        {
            "s3:authType": "REST-HEADER",
            "s3:signatureversion": "AWS4-HMAC-SHA256",
            "s3:TlsVersion": "1.3",
            "s3:ResourceAccount": owner or None,
            "s3:prefix": params.get("Prefix"),
            "s3:delimiter": params.get("Delimiter"),
            "s3:max-keys": params.get("MaxKeys"),
            "s3:versionid": params.get("VersionId"),
            "s3:x-amz-acl": params.get("ACL"),
            "s3:x-amz-storage-class": params.get("StorageClass"),
            "s3:x-amz-copy-source": params.get("CopySource") if isinstance(params.get("CopySource"), str) else None,
            "s3:x-amz-server-side-encryption": params.get("ServerSideEncryption"),
            "s3:x-amz-server-side-encryption-aws-kms-key-id": params.get("SSEKMSKeyId"),
        }
    )
