"""CodePipeline: pipelines."""

from __future__ import annotations

from typing import Any

from rehearsal.provider import mapping
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

ACTION_TYPE = ("category", "owner", "provider", "version")


class Pipeline(ResourceType):
    token = "aws:codepipeline/pipeline:Pipeline"
    service = "codepipeline"
    name = AutoName("name", 100, prefix_property=None)
    replaces = frozenset({"name"})
    defaults = {"executionMode": "SUPERSEDED", "pipelineType": "V1"}
    supports = frozenset(
        "artifactStores executionMode name pipelineType roleArn stages tags triggers variables".split()
    )
    tagging = Tagging("ListTagsForResource", "TagResource", "UntagResource", "resourceArn", tags="tags", keys="tagKeys")
    delete_op, key = "DeletePipeline", "name"

    def _declaration(self, ctx: Context) -> Values:
        shape = ctx.shape("CreatePipeline").members["pipeline"]
        given = {k: v for k, v in ctx.inputs.items() if k not in ("tags", "region", "artifactStores", "stages")}
        declaration = dict(mapping.to_aws(shape, given, self.renames))
        declaration["stages"] = mapping.to_aws(
            shape.members["stages"], [self._to_stage(stage) for stage in ctx.inputs["stages"]], self.renames, "stages"
        )
        stores = ctx.inputs["artifactStores"]
        store = shape.members["artifactStore"]
        if len(stores) == 1 and not stores[0].get("region"):
            return {**declaration, "artifactStore": mapping.to_aws(store, stores[0], {})}
        return {**declaration, "artifactStores": {s["region"]: mapping.to_aws(store, _bare(s), {}) for s in stores}}

    def _to_stage(self, stage: Values) -> Values:
        return {**stage, "actions": [self._to_action(action) for action in stage["actions"]]}

    def _to_action(self, action: Values) -> Values:
        rest = {key: value for key, value in action.items() if key not in ACTION_TYPE}
        rest["actionTypeId"] = {key: action[key] for key in ACTION_TYPE}
        for key in ("inputArtifacts", "outputArtifacts"):
            rest[key] = [{"name": name} for name in action.get(key) or []]
        for item in action.get("outputArtifactsForComputeActions") or []:
            rest["outputArtifacts"].append(item)
        rest.pop("outputArtifactsForComputeActions", None)
        rest["commands"] = action.get("commands") or None
        return rest

    def create(self, ctx: Context) -> None:
        tags = [{"key": key, "value": str(value)} for key, value in (ctx.inputs.get("tags") or {}).items()]
        ctx.call("CreatePipeline", {"pipeline": self._declaration(ctx), "tags": tags or None})
        ctx.id = ctx.inputs["name"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetPipeline", {"name": ctx.id})
        if answer is None:
            return None
        declaration = dict(answer["pipeline"])
        stages = [self._from_stage(stage) for stage in declaration.pop("stages")]
        store, stores = declaration.pop("artifactStore", None), declaration.pop("artifactStores", None) or {}
        listed = [store] if store else [{**item, "region": region} for region, item in sorted(stores.items())]
        seen = self.observed(ctx, declaration)
        triggers = seen.pop("triggers", None) if not ctx.inputs.get("triggers") else seen.get("triggers")
        arn = answer.get("metadata", {}).get("pipelineArn") or ctx.arn("codepipeline", ctx.id)
        return {
            "executionMode": "SUPERSEDED",
            "pipelineType": "V1",
            **seen,
            "artifactStores": listed,
            "stages": stages,
            "triggerAlls": triggers or [],
            "arn": arn,
        }

    def _from_stage(self, stage: Values) -> Values:
        kind = self.schema.outputs["stages"].type.items[0]
        seen = mapping.from_aws({k: v for k, v in stage.items() if k != "actions"}, kind.properties(), {})
        return {**seen, "actions": [self._from_action(action) for action in stage["actions"]]}

    def _from_action(self, action: Values) -> Values:
        compute = [item for item in action.get("outputArtifacts") or [] if item.get("files")]
        plain = [item["name"] for item in action.get("outputArtifacts") or [] if not item.get("files")]
        rest: dict[str, Any] = {k: v for k, v in action.items() if k not in ("actionTypeId", "outputArtifacts")}
        rest["inputArtifacts"] = [item["name"] for item in action.get("inputArtifacts") or []]
        seen = {**rest, **action["actionTypeId"], "outputArtifacts": plain}
        seen["outputArtifactsForComputeActions"] = compute
        return {key: value for key, value in seen.items() if value not in (None, [], {})}

    def update(self, ctx: Context) -> None:
        if ctx.changed - {"tags"}:
            ctx.call("UpdatePipeline", {"pipeline": self._declaration(ctx)})


def _bare(store: Values) -> Values:
    return {key: value for key, value in store.items() if key != "region"}


TYPES = (Pipeline,)
