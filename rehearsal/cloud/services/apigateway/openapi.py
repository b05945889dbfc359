"""Importing an OpenAPI 3 document into moto's REST API, with what moto leaves out: security, models, validators,
gateway responses and the resource policy.
"""

import json
from typing import Any

import yaml

from rehearsal.cloud.core.api import AwsError, not_implemented

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method")
_PLACES = {"query": "querystring", "header": "header", "path": "path"}
_EXTENSION = "x-amazon-apigateway-"


def bad_request(message: str) -> AwsError:
    return AwsError("BadRequestException", message, 400)


def parse(body: bytes) -> dict[str, Any]:
    """The document, from JSON or YAML. Raises BadRequestException for what is no OpenAPI 3 document."""
    try:
        document = json.loads(body) if body.lstrip()[:1] == b"{" else yaml.safe_load(body)
    except (ValueError, yaml.YAMLError) as problem:
        raise bad_request(f"Invalid OpenAPI input: {problem}") from None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise bad_request("Invalid OpenAPI input: the document has no paths")
    if document.get("swagger"):
        raise not_implemented("apigateway", "import of Swagger 2.0 documents")
    if not str(document.get("openapi", "")).startswith("3."):
        raise bad_request(f"Unsupported OpenAPI version: {document.get('openapi')!r}")
    return document


def apply(backend: Any, api: Any, document: dict[str, Any], *, overwrite: bool) -> None:
    """Writes the document into the API. With `overwrite` nothing of the former definition stays."""
    if overwrite:
        api.default.resource_methods.clear()
        api.resources = {api.default.id: api.default}
        api.models.clear()
        api.request_validators.clear()
        api.gateway_responses.clear()
    _apply_settings(api, document, overwrite)
    for name, schema in (document.get("components", {}).get("schemas") or {}).items():
        api.add_model(name=name, description=schema.get("description"), schema=json.dumps(schema),
                      content_type="application/json")  # fmt: skip
    validators = _validators(api, document)
    for path, item in sorted(document["paths"].items()):
        resource = _resource(backend, api, path)
        for name in _METHODS:
            if name in item:
                method = {**item[name], "parameters": [*item.get("parameters", []), *item[name].get("parameters", [])]}
                _Method(backend, api, resource, name, method, document, validators).write()


def _apply_settings(api: Any, document: dict[str, Any], overwrite: bool) -> None:
    info = document.get("info") or {}
    if overwrite and info.get("title"):
        api.name = info["title"]
    if info.get("description"):
        api.description = info["description"]
    policy = document.get(_EXTENSION + "policy")
    if policy is not None:
        api.policy = json.dumps(policy)
    if _EXTENSION + "binary-media-types" in document:
        api.binaryMediaTypes = document[_EXTENSION + "binary-media-types"]
    if _EXTENSION + "api-key-source" in document:
        api.api_key_source = document[_EXTENSION + "api-key-source"]
    for kind, answer in (document.get(_EXTENSION + "gateway-responses") or {}).items():
        api.put_gateway_response(
            response_type=kind,
            status_code=str(answer["statusCode"]) if answer.get("statusCode") else None,
            response_parameters=answer.get("responseParameters") or {},
            response_templates=answer.get("responseTemplates") or {},
        )


def _validators(api: Any, document: dict[str, Any]) -> dict[str, str]:
    """Creates the request validators; their ids by name."""
    return {
        name: api.create_request_validator(
            name=name,
            validateRequestBody=bool(settings.get("validateRequestBody")),
            validateRequestParameters=bool(settings.get("validateRequestParameters")),
        ).id
        for name, settings in (document.get(_EXTENSION + "request-validators") or {}).items()
    }


def _resource(backend: Any, api: Any, path: str) -> Any:
    """The resource of a path; it and its ancestors are made where missing."""
    resource = api.get_resource_for_path("/")
    walked = ""
    for part in path.strip("/").split("/"):
        if not part:
            continue
        walked += f"/{part}"
        resource = api.get_resource_for_path(walked) or backend.create_resource(api.id, resource.id, part)
    return resource


class _Method:
    """One operation of the document."""

    def __init__(
        self, backend: Any, api: Any, resource: Any, name: str, method: dict[str, Any], document: dict[str, Any],
        validators: dict[str, str],
    ) -> None:  # fmt: skip
        self._backend = backend
        self._api = api
        self._resource = resource
        self._verb = "ANY" if name.startswith("x-") else name.upper()
        self._method = method
        self._document = document
        self._validators = validators

    def write(self) -> None:
        authorization, api_key = self._security()
        self._backend.put_method(
            self._api.id,
            self._resource.id,
            self._verb,
            authorization,
            api_key,
            request_parameters=self._parameters(),
            request_models=self._models(),
            operation_name=self._method.get("operationId"),
            request_validator_id=self._validator(),
        )
        for code in self._method.get("responses") or {}:
            self._backend.put_method_response(self._api.id, self._resource.id, self._verb, str(code), None, None)
        self._integration()

    def _security(self) -> tuple[str, bool]:
        """The authorization type, and whether an API key is required."""
        declared = self._method.get(_EXTENSION + "auth") or self._document.get(_EXTENSION + "auth") or {}
        authorization = declared.get("type") or "NONE"
        if authorization not in ("NONE", "AWS_IAM"):
            raise not_implemented("apigateway", f"authorization of type {authorization}")
        schemes = self._document.get("components", {}).get("securitySchemes") or {}
        api_key = False
        for requirement in self._method.get("security", self._document.get("security")) or []:
            for name in requirement:
                if name not in schemes:
                    raise bad_request(f"Invalid OpenAPI input: security scheme {name!r} is not defined")
                scheme = schemes[name]
                if scheme.get(_EXTENSION + "authtype", "").lower() == "awssigv4":
                    authorization = "AWS_IAM"
                elif scheme.get("type") == "apiKey" and scheme.get("name", "").lower() == "x-api-key":
                    api_key = True
                else:
                    raise not_implemented("apigateway", f"the authorizer of security scheme {name!r}")
        return authorization, api_key

    def _parameters(self) -> dict[str, bool]:
        return {
            f"method.request.{_PLACES[parameter['in']]}.{parameter['name']}": bool(parameter.get("required"))
            for parameter in self._method["parameters"]
            if parameter.get("in") in _PLACES
        }

    def _models(self) -> dict[str, str]:
        content = (self._method.get("requestBody") or {}).get("content") or {}
        return {kind: self._model(kind, entry["schema"]) for kind, entry in content.items() if entry.get("schema")}

    def _model(self, kind: str, schema: dict[str, Any]) -> str:
        """The name of the model; a schema that stands in place becomes a model of its own."""
        reference = schema.get("$ref", "")
        if reference:
            name: str = reference.rpartition("/")[2]
            if name not in self._api.models:
                raise bad_request(f"Invalid OpenAPI input: model {name!r} is not defined")
            return name
        name = f"MODEL{len(self._api.models)}"
        self._api.add_model(name=name, description=None, schema=json.dumps(schema), content_type=kind)
        return name

    def _validator(self) -> str | None:
        key = _EXTENSION + "request-validator"
        name = self._method.get(key) or self._document.get(key)
        if name is None:
            return None
        if name not in self._validators:
            raise bad_request(f"Invalid OpenAPI input: request validator {name!r} is not defined")
        return self._validators[name]

    def _integration(self) -> None:
        given = self._method.get(_EXTENSION + "integration")
        if not given:
            return
        kind = str(given.get("type", "")).upper()
        self._backend.put_integration(
            self._api.id,
            self._resource.id,
            self._verb,
            kind,
            given.get("uri"),
            given.get("httpMethod"),
            credentials=given.get("credentials"),
            request_templates=given.get("requestTemplates"),
            passthrough_behavior=given.get("passthroughBehavior", "when_no_match").upper(),
            timeout_in_millis=given.get("timeoutInMillis"),
            request_parameters=given.get("requestParameters"),
            content_handling=given.get("contentHandling"),
            connection_type=given.get("connectionType"),
        )
