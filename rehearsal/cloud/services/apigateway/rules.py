"""What the pages of the operations say in prose: https://docs.aws.amazon.com/apigateway/latest/api/."""

import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.apigateway.openapi import bad_request
from rehearsal.cloud.services.rules import tags

_TYPES = ("EDGE", "REGIONAL", "PRIVATE")
_STAGE_FIELDS = ("/description", "/deploymentId", "/cacheClusterEnabled", "/cacheClusterSize", "/clientCertificateId",
                 "/documentationVersion", "/tracingEnabled")  # fmt: skip
_LOG_FIELDS = ("/accessLogSettings/destinationArn", "/accessLogSettings/format")
_VERBS = ("ANY", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_AUTHORIZERS = ("CUSTOM", "COGNITO_USER_POOLS")


def _missing(text: str) -> AwsError:
    return AwsError("NotFoundException", text, 404)


# --- APIs ------------------------------------------------------------------------------------------------------------


@request_rule("apigateway", "CreateRestApi")
def create_api(call: Call) -> None:
    params = call.params
    if not params["name"].strip():
        raise bad_request("API name must be specified")
    endpoint = params.get("endpointConfiguration")
    if endpoint is not None:
        _endpoint(endpoint)
    if params.get("apiKeySource") not in (None, "HEADER", "AUTHORIZER"):
        raise bad_request("Invalid API key source")
    size = params.get("minimumCompressionSize")
    if size is not None and not 0 <= size <= 10485760:
        raise bad_request("Invalid minimum compression size, must be between 0 and 10485760")
    if params.get("policy"):
        _policy(params["policy"])
    tags.check(params.get("tags"), bad_request)


def _endpoint(endpoint: dict[str, Any]) -> None:
    types = endpoint.get("types")
    if types is None:
        return
    if not types:
        raise bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
    wrong = [each for each in types if each not in _TYPES]
    if wrong or len(types) > 1:
        raise bad_request("Cannot create an api with multiple Endpoint Types." if not wrong else
                          f"Invalid endpoint type: {wrong[0]}")  # fmt: skip
    if endpoint.get("vpcEndpointIds") and types != ["PRIVATE"]:
        raise bad_request("VPCEndpoints can only be specified with PRIVATE apis.")


def _policy(text: str) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html"""
    try:
        grammar.check(text, grammar.RESOURCE)
    except grammar.PolicyError:
        raise bad_request("Invalid policy document. Please check the policy syntax and ensure that Principals are "
                          "valid.") from None  # fmt: skip


@request_rule("apigateway", "UpdateRestApi")
def update_api(call: Call) -> None:
    for change in call.params.get("patchOperations") or ():
        if change.get("path") == "/policy" and change.get("value"):
            _policy(change["value"])
        if change.get("path") == "/name" and not change.get("value"):
            raise bad_request("API name must be specified")


# --- what belongs to an API ------------------------------------------------------------------------------------------


def _api(call: Call) -> Any:
    return call.cloud.backend("apigateway", call.account, call.region).apis.get(call.params["restApiId"])


@state_rule("apigateway", "GetRestApi", "UpdateRestApi", "DeleteRestApi", "GetResources", "GetStages", "GetStage",
            "GetDeployments", "CreateDeployment", "CreateStage", "PutGatewayResponse", "GetGatewayResponse",
            "GetGatewayResponses", "DeleteGatewayResponse", "CreateResource", "DeleteStage")  # fmt: skip
def known_api(call: Call) -> None:
    if _api(call) is None:
        raise _missing(f"Invalid API identifier specified {call.account}:{call.params['restApiId']}")


@state_rule("apigateway", "CreateRequestValidator", "CreateModel")
def for_an_api(call: Call) -> None:
    if _api(call) is None:
        raise bad_request("Invalid REST API identifier specified")


@request_rule("apigateway", "CreateResource")
def path_part(call: Call) -> None:
    part = call.params["pathPart"]
    if not re.fullmatch(r"\{[\w.:-]+\+?\}|[\w.,:=$+~*'()@&-]*", part) or not part:
        raise bad_request("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly "
                          "braces at the beginning and the end.")  # fmt: skip


@state_rule("apigateway", "CreateResource")
def resource(call: Call) -> None:
    api, params = _api(call), call.params
    parent = api.resources.get(params["parentId"]) if api is not None else None
    if parent is None:
        raise _missing("Invalid Resource identifier specified")
    if str(parent.path_part).endswith("+}"):
        raise bad_request(f"Cannot create a child of a resource with a greedy path variable: {parent.get_path()}")
    for known in api.resources.values():
        if known.parent_id != params["parentId"]:
            continue
        if known.path_part == params["pathPart"]:
            text = f"Another resource with the same parent already has this name: {params['pathPart']}"
            raise AwsError("ConflictException", text, 409)
        if str(known.path_part).startswith("{") and params["pathPart"].startswith("{"):
            raise bad_request(f"A sibling ({known.path_part}) of this resource already has a variable path part -- "
                              "only one is allowed")  # fmt: skip


@state_rule("apigateway", "PutMethod")
def method(call: Call) -> None:
    api, params = _api(call), call.params
    if api is None or params["resourceId"] not in api.resources:
        raise _missing("Invalid Resource identifier specified")
    if params["httpMethod"] not in _VERBS:
        raise bad_request("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY")
    _method(api, params)


def _method(api: Any, params: dict[str, Any]) -> None:
    kind = params["authorizationType"]
    if kind not in ("NONE", "AWS_IAM", *_AUTHORIZERS):
        raise bad_request(f"Invalid authorization type: {kind}")
    if kind in _AUTHORIZERS and params.get("authorizerId") not in api.authorizers:
        raise bad_request("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
                          "COGNITO_USER_POOLS requires a valid authorizer.")  # fmt: skip
    validator = params.get("requestValidatorId")
    if validator and validator not in api.request_validators:
        raise bad_request("Invalid Request Validator identifier specified")
    for name in (params.get("requestModels") or {}).values():
        if name not in ("Empty", "Error") and name not in {model.name for model in api.models.values()}:
            raise bad_request(f"Invalid model identifier specified: {name}")
    for name in params.get("requestParameters") or {}:
        if not re.fullmatch(r"method\.request\.(path|querystring|multivaluequerystring|header|multivalueheader)\.\S+",
                            name):  # fmt: skip
            raise bad_request(f"Invalid mapping expression specified: Validation Result: warnings : [], errors : "
                              f"[Invalid mapping expression parameter specified: {name}]")  # fmt: skip
    if params["httpMethod"] in api.resources[params["resourceId"]].resource_methods:
        raise AwsError("ConflictException", "Method already exists for this resource", 409)


@request_rule("apigateway", "PutIntegration")
def integration(call: Call) -> None:
    params = call.params
    kind, verb = params["type"], params.get("integrationHttpMethod")
    if kind in ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY") and not verb:
        raise bad_request("Enumeration value for HttpMethod must be non-empty")
    if kind in ("AWS", "AWS_PROXY") and not re.match(r"arn:[\w-]+:apigateway:", params.get("uri") or ""):
        raise bad_request("Invalid ARN specified in the request")
    if kind in ("HTTP", "HTTP_PROXY") and not re.match(r"https?://", params.get("uri") or ""):
        raise bad_request("Invalid HTTP endpoint specified for URI")
    timeout = params.get("timeoutInMillis")
    if timeout is not None and not 50 <= timeout <= 29000:
        raise bad_request("Timeout should be between 50 ms and 29000 ms")


@request_rule("apigateway", "CreateStage", "CreateDeployment")
def stage_name(call: Call) -> None:
    name = call.params.get("stageName")
    if name is not None and not re.fullmatch(r"[\w-]{1,128}", name, re.ASCII):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")
    for key, value in (call.params.get("variables") or {}).items():
        if not re.fullmatch(r"[A-Za-z0-9_]+", key) or not re.fullmatch(r"[A-Za-z0-9\-._~:/?#&=,]*", value):
            raise bad_request("Stage variables are invalid: names have A-Za-z0-9_, values A-Za-z0-9-._~:/?#&=,")


@state_rule("apigateway", "CreateDeployment")
def something_to_deploy(call: Call) -> None:
    api = _api(call)
    methods = [kept for item in api.resources.values() for kept in item.resource_methods.values()]
    if not methods:
        raise bad_request("The REST API doesn't contain any methods")
    if any(kept.method_integration is None for kept in methods):
        raise bad_request("No integration defined for method")


@state_rule("apigateway", "CreateStage")
def new_stage(call: Call) -> None:
    if call.params["stageName"] in _api(call).stages:
        raise AwsError("ConflictException", "Stage already exists", 409)


@request_rule("apigateway", "UpdateStage")
def stage_patches(call: Call) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateStage-Patch"""
    for change in call.params.get("patchOperations") or ():
        path, value = change.get("path") or "", change.get("value")
        if path.startswith("/accessLogSettings"):
            _log_patch(change["op"], path, value)
        elif path.startswith("/"):
            _stage_patch(change["op"], path)


def _log_patch(verb: str, path: str, value: str | None) -> None:
    if verb == "remove" and path == "/accessLogSettings":
        return
    if path not in _LOG_FIELDS:
        raise bad_request(f"Invalid accessLogSettings path. Must be one of : [{', '.join(_LOG_FIELDS)}]")
    if verb != "remove" and path.endswith("/format") and not value:
        raise bad_request("Access Log value must not be empty")


def _stage_patch(verb: str, path: str) -> None:
    known = path in _STAGE_FIELDS or path.startswith(("/variables/", "/canarySettings"))
    if not known and path.count("/") < (2 if verb == "remove" else 3):
        raise bad_request(f"Invalid patch path '{path}' specified for op 'replace'. Must be one of: "
                          f"[{', '.join(_STAGE_FIELDS)}]")  # fmt: skip


@request_rule("apigateway", "CreateUsagePlan")
def usage_plan(call: Call) -> None:
    throttle, quota = call.params.get("throttle") or {}, call.params.get("quota") or {}
    if quota and not quota.get("limit"):
        raise bad_request("Usage Plan quota limit must be greater than zero")
    if quota.get("limit") and not quota.get("period"):
        raise bad_request("Usage Plan quota period must be specified")
    if throttle.get("rateLimit", 0) < 0 or throttle.get("burstLimit", 0) < 0:
        raise bad_request("Usage Plan throttle rate and burst must not be negative")


@request_rule("apigateway", "CreateApiKey")
def api_key(call: Call) -> None:
    value = call.params.get("value")
    if value is not None and not 20 <= len(value) <= 128:
        raise bad_request("API Key value should be at least 20 characters")


# --- gateway responses -----------------------------------------------------------------------------------------------


@request_rule("apigateway", "PutGatewayResponse", "GetGatewayResponse", "DeleteGatewayResponse")
def response_type(call: Call) -> None:
    kind = call.params["responseType"]
    assert call.model is not None, "an operation has a model"
    known = call.model.input_shape.members["responseType"].enum
    if kind not in known:
        raise AwsError("ValidationException", f"1 validation error detected: Value '{kind}' at 'responseType' failed "
                       f"to satisfy constraint: Member must satisfy enum value set: [{', '.join(known)}]")  # fmt: skip


@state_rule("apigateway", "DeleteGatewayResponse")
def set_response(call: Call) -> None:
    if call.params["responseType"] not in _api(call).gateway_responses:
        raise _missing("Gateway response type not defined on api")
