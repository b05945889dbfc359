"""IAM: roles and policies."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.provider.differ import Semantics
from rehearsal.provider.errors import is_not_found
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

MAX_POLICY_VERSIONS = 5


def document(value: Any) -> str:
    """A policy document as compact JSON text (botocore decodes some into objects)."""
    return json.dumps(json.loads(value) if isinstance(value, str) else value, separators=(",", ":"))


class Role(ResourceType):
    token = "aws:iam/role:Role"
    service = "iam"
    name = AutoName("name", 64)
    replaces = frozenset({"name", "namePrefix", "path"})
    defaults = {"path": "/", "maxSessionDuration": 3600, "forceDetachPolicies": False}
    renames = {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument", "uniqueId": "RoleId"}
    semantics = Semantics(documents=frozenset({"assumeRolePolicy"}))
    supports = frozenset(
        "assumeRolePolicy description forceDetachPolicies maxSessionDuration name namePrefix path "
        "permissionsBoundary tags".split()
    )
    local = frozenset({"forceDetachPolicies"})
    write_only = frozenset({"forceDetachPolicies", "namePrefix"})
    tagging = Tagging("ListRoleTags", "TagRole", "UntagRole", "RoleName", by="id")
    create_op, describe_op, describe_key, delete_op, key = "CreateRole", "GetRole", "Role", "DeleteRole", "RoleName"

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        boundary = answer.pop("PermissionsBoundary", None) or {}
        trust = document(answer["AssumeRolePolicyDocument"])
        return {
            **answer,
            "AssumeRolePolicyDocument": trust,
            "PermissionsBoundary": boundary.get("PermissionsBoundaryArn"),
        }

    def update(self, ctx: Context) -> None:
        role = {"RoleName": ctx.id}
        if "assumeRolePolicy" in ctx.changed:
            ctx.call("UpdateAssumeRolePolicy", {**role, "PolicyDocument": ctx.inputs["assumeRolePolicy"]})
        if ctx.changed & {"description", "maxSessionDuration"}:
            settings = {"Description": ctx.inputs.get("description") or ""}
            ctx.call("UpdateRole", {**role, **settings, "MaxSessionDuration": ctx.inputs["maxSessionDuration"]})
        if "permissionsBoundary" in ctx.changed:
            boundary = ctx.inputs.get("permissionsBoundary")
            if boundary:
                ctx.call("PutRolePermissionsBoundary", {**role, "PermissionsBoundary": boundary})
            else:
                ctx.call("DeleteRolePermissionsBoundary", role)

    def delete(self, ctx: Context) -> None:
        if ctx.prop("forceDetachPolicies"):
            self._detach(ctx)
        super().delete(ctx)

    def _detach(self, ctx: Context) -> None:
        role = {"RoleName": ctx.id}
        for policy in ctx.call("ListAttachedRolePolicies", role)["AttachedPolicies"]:
            ctx.call("DetachRolePolicy", {**role, "PolicyArn": policy["PolicyArn"]})
        for name in ctx.call("ListRolePolicies", role)["PolicyNames"]:
            ctx.call("DeleteRolePolicy", {**role, "PolicyName": name})


class RolePolicy(ResourceType):
    token = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    name = AutoName("name", 128)
    replaces = frozenset({"name", "namePrefix", "role"})
    supports = frozenset({"name", "namePrefix", "policy", "role"})
    write_only = frozenset({"namePrefix"})
    semantics = Semantics(documents=frozenset({"policy"}))

    def create(self, ctx: Context) -> None:
        role, name = ctx.inputs["role"], ctx.inputs["name"]
        ctx.call("PutRolePolicy", {"RoleName": role, "PolicyName": name, "PolicyDocument": ctx.inputs["policy"]})
        ctx.id = f"{role}:{name}"

    def _key(self, ctx: Context) -> Values:
        role, _, name = ctx.id.partition(":")
        return {"RoleName": role, "PolicyName": name}

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetRolePolicy", self._key(ctx))
        if answer is None:
            return None
        policy = document(answer["PolicyDocument"])
        return {"role": answer["RoleName"], "name": answer["PolicyName"], "policy": policy}

    def update(self, ctx: Context) -> None:
        ctx.call("PutRolePolicy", {**self._key(ctx), "PolicyDocument": ctx.inputs["policy"]})

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteRolePolicy", self._key(ctx))


class Policy(ResourceType):
    token = "aws:iam/policy:Policy"
    service = "iam"
    name = AutoName("name", 128)
    replaces = frozenset({"name", "namePrefix", "path", "description"})
    defaults = {"path": "/"}
    renames = {"name": "PolicyName", "policy": "PolicyDocument"}
    supports = frozenset({"description", "name", "namePrefix", "path", "policy", "tags"})
    write_only = frozenset({"namePrefix"})
    semantics = Semantics(documents=frozenset({"policy"}))
    tagging = Tagging("ListPolicyTags", "TagPolicy", "UntagPolicy", "PolicyArn", by="id")
    create_op, describe_op, describe_key, delete_op, key = (
        "CreatePolicy",
        "GetPolicy",
        "Policy",
        "DeletePolicy",
        "PolicyArn",
    )

    def identify(self, ctx: Context, answer: Values) -> str:
        return str(answer["Policy"]["Arn"])

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        version = ctx.call("GetPolicyVersion", {"PolicyArn": ctx.id, "VersionId": answer["DefaultVersionId"]})
        return {**answer, "PolicyDocument": document(version["PolicyVersion"]["Document"])}

    def update(self, ctx: Context) -> None:
        if "policy" not in ctx.changed:
            return
        old = [version for version in self._versions(ctx) if not version["IsDefaultVersion"]]
        if len(old) + 1 >= MAX_POLICY_VERSIONS:
            oldest = min(old, key=lambda version: version["CreateDate"])
            ctx.call("DeletePolicyVersion", {"PolicyArn": ctx.id, "VersionId": oldest["VersionId"]})
        fresh = {"PolicyArn": ctx.id, "PolicyDocument": ctx.inputs["policy"], "SetAsDefault": True}
        ctx.call("CreatePolicyVersion", fresh)

    def _versions(self, ctx: Context) -> list[Values]:
        return list(ctx.call("ListPolicyVersions", {"PolicyArn": ctx.id})["Versions"])

    def delete(self, ctx: Context) -> None:
        for version in self._versions(ctx):
            if not version["IsDefaultVersion"]:
                ctx.call("DeletePolicyVersion", {"PolicyArn": ctx.id, "VersionId": version["VersionId"]})
        super().delete(ctx)


class RolePolicyAttachment(ResourceType):
    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    keeps = frozenset()
    supports = frozenset({"role", "policyArn"})

    def create(self, ctx: Context) -> None:
        role, arn = ctx.inputs["role"], ctx.inputs["policyArn"]
        ctx.call("AttachRolePolicy", {"RoleName": role, "PolicyArn": arn})
        ctx.id = f"{role}/{arn}"

    def _pair(self, ctx: Context) -> tuple[str, str]:
        role, _, arn = ctx.id.partition("/")
        return role, arn

    def read(self, ctx: Context) -> Values | None:
        role, arn = self._pair(ctx)
        from botocore.exceptions import ClientError

        try:
            pages = ctx.client().get_paginator("list_attached_role_policies").paginate(RoleName=role)
            attached = {policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]}
        except ClientError as error:
            if is_not_found(error):
                return None
            raise
        return {"role": role, "policyArn": arn} if arn in attached else None

    def delete(self, ctx: Context) -> None:
        role, arn = self._pair(ctx)
        ctx.call("DetachRolePolicy", {"RoleName": role, "PolicyArn": arn})


class OpenIdConnectProvider(ResourceType):
    token = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    service = "iam"
    replaces = frozenset({"url"})
    supports = frozenset({"clientIdLists", "tags", "thumbprintLists", "url"})
    semantics = Semantics(unordered=frozenset({"clientIdLists"}))
    tagging = Tagging(
        "ListOpenIDConnectProviderTags",
        "TagOpenIDConnectProvider",
        "UntagOpenIDConnectProvider",
        "OpenIDConnectProviderArn",
        by="id",
    )
    create_op, describe_op, delete_op, key = (
        "CreateOpenIDConnectProvider",
        "GetOpenIDConnectProvider",
        "DeleteOpenIDConnectProvider",
        "OpenIDConnectProviderArn",
    )
    renames = {"clientIdLists": "ClientIDList", "thumbprintLists": "ThumbprintList"}

    def identify(self, ctx: Context, answer: Values) -> str:
        return str(answer["OpenIDConnectProviderArn"])

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        # IAM answers the host alone.
        return {**answer, "Url": f"https://{answer['Url']}", "Arn": ctx.id}

    def update(self, ctx: Context) -> None:
        provider = {"OpenIDConnectProviderArn": ctx.id}
        if "clientIdLists" in ctx.changed:
            want, have = (set(values.get("clientIdLists") or ()) for values in (ctx.inputs, ctx.old_inputs))
            for client in sorted(want - have):
                ctx.call("AddClientIDToOpenIDConnectProvider", {**provider, "ClientID": client})
            for client in sorted(have - want):
                ctx.call("RemoveClientIDFromOpenIDConnectProvider", {**provider, "ClientID": client})
        if "thumbprintLists" in ctx.changed:
            prints = ctx.inputs.get("thumbprintLists") or []
            ctx.call("UpdateOpenIDConnectProviderThumbprint", {**provider, "ThumbprintList": prints})


TYPES = (OpenIdConnectProvider, Policy, Role, RolePolicy, RolePolicyAttachment)
