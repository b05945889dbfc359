"""S3: buckets and their parts."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.provider import mapping
from rehearsal.provider.differ import Semantics
from rehearsal.provider.errors import ProviderError, is_not_found
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Values
from rehearsal.provider.types.s3_object import BucketObject, BucketObjectV2

HOSTED_ZONES = {
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-north-1": "Z3BAZG2TWCNX0D",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-west-2": "Z3GKZC51ZF0DB4",
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
}


class Bucket(ResourceType):
    token = "aws:s3/bucket:Bucket"
    service = "s3"
    name = AutoName("bucket", 63, lower=True, prefix_property="bucketPrefix")
    replaces = frozenset({"bucket", "bucketPrefix", "objectLockEnabled"})
    supports = frozenset({"bucket", "bucketPrefix", "forceDestroy", "objectLockEnabled", "tags"})
    write_only = frozenset({"forceDestroy", "bucketPrefix"})
    defaults = {"forceDestroy": False}

    def create(self, ctx: Context) -> None:
        name = ctx.inputs["bucket"]
        request: Values = {"Bucket": name, "ObjectLockEnabledForBucket": ctx.inputs.get("objectLockEnabled")}
        if ctx.region != "us-east-1":
            request["CreateBucketConfiguration"] = {"LocationConstraint": ctx.region}
        self._refuse_existing(ctx, name)
        ctx.call("CreateBucket", request)
        ctx.id = name
        self.write_tags(ctx)

    def _refuse_existing(self, ctx: Context, name: str) -> None:
        # In us-east-1 S3 answers success for one's own existing bucket; the real provider refuses to adopt it.
        if ctx.region == "us-east-1" and _exists(ctx, name):
            from rehearsal.provider.errors import ProviderError

            raise ProviderError(f"creating S3 bucket ({name}): BucketAlreadyExists: it is already there")

    def read(self, ctx: Context) -> Values | None:
        if not _exists(ctx, ctx.id):
            return None
        name, suffix = ctx.id, "amazonaws.com"
        return {
            "bucket": name,
            "arn": f"arn:{ctx.session.partition}:s3:::{name}",
            "bucketDomainName": f"{name}.s3.{suffix}",
            "bucketRegionalDomainName": f"{name}.s3.{ctx.region}.{suffix}",
            "bucketRegion": ctx.region,
            "hostedZoneId": HOSTED_ZONES.get(ctx.region),
            "objectLockEnabled": bool(ctx.inputs.get("objectLockEnabled")),
        }

    def update(self, ctx: Context) -> None:
        """Nothing but tags and `forceDestroy` can change in place."""

    def read_tags(self, ctx: Context, observed: Values) -> dict[str, str]:
        answer = ctx.find("GetBucketTagging", {"Bucket": ctx.id}) or {}
        return mapping.pairs_to_map(answer.get("TagSet") or [])

    def write_tags(self, ctx: Context) -> None:
        tags = ctx.inputs.get("tags") or {}
        if not tags:
            if ctx.old_inputs.get("tags"):
                ctx.call("DeleteBucketTagging", {"Bucket": ctx.id})
            return
        pairs = [{"Key": key, "Value": str(value)} for key, value in sorted(tags.items())]
        ctx.call("PutBucketTagging", {"Bucket": ctx.id, "Tagging": {"TagSet": pairs}})

    def delete(self, ctx: Context) -> None:
        if ctx.prop("forceDestroy"):
            _empty(ctx, ctx.id)
        ctx.call("DeleteBucket", {"Bucket": ctx.id})


def _exists(ctx: Context, bucket: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        ctx.call("HeadBucket", {"Bucket": bucket})
    except ClientError as error:
        if is_not_found(error):
            return False
        raise
    return True


def _empty(ctx: Context, bucket: str) -> None:
    """Delete every version and delete marker."""
    pages = ctx.client().get_paginator("list_object_versions").paginate(Bucket=bucket)
    for page in pages:
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        if objects:
            ctx.call("DeleteObjects", {"Bucket": bucket, "Delete": {"Objects": objects, "Quiet": True}})


class BucketPart(ResourceType):
    """A configuration of a bucket: one Put, one Get, one Delete; its id is the bucket's name."""

    service = "s3"
    replaces = frozenset({"bucket", "expectedBucketOwner"})
    local = frozenset({"bucket", "expectedBucketOwner"})
    part = ""  # The request member, and (unless `answer_part`) the answer member that holds the configuration.
    answer_part = ""
    put_op = ""

    def payload(self, ctx: Context) -> Any:
        given = {k: v for k, v in self.shape_inputs(ctx).items() if k not in self.local | {"region"} and v is not None}
        return mapping.to_aws(ctx.shape(self.put_op).members[self.part], given, self.renames)

    def create(self, ctx: Context) -> None:
        ctx.call(self.put_op, {**self.whose(ctx, ctx.inputs["bucket"]), self.part: self.payload(ctx)})
        ctx.id = ctx.inputs["bucket"]

    def whose(self, ctx: Context, bucket: str) -> Values:
        return {"Bucket": bucket, "ExpectedBucketOwner": ctx.prop("expectedBucketOwner")}

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find(self.describe_op, self.whose(ctx, ctx.id))
        inner = (answer or {}).get(self.answer_part or self.part) if self.answer_part != "." else answer
        if not inner:
            return None
        return {**self.observed(ctx, self.shape_answer(ctx, dict(inner))), **self._fixed(ctx)}

    def _fixed(self, ctx: Context) -> Values:
        return {"bucket": ctx.id, "expectedBucketOwner": ctx.prop("expectedBucketOwner")}

    def update(self, ctx: Context) -> None:
        ctx.call(self.put_op, {**self.whose(ctx, ctx.id), self.part: self.payload(ctx)})

    def delete(self, ctx: Context) -> None:
        ctx.call(self.delete_op, self.whose(ctx, ctx.id))


class BucketVersioning(BucketPart):
    token = "aws:s3/bucketVersioning:BucketVersioning"
    supports = frozenset({"bucket", "expectedBucketOwner", "versioningConfiguration"})
    put_op, describe_op = "PutBucketVersioning", "GetBucketVersioning"
    part = "VersioningConfiguration"

    def plan(self, ctx: Context) -> None:
        """A bucket that had versions cannot go back to none (bucket_versioning.go, CustomizeDiff)."""
        was, wanted = (
            (inputs.get("versioningConfiguration") or {}).get("status") for inputs in (ctx.old_inputs, ctx.inputs)
        )
        if was in ("Enabled", "Suspended") and wanted == "Disabled":
            raise ProviderError(f"versioning_configuration.status cannot be updated from '{was}' to 'Disabled'")

    def payload(self, ctx: Context) -> Any:
        shape = ctx.shape(self.put_op).members[self.part]
        return mapping.to_aws(shape, ctx.inputs["versioningConfiguration"], self.renames)

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find(self.describe_op, self.whose(ctx, ctx.id))
        if not answer or not answer.get("Status"):
            return None
        config = {"status": answer["Status"], "mfaDelete": answer.get("MFADelete")}
        return {"versioningConfiguration": {k: v for k, v in config.items() if v}, **self._fixed(ctx)}

    def delete(self, ctx: Context) -> None:
        """A bucket cannot go back to never versioned: suspended is as far as it goes."""
        suspended = {"Status": "Suspended"}
        ctx.call(self.put_op, {**self.whose(ctx, ctx.id), self.part: suspended})


class BucketServerSideEncryptionConfiguration(BucketPart):
    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    put_op, describe_op, delete_op = "PutBucketEncryption", "GetBucketEncryption", "DeleteBucketEncryption"
    part = "ServerSideEncryptionConfiguration"
    semantics = Semantics(unordered=frozenset({"rules"}))


class BucketPublicAccessBlock(BucketPart):
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    put_op, describe_op, delete_op = "PutPublicAccessBlock", "GetPublicAccessBlock", "DeletePublicAccessBlock"
    part = "PublicAccessBlockConfiguration"
    defaults = dict.fromkeys(
        ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), False
    )
    local = frozenset({"bucket", "skipDestroy"})
    write_only = frozenset({"skipDestroy"})

    def delete(self, ctx: Context) -> None:
        if not ctx.prop("skipDestroy"):
            super().delete(ctx)


class BucketOwnershipControls(BucketPart):
    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    put_op, describe_op = "PutBucketOwnershipControls", "GetBucketOwnershipControls"
    delete_op = "DeleteBucketOwnershipControls"
    part = "OwnershipControls"


class BucketLifecycleConfiguration(BucketPart):
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    put_op, describe_op = "PutBucketLifecycleConfiguration", "GetBucketLifecycleConfiguration"
    delete_op = "DeleteBucketLifecycle"
    part, answer_part = "LifecycleConfiguration", "."
    supports = frozenset({"bucket", "expectedBucketOwner", "rules"})
    semantics = Semantics(unordered=frozenset({"rules"}))

    def shape_inputs(self, ctx: Context) -> Values:
        rules = []
        for rule in ctx.inputs.get("rules") or []:
            where = rule.get("filter") or ({} if rule.get("prefix") is not None else {"prefix": ""})
            rules.append({**rule, **({"filter": where} if where else {})})
        return {"rules": rules}

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        # "All objects" is written as an empty prefix or left out; S3 answers the same for both.
        spelled = {rule.get("id") for rule in ctx.prop("rules") or [] if rule.get("filter")}
        rules = []
        for rule in answer.get("Rules", []):
            empty = rule.get("Filter") in ({}, {"Prefix": ""}) and rule.get("ID") not in spelled
            rules.append({key: value for key, value in rule.items() if not (key == "Filter" and empty)})
        return {"Rules": rules}


class BucketPolicy(BucketPart):
    token = "aws:s3/bucketPolicy:BucketPolicy"
    put_op, describe_op, delete_op = "PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"
    part = "Policy"
    supports = frozenset({"bucket", "policy"})
    semantics = Semantics(documents=frozenset({"policy"}))

    def payload(self, ctx: Context) -> Any:
        return ctx.inputs["policy"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find(self.describe_op, self.whose(ctx, ctx.id))
        if not answer:
            return None
        return {"bucket": ctx.id, "policy": json.dumps(json.loads(answer["Policy"]), separators=(",", ":"))}


class BucketLogging(BucketPart):
    token = "aws:s3/bucketLogging:BucketLogging"
    put_op, describe_op = "PutBucketLogging", "GetBucketLogging"
    part, answer_part = "BucketLoggingStatus", "LoggingEnabled"
    supports = frozenset({"bucket", "expectedBucketOwner", "targetBucket", "targetPrefix", "targetObjectKeyFormat"})

    def payload(self, ctx: Context) -> Any:
        given = {k: ctx.inputs.get(k) for k in ("targetBucket", "targetPrefix", "targetObjectKeyFormat")}
        given["targetPrefix"] = given["targetPrefix"] or ""
        shape = ctx.shape(self.put_op).members[self.part].members["LoggingEnabled"]
        return {"LoggingEnabled": mapping.to_aws(shape, given, {})}

    def delete(self, ctx: Context) -> None:
        ctx.call(self.put_op, {**self.whose(ctx, ctx.id), self.part: {}})


TARGETS = {
    "lambdaFunctions": ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambdaFunctionArn"),
    "queues": ("QueueConfigurations", "QueueArn", "queueArn"),
    "topics": ("TopicConfigurations", "TopicArn", "topicArn"),
}


class BucketNotification(BucketPart):
    token = "aws:s3/bucketNotification:BucketNotification"
    put_op, describe_op = "PutBucketNotificationConfiguration", "GetBucketNotificationConfiguration"
    part, answer_part = "NotificationConfiguration", "."
    supports = frozenset({"bucket", "eventbridge", "lambdaFunctions", "queues", "topics"})
    defaults = {"eventbridge": False}
    semantics = Semantics(unordered=frozenset({"lambdaFunctions.events", "queues.events", "topics.events"}))

    def payload(self, ctx: Context) -> Any:
        result: Values = {"EventBridgeConfiguration": {}} if ctx.inputs.get("eventbridge") else {}
        for name, (member, aws_arn, arn) in TARGETS.items():
            items = [self._to_target(item, aws_arn, arn) for item in ctx.inputs.get(name) or []]
            if items:
                result[member] = items
        return result

    def _to_target(self, item: Values, aws_arn: str, arn: str) -> Values:
        target = {"Id": item.get("id"), aws_arn: item[arn], "Events": item["events"]}
        rules = [
            {"Name": name, "Value": item[key]}
            for name, key in (("prefix", "filterPrefix"), ("suffix", "filterSuffix"))
            if item.get(key)
        ]
        if rules:
            target["Filter"] = {"Key": {"FilterRules": rules}}
        return {key: value for key, value in target.items() if value is not None}

    def whose(self, ctx: Context, bucket: str) -> Values:
        return {"Bucket": bucket}

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find(self.describe_op, self.whose(ctx, ctx.id))
        if answer is None:
            return None
        seen: Values = {"bucket": ctx.id, "eventbridge": "EventBridgeConfiguration" in answer}
        for name, (member, aws_arn, arn) in TARGETS.items():
            seen[name] = [self._from_target(item, aws_arn, arn) for item in answer.get(member, [])] or None
        return seen

    def _from_target(self, item: Values, aws_arn: str, arn: str) -> Values:
        target: Values = {"id": item.get("Id"), arn: item[aws_arn], "events": item["Events"]}
        for rule in item.get("Filter", {}).get("Key", {}).get("FilterRules", []):
            target["filterPrefix" if rule["Name"].lower() == "prefix" else "filterSuffix"] = rule["Value"]
        return target

    def delete(self, ctx: Context) -> None:
        ctx.call(self.put_op, {"Bucket": ctx.id, self.part: {}})


TYPES = (
    Bucket,
    BucketLifecycleConfiguration,
    BucketLogging,
    BucketNotification,
    BucketObject,
    BucketObjectV2,
    BucketOwnershipControls,
    BucketPolicy,
    BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration,
    BucketVersioning,
)
