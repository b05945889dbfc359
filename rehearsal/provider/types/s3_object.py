"""S3 objects, with Pulumi's assets as their source."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

from rehearsal.provider import mapping
from rehearsal.provider.assets import asset_bytes
from rehearsal.provider.errors import is_not_found
from rehearsal.provider.resource import Context, ResourceType, Values

CONTENT = frozenset({"source", "content", "contentBase64", "sourceHash", "etag"})
HEADERS = {
    "cacheControl": "CacheControl",
    "contentDisposition": "ContentDisposition",
    "contentEncoding": "ContentEncoding",
    "contentLanguage": "ContentLanguage",
    "contentType": "ContentType",
    "metadata": "Metadata",
    "serverSideEncryption": "ServerSideEncryption",
    "storageClass": "StorageClass",
    "kmsKeyId": "SSEKMSKeyId",
    "bucketKeyEnabled": "BucketKeyEnabled",
}
CHECKSUMS = {"checksumSha256": "ChecksumSHA256", "checksumSha1": "ChecksumSHA1", "checksumCrc32": "ChecksumCRC32"}


class BucketObjectV2(ResourceType):
    token = "aws:s3/bucketObjectv2:BucketObjectv2"
    service = "s3"
    replaces = frozenset({"bucket", "key"})
    supports = frozenset({*HEADERS, *CONTENT, "bucket", "key", "checksumAlgorithm", "forceDestroy", "tags"})
    write_only = frozenset({"source", "content", "contentBase64", "sourceHash", "forceDestroy", "checksumAlgorithm"})
    volatile = dict.fromkeys(("versionId", "etag", *CHECKSUMS), CONTENT)
    defaults = {"forceDestroy": False}

    def validate(self, inputs: Values) -> list[tuple[str, str]]:
        given = [name for name in ("source", "content", "contentBase64") if inputs.get(name) is not None]
        return [(given[1], f"conflicts with {given[0]}: give one of them")] if len(given) > 1 else []

    def create(self, ctx: Context) -> None:
        bucket, key = ctx.inputs["bucket"], ctx.inputs.get("key") or self._logical(ctx)
        request: Values = {"Bucket": bucket, "Key": key, "Body": self._body(ctx)}
        request |= {member: ctx.inputs.get(name) for name, member in HEADERS.items()}
        if ctx.inputs.get("kmsKeyId") and not ctx.inputs.get("serverSideEncryption"):
            request["ServerSideEncryption"] = "aws:kms"
        request["ChecksumAlgorithm"] = ctx.inputs.get("checksumAlgorithm")
        if ctx.inputs.get("tags"):
            request["Tagging"] = urlencode(ctx.inputs["tags"])
        ctx.call("PutObject", request)
        ctx.id = self.make_id(bucket, key)

    def make_id(self, bucket: str, key: str) -> str:
        return f"{bucket}/{key}"

    def _logical(self, ctx: Context) -> str:
        return ctx.urn.rsplit("::", 1)[-1]

    def _body(self, ctx: Context) -> bytes:
        if ctx.inputs.get("source") is not None:
            return asset_bytes(ctx.inputs["source"])
        if ctx.inputs.get("contentBase64") is not None:
            return base64.b64decode(ctx.inputs["contentBase64"])
        return str(ctx.inputs.get("content") or "").encode()

    def _where(self, ctx: Context) -> tuple[str, str]:
        bucket, key = ctx.prop("bucket"), ctx.prop("key")
        if bucket and (key or ctx.state):
            return bucket, key or self._logical(ctx)
        bucket, _, key = ctx.id.removeprefix("s3://").partition("/")
        return bucket, key

    def read(self, ctx: Context) -> Values | None:
        from botocore.exceptions import ClientError

        bucket, key = self._where(ctx)
        try:
            answer = ctx.call("HeadObject", {"Bucket": bucket, "Key": key, "ChecksumMode": "ENABLED"})
        except ClientError as error:
            if is_not_found(error):
                return None
            raise
        seen = {name: answer.get(member) for name, member in HEADERS.items()}
        seen |= {name: answer.get(member) for name, member in CHECKSUMS.items()}
        seen["metadata"] = answer.get("Metadata") or None
        version = answer.get("VersionId")
        fixed = {"bucket": bucket, "key": key, "arn": f"arn:{ctx.session.partition}:s3:::{bucket}/{key}"}
        return {**seen, **fixed, "etag": answer["ETag"].strip('"'), "versionId": None if version == "null" else version}

    def update(self, ctx: Context) -> None:
        if ctx.changed - {"tags", "forceDestroy"}:
            self.create(ctx)

    def read_tags(self, ctx: Context, observed: Values) -> dict[str, str]:
        bucket, key = self._where(ctx)
        answer = ctx.find("GetObjectTagging", {"Bucket": bucket, "Key": key}) or {}
        return mapping.pairs_to_map(answer.get("TagSet") or [])

    def write_tags(self, ctx: Context) -> None:
        bucket, key = self._where(ctx)
        pairs = [{"Key": k, "Value": str(v)} for k, v in (ctx.inputs.get("tags") or {}).items()]
        ctx.call("PutObjectTagging", {"Bucket": bucket, "Key": key, "Tagging": {"TagSet": pairs}})

    def delete(self, ctx: Context) -> None:
        """Every version goes, as the real provider does for objects it manages."""
        bucket, key = self._where(ctx)
        pages = ctx.client().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
        for page in pages:
            for item in page.get("Versions", []) + page.get("DeleteMarkers", []):
                if item["Key"] == key:
                    ctx.call("DeleteObject", {"Bucket": bucket, "Key": key, "VersionId": item["VersionId"]})


class BucketObject(BucketObjectV2):
    token = "aws:s3/bucketObject:BucketObject"

    def make_id(self, bucket: str, key: str) -> str:
        return key
