"""Accounts and the keys that open them."""

import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from rehearsal.cloud.wire.types import AwsError, Credentials, Principal
from rehearsal.environment import access_key

_ADMIN_KEY = re.compile(r"AKIA(\d{12})")
_ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/(.+)")

# The process's, as its one gateway is. Nobody knows it who was not told: see `configure`.
_own = [os.urandom(20).hex()]


def configure(secret: str) -> None:
    """Have every administrator's key of this process's gateway this secret."""
    _own[0] = secret


def secret() -> str:
    """The secret of every administrator's key."""
    return _own[0]


def admin_credentials(account: str) -> Credentials:
    """An account's administrator keys."""
    if not re.fullmatch(r"\d{12}", account):
        raise ValueError(f"an account id has 12 digits, not {account!r}")
    return Credentials(access_key(account), secret())


@dataclass(frozen=True)
class Identity:
    """A principal and the keys it signs with."""

    principal: Principal
    credentials: Credentials


@dataclass
class Accounts:
    """Every account seen, and every session issued. Users and roles themselves are moto's."""

    _sessions: dict[str, Identity] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def seen(self) -> list[str]:
        """Accounts that a request was made for."""
        return sorted(self._seen)

    def find(self, access_key: str) -> Identity | None:
        """Whose key this is; None for a key that nobody has."""
        identity = self._administrator(access_key) or self._sessions.get(access_key) or self._user(access_key)
        if identity:
            self._seen.add(identity.principal.account)
        return identity

    @staticmethod
    def _administrator(access_key: str) -> Identity | None:
        match = _ADMIN_KEY.fullmatch(access_key)
        if not match:
            return None
        account = match[1]
        arn = f"arn:aws:iam::{account}:user/administrator"
        return Identity(Principal(arn, account, "administrator", f"AIDA{account}"), admin_credentials(account))

    @staticmethod
    def _user(access_key: str) -> Identity | None:
        for account, backends in list(iam_backends.items()):
            key = backends["aws"].access_keys.get(access_key) if "aws" in backends else None
            if key is None or key.status != "Active" or key.user_name is None:
                continue
            user = backends["aws"].users.get(key.user_name)
            if user is None:
                continue
            principal = Principal(user.arn, account, "user", user.id)
            return Identity(principal, Credentials(access_key, key.secret_access_key))
        return None

    def role(self, role_arn: str) -> Any:
        """moto's role object. Raises AwsError when the ARN is malformed or no such role exists."""
        match = _ROLE_ARN.fullmatch(role_arn)
        if not match:
            raise AwsError("ValidationError", f"{role_arn} is invalid", 400)
        for role in list(iam_backends[match[1]]["aws"].roles.values()):
            if role.arn == role_arn:
                return role
        return None

    def open_session(
        self,
        role: Any,
        session_name: str,
        seconds: int,
        policies: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        transitive: Sequence[str] = (),
    ) -> Identity:
        """Keys for a session of a role. Whether the caller may have them was decided before.

        `policies` limit the session further, `tags` are its principal tags, `transitive` the keys of those that its
        own sessions inherit.
        """
        account = role.account_id
        session = sts_backends[account]["aws"].assume_role(
            region_name="us-east-1",
            role_session_name=session_name,
            role_arn=role.arn,
            policy="",
            duration=seconds,
            external_id="",
        )
        expiration = datetime.now(UTC) + timedelta(seconds=seconds)
        keys = Credentials(session.access_key_id, session.secret_access_key, session.session_token, expiration)
        limits, labels = tuple(policies), tuple((tags or {}).items())
        user_id = f"{role.id}:{session_name}"
        principal = Principal(
            session.arn, account, "role", user_id, role.arn, session_name, limits, labels, tuple(transitive)
        )
        identity = Identity(principal, keys)
        with self._lock:
            self._sessions[keys.access_key_id] = identity
        return identity
