"""The container credentials endpoint: how the commands of a build get the keys of the project's role."""

import hmac
import json
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import AwsError, Cloud, Credentials, route

_RENEW_BEFORE = timedelta(minutes=10)


class Grant:
    """Keys of one role for one build, renewed before they expire."""

    def __init__(self, role_arn: str, assume: Callable[[], Credentials]) -> None:
        self.token = secrets.token_urlsafe(24)
        self.authorization = secrets.token_urlsafe(24)
        self.role_arn = role_arn
        self._assume = assume
        self._lock = threading.Lock()
        self._current: Credentials | None = None

    def credentials(self, now: datetime) -> Credentials:
        """Valid keys. Raises `AwsError` where the role may not be assumed."""
        with self._lock:
            current = self._current
            if current is None or (current.expiration and current.expiration - now < _RENEW_BEFORE):
                current = self._current = self._assume()
            return current


def publish(cloud: Cloud, grant: Grant) -> dict[str, str]:
    """Makes the grant answerable and gives the variables by which an SDK finds it."""
    _grants(cloud)[grant.token] = grant
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{cloud.port}/_rehearsal/credentials/{grant.token}",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": grant.authorization,
    }


def withdraw(cloud: Cloud, grant: Grant) -> None:
    """Ends the grant with its build."""
    _grants(cloud).pop(grant.token, None)


@route("/_rehearsal/credentials/<token>", methods=["GET"])
def serve(cloud: Cloud, request: Request, token: str) -> Response:
    grant = _grants(cloud).get(token)
    given = request.headers.get("Authorization", "")
    if grant is None or not hmac.compare_digest(given.encode(), grant.authorization.encode()):
        return _answer({"code": "AccessDenied", "message": "no credentials for this token"}, 403)
    now = cloud.clock.now()
    try:
        keys = grant.credentials(now)
    except AwsError as error:
        return _answer({"code": error.code, "message": error.message}, 403)
    expiration = keys.expiration or now + timedelta(hours=1)
    return _answer(
        {
            "RoleArn": grant.role_arn,
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key,
            "Token": keys.session_token,
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )


def _grants(cloud: Cloud) -> dict[str, Grant]:
    grants: dict[str, Grant] = cloud.store("codebuild", "*", "*").setdefault("grants", {})
    return grants


def _answer(body: dict[str, str | None], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
