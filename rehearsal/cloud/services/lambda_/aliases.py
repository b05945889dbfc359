"""Operations on aliases, and the weighted choice of a version."""

import random
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.services.lambda_.functions import page, target_of
from rehearsal.cloud.services.lambda_.state import (
    LATEST,
    Function,
    check_revision,
    conflict,
    invalid,
    lock,
    new_revision,
    not_found,
)


def _check(function: Function, version: str, routing: dict[str, Any] | None) -> None:
    """Refuses versions and weights that AWS refuses."""
    if version != LATEST and version not in function.versions:
        raise not_found(function.qualified(version))
    weights = (routing or {}).get("AdditionalVersionWeights") or {}
    if not weights:
        return
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    ((other, weight),) = weights.items()
    if LATEST in (version, other):
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if other == version:
        raise invalid(
            f"Invalid function version {other}. Function version {other} is already included in routing configuration."
        )
    if other not in function.versions:
        raise not_found(function.qualified(other))
    if not 0 <= float(weight) <= 1:
        raise invalid(f"Value {weight} of version {other} in AdditionalVersionWeights must lie between 0 and 1")
    if function.versions[other].config["Role"] != function.versions[version].config["Role"]:
        raise invalid("Both versions of an alias must have the same execution role.")


def choose_version(function: Function, qualifier: str) -> str:
    """The version that one invocation of a qualifier runs: for an alias, random by its weights."""
    alias = function.aliases.get(qualifier)
    if alias is None:
        return qualifier or LATEST
    dice = random.random()  # noqa: S311  # a share of the traffic, not a secret
    for version, weight in ((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}).items():
        if dice < weight:
            return str(version)
        dice -= weight
    return str(alias["FunctionVersion"])


def _shown(alias: dict[str, Any]) -> dict[str, Any]:
    shown = dict(alias)
    if not (shown.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
        shown.pop("RoutingConfig", None)
    return shown


def alias_of(function: Function, name: str) -> dict[str, Any]:
    """Raises ResourceNotFoundException where there is no such alias."""
    alias = function.aliases.get(name)
    if alias is None:
        raise AwsError(
            "ResourceNotFoundException", f"Cannot find alias arn: {function.qualified(name)}", 404, Type="User"
        )
    return alias


@operation("lambda", "CreateAlias")
def create_alias(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    params = call.params
    name = params["Name"]
    with lock():
        if name in function.aliases:
            raise conflict(f"Alias already exists: {function.qualified(name)}")
        _check(function, params["FunctionVersion"], params.get("RoutingConfig"))
        function.aliases[name] = {
            "AliasArn": function.qualified(name),
            "Name": name,
            "FunctionVersion": params["FunctionVersion"],
            "Description": params.get("Description") or "",
            "RoutingConfig": params.get("RoutingConfig"),
            "RevisionId": new_revision(),
        }
        return _shown(function.aliases[name])


@operation("lambda", "UpdateAlias")
def update_alias(call: Call) -> dict[str, Any]:
    """Members that are left out stay as they are; an empty routing configuration ends a shift."""
    function, _ = target_of(call, allow_qualifier=False)
    params = call.params
    with lock():
        alias = alias_of(function, params["Name"])
        check_revision(params.get("RevisionId"), alias["RevisionId"], "GetFunction/GetAlias")
        given = {
            key: params[key]
            for key in ("FunctionVersion", "Description", "RoutingConfig")
            if params.get(key) is not None
        }
        changed = alias | given | {"RevisionId": new_revision()}
        _check(function, changed["FunctionVersion"], changed["RoutingConfig"])
        function.aliases[params["Name"]] = changed
        return _shown(changed)


@operation("lambda", "GetAlias")
def get_alias(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    return _shown(alias_of(function, call.params["Name"]))


@operation("lambda", "DeleteAlias")
def delete_alias(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    with lock():
        function.aliases.pop(call.params["Name"], None)
        function.policies.pop(call.params["Name"], None)
    return {}


@operation("lambda", "ListAliases")
def list_aliases(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    version = call.params.get("FunctionVersion")
    aliases = [alias for _, alias in sorted(function.aliases.items())]
    return page(call, "Aliases", [_shown(a) for a in aliases if version in (None, a["FunctionVersion"])])
