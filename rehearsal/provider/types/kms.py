"""KMS: keys and aliases."""

from __future__ import annotations

from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values


class Key(ResourceType):
    token = "aws:kms/key:Key"
    service = "kms"
    replaces = frozenset({"keyUsage", "customerMasterKeySpec", "multiRegion"})
    supports = frozenset(
        "bypassPolicyLockoutSafetyCheck customerMasterKeySpec deletionWindowInDays description enableKeyRotation "
        "isEnabled keyUsage multiRegion policy rotationPeriodInDays tags".split()
    )
    defaults = {
        "bypassPolicyLockoutSafetyCheck": False,
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": False,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
    }
    write_only = frozenset({"bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"})
    semantics = Semantics(documents=frozenset({"policy"}))
    tagging = Tagging("ListResourceTags", "TagResource", "UntagResource", "KeyId", by="id")

    def create(self, ctx: Context) -> None:
        request = {
            "Description": ctx.inputs.get("description") or "",
            "KeyUsage": ctx.inputs["keyUsage"],
            "KeySpec": ctx.inputs["customerMasterKeySpec"],
            "Policy": ctx.inputs.get("policy"),
            "MultiRegion": ctx.inputs.get("multiRegion") or False,
            "BypassPolicyLockoutSafetyCheck": ctx.inputs["bypassPolicyLockoutSafetyCheck"],
            "Tags": [{"TagKey": k, "TagValue": str(v)} for k, v in (ctx.inputs.get("tags") or {}).items()],
        }
        ctx.id = ctx.call("CreateKey", request)["KeyMetadata"]["KeyId"]
        if ctx.inputs["enableKeyRotation"]:
            self._rotate(ctx)
        if not ctx.inputs["isEnabled"]:
            ctx.call("DisableKey", {"KeyId": ctx.id})

    def _rotate(self, ctx: Context) -> None:
        if not ctx.inputs["enableKeyRotation"]:
            ctx.call("DisableKeyRotation", {"KeyId": ctx.id})
            return
        period = ctx.inputs.get("rotationPeriodInDays")
        ctx.call("EnableKeyRotation", {"KeyId": ctx.id, "RotationPeriodInDays": period})

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("DescribeKey", {"KeyId": ctx.id})
        if answer is None or answer["KeyMetadata"]["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
            return None
        meta = answer["KeyMetadata"]
        seen: Values = {
            "keyId": meta["KeyId"],
            "arn": meta["Arn"],
            "description": meta.get("Description"),
            "isEnabled": meta["Enabled"],
            "keyUsage": meta["KeyUsage"],
            "customerMasterKeySpec": meta.get("KeySpec") or meta.get("CustomerMasterKeySpec"),
            "multiRegion": meta.get("MultiRegion", False),
            "policy": ctx.call("GetKeyPolicy", {"KeyId": ctx.id, "PolicyName": "default"})["Policy"],
        }
        return seen | (self._rotation(ctx) if seen["customerMasterKeySpec"] == "SYMMETRIC_DEFAULT" else {})

    def _rotation(self, ctx: Context) -> Values:
        answer = ctx.call("GetKeyRotationStatus", {"KeyId": ctx.id})
        enabled = answer["KeyRotationEnabled"]
        period = answer.get("RotationPeriodInDays") if enabled else None
        return {"enableKeyRotation": enabled, "rotationPeriodInDays": period}

    def update(self, ctx: Context) -> None:
        if "isEnabled" in ctx.changed and ctx.inputs["isEnabled"]:
            ctx.call("EnableKey", {"KeyId": ctx.id})
        if ctx.changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            self._rotate(ctx)
        if "description" in ctx.changed:
            text = ctx.inputs.get("description") or ""
            ctx.call("UpdateKeyDescription", {"KeyId": ctx.id, "Description": text})
        if "policy" in ctx.changed and ctx.inputs.get("policy"):
            ctx.call("PutKeyPolicy", {"KeyId": ctx.id, "PolicyName": "default", "Policy": ctx.inputs["policy"]})
        if "isEnabled" in ctx.changed and not ctx.inputs["isEnabled"]:
            ctx.call("DisableKey", {"KeyId": ctx.id})

    def delete(self, ctx: Context) -> None:
        window = ctx.prop("deletionWindowInDays")
        ctx.call("ScheduleKeyDeletion", {"KeyId": ctx.id, "PendingWindowInDays": window})


class Alias(ResourceType):
    token = "aws:kms/alias:Alias"
    service = "kms"
    name = AutoName("name", 238, start="alias/")
    replaces = frozenset({"name", "namePrefix"})
    supports = frozenset({"name", "namePrefix", "targetKeyId"})
    write_only = frozenset({"namePrefix"})

    def create(self, ctx: Context) -> None:
        name = ctx.inputs["name"]
        ctx.call("CreateAlias", {"AliasName": name, "TargetKeyId": ctx.inputs["targetKeyId"]})
        ctx.id = name

    def read(self, ctx: Context) -> Values | None:
        pages = ctx.client().get_paginator("list_aliases").paginate()
        found = next((a for page in pages for a in page["Aliases"] if a["AliasName"] == ctx.id), None)
        if not found or not found.get("TargetKeyId"):
            return None
        key, given = found["TargetKeyId"], str(ctx.prop("targetKeyId") or "")
        unchanged = given.rsplit("/", 1)[-1] == key
        return {
            "name": ctx.id,
            "arn": found["AliasArn"],
            "targetKeyId": given if unchanged else key,
            "targetKeyArn": ctx.arn("kms", f"key/{key}"),
        }

    def update(self, ctx: Context) -> None:
        ctx.call("UpdateAlias", {"AliasName": ctx.id, "TargetKeyId": ctx.inputs["targetKeyId"]})

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteAlias", {"AliasName": ctx.id})


TYPES = (Alias, Key)
