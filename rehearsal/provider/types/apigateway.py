"""API Gateway: REST APIs from OpenAPI documents, deployments and stages."""

from __future__ import annotations

import json

from rehearsal.provider import mapping
from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values
from rehearsal.provider.types.apigateway_usage import Account, ApiKey, UsagePlan, UsagePlanKey

TAGS = Tagging("GetTags", "TagResource", "UntagResource", "resourceArn", tags="tags", keys="tagKeys")
Patch = dict[str, str]


def patch(path: str, value: object, operation: str = "replace") -> Patch:
    """One change of the API's own PATCH format; all values are text."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"op": operation, "path": path, "value": text}


def unescape(policy: str | None) -> str | None:
    """A policy as it was sent: the API answers it with its quotes escaped."""
    if not policy:
        return None
    try:
        json.loads(policy)
    except ValueError:
        return str(json.loads(f'"{policy}"'))
    return policy


class RestApi(ResourceType):
    token = "aws:apigateway/restApi:RestApi"
    service = "apigateway"
    name = AutoName("name", 1024, prefix_property=None)
    supports = frozenset(
        "apiKeySource binaryMediaTypes body description disableExecuteApiEndpoint endpointConfiguration failOnWarnings "
        "minimumCompressionSize name parameters policy putRestApiMode tags".split()
    )
    defaults = {"putRestApiMode": "overwrite"}
    local = frozenset({"body", "failOnWarnings", "parameters", "putRestApiMode"})
    write_only = local
    semantics = Semantics(
        documents=frozenset({"body", "policy"}),
        unordered=frozenset({"binaryMediaTypes", "endpointConfiguration.vpcEndpointIds"}),
    )
    tagging = TAGS
    describe_op, delete_op, key = "GetRestApi", "DeleteRestApi", "restApiId"

    def create(self, ctx: Context) -> None:
        ctx.id = ctx.call("CreateRestApi", self.request(ctx, "CreateRestApi"))["id"]
        if ctx.inputs.get("body"):
            self._import_body(ctx)

    def _import_body(self, ctx: Context) -> None:
        request = {
            "restApiId": ctx.id,
            "mode": ctx.inputs["putRestApiMode"],
            "failOnWarnings": bool(ctx.inputs.get("failOnWarnings")),
            "parameters": ctx.inputs.get("parameters"),
            "body": str(ctx.inputs["body"]).encode(),
        }
        ctx.call("PutRestApi", request)
        # The document's title and settings took the place of the inputs': put those back.
        self._patch(ctx, ("name", "description", "policy", "binaryMediaTypes", "disableExecuteApiEndpoint"))

    def _patch(self, ctx: Context, names: tuple[str, ...] | frozenset[str]) -> None:
        operations: list[Patch] = []
        for name in names:
            operations += self._patches_for(ctx, name)
        if operations:
            ctx.call("UpdateRestApi", {"restApiId": ctx.id, "patchOperations": operations})

    def _patches_for(self, ctx: Context, name: str) -> list[Patch]:
        value = ctx.inputs.get(name)
        if name == "binaryMediaTypes":
            return self._media_patches(ctx, list(value or []))
        if name == "endpointConfiguration":
            return [patch("/endpointConfiguration/types/0", value["types"])] if value else []
        if name in ("name", "description", "policy", "disableExecuteApiEndpoint", "apiKeySource",
                    "minimumCompressionSize") and (value is not None or name in ctx.old_inputs):  # fmt: skip
            return [patch(f"/{name}", "" if value is None else value)]
        return []

    def _media_patches(self, ctx: Context, wanted: list[str]) -> list[Patch]:
        have = ctx.call("GetRestApi", {"restApiId": ctx.id}).get("binaryMediaTypes") or []

        def path(kind: str) -> str:
            return "/binaryMediaTypes/" + kind.replace("/", "~1")

        gone = [{"op": "remove", "path": path(kind)} for kind in have if kind not in wanted]
        return gone + [{"op": "add", "path": path(kind)} for kind in wanted if kind not in have]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetRestApi", {"restApiId": ctx.id})
        if answer is None:
            return None
        endpoint = answer.pop("endpointConfiguration", None) or {}
        seen = self.observed(ctx, {**answer, "policy": unescape(answer.get("policy"))})
        if endpoint.get("types"):
            vpc = endpoint.get("vpcEndpointIds")
            kinds = {"types": endpoint["types"][0], "vpcEndpointIds": vpc or None}
            seen["endpointConfiguration"] = {**kinds, "ipAddressType": endpoint.get("ipAddressType")}
        tags = dict(answer.get("tags") or {})
        return {
            **seen,
            "arn": ctx.arn("apigateway", f"/restapis/{ctx.id}", account=""),
            "executionArn": ctx.arn("execute-api", ctx.id),
            "rootResourceId": answer.get("rootResourceId") or self._root(ctx),
            "tags": tags or None,
            "tagsAll": tags,
        }

    def _root(self, ctx: Context) -> str | None:
        pages = ctx.client().get_paginator("get_resources").paginate(restApiId=ctx.id)
        return next((item["id"] for page in pages for item in page["items"] if item["path"] == "/"), None)

    def update(self, ctx: Context) -> None:
        # How it is imported changes nothing by itself (rest_api.go).
        if ctx.changed & {"body", "parameters"} and ctx.inputs.get("body"):
            self._import_body(ctx)
        self._patch(ctx, ctx.changed - {"tags"})


class RestApiPolicy(ResourceType):
    token = "aws:apigateway/restApiPolicy:RestApiPolicy"
    service = "apigateway"
    replaces = frozenset({"restApiId"})
    supports = frozenset({"restApiId", "policy"})
    semantics = Semantics(documents=frozenset({"policy"}))

    def _write(self, ctx: Context, api: str, policy: str) -> None:
        ctx.call("UpdateRestApi", {"restApiId": api, "patchOperations": [patch("/policy", policy)]})

    def create(self, ctx: Context) -> None:
        self._write(ctx, ctx.inputs["restApiId"], ctx.inputs["policy"])
        ctx.id = ctx.inputs["restApiId"]

    def read(self, ctx: Context) -> Values | None:
        policy = unescape((ctx.find("GetRestApi", {"restApiId": ctx.id}) or {}).get("policy"))
        return {"restApiId": ctx.id, "policy": policy} if policy else None

    def update(self, ctx: Context) -> None:
        self._write(ctx, ctx.id, ctx.inputs["policy"])

    def delete(self, ctx: Context) -> None:
        self._write(ctx, ctx.id, "")


class Deployment(ResourceType):
    token = "aws:apigateway/deployment:Deployment"
    service = "apigateway"
    replaces = frozenset({"restApi", "triggers", "variables"})
    supports = frozenset({"restApi", "description", "triggers", "variables"})
    write_only = frozenset({"triggers", "variables"})

    def create(self, ctx: Context) -> None:
        request = {"restApiId": ctx.inputs["restApi"], "description": ctx.inputs.get("description")}
        ctx.id = ctx.call("CreateDeployment", {**request, "variables": ctx.inputs.get("variables")})["id"]

    def _key(self, ctx: Context) -> Values:
        if "/" in ctx.id:
            api, _, ctx.id = ctx.id.partition("/")
            ctx.state = {**ctx.state, "restApi": api}
        return {"restApiId": ctx.prop("restApi"), "deploymentId": ctx.id}

    def read(self, ctx: Context) -> Values | None:
        key = self._key(ctx)
        listed = ctx.find("GetDeployments", {"restApiId": key["restApiId"], "limit": 500}) or {}
        found = next((item for item in listed.get("items", []) if item["id"] == ctx.id), None)
        return {**self.observed(ctx, found), "restApi": key["restApiId"]} if found else None

    def update(self, ctx: Context) -> None:
        text = patch("/description", ctx.inputs.get("description") or "")
        ctx.call("UpdateDeployment", {**self._key(ctx), "patchOperations": [text]})

    def delete(self, ctx: Context) -> None:
        if self.read(ctx) is not None:
            ctx.call("DeleteDeployment", self._key(ctx))


class Stage(ResourceType):
    token = "aws:apigateway/stage:Stage"
    service = "apigateway"
    replaces = frozenset({"restApi", "stageName"})
    supports = frozenset(
        "accessLogSettings deployment description documentationVersion restApi stageName tags variables "
        "xrayTracingEnabled".split()
    )
    renames = {
        "restApi": "restApiId",
        "deployment": "deploymentId",
        "xrayTracingEnabled": "tracingEnabled",
        "arn": "-",
        "webAclArn": "webAclArn",
    }
    local = frozenset({"accessLogSettings"})
    tagging = TAGS

    def create(self, ctx: Context) -> None:
        request = self.request(ctx, "CreateStage")
        ctx.call("CreateStage", request)
        ctx.id = f"ags-{request['restApiId']}-{request['stageName']}"
        if ctx.inputs.get("accessLogSettings"):
            self._patch(ctx, self._log_patches(ctx))

    def _key(self, ctx: Context) -> Values:
        if "/" in ctx.id:
            api, _, stage = ctx.id.partition("/")
            ctx.id, ctx.state = f"ags-{api}-{stage}", {**ctx.state, "restApi": api, "stageName": stage}
        return {"restApiId": ctx.prop("restApi"), "stageName": ctx.prop("stageName")}

    def _patch(self, ctx: Context, operations: list[Patch]) -> None:
        if operations:
            ctx.call("UpdateStage", {**self._key(ctx), "patchOperations": operations})

    def _log_patches(self, ctx: Context) -> list[Patch]:
        wanted = ctx.inputs.get("accessLogSettings")
        if not wanted:
            return [{"op": "remove", "path": "/accessLogSettings"}]
        names = ("destinationArn", "format")
        return [patch(f"/accessLogSettings/{name}", wanted[name]) for name in names]

    def read(self, ctx: Context) -> Values | None:
        key = self._key(ctx)
        answer = ctx.find("GetStage", key)
        if answer is None:
            return None
        api, stage = key["restApiId"], key["stageName"]
        logs = answer.get("accessLogSettings") or {}
        tags = dict(answer.get("tags") or {})
        return {
            **self.observed(ctx, {k: v for k, v in answer.items() if k != "accessLogSettings"}),
            "restApi": api,
            "stageName": stage,
            "variables": answer.get("variables") or None,
            "accessLogSettings": mapping_of(logs) if logs.get("destinationArn") else None,
            "arn": ctx.arn("apigateway", f"/restapis/{api}/stages/{stage}", account=""),
            "executionArn": ctx.arn("execute-api", f"{api}/{stage}"),
            "invokeUrl": f"{ctx.session.endpoint}/_aws/execute-api/{api}/{stage}",
            "tags": tags or None,
            "tagsAll": tags,
        }

    def update(self, ctx: Context) -> None:
        operations: list[Patch] = []
        simple = {"deployment": "/deploymentId", "description": "/description", "xrayTracingEnabled": "/tracingEnabled",
                  "documentationVersion": "/documentationVersion"}  # fmt: skip
        for name in sorted(ctx.changed & simple.keys()):
            value = ctx.inputs.get(name)
            unset = False if name == "xrayTracingEnabled" else ""
            operations.append(patch(simple[name], unset if value is None else value))
        if "accessLogSettings" in ctx.changed:
            operations += self._log_patches(ctx)
        if "variables" in ctx.changed:
            want, have = ctx.inputs.get("variables") or {}, ctx.old_inputs.get("variables") or {}
            operations += [{"op": "remove", "path": f"/variables/{key}"} for key in have if key not in want]
            operations += [patch(f"/variables/{key}", value) for key, value in want.items() if have.get(key) != value]
        self._patch(ctx, operations)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteStage", self._key(ctx))


def mapping_of(logs: Values) -> Values:
    """Access log settings in Pulumi's names."""
    return {"destinationArn": logs.get("destinationArn"), "format": logs.get("format")}


SETTINGS = {
    "cacheDataEncrypted": "caching/dataEncrypted",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cachingEnabled": "caching/enabled",
    "dataTraceEnabled": "logging/dataTrace",
    "loggingLevel": "logging/loglevel",
    "metricsEnabled": "metrics/enabled",
    "requireAuthorizationForCacheControl": "caching/requireAuthorizationForCacheControl",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
    "unauthorizedCacheControlHeaderStrategy": "caching/unauthorizedCacheControlHeaderStrategy",
}


THROTTLES = ("settings.throttlingBurstLimit", "settings.throttlingRateLimit")


class MethodSettings(ResourceType):
    token = "aws:apigateway/methodSettings:MethodSettings"
    service = "apigateway"
    replaces = frozenset({"restApi", "stageName", "methodPath"})
    supports = frozenset({"restApi", "stageName", "methodPath", "settings"})
    member_defaults = dict.fromkeys(THROTTLES, -1)

    def _stage(self, ctx: Context) -> Values:
        return {"restApiId": ctx.prop("restApi"), "stageName": ctx.prop("stageName")}

    def _root(self, ctx: Context) -> str:
        resource, _, method = str(ctx.prop("methodPath")).rpartition("/")
        return f"/{resource.replace('/', '~1')}/{method}"

    def create(self, ctx: Context) -> None:
        # -1 is no limit of its own, and nothing to send to a stage that has none.
        settings = {key: value for key, value in ctx.inputs["settings"].items() if value not in (None, -1)}
        operations = [patch(f"{self._root(ctx)}/{SETTINGS[key]}", value) for key, value in settings.items()]
        ctx.call("UpdateStage", {**self._stage(ctx), "patchOperations": operations})
        ctx.id = f"{ctx.inputs['restApi']}-{ctx.inputs['stageName']}-{ctx.inputs['methodPath']}"

    def read(self, ctx: Context) -> Values | None:
        if not ctx.prop("restApi"):
            api, stage, path = ctx.id.split("/", 2)
            ctx.id, ctx.state = f"{api}-{stage}-{path}", {"restApi": api, "stageName": stage, "methodPath": path}
        answer = ctx.find("GetStage", self._stage(ctx)) or {}
        path = str(ctx.prop("methodPath"))
        found = (answer.get("methodSettings") or {}).get(path)
        if not found:
            return None
        seen = mapping.from_aws(found, self.schema.outputs["settings"].type.properties(), {})
        settings = {**{path.partition(".")[2]: -1 for path in THROTTLES}, **seen}
        key = {"restApi": ctx.prop("restApi"), "stageName": ctx.prop("stageName"), "methodPath": path}
        return {**key, "settings": settings}

    def update(self, ctx: Context) -> None:
        given = {key for key, value in ctx.inputs["settings"].items() if value != -1}
        gone = {key for key, value in (ctx.old_inputs.get("settings") or {}).items() if value != -1} - given
        if gone:
            self.delete(ctx)
        self.create(ctx)

    def delete(self, ctx: Context) -> None:
        removal = {"op": "remove", "path": self._root(ctx)}
        ctx.call("UpdateStage", {**self._stage(ctx), "patchOperations": [removal]})


TYPES = (
    Account,
    ApiKey,
    Deployment,
    MethodSettings,
    RestApi,
    RestApiPolicy,
    Stage,
    UsagePlan,
    UsagePlanKey,
)
