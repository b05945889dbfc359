"""EventBridge buses, rules and targets (Pulumi keeps them under `cloudwatch`)."""

from __future__ import annotations

from rehearsal.provider import mapping
from rehearsal.provider.differ import Semantics
from rehearsal.provider.errors import ProviderError
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

TAGS = Tagging("ListTagsForResource", "TagResource", "UntagResource", "ResourceARN")


class EventBus(ResourceType):
    token = "aws:cloudwatch/eventBus:EventBus"
    service = "events"
    name = AutoName("name", 256, prefix_property=None)
    replaces = frozenset({"name", "eventSourceName"})
    tagging = TAGS
    create_op, describe_op, update_op, delete_op = (
        "CreateEventBus", "DescribeEventBus", "UpdateEventBus", "DeleteEventBus",
    )  # fmt: skip
    key = "Name"


class EventBusPolicy(ResourceType):
    token = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
    service = "events"
    replaces = frozenset({"eventBusName"})
    defaults = {"eventBusName": "default"}
    supports = frozenset({"eventBusName", "policy"})
    semantics = Semantics(documents=frozenset({"policy"}))

    def create(self, ctx: Context) -> None:
        bus = ctx.inputs["eventBusName"]
        ctx.call("PutPermission", {"EventBusName": bus, "Policy": ctx.inputs["policy"]})
        ctx.id = bus

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("DescribeEventBus", {"Name": ctx.id})
        policy = (answer or {}).get("Policy")
        return {"eventBusName": ctx.id, "policy": policy} if policy else None

    def update(self, ctx: Context) -> None:
        self.create(ctx)

    def delete(self, ctx: Context) -> None:
        ctx.call("RemovePermission", {"EventBusName": ctx.id, "RemoveAllPermissions": True})


class EventRule(ResourceType):
    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    name = AutoName("name", 64)
    replaces = frozenset({"name", "namePrefix", "eventBusName"})
    supports = frozenset(
        "description eventBusName eventPattern forceDestroy name namePrefix roleArn scheduleExpression state "
        "tags".split()
    )
    defaults = {"eventBusName": "default", "forceDestroy": False}
    local = frozenset({"forceDestroy"})
    write_only = frozenset({"forceDestroy", "namePrefix"})
    semantics = Semantics(documents=frozenset({"eventPattern"}))
    tagging = TAGS

    def create(self, ctx: Context) -> None:
        ctx.call("PutRule", self.request(ctx, "PutRule"))
        bus, name = ctx.inputs["eventBusName"], ctx.inputs["name"]
        ctx.id = name if bus == "default" else f"{bus}/{name}"

    def _key(self, ctx: Context) -> Values:
        bus, _, name = ctx.id.rpartition("/")
        return {"Name": name, "EventBusName": bus or "default"}

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("DescribeRule", self._key(ctx))
        if not answer or not answer.get("Name"):
            return None
        return {"eventBusName": self._key(ctx)["EventBusName"], **self.observed(ctx, answer)}

    def update(self, ctx: Context) -> None:
        if ctx.changed - {"tags", "forceDestroy"}:
            request = self.request(ctx, "PutRule")
            request.pop("Tags", None)
            ctx.call("PutRule", request)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteRule", {**self._key(ctx), "Force": ctx.prop("forceDestroy")})


class EventTarget(ResourceType):
    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    name = AutoName("targetId", 64, prefix_property=None, first=False)
    replaces = frozenset({"rule", "eventBusName", "targetId"})
    supports = frozenset(
        "arn deadLetterConfig eventBusName input inputPath inputTransformer retryPolicy roleArn rule "
        "sagemakerPipelineTarget sqsTarget targetId".split()
    )
    defaults = {"eventBusName": "default"}
    renames = {
        "deadLetterConfig": "DeadLetterConfig",
        "inputTransformer.inputPaths": "InputPathsMap",
        "sagemakerPipelineTarget": "SageMakerPipelineParameters",
        "sqsTarget": "SqsParameters",
        "targetId": "Id",
        "retryPolicy.maximumEventAgeInSeconds": "MaximumEventAgeInSeconds",
    }
    semantics = Semantics(documents=frozenset({"input"}))

    def create(self, ctx: Context) -> None:
        target = ctx.inputs["targetId"]
        self._put(ctx, target)
        bus, rule = ctx.inputs["eventBusName"], ctx.inputs["rule"]
        ctx.id = f"{rule}-{target}" if bus == "default" else f"{bus}-{rule}-{target}"

    def _put(self, ctx: Context, target: str) -> None:
        shape = ctx.shape("PutTargets").members["Targets"].member
        hidden = ("rule", "eventBusName", "region")
        given = {key: value for key, value in ctx.inputs.items() if key not in hidden and value is not None}
        request = {**mapping.to_aws(shape, given, self.renames), "Id": target}
        key = {"Rule": ctx.inputs["rule"], "EventBusName": ctx.inputs["eventBusName"]}
        answer = ctx.call("PutTargets", {**key, "Targets": [request]})
        for entry in answer.get("FailedEntries") or []:
            raise ProviderError(f"target of rule {key['Rule']}: {entry.get('ErrorCode')}: {entry.get('ErrorMessage')}")

    def _key(self, ctx: Context) -> tuple[str, str, str]:
        if ctx.prop("rule"):
            return ctx.prop("eventBusName") or "default", ctx.prop("rule"), ctx.prop("targetId")
        parts = ctx.id.split("/")
        return (parts[0] if len(parts) == 3 else "default"), parts[-2], parts[-1]

    def read(self, ctx: Context) -> Values | None:
        bus, rule, target = self._key(ctx)
        answer = ctx.find("ListTargetsByRule", {"Rule": rule, "EventBusName": bus}) or {}
        found = next((item for item in answer.get("Targets", []) if item["Id"] == target), None)
        return {**self.observed(ctx, found), "rule": rule, "eventBusName": bus} if found else None

    def update(self, ctx: Context) -> None:
        self._put(ctx, self._key(ctx)[2])

    def delete(self, ctx: Context) -> None:
        bus, rule, target = self._key(ctx)
        ctx.call("RemoveTargets", {"Rule": rule, "EventBusName": bus, "Ids": [target]})


TYPES = (EventBus, EventBusPolicy, EventRule, EventTarget)
