"""API Gateway: the account's log role, API keys and usage plans."""

from __future__ import annotations

from typing import Any

from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

TAGS = Tagging("GetTags", "TagResource", "UntagResource", "resourceArn", tags="tags", keys="tagKeys")


def replace(path: str, value: Any) -> dict[str, str]:
    """A patch operation that sets a value."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"op": "replace", "path": path, "value": text}


class Account(ResourceType):
    token = "aws:apigateway/account:Account"
    service = "apigateway"
    supports = frozenset({"cloudwatchRoleArn"})
    defaults = {"cloudwatchRoleArn": ""}

    def _write(self, ctx: Context, role: str) -> None:
        ctx.call("UpdateAccount", {"patchOperations": [replace("/cloudwatchRoleArn", role)]})

    def create(self, ctx: Context) -> None:
        if ctx.inputs.get("cloudwatchRoleArn"):
            self._write(ctx, ctx.inputs["cloudwatchRoleArn"])
        # There is one in account and region, and all go by this id (internal/service/apigateway/account.go).
        ctx.id = "api-gateway-account"

    def read(self, ctx: Context) -> Values | None:
        return self.observed(ctx, ctx.call("GetAccount"))

    def update(self, ctx: Context) -> None:
        self._write(ctx, ctx.inputs.get("cloudwatchRoleArn") or "")

    def delete(self, ctx: Context) -> None:
        self._write(ctx, "")


class ApiKey(ResourceType):
    token = "aws:apigateway/apiKey:ApiKey"
    service = "apigateway"
    name = AutoName("name", 1024, prefix_property=None)
    replaces = frozenset({"value"})
    defaults = {"description": "Managed by Pulumi", "enabled": True}
    supports = frozenset({"customerId", "description", "enabled", "name", "tags", "value"})
    tagging = TAGS
    delete_op, key = "DeleteApiKey", "apiKey"

    def create(self, ctx: Context) -> None:
        ctx.id = ctx.call("CreateApiKey", self.request(ctx, "CreateApiKey"))["id"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetApiKey", {"apiKey": ctx.id, "includeValue": True})
        if answer is None:
            return None
        tags = dict(answer.get("tags") or {})
        seen = self.observed(ctx, answer)
        seen["arn"] = ctx.arn("apigateway", f"/apikeys/{ctx.id}", account="")
        return {**seen, "tags": tags or None, "tagsAll": tags}

    def update(self, ctx: Context) -> None:
        names = sorted(ctx.changed & {"customerId", "description", "enabled", "name"})
        operations = [replace(f"/{n}", "" if ctx.inputs.get(n) is None else ctx.inputs[n]) for n in names]
        if operations:
            ctx.call("UpdateApiKey", {"apiKey": ctx.id, "patchOperations": operations})


class UsagePlan(ResourceType):
    token = "aws:apigateway/usagePlan:UsagePlan"
    service = "apigateway"
    name = AutoName("name", 1024, prefix_property=None)
    supports = frozenset(
        {"apiStages", "description", "name", "productCode", "quotaSettings", "tags", "throttleSettings"}
    )
    renames = {"quotaSettings": "quota", "throttleSettings": "throttle"}
    member_defaults = {
        "quotaSettings.offset": 0,
        "throttleSettings.burstLimit": 0,
        "throttleSettings.rateLimit": 0,
    }
    local = frozenset({"productCode"})
    write_only = frozenset({"productCode"})
    tagging = TAGS
    describe_op, delete_op, key = "GetUsagePlan", "DeleteUsagePlan", "usagePlanId"

    def validate(self, inputs: Values) -> list[tuple[str, str]]:
        staged = enumerate(inputs.get("apiStages") or [])
        return [
            (f"apiStages[{i}].throttles", "the rehearsal does not support throttles per method of a usage plan")
            for i, stage in staged
            if isinstance(stage, dict) and stage.get("throttles")
        ]

    def create(self, ctx: Context) -> None:
        ctx.id = ctx.call("CreateUsagePlan", self.request(ctx, "CreateUsagePlan"))["id"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetUsagePlan", {"usagePlanId": ctx.id})
        if answer is None:
            return None
        tags = dict(answer.get("tags") or {})
        seen = self.observed(ctx, {k: v for k, v in answer.items() if k != "apiStages"})
        stages = [{"apiId": s["apiId"], "stage": s["stage"]} for s in answer.get("apiStages") or []]
        seen |= {"apiStages": stages or None, "arn": ctx.arn("apigateway", f"/usageplans/{ctx.id}", account="")}
        return {**seen, "tags": tags or None, "tagsAll": tags}

    def update(self, ctx: Context) -> None:
        operations = [
            replace(f"/{name}", ctx.inputs.get(name) or "") for name in sorted(ctx.changed & {"name", "description"})
        ]
        for name, path in (("quotaSettings", "quota"), ("throttleSettings", "throttle")):
            if name in ctx.changed:
                wanted = ctx.inputs.get(name)
                operations += [replace(f"/{path}/{k}", v) for k, v in (wanted or {}).items() if v is not None]
                operations += [] if wanted else [{"op": "remove", "path": f"/{path}"}]
        if "apiStages" in ctx.changed:
            operations += self._stage_patches(ctx)
        if operations:
            ctx.call("UpdateUsagePlan", {"usagePlanId": ctx.id, "patchOperations": operations})

    def _stage_patches(self, ctx: Context) -> list[dict[str, str]]:
        want = [f"{s['apiId']}:{s['stage']}" for s in ctx.inputs.get("apiStages") or []]
        have = [f"{s['apiId']}:{s['stage']}" for s in ctx.old_inputs.get("apiStages") or []]
        gone = [{"op": "remove", "path": "/apiStages", "value": name} for name in have if name not in want]
        return gone + [{"op": "add", "path": "/apiStages", "value": name} for name in want if name not in have]

    def delete(self, ctx: Context) -> None:
        ctx.inputs = {**ctx.inputs, "apiStages": []}
        ctx.old_inputs = {"apiStages": ctx.state.get("apiStages") or []}
        operations = self._stage_patches(ctx)
        if operations:
            ctx.call("UpdateUsagePlan", {"usagePlanId": ctx.id, "patchOperations": operations})
        super().delete(ctx)


class UsagePlanKey(ResourceType):
    token = "aws:apigateway/usagePlanKey:UsagePlanKey"
    service = "apigateway"
    keeps = frozenset()
    renames = {"keyType": "type"}

    def create(self, ctx: Context) -> None:
        ctx.id = ctx.call("CreateUsagePlanKey", self.request(ctx, "CreateUsagePlanKey") | self._type(ctx))["id"]

    def request(self, ctx: Context, operation: str, strict: bool = True) -> Values:
        return {"usagePlanId": ctx.inputs["usagePlanId"], "keyId": ctx.inputs["keyId"]}

    def _type(self, ctx: Context) -> Values:
        return {"keyType": ctx.inputs["keyType"]}

    def _key(self, ctx: Context) -> Values:
        if "/" in ctx.id:
            plan, _, ctx.id = ctx.id.partition("/")
            ctx.state = {**ctx.state, "usagePlanId": plan, "keyId": ctx.id}
        return {"usagePlanId": ctx.prop("usagePlanId"), "keyId": ctx.prop("keyId")}

    def read(self, ctx: Context) -> Values | None:
        key = self._key(ctx)
        answer = ctx.find("GetUsagePlanKey", key)
        return {**self.observed(ctx, answer), **key} if answer else None

    def delete(self, ctx: Context) -> None:
        if self.read(ctx) is not None:
            ctx.call("DeleteUsagePlanKey", self._key(ctx))
