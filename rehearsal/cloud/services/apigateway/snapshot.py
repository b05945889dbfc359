"""What a deployment froze: everything that answering a request needs, independent of later edits."""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rehearsal.cloud.core.api import not_implemented

_LAMBDA_URI = re.compile(
    r"arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(?P<arn>arn:aws[\w-]*:lambda:[^/]+)/invocations"
)
_DEFAULT_TIMEOUT = 29_000


@dataclass(frozen=True)
class Method:
    """One method of one resource, as deployed. `timeout` is in seconds."""

    path: str
    verb: str
    resource_id: str
    authorization: str
    api_key_required: bool
    function_arn: str
    credentials: str | None
    timeout: float
    required_parameters: tuple[str, ...] = ()
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    """JSON schemas by content type; empty where the body is not validated."""
    operation_name: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "validators"}

    @cached_property
    def validators(self) -> dict[str, Callable[[Any], bool]]:
        """By content type: does a parsed body satisfy the model?"""
        from jsonschema import Draft4Validator

        return {kind: Draft4Validator(schema).is_valid for kind, schema in self.models.items()}


@dataclass(frozen=True)
class Snapshot:
    """One deployment of one API."""

    api_id: str
    api_name: str
    methods: tuple[Method, ...]
    policy: dict[str, Any] | None
    binary_types: tuple[str, ...]
    gateway_responses: dict[str, dict[str, Any]]
    disabled: bool
    api_key_source: str

    def match(self, verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
        """The method that answers, with its path parameters. Literal parts win over parameters, those over `{x+}`."""
        parts = path.strip("/").split("/") if path.strip("/") else []
        found: list[tuple[tuple[int, ...], Method, dict[str, str]]] = []
        for method in self.methods:
            if method.verb not in (verb, "ANY"):
                continue
            match = _match_path(method.path, parts)
            if match is not None:
                found.append(((*match[0], int(method.verb == "ANY")), method, match[1]))
        if not found:
            return None
        _, method, parameters = min(found, key=lambda item: item[0])
        return method, parameters


def _match_path(template: str, parts: list[str]) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """How special each part of the match is (lower is more special), and the parameters."""
    pattern = template.strip("/").split("/") if template.strip("/") else []
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for index, part in enumerate(pattern):
        if part.startswith("{") and part.endswith("+}"):
            if len(parts) <= index:
                return None
            parameters[part[1:-2]] = "/".join(parts[index:])
            return (*rank, 2), parameters
        if index >= len(parts):
            return None
        if part.startswith("{"):
            parameters[part[1:-1]] = parts[index]
            rank.append(1)
        elif part == parts[index]:
            rank.append(0)
        else:
            return None
    return (tuple(rank), parameters) if len(pattern) == len(parts) else None


def take(api: Any) -> Snapshot:
    """Freezes moto's REST API. Raises NotImplemented for what this gateway could not execute."""
    schemas = {name: json.loads(model.schema) for name, model in api.models.items() if model.schema}
    methods = tuple(
        _method(api, resource, verb, method, schemas)
        for resource in api.resources.values()
        for verb, method in resource.resource_methods.items()
    )
    policy = api.policy
    while isinstance(policy, str):
        policy = json.loads(policy) if policy else None
    return Snapshot(
        api_id=api.id,
        api_name=api.name,
        methods=methods,
        policy=policy,
        binary_types=tuple(api.binaryMediaTypes or ()),
        gateway_responses={kind: answer.to_json() for kind, answer in api.gateway_responses.items()},
        disabled=bool(api.disableExecuteApiEndpoint),
        api_key_source=api.api_key_source or "HEADER",
    )


def _method(api: Any, resource: Any, verb: str, method: Any, schemas: dict[str, Any]) -> Method:
    path = resource.get_path()
    integration = method.method_integration
    if integration is None:
        raise not_implemented("apigateway", f"CreateDeployment with {verb} {path}, which has no integration")
    match = _LAMBDA_URI.fullmatch(integration.uri or "")
    if integration.integration_type != "AWS_PROXY" or match is None:
        what = f"CreateDeployment with the {integration.integration_type} integration of {verb} {path}"
        raise not_implemented("apigateway", what)
    authorization = method.authorization_type or "NONE"
    if authorization not in ("NONE", "AWS_IAM"):
        raise not_implemented("apigateway", f"CreateDeployment with authorization {authorization} of {verb} {path}")
    validator = api.request_validators.get(method.request_validator_id)
    required = (name for name, needed in (method.request_parameters or {}).items() if needed in (True, "true"))
    models = method.request_models or {}
    return Method(
        path=path,
        verb=verb,
        resource_id=resource.id,
        authorization=authorization,
        api_key_required=method.api_key_required in (True, "true"),
        function_arn=match["arn"],
        credentials=integration.credentials,
        timeout=float(integration.timeout_in_millis or _DEFAULT_TIMEOUT) / 1000,
        required_parameters=tuple(required) if validator and validator.validate_request_parameters else (),
        models={kind: _schema(name, schemas) for kind, name in models.items() if name in schemas}
        if validator and validator.validate_request_body
        else {},
        operation_name=method.operation_name,
    )


def _schema(name: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """A model's schema that stands on its own: the models it refers to become its definitions."""
    definitions = {other: _rewritten(schema) for other, schema in schemas.items()}
    return {**copy.deepcopy(definitions[name]), "definitions": definitions}


def _rewritten(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_rewritten(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    rewritten = {key: _rewritten(value) for key, value in schema.items()}
    reference = rewritten.get("$ref")
    if isinstance(reference, str) and ("/models/" in reference or reference.startswith("#/components/schemas/")):
        rewritten["$ref"] = f"#/definitions/{reference.rpartition('/')[2]}"
    return rewritten
