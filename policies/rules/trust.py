"""Who may come in: trust policies of roles, resource policies, permissions of functions."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .conditions import bound_by, closes_principal, guards_service, names_account
from .documents import Document, Statement
from .least_privilege import PERMISSIONS
from .model import UNKNOWN, Context, Finding, Resource, Rule, Unknown, known, section, text
from .references import NIST, WELL_ARCHITECTED
from .sources import documents_of
from .statements import FAMILY, listed, statements, where
from .subjects import counts, names_somebody

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_LAYER = ("aws:lambda/layerVersionPermission:LayerVersionPermission",)
_BUS = "aws:cloudwatch/eventPermission:EventPermission"


def service_of(principal: str) -> str:
    """The service behind a principal, whatever its region or partition: `logs.eu-west-1.amazonaws.com` → `logs`."""
    host = principal.lower().removesuffix(".cn").removesuffix(".amazonaws.com")
    return ".".join(label for label in host.split(".") if not _REGION.fullmatch(label))


def _open(kind: str, principal: str | Unknown) -> bool:
    """Whether a principal is anybody."""
    if isinstance(principal, Unknown):
        return False
    if kind in ("*", "AWS"):
        parts = principal.split(":")
        return principal.strip("*?") == "" or (len(parts) > 5 and parts[4].strip("*?") == "" and parts[4] != "")
    return principal.strip("*?") == "" or principal.startswith("*")


def open_principal(resource: Resource, context: Context) -> Iterator[Finding]:
    """Anybody is let in, and no condition closes it."""
    for placed, statement, _ in statements(resource):
        network = placed.kind != "trust"
        found = [each for kind, each in statement.principals or () if _open(kind, each)]
        if found and not closes_principal(statement, network):
            yield Finding(f"lets in {listed(found)}: anybody", where(placed, statement))
    yield from _open_permission(resource)


def _open_permission(resource: Resource) -> Iterator[Finding]:
    if resource.type not in (*PERMISSIONS, *_LAYER, _BUS):
        return
    props = resource.props
    principal = text(props.get("principal")).strip()
    if not principal or not _open("AWS", principal):
        return
    closing = ("sourceAccount", "principalOrgId", "organizationId", "principalOrgID")
    if not any(props.get(name) for name in closing) and not _named_source(props) and not _bus_closed(props):
        yield Finding(f"lets in `{principal}`: anybody may call", "principal")


def _named_source(props: Mapping[str, Any]) -> bool:
    source = props.get("sourceArn")
    return source is UNKNOWN or (isinstance(source, str) and names_account(source))


def _bus_closed(props: Mapping[str, Any]) -> bool:
    condition = props.get("condition")
    return condition is UNKNOWN or (
        text(section(condition, "key")).lower() == "aws:principalorgid" and bool(section(condition, "value"))
    )


# A function at the edge runs as both, and AWS has no other way:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-permissions.html
_EDGE = {"lambda", "edgelambda"}


def mixed_trust(resource: Resource, context: Context) -> Iterator[Finding]:
    """One role for several services."""
    for placed in documents_of(resource):
        if placed.kind != "trust" or not isinstance(placed.document, Document):
            continue
        found: dict[str, list[str]] = {}
        for statement in placed.document.statements:
            for kind, principal in statement.principals or ():
                if statement.allows and kind.lower() == "service" and isinstance(principal, str):
                    found.setdefault(service_of(principal), []).append(statement.label)
        if len(found) > 1 and set(found) != _EDGE:
            labels = " and ".join(dict.fromkeys(label for several in found.values() for label in several))
            yield Finding(f"trusts {len(found)} services: {listed(sorted(found))}", f"{labels} of {placed.path}")


# Every example of AWS for API Gateway's role for logs trusts it without a condition, and no page says that it names the
# account: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html
_NAMES_NO_SOURCE = frozenset({"apigateway.amazonaws.com"})


def service_trust(resource: Resource, context: Context) -> Iterator[Finding]:
    """A service is trusted for whoever it acts."""
    for placed, statement, _ in statements(resource):
        found = [each for kind, each in statement.principals or () if kind.lower() == "service" and each is not UNKNOWN]
        if placed.kind == "trust" and set(found) - _NAMES_NO_SOURCE and not guards_service(statement):
            yield Finding(f"trusts {listed(found)} whoever it acts for", where(placed, statement))


def account_trust(resource: Resource, context: Context) -> Iterator[Finding]:
    """A whole account is trusted."""
    for placed, statement, _ in statements(resource):
        if placed.kind != "trust":
            continue
        roots = [each for kind, each in statement.principals or () if kind.lower() == "aws" and _is_account(each)]
        if roots and not closes_principal(statement, False) and not _external_id(statement):
            yield Finding(f"trusts all of the account {listed(roots)}", where(placed, statement))


def _is_account(principal: str | Unknown) -> bool:
    return isinstance(principal, str) and bool(re.fullmatch(r"\d{12}|arn:[\w-]+:iam::\d{12}:root", principal))


def _external_id(statement: Statement) -> bool:
    return bound_by(statement, "sts:externalid")


def federated_trust(resource: Resource, context: Context) -> Iterator[Finding]:
    """Anybody with a token of a public identity provider is trusted."""
    for placed, statement, _ in statements(resource):
        if placed.kind != "trust":
            continue
        for kind, provider in statement.principals or ():
            if kind.lower() != "federated" or not isinstance(provider, str) or "saml-provider" in provider:
                continue
            if not _subject_bound(statement, provider):
                yield Finding(f"trusts every token of `{provider}`", where(placed, statement))


def _subject_bound(statement: Statement, provider: str) -> bool:
    for line in statement.conditions:
        if not counts(line.key, provider) or not line.strict or "not" in line.base:
            continue
        pattern = "like" in line.base
        if all(
            isinstance(value, Unknown) or names_somebody(value, line.key, provider, pattern) for value in line.values
        ):
            return True
    return False


def confused_deputy(resource: Resource, context: Context) -> Iterator[Finding]:
    """A resource policy admits a service for whoever it acts."""
    for placed, statement, _ in statements(resource):
        if placed.kind not in ("resource", "key"):
            continue
        found = [each for kind, each in statement.principals or () if kind.lower() == "service" and each is not UNKNOWN]
        if found and not guards_service(statement):
            yield Finding(f"admits {listed(found)} whoever it acts for", where(placed, statement))
    if resource.type in PERMISSIONS:
        yield from _permission(resource)


def _permission(resource: Resource) -> Iterator[Finding]:
    props = resource.props
    principal = props.get("principal")
    if not known(principal) or "." not in text(principal) or text(principal).startswith("arn:"):
        return
    if props.get("sourceAccount") or props.get("eventSourceToken"):
        return
    if not _named_source(props):
        yield Finding(f"admits `{principal}` whoever it acts for", "sourceArn")


def bucket_source(resource: Resource, context: Context) -> Iterator[Finding]:
    """A bucket's name is somebody else's once the bucket is deleted."""
    props = resource.props
    source = text(props.get("sourceArn"))
    named = source.startswith("arn:") and source.split(":")[2:5] == ["s3", "", ""]
    if resource.type in PERMISSIONS and named and not props.get("sourceAccount"):
        yield Finding(f"admits whoever has the bucket `{source}`", "sourceAccount")


RULES = (
    Rule(
        "bucket-source",
        FAMILY,
        "advisory",
        "low",
        "A bucket that calls is of a known account",
        "names of buckets are free again once they are deleted: who takes the name calls the function",
        "add sourceAccount",
        (NIST["AC-3"], WELL_ARCHITECTED["SEC03-BP07"]),
        bucket_source,
    ),
    Rule(
        "open-principal",
        FAMILY,
        "mandatory",
        "critical",
        "Nobody unknown is let in",
        "anybody with an AWS account (or with none) can use what the statement allows; an external id is no secret"
        " from one who knows it, and does not say who calls",
        "name the principals, or close it with `aws:PrincipalOrgID` or `aws:PrincipalArn`",
        (NIST["AC-3"], WELL_ARCHITECTED["SEC03-BP07"]),
        open_principal,
    ),
    Rule(
        "mixed-trust",
        FAMILY,
        "mandatory",
        "high",
        "A role serves one service",
        "who controls one of the services gets the permissions meant for the other",
        "make one role per service, each with the calls of its own",
        (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
        mixed_trust,
    ),
    Rule(
        "federated-trust",
        FAMILY,
        "mandatory",
        "critical",
        "A federated trust names its subjects",
        "every customer of the identity provider can assume the role",
        "add a condition on the provider's `sub` (for Cognito: `aud`) that names repository, branch or service account",
        (NIST["AC-3"], WELL_ARCHITECTED["SEC02-BP03"]),
        federated_trust,
    ),
    Rule(
        "confused-deputy",
        FAMILY,
        "mandatory",
        "high",
        "A service that is let in acts for a known account",
        "an attacker lets the same service act from his own account on this resource",
        "add `aws:SourceArn` or `aws:SourceAccount` (for keys an encryption context also does) to the Condition;"
        " for a function's permission set sourceArn or sourceAccount",
        (NIST["AC-3"], WELL_ARCHITECTED["SEC03-BP07"]),
        confused_deputy,
    ),
    Rule(
        "service-trust",
        FAMILY,
        "advisory",
        "low",
        "A trusted service acts for a known account",
        "where the service supports it, another account may let it act with this role",
        "add `aws:SourceAccount` (and `aws:SourceArn`) to the trust's Condition",
        (NIST["AC-3"],),
        service_trust,
    ),
    Rule(
        "account-trust",
        FAMILY,
        "advisory",
        "medium",
        "Trust names roles, not accounts",
        "every identity of that account that may call sts:AssumeRole can take the role",
        "name the role as principal, or as `aws:PrincipalArn` in the Condition",
        (NIST["AC-3"], WELL_ARCHITECTED["SEC03-BP07"]),
        account_trust,
    ),
)
