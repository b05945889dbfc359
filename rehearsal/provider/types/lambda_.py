"""Lambda: functions with published versions, aliases and permissions."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.provider.assets import asset_bytes
from rehearsal.provider.differ import Semantics
from rehearsal.provider.errors import ProviderError, code_of
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

CODE = frozenset({"code", "s3Bucket", "s3Key", "s3ObjectVersion", "sourceCodeHash", "imageUri", "architectures"})
NOT_CONFIG = frozenset({"publish", "tags", "reservedConcurrentExecutions", "skipDestroy"})
CONFIG = frozenset(
    "deadLetterConfig description environment ephemeralStorage fileSystemConfig handler imageConfig kmsKeyArn layers "
    "loggingConfig memorySize role runtime snapStart timeout tracingConfig vpcConfig".split()
)
NEW_VERSION = CODE | CONFIG | {"publish"}


class Function(ResourceType):
    token = "aws:lambda/function:Function"
    service = "lambda"
    name = AutoName("name", 64, prefix_property=None)
    replaces = frozenset({"name", "packageType"})
    supports = CODE | CONFIG | NOT_CONFIG | {"name", "packageType"}
    defaults = {
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
        "timeout": 3,
    }
    renames = {"name": "FunctionName", "arn": "FunctionArn", "version": "-"}
    write_only = frozenset("code s3Bucket s3Key s3ObjectVersion publish skipDestroy imageUri sourceCodeHash".split())
    local = CODE - {"architectures"} | {"reservedConcurrentExecutions", "skipDestroy"}
    semantics = Semantics(unordered=frozenset({"architectures", "vpcConfig.subnetIds", "vpcConfig.securityGroupIds"}))
    volatile = {
        "version": NEW_VERSION,
        "qualifiedArn": NEW_VERSION,
        "qualifiedInvokeArn": NEW_VERSION,
        "codeSha256": CODE,
        "sourceCodeHash": CODE,
        "sourceCodeSize": CODE,
        "lastModified": frozenset({"*"}),
    }
    tagging = Tagging("ListTags", "TagResource", "UntagResource", "Resource")

    def validate(self, inputs: Values) -> list[tuple[str, str]]:
        sources = [name for name in ("code", "s3Bucket", "imageUri") if inputs.get(name) is not None]
        if len(sources) != 1:
            return [("code", "give exactly one of code, s3Bucket with s3Key, imageUri")]
        if inputs.get("packageType", "Zip") == "Zip":
            return [(key, "missing: a Zip function needs it") for key in ("handler", "runtime") if not inputs.get(key)]
        return []

    def create(self, ctx: Context) -> None:
        request = self.request(ctx, "CreateFunction")
        request["Code"] = self._code(ctx)
        # The role that was just made may not be assumable yet: the real provider retries too.
        ctx.wait("the function's role to become assumable", lambda: self._try_create(ctx, request), timeout=120)
        ctx.id = ctx.inputs["name"]
        self._settled(ctx)
        self._write_concurrency(ctx)

    def _try_create(self, ctx: Context, request: Values) -> bool:
        return _retrying_role(lambda: ctx.call("CreateFunction", request))

    def _code(self, ctx: Context) -> Values:
        if ctx.inputs.get("code") is not None:
            return {"ZipFile": asset_bytes(ctx.inputs["code"])}
        if ctx.inputs.get("imageUri"):
            return {"ImageUri": ctx.inputs["imageUri"]}
        where = {"S3Bucket": ctx.inputs["s3Bucket"], "S3Key": ctx.inputs.get("s3Key")}
        where["S3ObjectVersion"] = ctx.inputs.get("s3ObjectVersion")
        return {key: value for key, value in where.items() if value is not None}

    def _settled(self, ctx: Context) -> None:
        def settled() -> bool:
            config = ctx.call("GetFunctionConfiguration", {"FunctionName": ctx.id})
            for what in ("State", "LastUpdateStatus"):
                if config.get(what) == "Failed":
                    raise ProviderError(f"function {ctx.id}: {config.get(what + 'Reason') or config.get(what)}")
            return config.get("State", "Active") == "Active" and config.get("LastUpdateStatus") != "InProgress"

        ctx.wait(f"function {ctx.id} to become active", settled, timeout=600)

    def _write_concurrency(self, ctx: Context) -> None:
        if "reservedConcurrentExecutions" not in ctx.changed:
            return
        wanted = ctx.inputs["reservedConcurrentExecutions"]
        if wanted >= 0:
            ctx.call("PutFunctionConcurrency", {"FunctionName": ctx.id, "ReservedConcurrentExecutions": wanted})
        elif ctx.old_inputs.get("reservedConcurrentExecutions", -1) >= 0:
            ctx.call("DeleteFunctionConcurrency", {"FunctionName": ctx.id})

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetFunction", {"FunctionName": ctx.id})
        if answer is None:
            return None
        config = dict(answer["Configuration"])
        for unset in ("VpcConfig", "SnapStart", "Layers"):
            config.pop(unset, None)
        seen = self.observed(ctx, config)
        layers = [layer["Arn"] for layer in answer["Configuration"].get("Layers", [])]
        reserved = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1)
        seen |= {"layers": layers or None, "reservedConcurrentExecutions": reserved}
        seen |= self._network(answer["Configuration"]) | self._snap_start(answer["Configuration"])
        seen |= {"sourceCodeSize": config.get("CodeSize"), "sourceCodeHash": config.get("CodeSha256")}
        seen |= self._versions(ctx, str(seen["arn"]))
        return {**seen, "tags": answer.get("Tags") or None, "tagsAll": dict(answer.get("Tags") or {})}

    def _network(self, config: Values) -> Values:
        network = config.get("VpcConfig") or {}
        if not network.get("SubnetIds"):
            return {}
        names = {"subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds", "vpcId": "VpcId"}
        return {"vpcConfig": {name: network.get(member) for name, member in names.items()}}

    def _snap_start(self, config: Values) -> Values:
        snap = config.get("SnapStart") or {}
        if snap.get("ApplyOn") in (None, "None"):
            return {}
        return {"snapStart": {"applyOn": snap["ApplyOn"], "optimizationStatus": snap.get("OptimizationStatus")}}

    def _versions(self, ctx: Context, arn: str) -> Values:
        version = "$LATEST"
        if ctx.prop("publish"):
            pages = ctx.client().get_paginator("list_versions_by_function").paginate(FunctionName=ctx.id)
            numbers = [int(v["Version"]) for page in pages for v in page["Versions"] if v["Version"].isdigit()]
            version = str(max(numbers)) if numbers else version
        return {
            "version": version,
            "invokeArn": invoke_arn(ctx, arn),
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": invoke_arn(ctx, f"{arn}:{version}"),
            "responseStreamingInvokeArn": invoke_arn(ctx, arn).replace(
                "/invocations", "/response-streaming-invocations"
            ),
        }

    def update(self, ctx: Context) -> None:
        if ctx.changed & CONFIG:
            self._update_config(ctx)
        if ctx.changed & CODE:
            request: Values = {"FunctionName": ctx.id, **self._code(ctx)}
            request["Architectures"] = ctx.inputs.get("architectures")
            ctx.call("UpdateFunctionCode", request)
            self._settled(ctx)
        self._write_concurrency(ctx)
        if ctx.inputs.get("publish") and ctx.changed & NEW_VERSION:
            ctx.call("PublishVersion", {"FunctionName": ctx.id})

    def _update_config(self, ctx: Context) -> None:
        request = self.request(ctx, "UpdateFunctionConfiguration", strict=False)
        cleared: dict[str, Any] = {
            "description": ("Description", ""),
            "environment": ("Environment", {"Variables": {}}),
            "kmsKeyArn": ("KMSKeyArn", ""),
            "layers": ("Layers", []),
            "deadLetterConfig": ("DeadLetterConfig", {"TargetArn": ""}),
            "tracingConfig": ("TracingConfig", {"Mode": "PassThrough"}),
            "vpcConfig": ("VpcConfig", {"SubnetIds": [], "SecurityGroupIds": []}),
        }
        for name in ctx.changed & cleared.keys():
            if ctx.inputs.get(name) is None:
                request[cleared[name][0]] = cleared[name][1]
        request["FunctionName"] = ctx.id
        ctx.wait(
            "the function's role to become assumable",
            lambda: _retrying_role(lambda: ctx.call("UpdateFunctionConfiguration", request)),
            timeout=120,
        )
        self._settled(ctx)

    def delete(self, ctx: Context) -> None:
        if not ctx.prop("skipDestroy"):
            ctx.call("DeleteFunction", {"FunctionName": ctx.id})


def _retrying_role(call: Any) -> bool:
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        if code_of(error) == "InvalidParameterValueException" and "cannot be assumed" in str(error):
            return False
        raise
    return True


def invoke_arn(ctx: Context, arn: str) -> str:
    """The address API Gateway uses for a function."""
    path = f"path/2015-03-31/functions/{arn}/invocations"
    return f"arn:{ctx.session.partition}:apigateway:{ctx.region}:lambda:{path}"


class Alias(ResourceType):
    token = "aws:lambda/alias:Alias"
    service = "lambda"
    name = AutoName("name", 128, prefix_property=None)
    replaces = frozenset({"name", "functionName"})
    supports = frozenset({"name", "functionName", "functionVersion", "description", "routingConfig"})
    renames = {"arn": "AliasArn"}

    def create(self, ctx: Context) -> None:
        answer = ctx.call("CreateAlias", self.request(ctx, "CreateAlias"))
        ctx.id = str(answer["AliasArn"])

    def _key(self, ctx: Context) -> Values:
        parts = ctx.id.split(":")
        function = ctx.prop("functionName") or parts[-2].split("/")[0]
        return {"FunctionName": function, "Name": ctx.prop("name") or parts[-1]}

    def read(self, ctx: Context) -> Values | None:
        key = self._key(ctx)
        answer = ctx.find("GetAlias", key)
        if answer is None:
            return None
        weights = (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        arn = str(answer["AliasArn"])
        ctx.id = arn
        return {
            "name": answer["Name"],
            "functionName": key["FunctionName"],
            "functionVersion": answer["FunctionVersion"],
            "description": answer.get("Description"),
            "routingConfig": {"additionalVersionWeights": weights} if weights else None,
            "arn": arn,
            "invokeArn": invoke_arn(ctx, arn),
        }

    def update(self, ctx: Context) -> None:
        request = self.request(ctx, "UpdateAlias")
        request.setdefault("RoutingConfig", {"AdditionalVersionWeights": {}})
        request.setdefault("Description", "")
        ctx.call("UpdateAlias", {**request, **self._key(ctx)})

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteAlias", self._key(ctx))


class Permission(ResourceType):
    token = "aws:lambda/permission:Permission"
    service = "lambda"
    name = AutoName("statementId", 100, prefix_property="statementIdPrefix")
    keeps = frozenset()
    renames = {"function": "FunctionName", "principalOrgId": "PrincipalOrgID"}
    supports = frozenset(
        "action eventSourceToken function functionUrlAuthType principal principalOrgId qualifier sourceAccount "
        "sourceArn statementId statementIdPrefix".split()
    )
    local = frozenset({"statementIdPrefix"})
    write_only = frozenset({"eventSourceToken", "functionUrlAuthType", "statementIdPrefix"})

    def create(self, ctx: Context) -> None:
        ctx.call("AddPermission", self.request(ctx, "AddPermission"))
        ctx.id = ctx.inputs["statementId"]

    def read(self, ctx: Context) -> Values | None:
        if not ctx.prop("function"):
            where, _, ctx.id = ctx.id.rpartition("/")
            function, _, qualifier = where.partition(":")
            ctx.state = {"function": function, "qualifier": qualifier or None}
        answer = ctx.find("GetPolicy", {"FunctionName": ctx.prop("function"), "Qualifier": ctx.prop("qualifier")})
        statements = json.loads(answer["Policy"])["Statement"] if answer else []
        found = next((item for item in statements if item.get("Sid") == ctx.id), None)
        return self._from_statement(ctx, found) if found else None

    def _from_statement(self, ctx: Context, statement: Values) -> Values:
        tests = {key.lower(): value for part in statement.get("Condition", {}).values() for key, value in part.items()}
        principal = statement.get("Principal")
        if isinstance(principal, dict):
            principal = principal.get("Service") or principal.get("AWS")
        account = f"arn:{ctx.session.partition}:iam::{ctx.prop('principal')}:root"
        return {
            "statementId": ctx.id,
            "function": ctx.prop("function"),
            "qualifier": ctx.prop("qualifier"),
            "action": statement["Action"],
            "principal": ctx.prop("principal") if principal == account else principal,
            "sourceArn": tests.get("aws:sourcearn"),
            "sourceAccount": tests.get("aws:sourceaccount"),
            "principalOrgId": tests.get("aws:principalorgid"),
        }

    def delete(self, ctx: Context) -> None:
        key = {"FunctionName": ctx.prop("function"), "StatementId": ctx.id, "Qualifier": ctx.prop("qualifier")}
        ctx.call("RemovePermission", key)


TYPES = (Alias, Function, Permission)
