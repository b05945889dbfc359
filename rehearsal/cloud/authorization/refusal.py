"""AccessDenied, in AWS's words and in the code of the service's protocol."""

from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.policy_language.evaluate import Decision, Effect, Kind
from rehearsal.cloud.wire.protocol import service_model
from rehearsal.cloud.wire.types import AwsError, Principal

_OLD_PROTOCOLS = frozenset({"query", "ec2", "rest-xml"})
_OWN_WORDS = frozenset({"sns:Publish", "sqs:SendMessage"})
"""What AWS tells nobody when it refuses one of its services; a rehearsal that kept silent could not be understood."""
_OWN_CODES = {"sns": "AuthorizationError", "cloudwatch": "AccessDenied", "sqs": "AccessDenied"}


def refusal(service: str, principal: Principal, need: Need, decision: Decision) -> AwsError:
    """The error for a call of `service` that was refused for `need`."""
    protocol = "rest-json" if service == "execute-api" else str(service_model(service).protocol)
    code = _OWN_CODES.get(service, "AccessDenied" if protocol in _OLD_PROTOCOLS else "AccessDeniedException")
    status = 400 if protocol == "json" and code.endswith("Exception") else 403
    return AwsError(code, sentence(principal, need, decision), status)


def sentence(principal: Principal, need: Need, decision: Decision) -> str:
    """E.g. `User: … is not authorized to perform: s3:GetObject on resource: "…" because no … allows the … action`."""
    if principal.kind == "service" and need.action in _OWN_WORDS:
        return f"the policy of {need.resource} does not let {principal.arn} do {need.action}"
    resource = f'"{need.resource}"' if need.service == "s3" else need.resource
    text = f"User: {principal.arn} is not authorized to perform: {need.action} on resource: {resource}"
    kind = decision.responsible
    if kind is None or (need.action == "sts:AssumeRole" and decision.effect is Effect.IMPLICIT_DENY):
        return text
    if decision.effect is Effect.EXPLICIT_DENY:
        article = "an" if kind is Kind.IDENTITY else "a"
        return f"{text} with an explicit deny in {article} {kind}"
    return f"{text} because no {kind} allows the {need.action} action"
