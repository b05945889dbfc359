"""Principals: who asks, and whom a resource policy names."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from rehearsal.cloud.policy_language.conditions import PolicyError

_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")


@dataclass(frozen=True)
class Requester:
    """Who makes a request. A session of a role has `role_arn`; a service has its name as `arn` and `service` set."""

    arn: str
    account: str
    role_arn: str | None = None
    service: bool = False

    @property
    def root(self) -> str:
        partition = self.arn.split(":")[1] if self.arn.startswith("arn:") else "aws"
        return f"arn:{partition}:iam::{self.account}:root"


class Directness(IntEnum):
    """How directly a Principal element names somebody."""

    NONE = 0
    ACCOUNT = 1
    """The account, which decides by its own identity policies."""
    ROLE = 2
    """The role (or everybody): boundary and session policy still limit."""
    DIRECT = 3
    """The user, the session or the service: nothing limits but an explicit deny."""


@dataclass(frozen=True)
class Principals:
    """A Principal or NotPrincipal element."""

    everybody: bool
    names: frozenset[str]
    services: frozenset[str]

    def directness(self, requester: Requester) -> Directness:
        """How the element names the requester."""
        if requester.service:
            return Directness.DIRECT if requester.arn in self.services or self.everybody else Directness.NONE
        if requester.arn in self.names:
            return Directness.DIRECT
        if self.everybody or (requester.role_arn is not None and requester.role_arn in self.names):
            return Directness.ROLE
        return (
            Directness.ACCOUNT if requester.account in self.names or requester.root in self.names else Directness.NONE
        )

    def spares(self, requester: Requester) -> bool:
        """Does NotPrincipal leave the requester out? Its account, and for a session its role, must be named as well."""
        if self.everybody:
            return True
        if requester.service:
            return requester.arn in self.services
        account = requester.account in self.names or requester.root in self.names
        role = requester.role_arn is None or requester.role_arn in self.names
        return account and role and requester.arn in self.names


def parse_principals(element: Any) -> Principals:
    """Raises PolicyError."""
    if element == "*":
        return Principals(True, frozenset(), frozenset())
    if not isinstance(element, Mapping) or not element or not set(element) <= set(_KINDS):
        raise PolicyError(f"Principal must be * or name {', '.join(_KINDS)}, not {element!r}")
    listed = {kind: _texts(value) for kind, value in element.items()}
    names = listed.get("AWS", frozenset())
    federated = listed.get("Federated", frozenset()) | listed.get("CanonicalUser", frozenset())
    return Principals("*" in names, names | federated, listed.get("Service", frozenset()))


def _texts(value: Any) -> frozenset[str]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in listed):
        raise PolicyError(f"a principal must be text, not {value!r}")
    return frozenset(listed)
