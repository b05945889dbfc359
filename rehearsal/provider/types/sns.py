"""SNS: topics, their policies and subscriptions."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

TOPIC_ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoTopic": "FifoTopic",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
SUBSCRIPTION_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}


def as_text(value: Any) -> str:
    """An attribute's value as the API wants it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def from_attributes(kind: ResourceType, attributes: Values, names: dict[str, str]) -> Values:
    """Attributes, all text on the wire, in the types of the schema."""
    seen: Values = {}
    for name, attribute in names.items():
        text = attributes.get(attribute)
        if text in (None, ""):
            continue
        wanted = kind.schema.outputs[name].type.kind
        seen[name] = text.lower() == "true" if wanted == "bool" else int(text) if wanted == "int" else text
    return seen


class Topic(ResourceType):
    token = "aws:sns/topic:Topic"
    service = "sns"
    name = AutoName("name", 80)
    replaces = frozenset({"name", "namePrefix", "fifoTopic"})
    supports = frozenset({*TOPIC_ATTRIBUTES, "name", "namePrefix", "tags"})
    defaults = {"contentBasedDeduplication": False, "fifoTopic": False}
    write_only = frozenset({"namePrefix"})
    semantics = Semantics(documents=frozenset({"policy", "deliveryPolicy"}))
    tagging = Tagging("ListTagsForResource", "TagResource", "UntagResource", "ResourceArn", by="id")

    def name_suffix(self, inputs: Values) -> str:
        return ".fifo" if inputs.get("fifoTopic") else ""

    def create(self, ctx: Context) -> None:
        given = {a: as_text(ctx.inputs[n]) for n, a in TOPIC_ATTRIBUTES.items() if ctx.inputs.get(n) is not None}
        # Only a FIFO topic has these at all; SNS refuses even False of another.
        given = {name: value for name, value in given.items() if value != "false"}
        tags = [{"Key": key, "Value": str(value)} for key, value in (ctx.inputs.get("tags") or {}).items()]
        ctx.id = ctx.call("CreateTopic", {"Name": ctx.inputs["name"], "Attributes": given, "Tags": tags})["TopicArn"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetTopicAttributes", {"TopicArn": ctx.id})
        if answer is None:
            return None
        attributes = answer["Attributes"]
        seen = from_attributes(self, attributes, TOPIC_ATTRIBUTES)
        return {**seen, "arn": ctx.id, "name": ctx.id.rsplit(":", 1)[-1], "owner": attributes.get("Owner")}

    def update(self, ctx: Context) -> None:
        for name in sorted(ctx.changed & TOPIC_ATTRIBUTES.keys()):
            value = ctx.inputs.get(name)
            text = "" if value is None else as_text(value)
            attribute = {"AttributeName": TOPIC_ATTRIBUTES[name], "AttributeValue": text}
            ctx.call("SetTopicAttributes", {"TopicArn": ctx.id, **attribute})

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteTopic", {"TopicArn": ctx.id})


def default_policy(ctx: Context, arn: str) -> str:
    """What a topic has that was never given a policy; the real provider puts it back."""
    actions = (
        "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe "
        "ListSubscriptionsByTopic Publish"
    ).split()
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": ctx.account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


class TopicPolicy(ResourceType):
    token = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    replaces = frozenset({"arn"})
    supports = frozenset({"arn", "policy"})
    semantics = Semantics(documents=frozenset({"policy"}))

    def _write(self, ctx: Context, arn: str, policy: str) -> None:
        attribute = {"AttributeName": "Policy", "AttributeValue": policy}
        ctx.call("SetTopicAttributes", {"TopicArn": arn, **attribute})

    def create(self, ctx: Context) -> None:
        self._write(ctx, ctx.inputs["arn"], ctx.inputs["policy"])
        ctx.id = ctx.inputs["arn"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetTopicAttributes", {"TopicArn": ctx.id})
        policy = answer["Attributes"].get("Policy") if answer else None
        if not policy:
            return None
        return {"arn": ctx.id, "policy": policy, "owner": answer["Attributes"].get("Owner") if answer else None}

    def update(self, ctx: Context) -> None:
        self._write(ctx, ctx.id, ctx.inputs["policy"])

    def delete(self, ctx: Context) -> None:
        self._write(ctx, ctx.id, default_policy(ctx, ctx.id))


class TopicSubscription(ResourceType):
    token = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    replaces = frozenset({"topic", "protocol", "endpoint"})
    supports = frozenset({*SUBSCRIPTION_ATTRIBUTES, "topic", "protocol", "endpoint", "endpointAutoConfirms",
                          "confirmationTimeoutInMinutes"})  # fmt: skip
    defaults = {"rawMessageDelivery": False, "endpointAutoConfirms": False, "confirmationTimeoutInMinutes": 1}
    write_only = frozenset({"endpointAutoConfirms", "confirmationTimeoutInMinutes"})
    semantics = Semantics(documents=frozenset({"filterPolicy", "deliveryPolicy", "redrivePolicy"}))

    def create(self, ctx: Context) -> None:
        given = {
            attribute: as_text(ctx.inputs[name])
            for name, attribute in SUBSCRIPTION_ATTRIBUTES.items()
            if ctx.inputs.get(name) not in (None, False)
        }
        request = {
            "TopicArn": ctx.inputs["topic"],
            "Protocol": ctx.inputs["protocol"],
            "Endpoint": ctx.inputs["endpoint"],
            "Attributes": given,
            "ReturnSubscriptionArn": True,
        }
        ctx.id = ctx.call("Subscribe", request)["SubscriptionArn"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetSubscriptionAttributes", {"SubscriptionArn": ctx.id})
        if answer is None:
            return None
        attributes = answer["Attributes"]
        pending = attributes.get("PendingConfirmation") == "true"
        confirmed = attributes.get("ConfirmationWasAuthenticated") == "true"
        return {
            "rawMessageDelivery": False,
            **from_attributes(self, attributes, SUBSCRIPTION_ATTRIBUTES),
            "arn": ctx.id,
            "topic": attributes["TopicArn"],
            "protocol": attributes["Protocol"],
            "endpoint": attributes["Endpoint"],
            "ownerId": attributes.get("Owner"),
            "pendingConfirmation": pending,
            "confirmationWasAuthenticated": confirmed,
        }

    def update(self, ctx: Context) -> None:
        for name in sorted(ctx.changed & SUBSCRIPTION_ATTRIBUTES.keys()):
            value = ctx.inputs.get(name)
            text = "" if value is None else as_text(value)
            attribute = {"AttributeName": SUBSCRIPTION_ATTRIBUTES[name], "AttributeValue": text}
            ctx.call("SetSubscriptionAttributes", {"SubscriptionArn": ctx.id, **attribute})

    def delete(self, ctx: Context) -> None:
        from botocore.exceptions import ClientError

        try:
            ctx.call("Unsubscribe", {"SubscriptionArn": ctx.id})
        except ClientError as error:
            # It stays in AWS, and goes with its topic (internal/service/sns/topic_subscription.go).
            if "pending confirmation" not in str(error):
                raise


TYPES = (Topic, TopicPolicy, TopicSubscription)
