"""Operations on functions and versions."""

import copy
import hashlib
import re
from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import AwsError, Call, Cloud, inventory, not_implemented, operation, route
from rehearsal.cloud.services.lambda_ import environments, package
from rehearsal.cloud.services.lambda_.state import (
    LATEST,
    Function,
    Name,
    Snapshot,
    check_revision,
    conflict,
    find,
    functions,
    invalid,
    lock,
    new_revision,
    parse_name,
    timestamp,
)

_ROLE = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/[\w+=,.@/-]+")
_RESERVED_VARIABLES = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
}  # fmt: skip
# Members of CreateFunction and UpdateFunctionConfiguration that become configuration as they are.
_PLAIN = ("Description", "Handler", "MemorySize", "Timeout", "Runtime", "KMSKeyArn", "DeadLetterConfig")
_NOT_EXECUTED = ("ImageConfig", "FileSystemConfigs", "DurableConfig", "CapacityProviderConfig", "TenancyConfig")
_DEFAULTS: dict[str, Any] = {
    "Description": "",
    "MemorySize": 128,
    "Timeout": 3,
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
}


def target_of(call: Call, allow_qualifier: bool = True) -> tuple[Function, str]:
    """The function that a call names, and the qualifier it gives."""
    name = parse_name(call.params["FunctionName"], call.account, call.region, call.params.get("Qualifier"))
    if name.region != call.region:
        text = f"Functions from '{name.region}' are not reachable in this region ('{call.region}')"
        raise AwsError("ResourceNotFoundException", text, 404, Type="User")
    if name.account != call.account:
        raise AwsError("AccessDeniedException", "Functions from other accounts can only be invoked", 403)
    if name.qualifier and not allow_qualifier:
        raise invalid("Cannot provide qualifier")
    return find(call.cloud, name), name.qualifier


def configuration(function: Function, qualifier: str, **changes: Any) -> dict[str, Any]:
    """FunctionConfiguration as the API answers it for one qualifier."""
    shown = copy.deepcopy(function.snapshot(qualifier).config)
    shown["FunctionArn"] = function.qualified(qualifier)
    shown |= {"State": "Active", "LastUpdateStatus": "Successful"}
    shown["RuntimeVersionConfig"] = {"RuntimeVersionArn": runtime_version(function.region, shown["Runtime"])}
    shown |= changes
    return {key: value for key, value in shown.items() if value is not None}


def runtime_version(region: str, runtime: str) -> str:
    """The version of a runtime; there is one of each here."""
    return f"arn:aws:lambda:{region}::runtime:{hashlib.sha256(runtime.encode()).hexdigest()}"


@operation("lambda", "CreateFunction")
def create_function(call: Call) -> dict[str, Any]:
    """Refuses what AWS refuses: a taken name, a role that Lambda cannot assume, a broken package."""
    params = call.params
    name = parse_name(params["FunctionName"], call.account, call.region).name
    if params.get("PackageType", "Zip") != "Zip":
        raise not_implemented("lambda", "CreateFunction with a container image")
    if not params.get("Handler") or not params.get("Runtime"):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    if name in functions(call.cloud, call.account, call.region):
        raise conflict(f"Function already exist: {name}")
    code = package.read_code(call, params["Code"])
    config = {"FunctionName": name, **copy.deepcopy(_DEFAULTS), **_settings(call, params)}
    if params.get("Architectures"):
        config["Architectures"] = params["Architectures"]
    config = {key: value for key, value in config.items() if value is not None}
    function = Function(name, call.account, call.region, Snapshot(config, code), tags=dict(params.get("Tags") or {}))
    _stamp(function, code)
    with lock():
        if functions(call.cloud, call.account, call.region).setdefault(name, function) is not function:
            raise conflict(f"Function already exist: {name}")
        version = _publish(function, None) if params.get("Publish") else ""
    # Every change of the state gives another revision: the one answered here is gone when the function is active.
    pending = {
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "RevisionId": new_revision(),
    }
    shown = configuration(function, version, State="Pending", LastUpdateStatus=None, **pending)
    return shown | {"FunctionArn": function.arn}


def _settings(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """The configuration members that a request sets, checked."""
    refused = [key for key in _NOT_EXECUTED if params.get(key)]
    if refused:
        raise not_implemented("lambda", f"{call.operation} with {refused[0]}")
    settings: dict[str, Any] = {key: params[key] for key in _PLAIN if params.get(key) is not None}
    _check_runtime(call, settings.get("Runtime"))
    if params.get("Role"):
        _check_role(call, params["Role"])
        settings["Role"] = params["Role"]
    if params.get("Environment") is not None:
        variables = params["Environment"].get("Variables") or {}
        _check_variables(variables)
        settings["Environment"] = {"Variables": dict(variables)}
    if params.get("Layers") is not None:
        settings["Layers"] = [_layer(call, arn) for arn in params["Layers"]] or None
    if params.get("VpcConfig") is not None:
        settings["VpcConfig"] = params["VpcConfig"] if params["VpcConfig"].get("SubnetIds") else None
    if params.get("SnapStart"):
        settings["SnapStart"] = {"OptimizationStatus": "Off", **params["SnapStart"]}
    settings |= {key: params[key] for key in ("TracingConfig", "EphemeralStorage") if params.get(key)}
    name = params["FunctionName"].split(":")[-1]
    logging = _logging(name, params.get("LoggingConfig") or {})
    if params.get("LoggingConfig") is not None or call.operation == "CreateFunction":
        settings["LoggingConfig"] = logging
    return settings


def _logging(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html"""
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **given}
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    return {**levels, **logging} if logging["LogFormat"] == "JSON" else logging


def _check_runtime(call: Call, runtime: str | None) -> None:
    if runtime is not None and not runtime.startswith("python3."):
        raise not_implemented("lambda", f"{call.operation} with runtime {runtime}")


def _check_role(call: Call, role: str) -> None:
    match = _ROLE.fullmatch(role)
    if match is None:
        pattern = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+"
        reason = f"failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
        raise AwsError("ValidationException", f"1 validation error detected: Value '{role}' at 'role' {reason}")
    if match[1] != call.account:
        raise AwsError("AccessDeniedException", "Cross-account pass role is not allowed.", 403)
    try:
        call.cloud.assume_for_service(role, "lambda.amazonaws.com", "create-function")
    except AwsError:
        raise invalid("The role defined for the function cannot be assumed by Lambda.") from None


def _check_variables(variables: dict[str, str]) -> None:
    prefix = "Lambda was unable to configure your environment variables because the environment variables you have "
    reserved = sorted(_RESERVED_VARIABLES & variables.keys())
    if reserved:
        raise invalid(
            f"{prefix}provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )


def _layer(call: Call, arn: str) -> dict[str, Any]:
    layer = package.layer_version(call.cloud, call.account, call.region, arn)
    if layer is None:
        raise invalid(f"Layer version {arn} does not exist.")
    return {"Arn": arn, "CodeSize": layer.code_size}


def _stamp(function: Function, code: bytes | None = None) -> None:
    """Marks `$LATEST` as changed."""
    snapshot = function.latest
    if code is not None:
        snapshot.code = code
        snapshot.config |= {"CodeSha256": package.sha256(code), "CodeSize": len(code)}
    snapshot.config |= {"Version": LATEST, "LastModified": timestamp(), "RevisionId": new_revision()}


def _publish(function: Function, description: str | None) -> str:
    """Makes a version of `$LATEST`, unless the last version already equals it. Returns the version."""
    last = str(function.last_version)
    if last in function.versions and function.versions[last].origin == function.latest.fingerprint():
        return last
    function.last_version += 1
    version = str(function.last_version)
    config = copy.deepcopy(function.latest.config)
    config |= {"Version": version, "RevisionId": new_revision(), "LastModified": timestamp()}
    if description:
        config["Description"] = description
    function.versions[version] = Snapshot(config, function.latest.code, function.latest.fingerprint())
    return version


@operation("lambda", "PublishVersion")
def publish_version(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    with lock():
        config = function.latest.config
        check_revision(call.params.get("RevisionId"), config["RevisionId"])
        digest = call.params.get("CodeSha256")
        if digest and digest != config["CodeSha256"]:
            raise invalid(
                f"CodeSHA256 ({digest}) is different from current CodeSHA256 in $LATEST ({config['CodeSha256']}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        version = _publish(function, call.params.get("Description"))
    return configuration(function, version)


@operation("lambda", "UpdateFunctionCode")
def update_function_code(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    params = call.params
    code = package.read_code(call, params)
    with lock():
        check_revision(params.get("RevisionId"), function.latest.config["RevisionId"])
        if params.get("DryRun"):
            shown = {"CodeSha256": package.sha256(code), "CodeSize": len(code)}
            return configuration(function, "", **shown)
        if params.get("Architectures"):
            function.latest.config["Architectures"] = params["Architectures"]
        _stamp(function, code)
        version = _publish(function, None) if params.get("Publish") else ""
    return _in_progress(function, version)


@operation("lambda", "UpdateFunctionConfiguration")
def update_function_configuration(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    settings = _settings(call, call.params)
    with lock():
        check_revision(call.params.get("RevisionId"), function.latest.config["RevisionId"])
        config = function.latest.config | settings
        function.latest.config = {key: value for key, value in config.items() if value is not None}
        _stamp(function)
    return _in_progress(function, "")


def _in_progress(function: Function, version: str) -> dict[str, Any]:
    if version:
        return configuration(function, version)
    reason = {
        "LastUpdateStatusReason": "The function is being created.",
        "LastUpdateStatusReasonCode": "Creating",
        "RevisionId": new_revision(),
    }
    return configuration(function, "", LastUpdateStatus="InProgress", **reason)


@operation("lambda", "GetFunctionConfiguration")
def get_function_configuration(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    return configuration(function, qualifier)


@operation("lambda", "GetFunction")
def get_function(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    path = f"{call.account}/{call.region}/{function.name}/{qualifier or LATEST}"
    answer: dict[str, Any] = {
        "Configuration": configuration(function, qualifier),
        "Code": {"RepositoryType": "S3", "Location": f"{call.cloud.url}/_aws/lambda/{path}"},
    }
    if function.tags:
        answer["Tags"] = dict(function.tags)
    if function.reserved is not None:
        answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
    return answer


@route("/_aws/lambda/<account>/<region>/<name>/<qualifier>", methods=["GET"])
def download_code(cloud: Cloud, request: Request, account: str, region: str, name: str, qualifier: str) -> Response:
    """The package behind the location that GetFunction answers."""
    function = find(cloud, Name(account, region, name, qualifier))
    return Response(function.snapshot(qualifier).code, content_type="application/zip")


@operation("lambda", "ListFunctions")
def list_functions(call: Call) -> dict[str, Any]:
    shown: list[dict[str, Any]] = []
    for _, function in sorted(functions(call.cloud, call.account, call.region).items()):
        if call.params.get("FunctionVersion") != "ALL":
            shown.append(_listed(function, ""))
            continue
        shown += [_listed(function, version) for version in (LATEST, *function.versions)]
    return page(call, "Functions", shown)


@operation("lambda", "ListVersionsByFunction")
def list_versions(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    return page(call, "Versions", [_listed(function, version) for version in (LATEST, *function.versions)])


def _listed(function: Function, qualifier: str) -> dict[str, Any]:
    # Lists leave out what only the Get operations compute.
    return configuration(function, qualifier, State=None, LastUpdateStatus=None, RuntimeVersionConfig=None)


def page(call: Call, member: str, items: list[Any]) -> dict[str, Any]:
    """One page of a list; the marker is the index of the next item."""
    start = int(call.params.get("Marker") or 0)
    end = start + int(call.params.get("MaxItems") or 50)
    answer: dict[str, Any] = {member: items[start:end]}
    return answer | {"NextMarker": str(end)} if end < len(items) else answer


@operation("lambda", "DeleteFunction")
def delete_function(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    with lock():
        if not qualifier:
            del functions(call.cloud, call.account, call.region)[function.name]
            environments.forget(call.cloud, function)
            return {"StatusCode": 204}
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if qualifier in function.aliases:
            raise invalid("Deletion of aliases is not currently supported.")
        users = sorted(name for name, alias in function.aliases.items() if qualifier in alias_versions(alias))
        if users:
            raise conflict(f"Version {qualifier} is still referenced by alias(es): {', '.join(users)}.")
        del function.versions[qualifier]
        function.policies.pop(qualifier, None)
    return {"StatusCode": 204}


def alias_versions(alias: dict[str, Any]) -> set[str]:
    """Every version that an alias can reach."""
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return {alias["FunctionVersion"], *weights}


@operation("lambda", "GetFunctionCodeSigningConfig")
def get_code_signing(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    return {"FunctionName": function.name}


@operation("lambda", "GetRuntimeManagementConfig")
def get_runtime_management(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    return {"UpdateRuntimeOn": "Auto", "FunctionArn": function.qualified(qualifier or LATEST)}


@inventory("lambda")
def live_functions(cloud: Cloud, account: str) -> list[str]:
    """Functions of an account, in all regions."""
    return [
        function.arn
        for owner, _, state in cloud.stores("lambda")
        if owner == account
        for function in state.get("functions", {}).values()
    ]
