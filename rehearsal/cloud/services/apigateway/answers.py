"""APIs, methods, stages and gateway responses, with the members that AWS answers.

https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html, API_Method.html, API_Stage.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import Call, operation

DEFAULT_RESPONSES: dict[str, str | None] = {
    "ACCESS_DENIED": "403", "API_CONFIGURATION_ERROR": "500", "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500", "BAD_REQUEST_BODY": "400", "BAD_REQUEST_PARAMETERS": "400", "DEFAULT_4XX": None,
    "DEFAULT_5XX": None, "EXPIRED_TOKEN": "403", "INTEGRATION_FAILURE": "504", "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403", "INVALID_SIGNATURE": "403", "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429", "REQUEST_TOO_LARGE": "413", "RESOURCE_NOT_FOUND": "404", "THROTTLED": "429",
    "UNAUTHORIZED": "401", "UNSUPPORTED_MEDIA_TYPE": "415", "WAF_FILTERED": "403",
}  # fmt: skip


def rest_api(shown: dict[str, Any]) -> dict[str, Any]:
    """One API as AWS answers it: what was not given is left out."""
    for name in ("version", "binaryMediaTypes", "tags", "description", "policy", "minimumCompressionSize"):
        if shown.get(name) in (None, "", [], {}) or (name == "version" and shown[name] == "V1"):
            shown.pop(name, None)
    endpoint = shown.setdefault("endpointConfiguration", {"types": ["EDGE"]})
    endpoint.setdefault("ipAddressType", "dualstack" if endpoint.get("types") == ["PRIVATE"] else "ipv4")
    return shown


@operation("apigateway", "GetRestApi")
def get_api(call: Call) -> dict[str, Any]:
    return rest_api(call.forward())


@operation("apigateway", "GetRestApis")
def get_apis(call: Call) -> dict[str, Any]:
    answer = call.forward()
    return answer | {"items": [rest_api(item) for item in answer.get("items") or ()]}


@operation("apigateway", "PutMethod", "GetMethod", "UpdateMethod")
def method(call: Call) -> dict[str, Any]:
    answer = call.forward()
    for name in ("methodResponses", "requestModels", "requestParameters"):
        if not answer.get(name):
            answer.pop(name, None)
    return answer


@operation("apigateway", "GetStage")
def get_stage(call: Call) -> dict[str, Any]:
    return stage(call, call.forward())


@operation("apigateway", "GetStages")
def get_stages(call: Call) -> dict[str, Any]:
    answer = call.forward()
    return answer | {"item": [stage(call, shown) for shown in answer.get("item") or ()]}


def stage(call: Call, shown: dict[str, Any], *, changed: bool = False) -> dict[str, Any]:
    """One stage as AWS answers it. `changed` when this call has made or changed it."""
    api = call.cloud.backend("apigateway", call.account, call.region).apis.get(call.params["restApiId"])
    kept = api.stages.get(shown["stageName"]) if api is not None else None
    if kept is not None:
        now = datetime.now(UTC)
        kept.created = getattr(kept, "created", now)
        kept.updated = now if changed else getattr(kept, "updated", now)
        shown |= {"createdDate": kept.created, "lastUpdatedDate": kept.updated}
    shown.setdefault("cacheClusterStatus", "AVAILABLE" if shown.get("cacheClusterEnabled") else "NOT_AVAILABLE")
    shown.setdefault("tracingEnabled", False)
    for name in ("variables", "accessLogSettings", "tags"):
        if not shown.get(name):
            shown.pop(name, None)
    return shown


# --- gateway responses -----------------------------------------------------------------------------------------------


def _default(kind: str) -> dict[str, Any]:
    status = DEFAULT_RESPONSES[kind]
    shown: dict[str, Any] = {
        "responseType": kind,
        "responseParameters": {},
        "responseTemplates": {"application/json": '{"message":$context.error.messageString}'},
        "defaultResponse": True,
    }
    return shown | ({"statusCode": status} if status else {})


def _own(call: Call) -> dict[str, Any]:
    api = call.cloud.backend("apigateway", call.account, call.region).apis[call.params["restApiId"]]
    found: dict[str, Any] = api.gateway_responses
    return found


@operation("apigateway", "GetGatewayResponse")
def get_response(call: Call) -> dict[str, Any]:
    kind = call.params["responseType"]
    return call.forward() if kind in _own(call) else _default(kind)


@operation("apigateway", "GetGatewayResponses")
def get_responses(call: Call) -> dict[str, Any]:
    own = _own(call)
    place = {"restApiId": call.params["restApiId"]}
    given = {
        kind: call.cloud.store_call(
            "apigateway", "GetGatewayResponse", call.account, call.region, {**place, "responseType": kind}
        )
        for kind in own
    }
    return {"items": [given.get(kind) or _default(kind) for kind in DEFAULT_RESPONSES]}
