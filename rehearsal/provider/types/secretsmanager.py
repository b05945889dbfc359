"""Secrets Manager: secrets and their versions."""

from __future__ import annotations

import base64

from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values


class Secret(ResourceType):
    token = "aws:secretsmanager/secret:Secret"
    service = "secretsmanager"
    name = AutoName("name", 512)
    replaces = frozenset({"name", "namePrefix"})
    supports = frozenset(
        "description forceOverwriteReplicaSecret kmsKeyId name namePrefix policy recoveryWindowInDays tags".split()
    )
    defaults = {"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30}
    write_only = frozenset({"forceOverwriteReplicaSecret", "namePrefix", "recoveryWindowInDays"})
    semantics = Semantics(documents=frozenset({"policy"}))
    tagging = Tagging("DescribeSecret", "TagResource", "UntagResource", "SecretId", by="id")

    def create(self, ctx: Context) -> None:
        request = {"Name": ctx.inputs["name"], "Description": ctx.inputs.get("description")}
        tags = [{"Key": key, "Value": str(value)} for key, value in (ctx.inputs.get("tags") or {}).items()]
        answer = ctx.call("CreateSecret", {**request, "KmsKeyId": ctx.inputs.get("kmsKeyId"), "Tags": tags or None})
        ctx.id = answer["ARN"]
        if ctx.inputs.get("policy"):
            ctx.call("PutResourcePolicy", {"SecretId": ctx.id, "ResourcePolicy": ctx.inputs["policy"]})

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("DescribeSecret", {"SecretId": ctx.id})
        if answer is None or answer.get("DeletedDate"):
            return None
        policy = (ctx.find("GetResourcePolicy", {"SecretId": ctx.id}) or {}).get("ResourcePolicy")
        seen = {"name": answer["Name"], "arn": answer["ARN"], "policy": policy}
        return {**seen, "description": answer.get("Description") or None, "kmsKeyId": answer.get("KmsKeyId")}

    def update(self, ctx: Context) -> None:
        whose = {"SecretId": ctx.id}
        if ctx.changed & {"description", "kmsKeyId"}:
            text = ctx.inputs.get("description") or ""
            ctx.call("UpdateSecret", {**whose, "Description": text, "KmsKeyId": ctx.inputs.get("kmsKeyId")})
        if "policy" not in ctx.changed:
            return
        if ctx.inputs.get("policy"):
            ctx.call("PutResourcePolicy", {**whose, "ResourcePolicy": ctx.inputs["policy"]})
        else:
            ctx.call("DeleteResourcePolicy", whose)

    def delete(self, ctx: Context) -> None:
        window = ctx.prop("recoveryWindowInDays", 30)
        how = {"RecoveryWindowInDays": window} if window else {"ForceDeleteWithoutRecovery": True}
        ctx.call("DeleteSecret", {"SecretId": ctx.id, **how})


class SecretVersion(ResourceType):
    token = "aws:secretsmanager/secretVersion:SecretVersion"
    service = "secretsmanager"
    keeps = frozenset({"versionStages"})
    supports = frozenset({"secretId", "secretString", "secretBinary", "versionStages"})
    semantics = Semantics(unordered=frozenset({"versionStages"}))

    def create(self, ctx: Context) -> None:
        given = ctx.inputs
        request: Values = {"SecretId": given["secretId"], "SecretString": given.get("secretString")}
        if given.get("secretBinary") is not None:
            request["SecretBinary"] = base64.b64decode(given["secretBinary"])
        answer = ctx.call("PutSecretValue", {**request, "VersionStages": given.get("versionStages")})
        ctx.id = f"{given['secretId']}|{answer['VersionId']}"

    def _key(self, ctx: Context) -> Values:
        secret, _, version = ctx.id.partition("|")
        return {"SecretId": secret, "VersionId": version}

    def read(self, ctx: Context) -> Values | None:
        key = self._key(ctx)
        answer = ctx.find("GetSecretValue", key)
        if answer is None:
            return None
        binary = answer.get("SecretBinary")
        return {
            "arn": answer["ARN"],
            "secretId": key["SecretId"],
            "versionId": answer["VersionId"],
            "secretString": answer.get("SecretString"),
            "secretBinary": base64.b64encode(binary).decode() if binary else None,
            "versionStages": answer.get("VersionStages"),
        }

    def update(self, ctx: Context) -> None:
        key = self._key(ctx)
        want = set(ctx.inputs.get("versionStages") or [])
        have = set(ctx.state.get("versionStages") or [])
        for stage in sorted(want - have):
            move = {"SecretId": key["SecretId"], "VersionStage": stage, "MoveToVersionId": key["VersionId"]}
            ctx.call("UpdateSecretVersionStage", move)
        for stage in sorted(have - want - {"AWSCURRENT"}):
            drop = {"SecretId": key["SecretId"], "VersionStage": stage, "RemoveFromVersionId": key["VersionId"]}
            ctx.call("UpdateSecretVersionStage", drop)

    def delete(self, ctx: Context) -> None:
        """A version cannot be deleted; without stages it fades. AWSCURRENT stays, as with the real provider."""
        key = self._key(ctx)
        for stage in ctx.state.get("versionStages") or []:
            if stage != "AWSCURRENT":
                drop = {"SecretId": key["SecretId"], "VersionStage": stage, "RemoveFromVersionId": key["VersionId"]}
                ctx.call("UpdateSecretVersionStage", drop)


TYPES = (Secret, SecretVersion)
