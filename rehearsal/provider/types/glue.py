"""Glue: jobs and security configurations."""

from __future__ import annotations

from rehearsal.provider import mapping
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values


class Job(ResourceType):
    token = "aws:glue/job:Job"
    service = "glue"
    name = AutoName("name", 255, prefix_property=None)
    replaces = frozenset({"name"})
    renames = {"roleArn": "Role"}
    member_defaults = {"command.name": "glueetl", "executionProperty.maxConcurrentRuns": 1}
    tagging = Tagging("GetTags", "TagResource", "UntagResource", "ResourceArn", tags="TagsToAdd", keys="TagsToRemove")
    create_op, describe_op, describe_key, delete_op, key = "CreateJob", "GetJob", "Job", "DeleteJob", "JobName"

    def shape_inputs(self, ctx: Context) -> Values:
        return {**ctx.inputs, "connections": self._connections(ctx)}

    def _connections(self, ctx: Context) -> Values | None:
        names = ctx.inputs.get("connections")
        return {"connections": names} if names else None

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        connections = (answer.pop("Connections", None) or {}).get("Connections")
        return {**answer, "Connections": connections or None}

    def observed(self, ctx: Context, answer: Values) -> Values:
        return {**super().observed(ctx, answer), "arn": ctx.arn("glue", f"job/{ctx.id}")}

    def read_tags(self, ctx: Context, observed: Values) -> dict[str, str]:
        answer = ctx.find("GetTags", {"ResourceArn": observed["arn"]}) or {}
        return dict(answer.get("Tags") or {})

    def update(self, ctx: Context) -> None:
        if not ctx.changed - {"tags"}:
            return
        shape = ctx.shape("UpdateJob").members["JobUpdate"]
        hidden = ("name", "region", "tags")
        given = {k: v for k, v in self.shape_inputs(ctx).items() if k not in hidden and v is not None}
        ctx.call("UpdateJob", {"JobName": ctx.id, "JobUpdate": mapping.to_aws(shape, given, self.renames)})


class SecurityConfiguration(ResourceType):
    token = "aws:glue/securityConfiguration:SecurityConfiguration"
    service = "glue"
    name = AutoName("name", 255, prefix_property=None)
    keeps = frozenset()
    member_defaults = {
        "encryptionConfiguration.cloudwatchEncryption.cloudwatchEncryptionMode": "DISABLED",
        "encryptionConfiguration.jobBookmarksEncryption.jobBookmarksEncryptionMode": "DISABLED",
        "encryptionConfiguration.s3Encryption.s3EncryptionMode": "DISABLED",
    }
    create_op, describe_op = "CreateSecurityConfiguration", "GetSecurityConfiguration"
    describe_key, delete_op, key = "SecurityConfiguration", "DeleteSecurityConfiguration", "Name"


TYPES = (Job, SecurityConfiguration)
