"""Least privilege in what identities are allowed: actions, resources, managed policies, and documents as such."""

from collections.abc import Iterator, Sequence

from .actions import Action, is_wild, of_service, reach, split, touching, wide
from .boundaries import is_boundary
from .breadth import Denials, allowed, broad_resources, exposed, patterns
from .documents import Document, Statement
from .escalation import PASSING
from .invented import unnameable
from .model import UNKNOWN, Context, Finding, Resource, Rule, text
from .references import CIS, NIST, WELL_ARCHITECTED
from .sources import Placed, documents_of
from .statements import FAMILY, granting, listed, scoped_exposure, statements, where

PERMISSIONS = ("aws:lambda/permission:Permission", "aws-native:lambda:Permission")
"""A function's permissions are resources, one per statement."""
_LIMITS = {"identity": 10_240, "trust": 4_096, "resource": 20_480, "key": 32_768}
_MANAGED = 6_144


def wildcard_action(resource: Resource, context: Context) -> Iterator[Finding]:
    """`*`, `svc:*` and all spellings of it."""
    for placed, statement, denials in statements(resource):
        found = [each for each in patterns(statement) if wide(each)]
        if denials:
            found = [each for each in found if not denials.forbid_all(each, _known(statement.resources))]
        if found and not (placed.kind == "key" and _is_key_delegation(placed, statement)):
            yield Finding(f"allows {listed(found)}, every action there is", where(placed, statement))
    action = text(resource.props.get("action"))
    if resource.type in PERMISSIONS and action and wide(action):
        yield Finding(f"allows `{action}`, every action there is", "action")


WILDCARD_ACTION = Rule(
    "wildcard-action",
    FAMILY,
    "mandatory",
    "critical",
    "No statement allows every action of AWS or of a service",
    "whoever takes over this identity can do all that the service can, to delete and to hand out included, and"
    " gets every call that AWS adds later",
    "list the calls that the code makes, e.g. `s3:GetObject` for `s3:*`",
    (CIS["1.16"], NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
    wildcard_action,
)


def _is_key_delegation(placed: Placed, statement: Statement) -> bool:
    """AWS's own default statement of a key: its account's IAM policies decide. One account, the key's own."""
    roots = [value for _, value in statement.principals or ()]
    return (
        len(roots) == 1
        and (roots[0] is UNKNOWN or _is_root(text(roots[0])))
        and [each.lower() for each in patterns(statement)] == ["kms:*"]
    )


def _is_root(principal: str) -> bool:
    return principal.endswith(":root") or (principal.isdigit() and len(principal) == 12)


def wildcard_permissions(resource: Resource, context: Context) -> Iterator[Finding]:
    """A partial wildcard that reaches calls which change permissions."""
    for placed, statement, denials in statements(resource):
        if placed.kind == "key" and _administers(statement):
            continue
        granted = set(allowed(statement, denials)) if denials else None
        for pattern in patterns(statement):
            if not is_wild(pattern) or wide(pattern):
                continue
            changing = [
                each for each in reach(pattern) if _changes_permissions(each) and (granted is None or each in granted)
            ]
            if changing:
                yield Finding(
                    f"`{pattern}` reaches {listed(changing)}, which change permissions", where(placed, statement)
                )


WILDCARD_PERMISSIONS = Rule(
    "wildcard-permissions",
    FAMILY,
    "mandatory",
    "high",
    "No wildcard reaches calls that change permissions",
    "with such a call an attacker opens the resource to another account, or gains access to more resources",
    "list the calls that the code makes; leave policies, ACLs and grants to administrators",
    (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
    wildcard_permissions,
)


def _administers(statement: Statement) -> bool:
    """AWS's own statement for a key's administrators: its verbs, for named identities, and no use of the key.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators
    """
    named = [text(each) for kind, each in statement.principals or () if kind.lower() == "aws"]
    uses = [
        each
        for pattern in patterns(statement)
        for each in reach(pattern)
        if each.name.startswith(_USES) and is_wild(pattern)
    ]
    return bool(named) and not any(is_wild(each) or _is_root(each) for each in named) and not uses


_USES = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt", "Sign")


def _changes_permissions(action: Action) -> bool:
    return "P" in action.traits or str(action) == PASSING


def wildcard_resource(resource: Resource, context: Context) -> Iterator[Finding]:
    """`*` as resource of actions that write, change permissions or read data, and could be scoped."""
    for placed, statement, denials in granting(resource):
        wide_ones = [each for each in patterns(statement) if wide(each)]
        if denials:
            wide_ones = [each for each in wide_ones if not denials.forbid_all(each, _known(statement.resources))]
        if wide_ones and broad_resources(statement) and exposed_wide(statement, denials):
            yield Finding(
                f"allows {listed(wide_ones)} on {listed(broad_resources(statement))}", where(placed, statement)
            )
            continue
        found = [
            each for each, reached in scoped_exposure(statement, denials).items() if each.touches and reached == "all"
        ]
        found = [each for each in found if str(each) != PASSING]
        if found:
            broad = [each for each in statement.resources or () if isinstance(each, str) and is_wild(each)]
            yield Finding(
                f"allows {listed(found)} on {listed(broad)}, though they can be scoped", where(placed, statement)
            )


WILDCARD_RESOURCE = Rule(
    "wildcard-resource",
    FAMILY,
    "mandatory",
    "high",
    "Actions that can be scoped are scoped",
    "an attacker reaches not just this program's resources but those of all others in the account",
    "name the ARNs; where they are not known before, bind the resource with an exact tag"
    " (`aws:ResourceTag/…`), alias or policy ARN in the Condition",
    (CIS["1.16"], NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
    wildcard_resource,
)


def exposed_wide(statement: Statement, denials: Denials) -> bool:
    """Whether full wildcards of a statement reach, on broad resources, something that touches what can be scoped."""
    for pattern in (each for each in patterns(statement) if wide(each)):
        service, _ = split(pattern)
        if is_wild(service):
            return bool(exposed(statement, denials, of_service("s3")))
        if exposed(statement, denials, touching(service)):
            return True
    return False


def wildcard_type(resource: Resource, context: Context) -> Iterator[Finding]:
    """All resources of a type in an account (`table/*`), for actions that write, change permissions or read data."""
    for placed, statement, found in _on_types(resource):
        nameable = [each for each in found if not unnameable(each)]
        if nameable:
            yield Finding(
                f"allows {listed(nameable)} on all resources of a type in the account", where(placed, statement)
            )


def _on_types(resource: Resource) -> Iterator[tuple[Placed, Statement, list[Action]]]:
    if is_boundary(resource):
        return
    for placed, statement, denials in granting(resource):
        reached = scoped_exposure(statement, denials).items()
        yield (
            placed,
            statement,
            [each for each, far in reached if each.touches and far == "type" and str(each) != PASSING],
        )


WILDCARD_TYPE = Rule(
    "wildcard-type",
    FAMILY,
    "mandatory",
    "high",
    "Nobody works on all resources of a type",
    "all of a type includes other programs' resources, production's among them, and whatever is made later",
    "name the resources, or a prefix of their names; where AWS invents the id, bind it with an exact tag"
    " (`aws:ResourceTag/…`)",
    (CIS["1.16"], NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
    wildcard_type,
)


def wildcard_metadata(resource: Resource, context: Context) -> Iterator[Finding]:
    """Metadata reads on everything."""
    for placed, statement, denials in granting(resource):
        found = scoped_exposure(statement, denials)
        reads = [each for each, reached in found.items() if not each.touches and reached == "all"]
        if reads:
            yield Finding(f"reads the metadata of all resources with {listed(reads)}", where(placed, statement))


WILDCARD_METADATA = Rule(
    "wildcard-metadata",
    FAMILY,
    "advisory",
    "low",
    "The metadata of all is more than most programs need",
    "an attacker who reads what there is knows where to go next",
    "name the resources, or a prefix of their names",
    (NIST["AC-6"],),
    wildcard_metadata,
)


def inverted(resource: Resource, context: Context) -> Iterator[Finding]:
    """Allow with NotAction, NotResource or NotPrincipal."""
    for placed, statement, _ in statements(resource):
        used = {
            "NotAction": statement.not_actions,
            "NotResource": statement.not_resources,
            "NotPrincipal": statement.not_principals,
        }
        found = [name for name, value in used.items() if value is not None]
        if found:
            yield Finding(f"allows by {' and '.join(found)}: all but what is listed", where(placed, statement))


INVERTED = Rule(
    "inverted-allow",
    FAMILY,
    "mandatory",
    "critical",
    "Nothing is allowed by what is left out",
    "NotAction, NotResource and NotPrincipal allow everything else, what AWS adds later included",
    "list with Action, Resource and Principal what is allowed; take back with a Deny",
    (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
    inverted,
)


def unknown_action(resource: Resource, context: Context) -> Iterator[Finding]:
    """Actions that AWS does not have: a slip of the pen, which grants nothing."""
    for placed in documents_of(resource):
        if not isinstance(placed.document, Document):
            continue
        for statement in placed.document.statements:
            found = [
                each
                for each in (*patterns(statement), *_known(statement.not_actions))
                if not wide(each) and not reach(each)
            ]
            if found:
                yield Finding(f"names {listed(found)}, which AWS does not have", where(placed, statement))


UNKNOWN_ACTION = Rule(
    "unknown-action",
    FAMILY,
    "advisory",
    "low",
    "Actions exist",
    "the statement grants nothing, and what it should grant is missing or too broad elsewhere",
    "look the call up in AWS's service authorization reference",
    (),
    unknown_action,
)


def _known(values: Sequence[object] | None) -> list[str]:
    return [each for each in values or () if isinstance(each, str)]


def malformed(resource: Resource, context: Context) -> Iterator[Finding]:
    """Documents that AWS would refuse."""
    for placed in documents_of(resource):
        if isinstance(placed.document, Document) and placed.document.error:
            yield Finding(f"the document {placed.document.error}", placed.path)


MALFORMED = Rule(
    "malformed-document",
    FAMILY,
    "mandatory",
    "medium",
    "Documents are policies that AWS accepts",
    "AWS refuses it half-way through the update, and nobody can tell what it was to allow",
    "build the document from objects, not from text, and let a JSON encoder write it",
    (),
    malformed,
)


def too_long(resource: Resource, context: Context) -> Iterator[Finding]:
    """Documents longer than AWS takes them."""
    for placed in documents_of(resource):
        if not isinstance(placed.document, Document):
            continue
        managed = resource.kind in ("aws:iam/policy:Policy", "aws-native:iam:ManagedPolicy")
        most = _MANAGED if managed else _LIMITS[placed.kind]
        if placed.document.size > most:
            yield Finding(f"the document has {placed.document.size} characters, AWS takes {most}", placed.path)


TOO_LONG = Rule(
    "document-size",
    FAMILY,
    "mandatory",
    "low",
    "Documents keep AWS's limits",
    "AWS refuses it half-way through the update",
    "split the document, or one role into two",
    (),
    too_long,
)


def unknown_document(resource: Resource, context: Context) -> Iterator[Finding]:
    """Documents that are known only after the update."""
    for placed in documents_of(resource):
        if placed.document is UNKNOWN:
            yield Finding("the document is not known at preview: it is judged when the update knows it", placed.path)


UNKNOWN_DOCUMENT = Rule(
    "unknown-document",
    FAMILY,
    "advisory",
    "low",
    "Documents that are not known yet are judged at the update",
    "the preview cannot say what it will allow",
    "nothing to do; documents built from names known beforehand are judged at the preview already",
    (),
    unknown_document,
)


RULES = (
    WILDCARD_ACTION,
    WILDCARD_PERMISSIONS,
    WILDCARD_RESOURCE,
    WILDCARD_TYPE,
    WILDCARD_METADATA,
    INVERTED,
    UNKNOWN_ACTION,
    MALFORMED,
    TOO_LONG,
    UNKNOWN_DOCUMENT,
)
