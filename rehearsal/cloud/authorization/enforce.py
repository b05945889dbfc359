"""The decision on a call of the gateway."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rehearsal.cloud.authorization import context, kms, refusal, sources
from rehearsal.cloud.authorization.actions import action_of
from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.authorization.needs import needs_of
from rehearsal.cloud.policy_language.evaluate import Decision, Kind, Request, evaluate
from rehearsal.cloud.policy_language.principals import Asker

if TYPE_CHECKING:
    from rehearsal.cloud.core.call import Call
    from rehearsal.cloud.core.cloud import Cloud

_RESOURCE_DECIDES = frozenset({"kms", "sts"})


@dataclass(frozen=True)
class Verdict:
    """What was needed, and the decision on it."""

    need: Need
    decision: Decision


def judge(call: "Call", *, own_account: bool = False) -> list[Verdict]:
    """Decide on everything a call needs, up to the first refusal.

    `own_account` takes every resource for the caller's own, for services that combine policies by themselves.
    """
    needs = needs_of(call)
    if not needs:
        return []
    asker = asker_of(call)
    item = None if call.principal.kind == "administrator" else sources.holder(call.principal)
    shared = context.of_call(call, item)
    found: list[Verdict] = []
    for need in needs:
        keys = context.of_need(call, need, shared)
        request = Request(
            asker=asker,
            action=need.action,
            resource=need.resource,
            context=keys,
            resource_account=call.account if own_account else need.account,
            resource_policy_decides=need.service in _RESOURCE_DECIDES and need.resource != "*",
        )
        policies = sources.policies(call.cloud, call.principal, item, need, kms.granted(need, asker, keys))
        found.append(Verdict(need, evaluate(request, policies)))
        if not found[-1].decision.allowed:
            break
    return found


def asker_of(call: "Call") -> Asker:
    """The principal of a call, as policies name it."""
    principal = call.principal
    return Asker(principal.arn, principal.account, principal.role_arn, principal.kind == "service")


def enforce(call: "Call") -> None:
    """Record what the call needs, and raise AwsError (AccessDenied) when policies do not allow all of it.

    A key that may be used but is switched off is told last, in the words of the service that needs it.
    """
    ledger = call.cloud.ledger
    who = call.principal.ledger_key
    verdicts = judge(call)
    if not verdicts:
        ledger.record(who, action_of(call.service, call.operation))
    for verdict in verdicts:
        if not verdict.decision.allowed:
            sentence = refusal.sentence(call.principal, verdict.need, verdict.decision)
            ledger.refuse(who, verdict.need.action, sentence)
            raise refusal.refusal(call.service, call.principal, verdict.need, verdict.decision)
        ledger.record(who, verdict.need.action, grants=grants(verdict.decision))
        if unusable := kms.disabled(verdict.need, call.service):
            raise unusable


def grants(decision: Decision) -> list[str]:
    """The statements of identity policies that allowed."""
    return [
        f"{match.source.name}/{match.statement.sid or match.statement.index}"
        for match in decision.matches
        if match.source.kind is Kind.IDENTITY
    ]


def service_may(
    cloud: "Cloud", role_arn: str, service: str, operation: str, params: dict[str, Any], region: str
) -> bool:
    """May a role do what a service does with it inside the gateway, e.g. Lambda that writes a function's log?

    Recorded in the ledger like a call over the wire.
    """
    from rehearsal.cloud.core.call import Call
    from rehearsal.cloud.wire.types import AwsError, Principal

    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    session = f"arn:aws:sts::{account}:assumed-role/{name}/{service}"
    principal = Principal(session, account, "role", f"AROA:{service}", role_arn, service)
    try:
        enforce(Call(cloud, account, region, service, operation, params, principal, ""))
    except AwsError:
        return False
    return True
