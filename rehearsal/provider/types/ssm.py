"""Systems Manager: parameters."""

from __future__ import annotations

from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values


class Parameter(ResourceType):
    token = "aws:ssm/parameter:Parameter"
    service = "ssm"
    name = AutoName("name", 2048, prefix_property=None)
    replaces = frozenset({"name", "dataType"})
    supports = frozenset(
        "allowedPattern dataType description insecureValue keyId name overwrite tags tier type value".split()
    )
    write_only = frozenset({"overwrite"})
    volatile = {"version": frozenset({"value", "insecureValue", "type", "description", "tier", "keyId"})}

    def replaces_when(self, path: str, before: Values, after: Values) -> bool:
        """An advanced parameter cannot become a standard one (parameter.go, CustomizeDiff)."""
        return path == "tier" and before.get("tier") == "Advanced" and after.get("tier") == "Standard"

    def validate(self, inputs: Values) -> list[tuple[str, str]]:
        if (inputs.get("value") is None) == (inputs.get("insecureValue") is None):
            return [("value", "give exactly one of value and insecureValue")]
        return []

    def _request(self, ctx: Context, overwrite: bool) -> Values:
        value = ctx.inputs.get("value")
        return {
            "Name": ctx.inputs["name"],
            "Type": ctx.inputs["type"],
            "Value": value if value is not None else ctx.inputs["insecureValue"],
            "Description": ctx.inputs.get("description"),
            "AllowedPattern": ctx.inputs.get("allowedPattern"),
            "KeyId": ctx.inputs.get("keyId"),
            "Tier": ctx.inputs.get("tier"),
            "DataType": ctx.inputs.get("dataType"),
            "Overwrite": overwrite,
        }

    def create(self, ctx: Context) -> None:
        overwrite = bool(ctx.inputs.get("overwrite"))
        tags = [{"Key": key, "Value": str(value)} for key, value in (ctx.inputs.get("tags") or {}).items()]
        # AWS takes no tags together with Overwrite.
        ctx.call("PutParameter", {**self._request(ctx, overwrite), "Tags": None if overwrite else tags or None})
        ctx.id = ctx.inputs["name"]
        if overwrite and tags:
            ctx.call("AddTagsToResource", {"ResourceType": "Parameter", "ResourceId": ctx.id, "Tags": tags})

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetParameter", {"Name": ctx.id, "WithDecryption": True})
        if answer is None:
            return None
        found = answer["Parameter"]
        options = [{"Key": "Name", "Option": "Equals", "Values": [ctx.id]}]
        listed = ctx.call("DescribeParameters", {"ParameterFilters": options})["Parameters"]
        meta = listed[0] if listed else {}
        insecure = ctx.prop("insecureValue") is not None
        secret = found["Type"] == "SecureString"
        return {
            "name": found["Name"],
            "type": found["Type"],
            "value": found["Value"],
            "insecureValue": found["Value"] if insecure else None,
            "version": found.get("Version"),
            "arn": found.get("ARN") or ctx.arn("ssm", f"parameter/{ctx.id.lstrip('/')}"),
            "dataType": found.get("DataType"),
            "description": meta.get("Description") or None,
            "allowedPattern": meta.get("AllowedPattern") or None,
            "tier": meta.get("Tier"),
            "keyId": (meta.get("KeyId") or ctx.prop("keyId")) if secret else None,
        }

    def update(self, ctx: Context) -> None:
        if ctx.changed - {"tags", "overwrite"}:
            ctx.call("PutParameter", {**self._request(ctx, overwrite=True), "DataType": None})

    tagging = Tagging("ListTagsForResource", "AddTagsToResource", "RemoveTagsFromResource", "ResourceId", by="id")

    def read_tags(self, ctx: Context, observed: Values) -> dict[str, str]:
        answer = ctx.call("ListTagsForResource", {"ResourceType": "Parameter", "ResourceId": ctx.id})
        return {pair["Key"]: pair["Value"] for pair in answer.get("TagList") or []}

    def write_tags(self, ctx: Context) -> None:
        want, have = ctx.inputs.get("tags") or {}, ctx.old_inputs.get("tags") or {}
        whose = {"ResourceType": "Parameter", "ResourceId": ctx.id}
        gone = sorted(set(have) - set(want))
        if gone:
            ctx.call("RemoveTagsFromResource", {**whose, "TagKeys": gone})
        if want:
            tags = [{"Key": key, "Value": str(value)} for key, value in want.items()]
            ctx.call("AddTagsToResource", {**whose, "Tags": tags})

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteParameter", {"Name": ctx.id})


TYPES = (Parameter,)
