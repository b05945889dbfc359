"""Encryption and exposure: nothing public, nothing readable without a key, no secrets in plain text."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .hardening import settings
from .model import Context, Finding, Resource, Rule, items, known, section, text
from .references import CIS, NIST, WELL_ARCHITECTED

FAMILY = "exposure"
_SWITCHES = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read", "website")
# NVMe disks are encrypted by the machine: SageMaker refuses a key for them.
_NVME = re.compile(r"ml\.(\w+d[a-z]*|g[4-9]\w*|p[4-9]\w*|trn\w*|inf\w*|im4gn|i3\w*)\.")


_BLOCKS = (
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
)
_BLOCK_PARTS = ("publicAccessBlockConfiguration", "publicAccessBlock")


def public_bucket(resource: Resource, context: Context) -> Iterator[Finding]:
    """No public bucket."""
    props = resource.props
    if resource.kind in ("aws:s3/bucket:Bucket", "aws:s3/bucketAcl:BucketAcl") and props.get("acl") in _PUBLIC_ACLS:
        yield Finding(f"is open to the public by its ACL {props['acl']}", "acl")
    yield from _public_grants(resource)
    place, block = "", props if resource.type in _BLOCKS else None
    if resource.type in ("aws-native:s3:Bucket", "aws-native:s3:AccessPoint", "aws:s3/accessPoint:AccessPoint"):
        place = next((name for name in _BLOCK_PARTS if known(props.get(name))), "")
        block = props.get(place) if place else None
    off = [each for each in _SWITCHES if block is not None and section(block, each) in (None, False, "false")]
    if off:
        yield Finding(f"leaves open {', '.join(off)}", f"{place}.{off[0]}" if place else off[0])


def _public_grants(resource: Resource) -> Iterator[Finding]:
    """Grants to everybody, or to every customer of AWS."""
    if resource.kind == "aws:s3/bucket:Bucket":
        place, uris = "grants", [section(each, "uri") for each in items(resource.props.get("grants"))]
    elif resource.kind == "aws:s3/bucketAcl:BucketAcl":
        place, policy = "accessControlPolicy.grants", resource.props.get("accessControlPolicy")
        uris = [section(section(each, "grantee"), "uri") for each in items(section(policy, "grants"))]
    else:
        return
    public = [uri.rpartition("/")[2] for uri in uris if text(uri).endswith(("/AllUsers", "/AuthenticatedUsers"))]
    if public:
        yield Finding(f"is open to the public by a grant to {', '.join(public)}", place)


def _always(props: Mapping[str, Any]) -> bool:
    return True


def _queue_open(props: Mapping[str, Any]) -> bool:
    return props.get("sqsManagedSseEnabled") is False


def _variants_take_keys(props: Mapping[str, Any]) -> bool:
    types = [section(each, "instanceType") for each in items(props.get("productionVariants"))]
    return any(isinstance(each, str) and not _NVME.match(each) for each in types)


# type → (property that must be set, when, what it is)
_KEYS: dict[str, tuple[str, Callable[[Mapping[str, Any]], bool], str]] = {
    "aws:sqs/queue:Queue": ("kmsMasterKeyId", _queue_open, "messages"),
    "aws:kinesis/stream:Stream": ("kmsKeyId", _always, "records"),
    "aws:efs/fileSystem:FileSystem": ("encrypted", _always, "files"),
    "aws:ebs/volume:Volume": ("encrypted", _always, "the disk"),
    "aws:rds/instance:Instance": ("storageEncrypted", lambda props: not props.get("replicateSourceDb"), "the database"),
    "aws:rds/cluster:Cluster": ("storageEncrypted", _always, "the database"),
    "aws:redshift/cluster:Cluster": ("encrypted", _always, "the database"),
    "aws:sagemaker/notebookInstance:NotebookInstance": ("kmsKeyId", _always, "the notebook's disk"),
}


def encryption(resource: Resource, context: Context) -> Iterator[Finding]:
    """What is stored is encrypted."""
    found = _KEYS.get(resource.kind)
    if found and found[1](resource.props) and not resource.props.get(found[0]):
        yield Finding(f"does not encrypt {found[2]}", found[0])
    if (
        resource.kind == "aws:dynamodb/table:Table"
        and section(resource.props.get("serverSideEncryption"), "enabled") is False
    ):
        yield Finding("encrypts with a key that only AWS rules", "serverSideEncryption.enabled")
    yield from settings("encryption-at-rest", resource)


_ADVISED = {
    "aws:sns/topic:Topic": "kmsMasterKeyId",
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": "kmsKeyArn",
    "aws:cloudwatch/logGroup:LogGroup": "kmsKeyId",
    "aws:secretsmanager/secret:Secret": "kmsKeyId",
    "aws:codebuild/project:Project": "encryptionKey",
}


def own_key(resource: Resource, context: Context) -> Iterator[Finding]:
    """A key of one's own says who may read, and leaves a trail."""
    name = _ADVISED.get(resource.kind)
    if name and not resource.props.get(name) and (name != "kmsKeyArn" or _variants_take_keys(resource.props)):
        yield Finding("is not encrypted with a key of one's own", name)
    if resource.kind == "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
        for rule in items(resource.props.get("rules")):
            algorithm = section(section(rule, "applyServerSideEncryptionByDefault"), "sseAlgorithm")
            if algorithm == "AES256":
                yield Finding("is not encrypted with a key of one's own", "rules")


def key_rotation(resource: Resource, context: Context) -> Iterator[Finding]:
    """Keys rotate."""
    if resource.kind != "aws:kms/key:Key" or resource.props.get("enableKeyRotation"):
        return
    symmetric = resource.props.get("customerMasterKeySpec") in (None, "SYMMETRIC_DEFAULT")
    if (
        symmetric
        and resource.props.get("keyUsage") in (None, "ENCRYPT_DECRYPT")
        and not resource.props.get("customKeyStoreId")
    ):
        yield Finding("never rotates", "enableKeyRotation")


def notebook(resource: Resource, context: Context) -> Iterator[Finding]:
    """Notebooks are no back door."""
    if resource.type != "aws:sagemaker/notebookInstance:NotebookInstance":
        return
    if resource.props.get("rootAccess") in (None, "Enabled"):
        yield Finding("gives root to whoever opens it", "rootAccess")
    if resource.props.get("directInternetAccess") in (None, "Enabled") and resource.props.get("subnetId"):
        yield Finding("has a way to the internet beside its network", "directInternetAccess")


_CRYPTO = (NIST["SC-28"], NIST["SC-13"], WELL_ARCHITECTED["SEC08-BP02"])
_CLOSED = (NIST["AC-3"], NIST["SC-7"])
RULES = (
    Rule(
        "public-bucket",
        FAMILY,
        "mandatory",
        "critical",
        "Buckets are private",
        "anybody can read (or write) what the bucket holds",
        "leave the ACL private, and turn all four switches of the public access block on",
        (CIS["2.1.4"], *_CLOSED),
        public_bucket,
    ),
    Rule(
        "encryption-at-rest",
        FAMILY,
        "mandatory",
        "high",
        "What is stored is encrypted",
        "who gets at the storage, or at a copy of it, reads it",
        "set the property to a KMS key (or to true)",
        (CIS["2.2.1"], CIS["2.3.1"], *_CRYPTO),
        encryption,
    ),
    Rule(
        "customer-key",
        FAMILY,
        "advisory",
        "low",
        "A key of one's own encrypts",
        "AWS's own key opens to whoever may read the resource; there is no second lock and no trail",
        "name a KMS key",
        _CRYPTO,
        own_key,
    ),
    Rule(
        "key-rotation",
        FAMILY,
        "advisory",
        "medium",
        "Keys rotate",
        "one leaked key opens everything that was ever written",
        "set enableKeyRotation",
        (CIS["3.6"], NIST["SC-12"]),
        key_rotation,
    ),
    Rule(
        "notebook-closed",
        FAMILY,
        "mandatory",
        "medium",
        "Notebooks give neither root nor a way around the network",
        "who opens the notebook can install anything, and send data anywhere",
        "set rootAccess to Disabled, and in a network directInternetAccess to Disabled",
        (NIST["AC-6"], NIST["SC-7"]),
        notebook,
    ),
)
