"""Where documents stand: which property of which resource holds which kind of policy."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .documents import Document, parse
from .model import UNKNOWN, Resource, Unknown, items, section

Kind = Literal["identity", "trust", "resource", "key"]

# pulumi-aws, and AWS's native provider where its names differ. A path's `[]` goes through a list.
_PLACES: dict[str, tuple[tuple[str, Kind], ...]] = {
    "aws:iam/role:Role": (("assumeRolePolicy", "trust"), ("inlinePolicies[].policy", "identity")),
    "aws:iam/rolePolicy:RolePolicy": (("policy", "identity"),),
    "aws:iam/policy:Policy": (("policy", "identity"),),
    "aws:iam/userPolicy:UserPolicy": (("policy", "identity"),),
    "aws:iam/groupPolicy:GroupPolicy": (("policy", "identity"),),
    "aws:iot/policy:Policy": (("policy", "identity"),),
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": (("inlinePolicy", "identity"),),
    "aws:kms/key:Key": (("policy", "key"),),
    "aws:kms/keyPolicy:KeyPolicy": (("policy", "key"),),
    "aws:kms/externalKey:ExternalKey": (("policy", "key"),),
    "aws:kms/replicaKey:ReplicaKey": (("policy", "key"),),
    "aws:kms/replicaExternalKey:ReplicaExternalKey": (("policy", "key"),),
    "aws-native:iam:Role": (("assumeRolePolicyDocument", "trust"), ("policies[].policyDocument", "identity")),
    "aws-native:iam:RolePolicy": (("policyDocument", "identity"),),
    "aws-native:iam:UserPolicy": (("policyDocument", "identity"),),
    "aws-native:iam:GroupPolicy": (("policyDocument", "identity"),),
    "aws-native:iam:Policy": (("policyDocument", "identity"),),
    "aws-native:iam:ManagedPolicy": (("policyDocument", "identity"),),
    "aws-native:iam:User": (("policies[].policyDocument", "identity"),),
    "aws-native:iam:Group": (("policies[].policyDocument", "identity"),),
    "aws-native:kms:Key": (("keyPolicy", "key"),),
    "aws-native:kms:ReplicaKey": (("keyPolicy", "key"),),
    "aws-native:sso:PermissionSet": (("inlinePolicy", "identity"),),
    "aws-native:iot:Policy": (("policyDocument", "identity"),),
}
# Policies of these types bound what others grant: they grant nothing themselves.
_BOUNDING = frozenset(
    {
        "aws:organizations/policy:Policy",
        "aws-native:organizations:Policy",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy",
        "aws-native:ec2:VpcEndpoint",
        "aws:transfer/user:User",
        "aws:transfer/access:Access",
        "aws-native:transfer:User",
    }
)
# Every other resource of AWS keeps its resource policy under one of these names.
_USUAL = ("policy", "policyDocument", "resourcePolicy", "accessPolicies", "accessPolicy", "repositoryPolicyText")
# Where the property is a policy and nothing else, what cannot be read is one gone wrong.
_SURE = re.compile(
    r"[:/](bucket|topic|queue|secret|repository|registry|eventBus|restApi|fileSystem|resource|vault|domain|logResource"
    r"|modelPackageGroup|domainPermissions)Policy:",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Placed:
    """A document, the property that holds it, and what it is for."""

    path: str
    kind: Kind
    document: Document | Unknown


def documents_of(resource: Resource) -> tuple[Placed, ...]:
    """The policy documents of a resource, read once."""
    found: tuple[Placed, ...] | None = resource.memo.get("documents")
    if found is None:
        found = resource.memo["documents"] = _documents(resource)
    return found


def _documents(resource: Resource) -> tuple[Placed, ...]:
    if not resource.type.startswith(("aws:", "aws-native:")) or resource.type in _BOUNDING:
        return ()
    places = _PLACES.get(resource.kind)
    if places is None:
        return tuple(_resource_policies(resource))
    return tuple(
        Placed(path, kind, parse(value)) for pattern, kind in places for path, value in _at(resource.props, pattern)
    )


def _resource_policies(resource: Resource) -> Iterator[Placed]:
    for name in _USUAL:
        value = resource.props.get(name)
        if value is UNKNOWN:
            yield Placed(name, "resource", UNKNOWN)
        elif _looks_like_one(value) or (isinstance(value, str) and value and _SURE.search(resource.type)):
            yield Placed(name, "resource", parse(value))
    rest = {name: value for name, value in resource.props.items() if name not in _USUAL}
    for path, found in _within(rest, "", 0):
        document = parse(found)
        yield Placed(path, _kind(document), document)


_DEPTH = 12


def _within(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Documents anywhere in a value, in the JSON that its texts hold too: policies of an OpenAPI body or a template."""
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        inner = _read(value)
        if inner is not None:
            yield from _within(inner, path, depth + 1)
    elif isinstance(value, dict):
        if _has_effect(value):
            yield path, value
            return
        for name, each in value.items():
            yield from _within(each, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _within(each, f"{path}[{number}]", depth + 1)


def _read(value: str) -> Any:
    """What a JSON text holds, else None. A document may be a text within it, with all its quotes escaped."""
    if not value.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _has_effect(value: dict[str, Any]) -> bool:
    statements = {str(key).lower(): each for key, each in value.items()}.get("statement")
    return any("effect" in {str(key).lower() for key in each} for each in items(statements) if isinstance(each, dict))


def _kind(document: Document | Unknown) -> Kind:
    """A document that names nobody is for whoever has it."""
    statements = document.statements if isinstance(document, Document) else ()
    return "resource" if any(each.principals or each.not_principals for each in statements) else "identity"


def _looks_like_one(value: Any) -> bool:
    """Properties of these names also hold other things (a lifecycle policy, a scaling policy)."""
    if isinstance(value, str):
        return '"statement"' in value.lower() or ('"version"' in value.lower() and '"2012-10-17"' in value)
    return isinstance(value, dict) and any(str(key).lower() == "statement" for key in value)


def _at(props: Any, pattern: str) -> Iterator[tuple[str, Any]]:
    outer, _, inner = pattern.partition("[].")
    value = section(props, outer)
    if not inner:
        if value is not None and value != "":
            yield outer, value
        return
    if value is UNKNOWN:
        yield outer, UNKNOWN
    for number, each in enumerate(items(value)):
        found = section(each, inner)
        if found is not None:
            yield f"{outer}[{number}].{inner}", found
