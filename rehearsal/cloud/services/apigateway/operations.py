"""Operations that moto answers wrongly or without executing; all others are moto's."""

import re
from typing import Any

from moto.core.exceptions import JsonRESTError, ServiceException

from rehearsal.cloud.core.api import AwsError, Call, Cloud, operation
from rehearsal.cloud.services.apigateway import answers, openapi, snapshot
from rehearsal.cloud.services.apigateway.openapi import bad_request

_LOG_GROUP = re.compile(r"arn:aws[\w-]*:(logs:[\w-]+:\d{12}:log-group:[^:]+|firehose:.+)")


def deployed(cloud: Cloud, account: str, region: str) -> dict[tuple[str, str], snapshot.Snapshot]:
    """What each deployment froze, by API and deployment id."""
    return cloud.store("apigateway", account, region).setdefault("deployed", {})  # type: ignore[no-any-return]


def find_api(cloud: Cloud, api_id: str) -> tuple[str, str, Any] | None:
    """Account, region and moto's record of an API, wherever it lives."""
    for account, region, _ in cloud.stores("apigateway"):
        api = cloud.backend("apigateway", account, region).apis.get(api_id)
        if api is not None:
            return account, region, api
    return None


def _api(call: Call) -> Any:
    api = cloud_backend(call).apis.get(call.params["restApiId"])
    if api is None:
        raise AwsError("NotFoundException", "Invalid API identifier specified", 404)
    return api


def cloud_backend(call: Call) -> Any:
    """moto's backend of the caller's account and region."""
    return call.cloud.backend("apigateway", call.account, call.region)


def _import(call: Call, api: Any, *, overwrite: bool) -> dict[str, Any]:
    document = openapi.parse(_body(call))
    try:
        openapi.apply(cloud_backend(call), api, document, overwrite=overwrite)
    except (JsonRESTError, ServiceException) as problem:
        raise bad_request(f"Errors found during import: {problem.message}") from None
    found = call.cloud.store_call("apigateway", "GetRestApi", call.account, call.region, {"restApiId": api.id})
    return answers.rest_api(found)


def _body(call: Call) -> bytes:
    body = call.params["body"]
    content = body.read() if hasattr(body, "read") else body
    return content.encode() if isinstance(content, str) else bytes(content)


@operation("apigateway", "PutRestApi")
def put_rest_api(call: Call) -> dict[str, Any]:
    api = _api(call)
    with call.cloud.moto.lock("apigateway"):
        return _import(call, api, overwrite=call.params.get("mode") == "overwrite")


@operation("apigateway", "ImportRestApi")
def import_rest_api(call: Call) -> dict[str, Any]:
    document = openapi.parse(_body(call))
    info = document.get("info") or {}
    if not info.get("title"):
        raise bad_request("Invalid OpenAPI input: info.title is missing")
    with call.cloud.moto.lock("apigateway"):
        deployed(call.cloud, call.account, call.region)
        api = cloud_backend(call).create_rest_api(info["title"], info.get("description"))
        try:
            return _import(call, api, overwrite=True)
        except AwsError:
            del cloud_backend(call).apis[api.id]
            raise


@operation("apigateway", "UpdateRestApi")
def update_rest_api(call: Call) -> dict[str, Any]:
    """As moto's, which reads the text `false` as true."""
    api = _api(call)
    before = api.disableExecuteApiEndpoint
    answer = call.forward()
    changes = [op for op in call.params.get("patchOperations", []) if op["path"] == "/disableExecuteApiEndpoint"]
    value = changes[-1]["value"].lower() == "true" if changes else before
    api.disableExecuteApiEndpoint = value
    return answers.rest_api({**answer, "disableExecuteApiEndpoint": value})


@operation("apigateway", "CreateDeployment")
def create_deployment(call: Call) -> dict[str, Any]:
    """Freezes the API. A stage that exists keeps its settings and moves to the new deployment."""
    api = _api(call)
    with call.cloud.moto.lock("apigateway"):
        frozen = snapshot.take(api)
        name = call.params.get("stageName")
        stage = api.stages.get(name)
        answer = call.forward()
        if stage is not None:
            stage.deployment_id = answer["id"]
            api.stages[name] = stage
        deployed(call.cloud, call.account, call.region)[(api.id, answer["id"])] = frozen
    return answer


@operation("apigateway", "DeleteDeployment")
def delete_deployment(call: Call) -> dict[str, Any]:
    api = _api(call)
    deployment = call.params["deploymentId"]
    with call.cloud.moto.lock("apigateway"):
        if deployment not in api.deployments:
            raise AwsError("NotFoundException", "Invalid Deployment identifier specified", 404)
        if any(stage.deployment_id == deployment for stage in api.stages.values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[deployment]
        deployed(call.cloud, call.account, call.region).pop((api.id, deployment), None)
    return {}


@operation("apigateway", "CreateStage")
def create_stage(call: Call) -> dict[str, Any]:
    if call.params["deploymentId"] not in _api(call).deployments:
        raise bad_request("Deployment id does not exist")
    return answers.stage(call, call.forward(), changed=True)


@operation("apigateway", "UpdateStage")
def update_stage(call: Call) -> dict[str, Any]:
    """Checks what AWS checks: the deployment, the log's destination, and the account's role for logs."""
    api = _api(call)
    stage = api.stages.get(call.params["stageName"])
    operations = call.params.get("patchOperations") or []
    kept = []
    for change in operations:
        path, value = change["path"], change.get("value", "")
        if path == "/deploymentId" and value not in api.deployments:
            raise bad_request("Deployment id does not exist")
        if path == "/accessLogSettings/destinationArn":
            if not _LOG_GROUP.fullmatch(value):
                raise bad_request(f"Invalid ARN specified in the request: {value}")
            _require_log_role(call)
        if path.endswith("/logging/loglevel") and value != "OFF":
            _require_log_role(call)
        if change["op"] == "remove" and stage is not None and _forget_method_settings(stage, path):
            continue
        kept.append(change)
    return answers.stage(call, call.forward({**call.params, "patchOperations": kept}), changed=True)


def _require_log_role(call: Call) -> None:
    if not cloud_backend(call).account.cloudwatch_role_arn:
        raise bad_request("CloudWatch Logs role ARN must be set in account settings to enable logging")


def _forget_method_settings(stage: Any, path: str) -> bool:
    """Removes the settings of `/<resource>/<method>`, which moto leaves as they are."""
    parts = path.strip("/").split("/")
    if len(parts) < 2 or parts[0] in ("variables", "accessLogSettings", "canarySettings"):
        return False
    stage.method_settings.pop("/".join(parts[:2]), None)
    return True


@operation("apigateway", "UpdateAccount")
def update_account(call: Call) -> dict[str, Any]:
    """The role for logs must be one that API Gateway can assume."""
    for change in call.params.get("patchOperations") or []:
        role = change.get("value")
        if change["path"] != "/cloudwatchRoleArn" or not role:
            continue
        try:
            call.cloud.assume_for_service(role, "apigateway.amazonaws.com", "logs")
        except AwsError:
            text = "The role ARN does not have required permissions configured. "
            text += "Please grant trust permission for API Gateway"
            raise bad_request(text) from None
    return call.forward()


@operation("apigateway", "CreateRestApi")
def create_rest_api(call: Call) -> dict[str, Any]:
    # The store's existence is what `find_api` looks for.
    deployed(call.cloud, call.account, call.region)
    answer = call.forward()
    kinds = call.params.get("binaryMediaTypes")
    if kinds:
        # moto drops them.
        cloud_backend(call).apis[answer["id"]].binaryMediaTypes = list(kinds)
        answer["binaryMediaTypes"] = list(kinds)
    return answers.rest_api(answer)


@operation("apigateway", "DeleteRestApi")
def delete_rest_api(call: Call) -> dict[str, Any]:
    api = _api(call)
    frozen = deployed(call.cloud, call.account, call.region)
    for key in [key for key in frozen if key[0] == api.id]:
        del frozen[key]
    call.forward()
    return {}
