"""Roles taken with an identity token (`AssumeRoleWithWebIdentity`), the one call of AWS that nobody signs.

The rehearsal plays the issuer, too: at `/_rehearsal/identity-token` it signs what GitHub or GitLab would say of a run.
A token is believed as AWS believes it: right signature, an issuer that the role's account has as identity provider,
an audience that this provider lists, not expired; after that the role's trust policy decides.
"""

import functools
import time
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from moto.iam.models import iam_backends
from werkzeug.wrappers import Response

from rehearsal.cloud.core import registry
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.policy_language import trust
from rehearsal.cloud.wire import protocol, validation
from rehearsal.cloud.wire.request import Request
from rehearsal.cloud.wire.types import AwsError, Principal

OPERATION = "AssumeRoleWithWebIdentity"
_LIFETIME_SECONDS = 300
_ALGORITHM = "RS256"


def asks(request: Request) -> bool:
    """Whether the request is this call."""
    if request.method != "POST" or "Authorization" in request.headers:
        return False
    body = request.get_data().decode(errors="replace")
    return parse_qs(body).get("Action") == [OPERATION]


def answer(cloud: Cloud, request: Request) -> Response:
    """The session's keys, or AWS's refusal."""
    operation, uri_params = protocol.match_operation("sts", request)
    try:
        params = protocol.parse_request(operation, uri_params, request)
        validation.check(operation, params, request)
        return protocol.write_result(operation, _assume(cloud, params), request)
    except AwsError as error:
        return protocol.write_error(operation, error, request, "sts")


def _assume(cloud: Cloud, params: dict[str, Any]) -> dict[str, Any]:
    role = cloud.accounts.role(params["RoleArn"])
    account = params["RoleArn"].split(":")[4]
    claims = _claims(params["WebIdentityToken"])
    provider = _provider(account, claims)
    host = provider.url
    context = {f"{host}:{name}": str(claims[name]) for name in ("sub", "aud") if name in claims}
    federated = Principal(provider.arn, account, "federated")
    if role is None or not trust.allows(role.assume_role_policy_document, federated, context, f"sts:{OPERATION}"):
        raise AwsError("AccessDenied", f"Not authorized to perform sts:{OPERATION}", 403)
    seconds = params.get("DurationSeconds", 3600)
    if seconds > role.max_session_duration:
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    identity = cloud.accounts.open_session(role, params["RoleSessionName"], seconds)
    keys = identity.credentials
    return {
        "Credentials": {
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key,
            "SessionToken": keys.session_token,
            "Expiration": keys.expiration,
        },
        "SubjectFromWebIdentityToken": claims["sub"],
        "AssumedRoleUser": {"AssumedRoleId": identity.principal.user_id, "Arn": identity.principal.arn},
        "Provider": provider.arn,
        "Audience": claims["aud"],
    }


def _claims(token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(token, _key(), algorithms=[_ALGORITHM]).claims
    except (JoseError, ValueError) as error:
        raise AwsError(
            "InvalidIdentityToken", f"The web identity token provided could not be validated: {error}"
        ) from None
    if claims.get("exp", 0) < time.time():
        raise AwsError(
            "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time"
        )
    return claims


def _provider(account: str, claims: dict[str, Any]) -> Any:
    issuer = str(claims.get("iss", ""))
    known = iam_backends[account]["aws"].open_id_providers.values() if account in iam_backends else ()
    found = next((provider for provider in known if f"https://{provider.url}" == issuer), None)
    if found is None:
        raise AwsError("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}")
    if claims.get("aud") not in found.client_id_list:
        raise AwsError("InvalidIdentityToken", "Incorrect token audience")
    return found


def issue(host: str, subject: str, audience: str, lifetime: float = _LIFETIME_SECONDS) -> str:
    """A token of the issuer `host` for a subject."""
    now = int(time.time())
    claims = {"iss": f"https://{host}", "sub": subject, "aud": audience, "iat": now, "exp": now + int(lifetime)}
    return jwt.encode({"alg": _ALGORITHM}, claims, _key())


@functools.cache
def _key() -> RSAKey:
    return RSAKey.generate_key(2048)


@registry.route("/_rehearsal/identity-token", methods=["GET"])
def _issue(cloud: Cloud, request: Request) -> Response:
    """As GitHub answers a job that asks for its token: `host` and `subject` say whose job it is."""
    missing = [name for name in ("host", "subject", "audience") if not request.args.get(name)]
    if missing:
        return Response(f"{', '.join(missing)} missing\n", status=400)
    arguments = request.args
    return protocol.json_response({"value": issue(arguments["host"], arguments["subject"], arguments["audience"])})
