"""The decision on a call of the gateway."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehearsal.cloud.iam import context, kms, refusal, sources
from rehearsal.cloud.iam.evaluate import Decision, Kind, Request, evaluate
from rehearsal.cloud.iam.need import Need
from rehearsal.cloud.iam.needs import needs_of
from rehearsal.cloud.iam.principals import Asker

if TYPE_CHECKING:
    from rehearsal.cloud.call import Call

_RESOURCE_DECIDES = frozenset({"kms", "sts"})


@dataclass(frozen=True)
class Verdict:
    """What was needed, and the decision on it."""

    need: Need
    decision: Decision


def judge(call: "Call") -> list[Verdict]:
    """Decide on everything a call needs, up to the first refusal."""
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
            resource_account=need.account,
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
    """Record what the call needs, and raise AwsError (AccessDenied) when policies do not allow all of it."""
    ledger = call.cloud.ledger
    who = call.principal.ledger_key
    for verdict in judge(call):
        if not verdict.decision.allowed:
            sentence = refusal.sentence(call.principal, verdict.need, verdict.decision)
            ledger.refuse(who, verdict.need.action, sentence)
            raise refusal.refusal(call.service, call.principal, verdict.need, verdict.decision)
        ledger.record(who, verdict.need.action, grants=_grants(verdict.decision))


def _grants(decision: Decision) -> list[str]:
    """The statements of identity policies that allowed."""
    return [
        f"{match.source.name}/{match.statement.sid or match.statement.index}"
        for match in decision.matches
        if match.source.kind is Kind.IDENTITY
    ]
