"""Who may be given a key by a grant: whoever makes one for whom he likes gets past every policy."""

import re
from collections.abc import Iterator
from functools import lru_cache

from .actions import reach
from .boundaries import is_boundary
from .breadth import Denials, allowed, patterns
from .documents import Condition, Statement
from .model import Context, Finding, Resource, Rule, Unknown
from .references import NIST, WELL_ARCHITECTED
from .statements import FAMILY, listed, statements, where

_CREATE = "kms:CreateGrant"
_FOR_AWS = "kms:grantisforawsresource"
_SERVICE = re.compile(r"[a-z0-9-]+\..+")
"""A service before the first dot; the region after it may be any."""
_PRINCIPAL = re.compile(r"arn:(?![^*?]*:root$)[^*?]+")
"""One identity: an account, by its root, is all that are in it."""
_WHO = {"kms:granteeprincipal": _PRINCIPAL, "kms:granteeserviceprincipal": _SERVICE, "kms:viaservice": _SERVICE}
"""Keys that say who gets the key, or which service asks for the grant, and the values that do say it.

https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html. What the grant allows (`kms:GrantOperations`,
`kms:GrantConstraintType`) and who may retire it say nothing of who gets it.
"""
_SAYS = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike")
_SAYS_NOT = ("stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike")


def open_grant(resource: Resource, context: Context) -> Iterator[Finding]:
    """kms:CreateGrant, named as such, for any grantee."""
    if is_boundary(resource):
        return
    for placed, statement, denials in statements(resource):
        if placed.kind not in ("identity", "key") or _of_services(statement):
            continue
        named = [each for each in patterns(statement) if _means_grants(each)]
        if named and not any(_binds(line) for line in statement.conditions) and _left(statement, denials):
            yield Finding(f"makes grants for anybody: {listed(named)}", where(placed, statement))


def _of_services(statement: Statement) -> bool:
    """Whether only AWS's services are let in: for whom they make grants is in their hands."""
    principals = statement.principals or ()
    return bool(principals) and all(kind == "Service" for kind, _ in principals)


@lru_cache(maxsize=4096)
def _means_grants(pattern: str) -> bool:
    """Whether a pattern reaches the call, and nothing but grants: `kms:Create*` means other calls, and has its rule."""
    reached = reach(pattern)
    return any(str(each) == _CREATE for each in reached) and all("Grant" in each.name for each in reached)


def _binds(line: Condition) -> bool:
    """Whether a condition leaves AWS's services, or known grantees."""
    if line.key == _FOR_AWS:
        return line.strict and line.base == "bool" and _all(line, re.compile("true"))
    return line.strict and line.base in _SAYS and _says_who(line)


def _left(statement: Statement, denials: Denials) -> bool:
    """Whether the Deny statements beside it leave grants for anybody."""
    (create,) = reach(_CREATE)
    known = [each for each in statement.resources or () if isinstance(each, str)]
    return create in allowed(statement, denials) and not denials.forbid(create, known, _spares)


def _spares(denial: Statement) -> bool:
    """Whether a Deny spares only what a bound Allow would let through, and holds for calls without the key, too."""
    if len(denial.conditions) != 1:
        return False
    (line,) = denial.conditions
    if line.key == _FOR_AWS:
        return not line.strict and line.base == "bool" and _all(line, re.compile("false"))
    # Negated, an operator is true where the key is missing, but for one of a set.
    return line.base in _SAYS_NOT and not line.operator.lower().startswith("foranyvalue:") and _says_who(line)


def _says_who(line: Condition) -> bool:
    return line.key in _WHO and _all(line, _WHO[line.key])


def _all(line: Condition, fits: re.Pattern[str]) -> bool:
    return bool(line.values) and all(isinstance(each, Unknown) or fits.fullmatch(each) for each in line.values)


RULES = (
    Rule(
        "open-grant",
        FAMILY,
        "mandatory",
        "high",
        "Grants of keys are for AWS's services, or for named grantees",
        "with a grant for himself an attacker decrypts what no policy lets him, and no policy shows it",
        'add the condition {"Bool": {"kms:GrantIsForAWSResource": "true"}}, or name the grantee (kms:GranteePrincipal,'
        " kms:GranteeServicePrincipal) or the service (kms:ViaService)",
        (NIST["AC-6"], NIST["SC-12"], WELL_ARCHITECTED["SEC03-BP02"]),
        open_grant,
    ),
)
