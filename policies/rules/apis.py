"""APIs and functions: whoever calls is known, in whichever way the API is written down."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .model import UNKNOWN, Context, Finding, Resource, Rule, known, section, text
from .references import NIST, WELL_ARCHITECTED

_URLS = ("aws:lambda/functionUrl:FunctionUrl", "aws-native:lambda:Url")
_METHODS_OF = ("aws:apigateway/method:Method", "aws-native:apigateway:Method")
_ROUTES = ("aws:apigatewayv2/route:Route", "aws-native:apigatewayv2:Route")
_APIS = ("aws:apigatewayv2/api:Api", "aws-native:apigatewayv2:Api")
_REST = ("aws:apigateway/restApi:RestApi", "aws-native:apigateway:RestApi")
_METHODS = ("get", "put", "post", "delete", "patch", "head", "trace", "x-amazon-apigateway-any-method")


def public_function(resource: Resource, context: Context) -> Iterator[Finding]:
    """Functions and APIs know who calls."""
    props = resource.props
    if resource.type in _URLS:
        name = "authorizationType" if resource.type == _URLS[0] else "authType"
        if props.get(name) == "NONE":
            yield Finding(f"answers everybody: {name} is NONE", name)
    if resource.type in _METHODS_OF:
        yield from _method(props)
    if resource.type in _ROUTES:
        yield from _route(props)
    if resource.type in _APIS and props.get("target") and not props.get("body"):
        yield Finding("answers everybody: target makes a $default route without authorization", "target")
    if resource.type in (*_REST, *_APIS) and not props.get("policy"):
        yield from (Finding(f"answers everybody: {each} has no security", "body") for each in _unsecured(props))


def _method(props: Mapping[str, Any]) -> Iterator[Finding]:
    name = "authorization" if "authorization" in props else "authorizationType"
    open_ = props.get(name) == "NONE" and not props.get("apiKeyRequired")
    if open_ and props.get("httpMethod") != "OPTIONS":
        yield Finding(f"answers everybody: {name} is NONE", name)


def _route(props: Mapping[str, Any]) -> Iterator[Finding]:
    if props.get("authorizationType", "NONE") != "NONE" or props.get("apiKeyRequired"):
        return
    key = text(props.get("routeKey"))
    # Of a WebSocket API only $connect can be authorized: its other routes, without a method, follow it.
    if key in ("", "$default", "$connect") or (" " in key and not key.startswith("OPTIONS")):
        yield Finding("answers everybody: authorizationType is NONE", "authorizationType")


def _unsecured(props: Mapping[str, Any]) -> Iterator[str]:
    """Operations of an OpenAPI document that nobody needs to sign."""
    document = _read(props.get("body"))
    paths = section(document, "paths")
    if not isinstance(paths, dict) or section(document, "x-amazon-apigateway-policy"):
        return
    schemes = _schemes(document)
    for path, operations in paths.items():
        for method, operation in operations.items() if isinstance(operations, dict) else ():
            if str(method).lower() in _METHODS and not _secured(operation, document, schemes):
                yield f"{str(method).upper()} {path}"


def _read(body: Any) -> Any:
    """An OpenAPI document from JSON, from YAML, or as it is."""
    if not isinstance(body, str):
        return body if known(body) else None
    try:
        return json.loads(body) if body.lstrip().startswith("{") else yaml.safe_load(body)
    except (ValueError, RecursionError, yaml.YAMLError):
        return None  # a slip that API Gateway will name


def _schemes(document: Any) -> Any:
    return section(section(document, "components"), "securitySchemes") or section(document, "securityDefinitions") or {}


def _secured(operation: Any, document: Any, schemes: Any) -> bool:
    """By its own requirement where it has one (`[]` takes the document's away), else by the document's."""
    if not isinstance(operation, dict):
        return False
    own = operation.get("x-amazon-apigateway-auth", section(document, "x-amazon-apigateway-auth"))
    kind = text(section(own, "type")).upper()
    if kind:
        return kind != "NONE"
    needed = operation.get("security", section(document, "security"))
    if needed is UNKNOWN:
        return True
    # An empty requirement among others makes the others optional.
    return isinstance(needed, list) and bool(needed) and all(_asks(each, schemes) for each in needed)


def _asks(requirement: Any, schemes: Any) -> bool:
    """Whether a requirement names a scheme, and the document has it (or leaves schemes to another place)."""
    return (
        isinstance(requirement, dict)
        and bool(requirement)
        and (not schemes or all(name in schemes for name in requirement))
    )


_GRAPHS = ("aws:appsync/graphQLApi:GraphQLApi", "aws-native:appsync:GraphQLApi")


def keyed(resource: Resource, context: Context) -> Iterator[Finding]:
    """APIs that a key opens which stands in every client."""
    if resource.type in _GRAPHS and resource.props.get("authenticationType") == "API_KEY":
        yield Finding("is opened by a key that stands in every client", "authenticationType")
    if (
        resource.type in _METHODS_OF
        and resource.props.get("apiKeyRequired")
        and resource.props.get("authorization") == "NONE"
    ):
        yield Finding("is opened by a key that stands in every client", "apiKeyRequired")


RULES = (
    Rule(
        "public-api",
        "exposure",
        "mandatory",
        "high",
        "APIs know who calls",
        "anybody can ask the model, copy it by its answers, and run up the bill",
        "use AWS_IAM (SigV4), an authorizer, or at least an API key with a usage plan",
        (NIST["AC-3"], WELL_ARCHITECTED["SEC03-BP02"]),
        public_function,
    ),
    Rule(
        "keyed-api",
        "exposure",
        "advisory",
        "low",
        "APIs know who calls, not which client",
        "an API key is for quotas: whoever has the client has it, and AWS does not take it for authentication",
        "use AWS_IAM (SigV4) or an authorizer beside it",
        (NIST["AC-3"],),
        keyed,
    ),
)
