"""CodeBuild: projects."""

from __future__ import annotations

from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Values

EMPTY = {"description": "", "cache": {"type": "NO_CACHE"}, "vpcConfig": {}, "secondarySources": []}


class Project(ResourceType):
    token = "aws:codebuild/project:Project"
    service = "codebuild"
    name = AutoName("name", 255, prefix_property=None)
    replaces = frozenset({"name"})
    defaults = {"badgeEnabled": False, "buildTimeout": 60, "projectVisibility": "PRIVATE", "queuedTimeout": 480}
    member_defaults = {
        "cache.type": "NO_CACHE",
        "environment.environmentVariables.type": "PLAINTEXT",
        "environment.imagePullCredentialsType": "CODEBUILD",
        "environment.privilegedMode": False,
        "logsConfig.cloudwatchLogs.status": "ENABLED",
        "logsConfig.s3Logs.encryptionDisabled": False,
        "logsConfig.s3Logs.status": "DISABLED",
    }
    supports = frozenset(
        "artifacts autoRetryLimit badgeEnabled buildTimeout cache concurrentBuildLimit description encryptionKey "
        "environment logsConfig name projectVisibility queuedTimeout secondaryArtifacts secondarySourceVersions "
        "secondarySources serviceRole source sourceVersion tags vpcConfig buildBatchConfig fileSystemLocations".split()
    )
    renames = {
        "buildTimeout": "timeoutInMinutes",
        "queuedTimeout": "queuedTimeoutInMinutes",
        "badgeUrl": "badgeRequestUrl",
    }
    local = frozenset({"projectVisibility"})
    semantics = Semantics(unordered=frozenset({"vpcConfig.subnets", "vpcConfig.securityGroupIds", "secondarySources"}))

    def validate(self, inputs: Values) -> list[tuple[str, str]]:
        if inputs.get("projectVisibility", "PRIVATE") != "PRIVATE":
            return [("projectVisibility", "the rehearsal supports PRIVATE only")]
        return []

    def create(self, ctx: Context) -> None:
        answer = ctx.call("CreateProject", self.request(ctx, "CreateProject"))
        ctx.id = answer["project"]["arn"]

    def _name(self, ctx: Context) -> str:
        return str(ctx.prop("name") or ctx.id.rpartition("/")[2])

    def read(self, ctx: Context) -> Values | None:
        found = ctx.call("BatchGetProjects", {"names": [self._name(ctx)]}).get("projects") or []
        if not found:
            return None
        project = dict(found[0])
        ctx.id = project["arn"]
        tags = {tag["key"]: tag["value"] for tag in project.pop("tags", None) or []}
        if not (project.get("vpcConfig") or {}).get("vpcId"):
            project.pop("vpcConfig", None)
        if (project.get("cache") or {}).get("type") == "NO_CACHE" and not ctx.inputs.get("cache"):
            project.pop("cache", None)
        return {**self.observed(ctx, project), "projectVisibility": "PRIVATE", "tags": tags or None, "tagsAll": tags}

    def update(self, ctx: Context) -> None:
        request = self.request(ctx, "UpdateProject", strict=False)
        for name in ctx.changed & EMPTY.keys():
            request.setdefault(name, EMPTY[name])
        request["tags"] = [{"key": k, "value": str(v)} for k, v in (ctx.inputs.get("tags") or {}).items()]
        ctx.call("UpdateProject", request)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteProject", {"name": self._name(ctx)})


TYPES = (Project,)
