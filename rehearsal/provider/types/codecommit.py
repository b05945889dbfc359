"""CodeCommit: repositories."""

from __future__ import annotations

from rehearsal.provider.resource import Context, ResourceType, Tagging, Values


class Repository(ResourceType):
    token = "aws:codecommit/repository:Repository"
    service = "codecommit"
    renames = {"description": "repositoryDescription"}
    local = frozenset({"defaultBranch"})
    write_only = frozenset({"defaultBranch"})
    tagging = Tagging("ListTagsForResource", "TagResource", "UntagResource", "resourceArn", tags="tags", keys="tagKeys")
    create_op, describe_op, describe_key = "CreateRepository", "GetRepository", "repositoryMetadata"
    delete_op, key = "DeleteRepository", "repositoryName"

    def identify(self, ctx: Context, answer: Values) -> str:
        return str(ctx.inputs["repositoryName"])

    def create(self, ctx: Context) -> None:
        super().create(ctx)
        self._branch(ctx)

    def _branch(self, ctx: Context) -> None:
        # A default branch can only be named once it exists: the real provider waits for a later update too.
        wanted = ctx.inputs.get("defaultBranch")
        if wanted and wanted in ctx.call("ListBranches", {"repositoryName": ctx.id}).get("branches", []):
            ctx.call("UpdateDefaultBranch", {"repositoryName": ctx.id, "defaultBranchName": wanted})

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        return {**answer, "arn": answer["Arn"]} if "Arn" in answer else answer

    def read_tags(self, ctx: Context, observed: Values) -> dict[str, str]:
        # moto keeps no tags of repositories: they are asked for only where some were given.
        return super().read_tags(ctx, observed) if ctx.prop("tags") else {}

    def update(self, ctx: Context) -> None:
        if "repositoryName" in ctx.changed:
            names = {"oldName": ctx.id, "newName": ctx.inputs["repositoryName"]}
            ctx.call("UpdateRepositoryName", names)
            ctx.id = ctx.inputs["repositoryName"]
        if "description" in ctx.changed:
            text = ctx.inputs.get("description") or ""
            ctx.call("UpdateRepositoryDescription", {"repositoryName": ctx.id, "repositoryDescription": text})
        if "kmsKeyId" in ctx.changed and ctx.inputs.get("kmsKeyId"):
            key = {"repositoryName": ctx.id, "kmsKeyId": ctx.inputs["kmsKeyId"]}
            ctx.call("UpdateRepositoryEncryptionKey", key)
        if "defaultBranch" in ctx.changed:
            self._branch(ctx)


TYPES = (Repository,)
