"""SQS: queues and their policies."""

from __future__ import annotations

from rehearsal.provider import mapping
from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Values
from rehearsal.provider.types.sns import as_text, from_attributes

ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


class Queue(ResourceType):
    token = "aws:sqs/queue:Queue"
    service = "sqs"
    name = AutoName("name", 80)
    replaces = frozenset({"name", "namePrefix", "fifoQueue"})
    supports = frozenset({*ATTRIBUTES, "name", "namePrefix", "tags"})
    defaults = {
        "delaySeconds": 0,
        "fifoQueue": False,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
    }
    write_only = frozenset({"namePrefix"})
    semantics = Semantics(documents=frozenset({"policy", "redrivePolicy", "redriveAllowPolicy"}))

    def name_suffix(self, inputs: Values) -> str:
        return ".fifo" if inputs.get("fifoQueue") else ""

    def create(self, ctx: Context) -> None:
        given = {a: as_text(ctx.inputs[n]) for n, a in ATTRIBUTES.items() if ctx.inputs.get(n) not in (None, False)}
        request = {"QueueName": ctx.inputs["name"], "Attributes": given, "tags": ctx.inputs.get("tags")}
        ctx.id = ctx.call("CreateQueue", request)["QueueUrl"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetQueueAttributes", {"QueueUrl": ctx.id, "AttributeNames": ["All"]})
        if answer is None:
            return None
        attributes = answer["Attributes"]
        arn = attributes["QueueArn"]
        seen = from_attributes(self, attributes, ATTRIBUTES)
        return {"fifoQueue": False, **seen, "arn": arn, "url": ctx.id, "name": arn.rsplit(":", 1)[-1]}

    def update(self, ctx: Context) -> None:
        names = ctx.changed & ATTRIBUTES.keys()
        given = {ATTRIBUTES[n]: as_text(ctx.inputs[n]) if ctx.inputs.get(n) is not None else "" for n in names}
        if given:
            ctx.call("SetQueueAttributes", {"QueueUrl": ctx.id, "Attributes": given})

    def read_tags(self, ctx: Context, observed: Values) -> dict[str, str]:
        return mapping.pairs_to_map(ctx.call("ListQueueTags", {"QueueUrl": ctx.id}).get("Tags") or {})

    def write_tags(self, ctx: Context) -> None:
        want, have = ctx.inputs.get("tags") or {}, ctx.old_inputs.get("tags") or {}
        gone = sorted(set(have) - set(want))
        if gone:
            ctx.call("UntagQueue", {"QueueUrl": ctx.id, "TagKeys": gone})
        if want:
            ctx.call("TagQueue", {"QueueUrl": ctx.id, "Tags": want})

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteQueue", {"QueueUrl": ctx.id})


class QueuePolicy(ResourceType):
    token = "aws:sqs/queuePolicy:QueuePolicy"
    service = "sqs"
    replaces = frozenset({"queueUrl"})
    supports = frozenset({"queueUrl", "policy"})
    semantics = Semantics(documents=frozenset({"policy"}))

    def _write(self, ctx: Context, url: str, policy: str) -> None:
        ctx.call("SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})

    def create(self, ctx: Context) -> None:
        self._write(ctx, ctx.inputs["queueUrl"], ctx.inputs["policy"])
        ctx.id = ctx.inputs["queueUrl"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetQueueAttributes", {"QueueUrl": ctx.id, "AttributeNames": ["All"]})
        policy = (answer or {}).get("Attributes", {}).get("Policy")
        return {"queueUrl": ctx.id, "policy": policy} if policy else None

    def update(self, ctx: Context) -> None:
        self._write(ctx, ctx.id, ctx.inputs["policy"])

    def delete(self, ctx: Context) -> None:
        self._write(ctx, ctx.id, "")


TYPES = (Queue, QueuePolicy)
