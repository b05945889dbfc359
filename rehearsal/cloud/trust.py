"""Whom a trust or resource policy lets in."""

import fnmatch
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from rehearsal.cloud.types import Principal


def allows(
    document: str | Mapping[str, Any],
    principal: Principal,
    context: Mapping[str, str],
    action: str = "sts:AssumeRole",
) -> bool:
    """Does a policy let `principal` do `action`? `context` holds condition keys, e.g. aws:SourceArn.

    The resource that the policy hangs on is the one asked for, so `Resource` is not looked at.
    """
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    keys = {name.lower(): value for name, value in context.items()}
    matching = [item for item in _list(policy.get("Statement")) if _applies(item, principal, keys, action.lower())]
    if any(statement.get("Effect") == "Deny" for statement in matching):
        return False
    return any(statement.get("Effect") == "Allow" for statement in matching)


def _applies(statement: Mapping[str, Any], principal: Principal, context: Mapping[str, str], action: str) -> bool:
    if not any(fnmatch.fnmatchcase(action, str(name).lower()) for name in _list(statement.get("Action"))):
        return False
    if not _names(statement.get("Principal"), principal):
        return False
    return all(
        _condition(operator, key, _list(values), context)
        for operator, block in (statement.get("Condition") or {}).items()
        for key, values in block.items()
    )


def _names(element: Any, principal: Principal) -> bool:
    if element == "*":
        return True
    if not isinstance(element, Mapping):
        return False
    if principal.kind == "service":
        return principal.arn in _list(element.get("Service")) or "*" in _list(element.get("AWS"))
    account = principal.account
    accepted = {"*", account, f"arn:aws:iam::{account}:root", principal.arn, principal.role_arn}
    return any(name in accepted for name in _list(element.get("AWS")))


def _condition(operator: str, key: str, values: list[Any], context: Mapping[str, str]) -> bool:
    actual = context.get(key.lower())
    if operator == "Null":
        return all((str(value).lower() == "true") == (actual is None) for value in values)
    if_exists = operator.endswith("IfExists")
    name = operator.removesuffix("IfExists")
    if actual is None:
        return if_exists or "Not" in name
    matches = any(_matches(name, actual, str(value)) for value in values)
    return not matches if "Not" in name else matches


def _matches(operator: str, actual: str, wanted: str) -> bool:
    match operator.replace("Not", ""):
        case "StringEquals":
            return actual == wanted
        case "StringEqualsIgnoreCase":
            return actual.lower() == wanted.lower()
        case "StringLike" | "ArnLike" | "ArnEquals":
            return fnmatch.fnmatchcase(actual, wanted.replace("[", "[[]"))
        case "Bool":
            return actual.lower() == wanted.lower()
        case _:
            raise NotImplementedError(f"condition operator {operator} in a trust policy")


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
