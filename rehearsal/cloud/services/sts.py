"""STS: sessions of roles, under their trust policies."""

from typing import Any

from rehearsal.cloud.authorization import sources
from rehearsal.cloud.authorization.tagging import request_tags
from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.policy_language.conditions import PolicyError
from rehearsal.cloud.policy_language.policy import parse_policy


@operation("sts", "AssumeRole")
def assume_role(call: Call) -> dict[str, Any]:
    """Issue a session, if the role's trust policy names the caller."""
    params = call.params
    if call.principal.kind == "role" and params.get("DurationSeconds", 3600) > 3600:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    context = {"sts:RoleSessionName": params["RoleSessionName"], "aws:PrincipalArn": call.principal.ledger_key}
    if params.get("ExternalId"):
        context["sts:ExternalId"] = params["ExternalId"]
    seconds = params.get("DurationSeconds", 3600)
    handed = {key: value for key, value in call.principal.session_tags if key in call.principal.transitive_tags}
    identity = call.cloud.assume(
        params["RoleArn"],
        call.principal,
        params["RoleSessionName"],
        context,
        seconds,
        _session_policies(call),
        handed | request_tags(params),
        (*handed, *(params.get("TransitiveTagKeys") or ())),
    )
    keys = identity.credentials
    return {
        "Credentials": {
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key,
            "SessionToken": keys.session_token,
            "Expiration": keys.expiration,
        },
        "AssumedRoleUser": {"AssumedRoleId": identity.principal.user_id, "Arn": identity.principal.arn},
    }


def _session_policies(call: Call) -> list[str]:
    """The inline session policy, and the default versions of the managed ones."""
    found = [call.params["Policy"]] if call.params.get("Policy") else []
    backend = call.cloud.backend("iam", call.params["RoleArn"].split(":")[4], call.region)
    for entry in call.params.get("PolicyArns") or ():
        policy = backend.managed_policies.get(entry["arn"])
        if policy is None:
            raise AwsError("InvalidParameterValue", f"Policy {entry['arn']} does not exist or is not attachable.")
        found.append(sources.managed(policy).text)
    for text in found:
        try:
            parse_policy(text)
        except PolicyError as error:
            raise AwsError("MalformedPolicyDocument", str(error)) from None
    return found


@operation("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    """Who the keys of the request belong to."""
    return {"UserId": call.principal.user_id, "Account": call.account, "Arn": call.principal.arn}
