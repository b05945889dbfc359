"""Conditions: whether they bind the resource, or close an open principal."""

import ipaddress
import re
from collections.abc import Callable

from .documents import Condition, Statement
from .model import Unknown

_POSITIVE = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "binaryequals"})
_NEGATED = frozenset({"stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike"})
_PATTERNS = frozenset({"stringlike", "arnlike", "arnequals"})
"""Operators that read `*` as a wildcard; for the others it is a character."""
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
_NARROWEST = {4: 8, 6: 32}
"""Prefix lengths from which on S3 takes a network for somebody's own."""


def binds_resource(statement: Statement) -> bool:
    """Whether a condition ties the statement to certain resources, however broad its Resource is."""
    return any(_positive(line) and _names_resource(line) for line in statement.conditions)


def denies_others(statement: Statement) -> bool:
    """Whether a Deny holds for all resources but certain ones, by one negated condition."""
    if len(statement.conditions) != 1:
        return False
    (line,) = statement.conditions
    if line.base not in _NEGATED:
        return False
    return _is_resource_key(line.key) and all(_exact(line, value) for value in line.values)


def closes_principal(statement: Statement, network: bool) -> bool:
    """Whether a condition leaves only known callers of those a `*` admits. `network`: whether a VPC counts."""
    return any(
        (_positive(line) and _names_caller(line, network)) or (network and _names_networks(line))
        for line in statement.conditions
    )


def guards_service(statement: Statement) -> bool:
    """Whether a service may act for a known account or resource alone (against the confused deputy)."""
    return any(
        _positive(line) and (_names_source(line) or _all(line, line.key.startswith("kms:encryptioncontext"), _some))
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
    """A value that is not just wildcards."""
    if line.base not in _PATTERNS:
        return bool(value)
    if value.startswith("arn:"):
        return bool(value.split(":", 5)[-1].strip("*?:/")) and names_account(value)
    return bool(value.strip("*?:/"))


def _exact(line: Condition, value: str | Unknown) -> bool:
    if isinstance(value, Unknown) or line.base.removeprefix("string").startswith(("equals", "notequals")):
        return True
    return "*" not in value and "?" not in value


def _is_resource_key(key: str) -> bool:
    return key in _IDENTIFIERS or _TAGS.fullmatch(key) is not None


def _names_resource(line: Condition) -> bool:
    if _TAGS.fullmatch(line.key):
        return all(_exact(line, value) for value in line.values)
    return _all(line, line.key in _IDENTIFIERS, _some_resource)


def _some_resource(line: Condition, value: str) -> bool:
    if line.base not in _PATTERNS:
        return bool(value)
    return bool(value.split(":", 5)[-1].removeprefix("alias/").removeprefix("policy/").strip("*?:/"))


def _names_caller(line: Condition, network: bool) -> bool:
    key = line.key
    if key in ("aws:principalarn", "aws:userid"):
        return _all(line, True, _some_caller)
    if key in ("aws:principalaccount", "aws:principalorgid", "kms:calleraccount", "s3:dataaccesspointaccount"):
        return _all(line, True, _literal)
    if key == "aws:principalorgpaths":
        return _all(line, True, lambda _, value: value.startswith("o-") and not value.startswith(("o-*", "o-?")))
    if network and key in ("aws:sourcevpc", "aws:sourcevpce", "s3:dataaccesspointarn"):
        return _all(line, True, _some)
    return _names_source(line)


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
        return bool(value.split(":")[0].strip("*?"))
    return line.base not in _PATTERNS or names_account(value)


def _literal(line: Condition, value: str) -> bool:
    return line.base not in _PATTERNS or not ("*" in value or "?" in value)


def _names_source(line: Condition) -> bool:
    if line.key in ("aws:sourceaccount", "aws:sourceorgid", "aws:sourceowner"):
        return _all(line, True, _literal)
    if line.key == "aws:sourceorgpaths":
        return _all(line, True, lambda _, value: value.startswith("o-") and not value.startswith(("o-*", "o-?")))
    return _all(
        line, line.key == "aws:sourcearn", lambda each, value: each.base not in _PATTERNS or names_account(value)
    )
