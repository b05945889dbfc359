"""Application Auto Scaling: scalable targets and policies."""

from __future__ import annotations

from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

WHERE = {"serviceNamespace": "ServiceNamespace", "resourceId": "ResourceId", "scalableDimension": "ScalableDimension"}


def where(ctx: Context) -> Values:
    """The request members that say what is scaled."""
    return {member: ctx.prop(name) for name, member in WHERE.items()}


def parse_id(ctx: Context, parts: int) -> list[str]:
    """An import id: namespace/resource/dimension (resource ids hold slashes themselves)."""
    pieces = ctx.id.split("/")
    names = [pieces[0], "/".join(pieces[1 : len(pieces) - parts]), *pieces[len(pieces) - parts :]]
    ctx.state = {"serviceNamespace": names[0], "resourceId": names[1], "scalableDimension": names[2]}
    return names


class Target(ResourceType):
    token = "aws:appautoscaling/target:Target"
    service = "application-autoscaling"
    replaces = frozenset({"resourceId", "scalableDimension", "serviceNamespace"})
    renames = {"roleArn": "RoleARN", "arn": "ScalableTargetARN"}
    tagging = Tagging("ListTagsForResource", "TagResource", "UntagResource", "ResourceARN")

    def create(self, ctx: Context) -> None:
        ctx.call("RegisterScalableTarget", self.request(ctx, "RegisterScalableTarget"))
        ctx.id = ctx.inputs["resourceId"]

    def read(self, ctx: Context) -> Values | None:
        if not ctx.prop("serviceNamespace"):
            ctx.id = parse_id(ctx, 1)[1]
        key = where(ctx)
        request = {"ServiceNamespace": key["ServiceNamespace"], "ResourceIds": [key["ResourceId"]]}
        answer = ctx.call("DescribeScalableTargets", {**request, "ScalableDimension": key["ScalableDimension"]})
        found = answer["ScalableTargets"]
        return self.observed(ctx, dict(found[0])) if found else None

    def update(self, ctx: Context) -> None:
        request = self.request(ctx, "RegisterScalableTarget")
        request.pop("Tags", None)
        ctx.call("RegisterScalableTarget", request)

    def read_tags(self, ctx: Context, observed: Values) -> dict[str, str]:
        return super().read_tags(ctx, observed) if observed.get("arn") else {}

    def delete(self, ctx: Context) -> None:
        ctx.call("DeregisterScalableTarget", where(ctx))


class Policy(ResourceType):
    token = "aws:appautoscaling/policy:Policy"
    service = "application-autoscaling"
    name = AutoName("name", 256, prefix_property=None)
    replaces = frozenset({"name", "resourceId", "scalableDimension", "serviceNamespace"})
    defaults = {"policyType": "StepScaling"}
    member_defaults = {"targetTrackingScalingPolicyConfiguration.disableScaleIn": False}
    renames = {"name": "PolicyName", "arn": "PolicyARN"}

    def create(self, ctx: Context) -> None:
        ctx.call("PutScalingPolicy", self.request(ctx, "PutScalingPolicy"))
        ctx.id = ctx.inputs["name"]

    def read(self, ctx: Context) -> Values | None:
        if not ctx.prop("serviceNamespace"):
            ctx.id = parse_id(ctx, 2)[3]
        found = ctx.call("DescribeScalingPolicies", {**where(ctx), "PolicyNames": [ctx.id]})["ScalingPolicies"]
        if not found:
            return None
        alarms = [alarm["AlarmARN"] for alarm in found[0].get("Alarms") or []]
        return {**self.observed(ctx, dict(found[0])), "alarmArns": alarms}

    def update(self, ctx: Context) -> None:
        self.create(ctx)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteScalingPolicy", {**where(ctx), "PolicyName": ctx.id})


TYPES = (Policy, Target)
