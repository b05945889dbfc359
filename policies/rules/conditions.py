"""Conditions: whether they bind the resource, or close an open principal."""

import ipaddress
import re
from collections.abc import Callable

from .actions import Action, is_wild, loosen
from .documents import Condition, Statement
from .model import Unknown

_POSITIVE = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "binaryequals"})
_NEGATED = frozenset({"stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike"})
_PATTERNS = frozenset({"stringlike", "arnlike", "arnequals"})
"""Operators that read `*` as a wildcard; for the others it is a character."""
_KIND = re.compile(r"^[a-z-]+[/:]")
"""The type before a resource's name."""
_TAGS = re.compile(r"(.*:resourcetag|rds:[a-z]+-tag|s3:existingobjecttag|s3:buckettag|s3:accesspointtag)/.+")
_IDENTIFIERS = frozenset(
    {
        "kms:resourcealiases",
        "kms:requestalias",
        "iam:policyarn",
        "iam:permissionsboundary",
        "iam:awsservicename",
        "secretsmanager:secretid",
        "secretsmanager:name",
        "s3:dataaccesspointarn",
        "lambda:functionarn",
        "ecs:cluster",
        "ec2:vpc",
        "ec2:subnet",
        "ec2:instanceid",
        "ec2:volumeid",
        "aws:resourcearn",
    }
)
_OTHERS_POLICIES = frozenset({"iam:policyarn", "iam:permissionsboundary"})
_BOUNDARY_REMOVERS = frozenset({"iam:deleterolepermissionsboundary", "iam:deleteuserpermissionsboundary"})
_ID = 16
"""Letters of an id that stand there literally, at least."""
_NARROWEST = {4: 8, 6: 32}
"""Prefix lengths from which on S3 takes a network for somebody's own."""


def binds_resource(statement: Statement, action: Action) -> bool:
    """Whether a condition ties an action to certain resources, however broad the statement's Resource is."""
    return any(_positive(line) and _names_resource(line, action) for line in statement.conditions)


def denies_others(statement: Statement, action: Action) -> bool:
    """Whether a Deny holds for all resources but certain ones, by one negated condition."""
    if len(statement.conditions) != 1:
        return False
    (line,) = statement.conditions
    # `ForAnyValue:` does not hold where the key is missing: what has no tag is not denied.
    if line.base not in _NEGATED or line.operator.lower().startswith("foranyvalue:"):
        return False
    if not _is_resource_key(line.key) or _removes(line, action):
        return False
    return all(_exact(line, value) and _own_policy(line, value) for value in line.values)


def closes_principal(statement: Statement, network: bool) -> bool:
    """Whether a condition leaves only known callers of those a `*` admits. `network`: whether a VPC counts."""
    return any(
        (_positive(line) and _names_caller(line, network)) or (network and _names_networks(line))
        for line in statement.conditions
    )


def guards_service(statement: Statement) -> bool:
    """Whether a service may act for a known account or resource alone (against the confused deputy)."""
    return any(
        _positive(line) and (_names_source(line) or _all(line, line.key.startswith("kms:encryptioncontext:"), _some))
        for line in statement.conditions
    )


def bound_by(statement: Statement, key: str, fits: Callable[[str], bool] | None = None) -> bool:
    """Whether a positive condition limits one key to certain values."""
    return any(
        _positive(line)
        and line.key == key
        and all(_exact(line, each) for each in line.values)
        and (fits is None or all(isinstance(each, Unknown) or fits(each) for each in line.values))
        for line in statement.conditions
    )


def names_account(arn: str) -> bool:
    """Whether an ARN says of which account (or of which bucket, which no two accounts share)."""
    parts = arn.split(":")
    if len(parts) < 6:
        return False
    if parts[4].strip("*"):
        return "*" not in parts[4] and "?" not in parts[4]
    return parts[2] == "s3" and bool(parts[5].split("/")[0].strip("*?"))


def _positive(line: Condition) -> bool:
    return line.strict and line.base in _POSITIVE and bool(line.values)


def _all(line: Condition, applies: bool, fits: Callable[[Condition, str], bool]) -> bool:
    return applies and all(isinstance(value, Unknown) or fits(line, value) for value in line.values)


def _some(line: Condition, value: str) -> bool:
    """A value that is somebody's own: a pattern that may be an ARN names its account."""
    if line.base not in _PATTERNS:
        return bool(value)
    if "arn:".startswith(re.split("[*?]", value)[0][:4]):
        return bool(value.split(":", 5)[-1].strip("*?:/")) and names_account(value)
    return True


def _exact(line: Condition, value: str | Unknown) -> bool:
    if isinstance(value, Unknown) or line.base.removeprefix("string").startswith(("equals", "notequals")):
        return True
    return "*" not in value and "?" not in value


def _is_resource_key(key: str) -> bool:
    return key in _IDENTIFIERS or _TAGS.fullmatch(key) is not None


def _names_resource(line: Condition, action: Action) -> bool:
    if _TAGS.fullmatch(line.key):
        return all(_exact(line, value) for value in line.values)
    return _all(line, line.key in _IDENTIFIERS and not _removes(line, action), _some_resource)


def _removes(line: Condition, action: Action) -> bool:
    """Whether the boundary that a condition names is the one that the action takes away."""
    return line.key == "iam:permissionsboundary" and str(action).lower() in _BOUNDARY_REMOVERS


def _some_resource(line: Condition, value: str) -> bool:
    if not _own_policy(line, value):
        return False
    if line.base not in _PATTERNS:
        return bool(value)
    return bool(loosen(_KIND.sub("", value.split(":", 5)[-1])).strip("*?:/"))


def _own_policy(line: Condition, value: str | Unknown) -> bool:
    """Whether a policy is not AWS's: with one of those (AdministratorAccess), nothing is bound."""
    if line.key not in _OTHERS_POLICIES or isinstance(value, Unknown):
        return True
    account = f"{value}:::::".split(":")[4]
    return bool(account.strip("*?")) and account != "aws"


def _names_caller(line: Condition, network: bool) -> bool:
    key = line.key
    if key in ("aws:principalarn", "aws:userid"):
        return _all(line, True, _some_caller)
    if key in ("aws:principalaccount", "aws:principalorgid", "kms:calleraccount", "s3:dataaccesspointaccount"):
        return _all(line, True, _literal)
    if key == "aws:principalorgpaths":
        return _all(line, True, _in_organisation)
    if network and key in ("aws:sourcevpc", "aws:sourcevpce", "s3:dataaccesspointarn"):
        return _all(line, True, _names_door)
    return _names_source(line)


def _in_organisation(line: Condition, value: str) -> bool:
    """A path that names its organisation to the end: `o-1*` begins like many."""
    return value.startswith("o-") and not is_wild(value.partition("/")[0])


def _names_door(line: Condition, value: str) -> bool:
    """A VPC, an endpoint, an access point: ids are AWS's, so a pattern of one names nobody."""
    return _literal(line, value) or names_account(value)


def _names_networks(line: Condition) -> bool:
    """Networks of somebody's own, as S3 draws the line between public and not: private ones, or narrow ones."""
    if line.base != "ipaddress" or not line.strict or line.key not in ("aws:sourceip", "aws:vpcsourceip"):
        return False
    return bool(line.values) and all(isinstance(value, Unknown) or _narrow(value) for value in line.values)


def _narrow(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.is_private or network.prefixlen >= _NARROWEST[network.version]


def _some_caller(line: Condition, value: str) -> bool:
    if line.key == "aws:userid":
        # Ids of roles begin with AROA everywhere; what AWS invents after that is what names one.
        identifier = value.split(":")[0]
        return _literal(line, identifier) or len(re.split(r"[*?]", identifier)[0]) >= _ID
    return line.base not in _PATTERNS or names_account(value)


def _literal(line: Condition, value: str) -> bool:
    return line.base not in _PATTERNS or not ("*" in value or "?" in value)


def _names_source(line: Condition) -> bool:
    if line.key in ("aws:sourceaccount", "aws:sourceorgid", "aws:sourceowner"):
        return _all(line, True, _literal)
    if line.key == "aws:sourceorgpaths":
        return _all(line, True, _in_organisation)
    return _all(
        line, line.key == "aws:sourcearn", lambda each, value: each.base not in _PATTERNS or names_account(value)
    )
