"""The REST API as an OpenAPI 3 document with API Gateway's extensions."""

from typing import Any


def openapi(title: str, invoke_arn: str, api_key: bool) -> dict[str, Any]:
    """`POST /predict`: signed by SigV4 (and an API key where asked), checked, then given to the alias.

    `invoke_arn` is the alias's `arn:…:apigateway:…:path/2015-03-31/functions/<alias arn>/invocations`.
    """
    security: dict[str, list[str]] = {"sigv4": []}
    if api_key:
        security["api_key"] = []
    return {
        "openapi": "3.0.1",
        "info": {"title": title, "version": "1"},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": "all",
        "paths": {
            "/predict": {
                "post": {
                    "operationId": "predict",
                    "security": [security],
                    "requestBody": {
                        "required": True,
                        # CSV has no model here: API Gateway reads whatever has one as JSON. The function checks it.
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
                    },
                    "responses": {"200": {"description": "Predictions, in the order of the instances"}},
                    "x-amazon-apigateway-integration": {
                        "type": "aws_proxy",
                        "httpMethod": "POST",
                        "uri": invoke_arn,
                        "passthroughBehavior": "when_no_match",
                        "timeoutInMillis": 29000,
                    },
                }
            }
        },
        "components": {"schemas": _schemas(), "securitySchemes": _security(api_key)},
    }


def _schemas() -> dict[str, Any]:
    """What a request looks like, whatever the release: which features it has is the alias's version's to say.

    The API belongs to all versions at once. Were features in it, callers of the release that serves would be refused
    from its update on, before any traffic has moved, and for good where the shift fails.
    """
    instances = {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "object"}}
    return {"Request": {"type": "object", "required": ["instances"], "properties": {"instances": instances}}}


def _security(api_key: bool) -> dict[str, Any]:
    schemes: dict[str, Any] = {
        "sigv4": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    }
    if api_key:
        schemes["api_key"] = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    return schemes


ACCESS_LOG = (
    '{"id":"$context.requestId","time":"$context.requestTime","caller":"$context.identity.userArn",'
    '"method":"$context.httpMethod","path":"$context.path","status":"$context.status",'
    '"latency":"$context.responseLatency","error":"$context.error.message"}'
)
