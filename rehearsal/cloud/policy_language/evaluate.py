"""The decision on one request, from all policies that bear on it, as AWS documents its evaluation logic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rehearsal.cloud.policy_language.policy import Policy, Statement
from rehearsal.cloud.policy_language.principals import Directness, Requester
from rehearsal.cloud.policy_language.template import Context


class Effect(StrEnum):
    """The words of the policy simulator."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class Kind(StrEnum):
    """Kinds of policies, as they are called in refusals."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"


@dataclass(frozen=True)
class Source:
    """A policy and where it stands. `origin` is the simulator's word for it, e.g. `role` or `user-managed`."""

    name: str
    kind: Kind
    policy: Policy
    origin: str = "none"


@dataclass(frozen=True)
class Request:
    """Who asks for what. `context` has its keys in lower case. `resource_account` is empty where nobody owns it."""

    requester: Requester
    action: str
    resource: str
    context: Context = field(default_factory=dict)
    resource_account: str = ""
    resource_policy_decides: bool = False
    """Keys and roles: nobody has access whom the resource's own policy does not let in, or the account as a whole."""


@dataclass(frozen=True)
class Policies:
    """All that may speak on a request. `boundary` and `sessions` are None or empty where there are none."""

    identity: Sequence[Source] = ()
    boundary: Source | None = None
    sessions: Sequence[Source] = ()
    resource: Source | None = None
    granted: bool = False
    """A grant of the key names the requester."""


@dataclass(frozen=True)
class Match:
    """A statement that applied."""

    source: Source
    statement: Statement


@dataclass(frozen=True)
class Decision:
    """`responsible` is the kind of policy that denied, explicitly or by not allowing."""

    effect: Effect
    matches: tuple[Match, ...] = ()
    responsible: Kind | None = None
    by_boundary: bool | None = None
    """What the boundary alone says; None without one."""
    by_kind: dict[Kind, Effect] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOWED


def evaluate(request: Request, policies: Policies) -> Decision:
    """An explicit deny anywhere wins. Within one account either identity or resource policy must allow, across
    accounts both must; boundary and session policies limit what the identity has.
    """
    identity = _matching(request, policies.identity)
    boundary = _matching(request, [policies.boundary] if policies.boundary else [])
    sessions = _matching(request, policies.sessions)
    resource, directness = _resource(request, policies.resource)
    everything = (*identity, *boundary, *sessions, *resource)
    by_kind = _effects(policies, identity, boundary, sessions, resource)
    by_boundary = _permits(boundary) if policies.boundary else None
    denied = next((match for match in everything if not match.statement.allows), None)
    if denied is not None:
        matches = tuple(match for match in everything if not match.statement.allows)
        return Decision(Effect.EXPLICIT_DENY, matches, denied.source.kind, by_boundary, by_kind)
    if policies.granted:
        directness = max(directness, Directness.ROLE)
    missing = _missing(request, policies, _permits(identity), by_boundary, _permits(sessions), directness)
    if missing is not None:
        return Decision(Effect.IMPLICIT_DENY, everything, missing, by_boundary, by_kind)
    return Decision(Effect.ALLOWED, everything, None, by_boundary, by_kind)


def _missing(
    request: Request,
    policies: Policies,
    by_identity: bool,
    by_boundary: bool | None,
    by_session: bool,
    directness: Directness,
) -> Kind | None:
    """The kind of policy whose allow is missing; None where the request is allowed."""
    if request.requester.service:
        return None if directness else Kind.RESOURCE
    foreign = bool(request.resource_account) and request.resource_account != request.requester.account
    if (foreign or request.resource_policy_decides) and directness is Directness.NONE:
        return Kind.RESOURCE if by_identity or request.resource_policy_decides else Kind.IDENTITY
    if not foreign and directness is Directness.DIRECT:
        return None
    if not by_identity and (foreign or directness is not Directness.ROLE):
        return Kind.IDENTITY
    if by_boundary is False:
        return Kind.BOUNDARY
    return Kind.SESSION if policies.sessions and not by_session else None


def _matching(request: Request, sources: Iterable[Source]) -> list[Match]:
    action = request.action.lower()
    return [
        Match(source, statement)
        for source in sources
        for statement in source.policy.about(action)
        if statement.names_resource(request.resource, request.context) and statement.holds(request.context)
    ]


def _resource(request: Request, source: Source | None) -> tuple[list[Match], Directness]:
    """What of the resource's own policy applies, and how directly it lets the requester in."""
    if source is None:
        return [], Directness.NONE
    found: list[Match] = []
    best = Directness.NONE
    for match in _matching(request, [source]):
        directness = _directness(match.statement, request.requester)
        if directness is Directness.NONE:
            continue
        found.append(match)
        if match.statement.allows:
            best = max(best, directness)
    return found, best


def _directness(statement: Statement, requester: Requester) -> Directness:
    if statement.principals is None:
        return Directness.NONE
    if statement.not_principals:
        return Directness.NONE if statement.principals.spares(requester) else Directness.ROLE
    return statement.principals.directness(requester)


def _permits(matches: Sequence[Match]) -> bool:
    return bool(matches) and all(match.statement.allows for match in matches)


def _effects(
    policies: Policies, identity: list[Match], boundary: list[Match], sessions: list[Match], resource: list[Match]
) -> dict[Kind, Effect]:
    present = (
        (Kind.IDENTITY, True, identity),
        (Kind.BOUNDARY, policies.boundary is not None, boundary),
        (Kind.SESSION, bool(policies.sessions), sessions),
        (Kind.RESOURCE, policies.resource is not None, resource),
    )
    return {kind: _effect(matches) for kind, there, matches in present if there}


def _effect(matches: list[Match]) -> Effect:
    if any(not match.statement.allows for match in matches):
        return Effect.EXPLICIT_DENY
    return Effect.ALLOWED if matches else Effect.IMPLICIT_DENY
