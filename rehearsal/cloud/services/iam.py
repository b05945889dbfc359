"""IAM: the policy simulator. Users, roles and policies themselves are moto's."""

from typing import Any

from rehearsal.cloud.authorization import sources
from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.policy_language import simulate as simulator
from rehearsal.cloud.policy_language.evaluate import Kind, Policies, Source
from rehearsal.cloud.policy_language.principals import Requester


@operation("iam", "SimulateCustomPolicy")
def simulate_custom_policy(call: Call) -> dict[str, Any]:
    """Decides on the policies of the request alone."""
    params = call.params
    resource = simulator.given_resource(params)
    caller = params.get("CallerArn")
    if resource is not None and not caller:
        raise AwsError("InvalidInput", "Invalid Input: CallerArn is required together with ResourcePolicy")
    requester = (
        simulator.requester(caller) if caller else Requester(f"arn:aws:iam::{call.account}:user/caller", call.account)
    )
    policies = Policies(
        identity=simulator.inputs(params["PolicyInputList"], "PolicyInputList", Kind.IDENTITY),
        boundary=simulator.given_boundary(params),
        resource=resource,
    )
    found = simulator.Simulation(policies, requester, simulator.given_context(params), simulator.owner(params))
    return simulator.simulate(found, params)


@operation("iam", "SimulatePrincipalPolicy")
def simulate_principal_policy(call: Call) -> dict[str, Any]:
    """Decides on all policies of a user, group or role, and those of the request beside them."""
    params = call.params
    arn = params["PolicySourceArn"]
    item, kind = _entity(call, arn)
    identity = sources.identity(item)
    identity += simulator.inputs(params.get("PolicyInputList") or [], "PolicyInputList", Kind.IDENTITY)
    resource = simulator.given_resource(params)
    caller = params.get("CallerArn") or (arn if kind != "group" else None)
    if caller is None and resource is not None:
        raise AwsError("InvalidInput", "Invalid Input: CallerArn is required together with ResourcePolicy")
    requester = (
        simulator.requester(caller) if caller else Requester(f"arn:aws:iam::{call.account}:user/caller", call.account)
    )
    boundary = simulator.given_boundary(params) or sources.boundary(item)
    policies = Policies(identity=identity, boundary=boundary, resource=resource)
    found = simulator.Simulation(policies, requester, simulator.given_context(params), simulator.owner(params))
    return simulator.simulate(found, params)


@operation("iam", "GetContextKeysForCustomPolicy")
def context_keys_for_custom_policy(call: Call) -> dict[str, Any]:
    """Condition keys that the policies of the request look at."""
    return _keys(simulator.inputs(call.params["PolicyInputList"], "PolicyInputList", Kind.IDENTITY))


@operation("iam", "GetContextKeysForPrincipalPolicy")
def context_keys_for_principal_policy(call: Call) -> dict[str, Any]:
    """Condition keys that the policies of a principal, and those of the request, look at."""
    item, _ = _entity(call, call.params["PolicySourceArn"])
    more = simulator.inputs(call.params.get("PolicyInputList") or [], "PolicyInputList", Kind.IDENTITY)
    return _keys([*sources.identity(item), *more])


def _keys(found: list[Source]) -> dict[str, Any]:
    names = {
        key: name
        for source in found
        for statement in source.policy.statements
        for key, name in statement.keys().items()
    }
    return {"ContextKeyNames": sorted(names.values())}


def _entity(call: Call, arn: str) -> tuple[Any, str]:
    """moto's user, group or role, and which of them it is. Raises AwsError (NoSuchEntity, InvalidInput)."""
    parts = arn.split(":", 5)
    kind, _, path = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
    if kind not in ("user", "group", "role"):
        raise AwsError("InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    if parts[4] != call.account:
        raise AwsError("AccessDenied", f"{arn} belongs to another account", 403)
    backend = call.cloud.backend("iam", call.account, call.region)
    name = path.rpartition("/")[2]
    known = {"user": backend.users, "group": backend.groups}.get(kind)
    item = sources.role(call.account, arn) if known is None else known.get(name)
    if item is None or item.arn != arn:
        raise AwsError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
    return item, kind


@operation("iam", "AddClientIDToOpenIDConnectProvider")
def add_client_id(call: Call) -> dict[str, Any]:
    """One more audience of an identity provider; one that is listed already is no error."""
    provider = _identity_provider(call)
    if call.params["ClientID"] not in provider.client_id_list:
        provider.client_id_list = [*provider.client_id_list, call.params["ClientID"]]
    return {}


@operation("iam", "RemoveClientIDFromOpenIDConnectProvider")
def remove_client_id(call: Call) -> dict[str, Any]:
    """One audience less; one that is not listed is no error."""
    provider = _identity_provider(call)
    provider.client_id_list = [client for client in provider.client_id_list if client != call.params["ClientID"]]
    return {}


def _identity_provider(call: Call) -> Any:
    arn = call.params["OpenIDConnectProviderArn"]
    found = call.cloud.backend("iam", call.account, call.region).open_id_providers.get(arn)
    if found is None:
        raise AwsError("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    return found
