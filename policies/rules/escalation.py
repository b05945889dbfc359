"""Permissions to gain permissions: PassRole, calls that change identities, and the boundary that bounds both."""

from collections.abc import Iterator

from .actions import loosen, reach, wide
from .breadth import Denials, allowed, patterns
from .conditions import bound_by
from .documents import Statement
from .model import Context, Finding, Resource, Rule, text
from .references import NIST, WELL_ARCHITECTED
from .sources import Placed
from .statements import FAMILY, gives_all, granting, listed, scoped_exposure, statements, where

PASSING = "iam:PassRole"
_ESCALATING = frozenset(
    {
        "iam:addusertogroup",
        "iam:attachgrouppolicy",
        "iam:attachrolepolicy",
        "iam:attachuserpolicy",
        "iam:createaccesskey",
        "iam:createloginprofile",
        "iam:createpolicyversion",
        "iam:deleterolepermissionsboundary",
        "iam:deleteuserpermissionsboundary",
        "iam:putgrouppolicy",
        "iam:putrolepolicy",
        "iam:putuserpolicy",
        "iam:setdefaultpolicyversion",
        "iam:updateassumerolepolicy",
        "iam:updateloginprofile",
        "sts:assumerole",
    }
)


def pass_role(resource: Resource, context: Context) -> Iterator[Finding]:
    """iam:PassRole on roles that are not named."""
    for placed, statement, denials in statements(resource):
        passing = _passing(placed, statement, denials)
        if passing and _unbound_roles(statement):
            unbound = listed(_unbound_roles(statement))
            yield Finding(f"passes any role: iam:PassRole on {unbound}", where(placed, statement))


PASS_ROLE = Rule(
    "pass-role",
    FAMILY,
    "mandatory",
    "critical",
    "iam:PassRole names its roles",
    "an attacker starts a function, job or machine with the most powerful role of the account, and acts as it",
    "give the ARNs of the roles that are passed, and `iam:PassedToService` as condition",
    (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
    pass_role,
)


def pass_role_service(resource: Resource, context: Context) -> Iterator[Finding]:
    """iam:PassRole to any service."""
    for placed, statement, denials in statements(resource):
        if _passing(placed, statement, denials) and not bound_by(statement, "iam:passedtoservice"):
            yield Finding("passes roles to any service: no condition on iam:PassedToService", where(placed, statement))


PASS_ROLE_SERVICE = Rule(
    "pass-role-service",
    FAMILY,
    "advisory",
    "medium",
    "iam:PassRole names the service",
    "the role can be handed to another service than the one it is meant for, wherever its trust allows it",
    'add the condition {"StringEquals": {"iam:PassedToService": "<service>.amazonaws.com"}}',
    (NIST["AC-6"],),
    pass_role_service,
)


def _passing(placed: Placed, statement: Statement, denials: Denials) -> bool:
    if placed.kind != "identity":
        return False
    (action,) = reach(PASSING)
    if not any(action in reach(pattern) for pattern in patterns(statement) if not wide(pattern)):
        return False
    return action in allowed(statement, denials) and not denials.bind(action)


def _unbound_roles(statement: Statement) -> list[str]:
    return [each for each in statement.resources or () if isinstance(each, str) and not _names_role(each)]


def _names_role(resource: str) -> bool:
    parts = resource.split(":")
    if len(parts) < 6:
        return False
    kind, slash, name = parts[5].partition("/")
    return kind == "role" and bool(slash) and bool(loosen(name).strip("*?/"))


def escalation(resource: Resource, context: Context) -> Iterator[Finding]:
    """Calls that give their caller any permission, on all roles, users or policies of an account."""
    for placed, statement, denials in granting(resource):
        found = [
            each
            for each, reached in scoped_exposure(statement, denials).items()
            if reached == "type" and str(each).lower() in _ESCALATING
        ]
        if found:
            yield Finding(f"allows {listed(found)} on every one in the account", where(placed, statement))


ESCALATION = Rule(
    "escalation",
    FAMILY,
    "mandatory",
    "critical",
    "No identity can escalate its own privileges",
    "with one such call an attacker becomes administrator: he rewrites, or assumes, a role that may do more",
    "name the roles or policies, or bind the call with `iam:PermissionsBoundary` or `iam:PolicyARN`",
    (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP05"]),
    escalation,
)


def boundary(resource: Resource, context: Context) -> Iterator[Finding]:
    """Roles and users without a permissions boundary."""
    if resource.kind not in ("aws:iam/role:Role", "aws:iam/user:User", "aws-native:iam:Role", "aws-native:iam:User"):
        return
    value = resource.props.get("permissionsBoundary")
    if not value:
        yield Finding("has no permissions boundary", "permissionsBoundary")
    elif gives_all(text(value)):
        yield Finding(f"has a boundary that bounds nothing: `{text(value)}`", "permissionsBoundary")


BOUNDARY = Rule(
    "permissions-boundary",
    FAMILY,
    "advisory",
    "low",
    "Roles and users have a permissions boundary",
    "what a later policy grants by mistake is not bounded by anything",
    "set permissionsBoundary to a policy that holds the most this program may ever do",
    (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP05"]),
    boundary,
)


RULES = (PASS_ROLE, PASS_ROLE_SERVICE, ESCALATION, BOUNDARY)
