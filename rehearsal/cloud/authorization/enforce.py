"""The decision on a call of the gateway."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.cloud.authorization import context, kms, refusal, sources
from rehearsal.cloud.authorization.actions import action_of
from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.authorization.needs import needs_of
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Place
from rehearsal.cloud.policy_language.evaluate import Decision, Kind, Request, evaluate
from rehearsal.cloud.policy_language.principals import Requester
from rehearsal.cloud.wire.types import AwsError, Principal

_RESOURCE_DECIDES = frozenset({"kms", "sts"})


@dataclass(frozen=True)
class Verdict:
    """What was needed, and the decision on it."""

    need: Need
    decision: Decision


def judge(call: Call, needs: Sequence[Need] | None = None, *, own_account: bool = False) -> list[Verdict]:
    """Decide on everything a call needs, up to the first refusal.

    `needs` are what it needs, where that is not what the call's own rules say. `own_account` takes every resource for
    the caller's own, for services that combine policies by themselves.
    """
    needs = needs_of(call) if needs is None else needs
    if not needs:
        return []
    requester = requester_of(call)
    item = None if call.principal.kind == "administrator" else sources.holder(call.principal)
    shared = context.of_call(call, item)
    found: list[Verdict] = []
    for need in needs:
        keys = context.of_need(call, need, shared)
        request = Request(
            requester=requester,
            action=need.action,
            resource=need.resource,
            context=keys,
            resource_account=call.account if own_account else need.account,
            resource_policy_decides=need.service in _RESOURCE_DECIDES and need.resource != "*",
        )
        policies = sources.policies(call.cloud, call.principal, item, need, kms.granted(need, requester, keys))
        found.append(Verdict(need, evaluate(request, policies)))
        if not found[-1].decision.allowed:
            break
    return found


def requester_of(call: Call) -> Requester:
    """The principal of a call, as policies name it."""
    principal = call.principal
    return Requester(principal.arn, principal.account, principal.role_arn, principal.kind == "service")


def enforce(call: Call, needs: Sequence[Need] | None = None) -> None:
    """Record what the call needs, and raise AwsError (AccessDenied) when policies do not allow all of it.

    `needs` as in `judge`.
    A key that may be used but is switched off is reported last, in the words of the service that needs it.
    """
    ledger = call.cloud.ledger
    who = call.principal.ledger_key
    verdicts = judge(call, needs)
    if not verdicts:
        ledger.record(who, call.action)
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


def may(cloud: Cloud, principal: Principal, place: Place, service: str, name: str, params: dict[str, Any]) -> bool:
    """Has a principal a permission that belongs to no operation, e.g. `codeconnections:UseConnection`?

    Recorded in the ledger like a call.
    """
    try:
        enforce(
            Call(cloud, place.account, place.region, service, name, params, principal, "", action_of(service, name))
        )
    except AwsError:
        return False
    return True
