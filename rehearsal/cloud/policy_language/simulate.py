"""IAM's policy simulator, on the evaluator that decides on every call."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from rehearsal.cloud.policy_language.conditions import PolicyError
from rehearsal.cloud.policy_language.evaluate import Decision, Kind, Match, Policies, Request, Source, evaluate
from rehearsal.cloud.policy_language.policy import Policy, parse_policy
from rehearsal.cloud.policy_language.positions import line_and_column, statement_spans
from rehearsal.cloud.policy_language.principals import Requester
from rehearsal.cloud.policy_language.template import Context
from rehearsal.cloud.wire.types import AwsError

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_ARN = re.compile(r"arn:(aws[\w-]*):(iam|sts)::(\d{12}):(user|role|group|assumed-role)/(.+)")
_RESOURCE_DECIDES = ("kms:", "sts:")


@dataclass(frozen=True)
class Simulation:
    """What is simulated, apart from the action and the resource."""

    policies: Policies
    requester: Requester
    context: Context
    owner: str = ""
    """Account of the resources; empty where their ARN says it."""


def simulate(simulation: Simulation, params: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of SimulateCustomPolicy and SimulatePrincipalPolicy. Raises AwsError (InvalidInput)."""
    actions = params["ActionNames"]
    for action in actions:
        if not _ACTION.fullmatch(action):
            raise AwsError("InvalidInput", f"Invalid Input Action: {action} must be <service>:<action>, no wildcard")
    resources = params.get("ResourceArns") or []
    pairs = [(action, resource) for action in actions for resource in resources or ["*"]]
    start, stop = _page(params, len(pairs))
    results = [_result(simulation, action, resource, bool(resources)) for action, resource in pairs[start:stop]]
    answer: dict[str, Any] = {"EvaluationResults": results, "IsTruncated": stop < len(pairs)}
    return answer | ({"Marker": str(stop)} if stop < len(pairs) else {})


def _page(params: Mapping[str, Any], count: int) -> tuple[int, int]:
    marker = params.get("Marker") or "0"
    if not marker.isdigit() or int(marker) > count:
        raise AwsError("InvalidInput", f"Invalid Marker: {marker}")
    start = int(marker)
    return start, min(count, start + int(params.get("MaxItems") or 100))


def _result(simulation: Simulation, action: str, resource: str, named: bool) -> dict[str, Any]:
    owner = simulation.owner or _account_in(resource)
    decides = action.lower().startswith(_RESOURCE_DECIDES) and simulation.policies.resource is not None
    request = Request(simulation.requester, action, resource, simulation.context, owner, decides)
    decision = evaluate(request, simulation.policies)
    missing = _missing(simulation, action)
    common: dict[str, Any] = {
        "MatchedStatements": [_statement(match) for match in decision.matches],
        "MissingContextValues": missing,
    }
    if decision.by_boundary is not None:
        common["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": decision.by_boundary}
    if owner and owner != simulation.requester.account:
        common["EvalDecisionDetails"] = _details(decision)
    result = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": str(decision.effect),
        # No organization stands above the rehearsal's accounts.
        "OrganizationsDecisionDetail": {"AllowedByOrganizations": True},
        "EvalDecisionDetails": {},
        **common,
        "ResourceSpecificResults": [],
    }
    if named:
        specific = {"EvalResourceName": resource, "EvalResourceDecision": str(decision.effect), **common}
        result["ResourceSpecificResults"] = [specific]
    return result


def _account_in(resource: str) -> str:
    parts = resource.split(":")
    return parts[4] if len(parts) > 4 else ""


def _details(decision: Decision) -> dict[str, str]:
    names = {Kind.IDENTITY: "IAM Policy", Kind.RESOURCE: "Resource Policy", Kind.BOUNDARY: "Permissions Boundary"}
    return {names[kind]: str(effect) for kind, effect in decision.by_kind.items() if kind in names}


def _missing(simulation: Simulation, action: str) -> list[str]:
    """Condition keys that the policies' statements on this action look at, and nobody gave."""
    given = simulation.policies
    sources = [
        *given.identity,
        *([given.boundary] if given.boundary else []),
        *([given.resource] if given.resource else []),
    ]
    names: dict[str, str] = {}
    for source in sources:
        for statement in source.policy.about(action.lower()):
            names |= statement.keys()
    return sorted(name for key, name in names.items() if key not in simulation.context)


def _statement(match: Match) -> dict[str, Any]:
    text = match.source.policy.text
    text = text if text.lstrip().startswith("{") else unquote(text)
    start, end = statement_spans(text)[match.statement.index]
    # AWS begins to count behind the brace that opens the statement, and has one type for all policies of IAM.
    return {
        "SourcePolicyId": match.source.name,
        "SourcePolicyType": "IAM Policy" if match.source.kind is not Kind.RESOURCE else match.source.origin,
        "StartPosition": line_and_column(text, start + 1),
        "EndPosition": line_and_column(text, end),
    }


# --- input -----------------------------------------------------------------------------------------------------------


def read_policy(text: str, where: str) -> Policy:
    """A document of the request. Raises AwsError (InvalidInput), naming where it stands."""
    try:
        return parse_policy(text)
    except PolicyError as error:
        raise AwsError("InvalidInput", f"Invalid Input {where}: {error}") from None


def inputs(texts: Sequence[str], member: str, kind: Kind) -> list[Source]:
    """The documents of a member of the request, as AWS calls them: `PolicyInputList.1`."""
    return [
        Source(f"{member}.{number}", kind, read_policy(text, f"{member}.{number}"))
        for number, text in enumerate(texts, 1)
    ]


def given_boundary(params: Mapping[str, Any]) -> Source | None:
    """The boundary of the request; None where it has none."""
    texts = params.get("PermissionsBoundaryPolicyInputList") or []
    if len(texts) > 1:
        raise AwsError("InvalidInput", "Invalid Input PermissionsBoundaryPolicyInputList: only one policy is allowed")
    found = inputs(texts, "PermissionsBoundaryPolicyInputList", Kind.BOUNDARY)
    return found[0] if found else None


def given_resource(params: Mapping[str, Any]) -> Source | None:
    """The resource policy of the request."""
    text = params.get("ResourcePolicy")
    if not text:
        return None
    return Source("ResourcePolicy", Kind.RESOURCE, read_policy(text, "ResourcePolicy"), "resource")


def given_context(params: Mapping[str, Any]) -> Context:
    """The condition keys of the request."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in params.get("ContextEntries") or ():
        values = entry.get("ContextKeyValues") or []
        if not entry.get("ContextKeyType", "string").endswith("List") and len(values) > 1:
            name, kind = entry["ContextKeyName"], entry["ContextKeyType"]
            raise AwsError("InvalidInput", f"Invalid Input ContextEntries: {name} has several values, and type {kind}")
        found[entry["ContextKeyName"].lower()] = tuple(values)
    return found


def requester(arn: str) -> Requester:
    """The principal with an ARN: a user, or a role (as one of its sessions). Raises AwsError (InvalidInput)."""
    match = _ARN.fullmatch(arn)
    if not match:
        raise AwsError("InvalidInput", f"Invalid Input: {arn} is no ARN of a user or role")
    partition, _, account, kind, name = match.groups()
    if kind == "role":
        session = f"arn:{partition}:sts::{account}:assumed-role/{name.rpartition('/')[2]}/simulation"
        return Requester(session, account, arn)
    if kind == "assumed-role":
        return Requester(arn, account, f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}")
    return Requester(arn, account)


def owner(params: Mapping[str, Any]) -> str:
    """The account of `ResourceOwner`: an id, or an ARN."""
    text = str(params.get("ResourceOwner") or "")
    return text.split(":")[4] if text.startswith("arn:") else text
