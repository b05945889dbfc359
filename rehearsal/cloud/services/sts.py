"""STS: sessions of roles, under their trust policies."""

from typing import Any

from rehearsal.cloud.api import AwsError, Call, operation


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
    identity = call.cloud.assume(params["RoleArn"], call.principal, params["RoleSessionName"], context, seconds)
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


@operation("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    """Who the keys of the request belong to."""
    return {"UserId": call.principal.user_id, "Account": call.account, "Arn": call.principal.arn}
