"""Least privilege in what identities are allowed: actions, resources, PassRole, escalation, managed policies."""

from collections.abc import Iterator, Sequence

from .actions import Action, is_wild, of_service, reach, split, touching, wide
from .breadth import Breadth, Denials, allowed, broad_resources, exposed, patterns
from .conditions import bound_by
from .documents import Document, Statement
from .model import UNKNOWN, Context, Finding, Resource, Rule, items, text
from .references import CIS, NIST, WELL_ARCHITECTED
from .sources import Placed

FAMILY = "least-privilege"
PERMISSIONS = ("aws:lambda/permission:Permission", "aws-native:lambda:Permission")
"""A function's permissions are resources, one per statement."""
_LIMITS = {"identity": 10_240, "trust": 4_096, "resource": 20_480, "key": 32_768}
_MANAGED = 6_144
_PASSING = "iam:PassRole"
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


def statements(resource: Resource) -> list[tuple[Placed, Statement, Denials]]:
    """Every readable statement that allows, with the Deny statements that hold beside it."""
    found = resource.memo.get("statements")
    if found is None:
        found = resource.memo["statements"] = list(_statements(resource))
    return found


def _statements(resource: Resource) -> Iterator[tuple[Placed, Statement, Denials]]:
    for placed in resource.documents:
        if isinstance(placed.document, Document):
            denials = _denials(resource, placed)
            yield from ((placed, each, denials) for each in placed.document.statements if each.allows)


def _denials(resource: Resource, placed: Placed) -> Denials:
    """Deny statements of the same document; a role's inline policies hold together."""
    beside = [
        other for other in resource.documents if other.kind == placed.kind and isinstance(other.document, Document)
    ]
    return Denials(each for other in beside for each in other.document.statements)  # type: ignore[union-attr]


def where(placed: Placed, statement: Statement) -> str:
    """The place that a message names."""
    return f"{statement.label} of {placed.path}"


def listed(values: Sequence[object], most: int = 4) -> str:
    """Some of many, for a sentence."""
    shown = ", ".join(f"`{each}`" for each in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"


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


def _changes_permissions(action: Action) -> bool:
    return "P" in action.traits or str(action) == _PASSING


def wildcard_resource(resource: Resource, context: Context) -> Iterator[Finding]:
    """`*` as resource of actions that write, change permissions or read data, and could be scoped."""
    for placed, statement, denials in statements(resource):
        if placed.kind != "identity":
            continue
        wide_ones = [each for each in patterns(statement) if wide(each)]
        if denials:
            wide_ones = [each for each in wide_ones if not denials.forbid_all(each, _known(statement.resources))]
        if wide_ones and broad_resources(statement) and exposed_wide(statement, denials):
            yield Finding(
                f"allows {listed(wide_ones)} on {listed(broad_resources(statement))}", where(placed, statement)
            )
            continue
        found = [each for each, reached in _exposed(statement, denials).items() if each.touches and reached == "all"]
        found = [each for each in found if str(each) != _PASSING]
        if found:
            broad = [each for each in statement.resources or () if isinstance(each, str) and is_wild(each)]
            yield Finding(
                f"allows {listed(found)} on {listed(broad)}, though they can be scoped", where(placed, statement)
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


def _exposed(statement: Statement, denials: Denials) -> dict[Action, Breadth]:
    return exposed(statement, denials, [each for each in allowed(statement, denials) if each.scoped])


def wildcard_type(resource: Resource, context: Context) -> Iterator[Finding]:
    """All resources of a type in an account (`table/*`), and metadata reads on everything."""
    for placed, statement, denials in statements(resource):
        if placed.kind != "identity":
            continue
        found = _exposed(statement, denials)
        types = [
            each for each, reached in found.items() if each.touches and reached == "type" and str(each) != _PASSING
        ]
        if types:
            yield Finding(f"allows {listed(types)} on all resources of a type in the account", where(placed, statement))
        reads = [each for each, reached in found.items() if not each.touches and reached == "all"]
        if reads:
            yield Finding(f"reads the metadata of all resources with {listed(reads)}", where(placed, statement))


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


def pass_role(resource: Resource, context: Context) -> Iterator[Finding]:
    """iam:PassRole on roles that are not named."""
    for placed, statement, denials in statements(resource):
        passing = _passing(placed, statement, denials)
        if passing and _unbound_roles(statement):
            unbound = listed(_unbound_roles(statement))
            yield Finding(f"passes any role: iam:PassRole on {unbound}", where(placed, statement))


def pass_role_service(resource: Resource, context: Context) -> Iterator[Finding]:
    """iam:PassRole to any service."""
    for placed, statement, denials in statements(resource):
        if _passing(placed, statement, denials) and not bound_by(statement, "iam:passedtoservice"):
            yield Finding("passes roles to any service: no condition on iam:PassedToService", where(placed, statement))


def _passing(placed: Placed, statement: Statement, denials: Denials) -> bool:
    if placed.kind != "identity":
        return False
    (action,) = reach(_PASSING)
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
    return kind == "role" and bool(slash) and bool(name.strip("*?/"))


def escalation(resource: Resource, context: Context) -> Iterator[Finding]:
    """Calls that give their caller any permission, on all roles, users or policies of an account."""
    for placed, statement, denials in statements(resource):
        if placed.kind != "identity":
            continue
        found = [
            each
            for each, reached in _exposed(statement, denials).items()
            if reached == "type" and str(each).lower() in _ESCALATING
        ]
        if found:
            yield Finding(f"allows {listed(found)} on every one in the account", where(placed, statement))


def unknown_action(resource: Resource, context: Context) -> Iterator[Finding]:
    """Actions that AWS does not have: a slip of the pen, which grants nothing."""
    for placed in resource.documents:
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


def _known(values: Sequence[object] | None) -> list[str]:
    return [each for each in values or () if isinstance(each, str)]


def malformed(resource: Resource, context: Context) -> Iterator[Finding]:
    """Documents that AWS would refuse."""
    for placed in resource.documents:
        if isinstance(placed.document, Document) and placed.document.error:
            yield Finding(f"the document {placed.document.error}", placed.path)


def too_long(resource: Resource, context: Context) -> Iterator[Finding]:
    """Documents longer than AWS takes them."""
    for placed in resource.documents:
        if not isinstance(placed.document, Document):
            continue
        managed = resource.kind in ("aws:iam/policy:Policy", "aws-native:iam:ManagedPolicy")
        most = _MANAGED if managed else _LIMITS[placed.kind]
        if placed.document.size > most:
            yield Finding(f"the document has {placed.document.size} characters, AWS takes {most}", placed.path)


def unknown_document(resource: Resource, context: Context) -> Iterator[Finding]:
    """Documents that only the update will tell."""
    for placed in resource.documents:
        if placed.document is UNKNOWN:
            yield Finding("the document is not known at preview: it is judged when the update knows it", placed.path)


_ATTACHED = ("policyArn", "managedPolicyArn", "policyArns", "managedPolicyArns", "managedPolicies")


def managed_policy(resource: Resource, context: Context) -> Iterator[Finding]:
    """AWS's managed policies that give a whole service or account away."""
    if not resource.type.startswith(("aws:iam/", "aws-native:iam:", "aws:ssoadmin/", "aws-native:sso:")):
        return
    for name in _ATTACHED:
        for arn in items(resource.props.get(name)):
            if isinstance(arn, str) and _gives_all(arn):
                yield Finding(f"attaches AWS's managed policy `{arn.rpartition('/')[2]}`", name)


def _gives_all(arn: str) -> bool:
    account, _, path = arn.partition(":policy/")
    policy = path.rpartition("/")[2]
    if not account.endswith(":iam::aws"):
        return False
    return "FullAccess" in policy or policy.startswith(("AdministratorAccess", "PowerUserAccess"))


def boundary(resource: Resource, context: Context) -> Iterator[Finding]:
    """Roles and users without a permissions boundary."""
    if resource.kind not in ("aws:iam/role:Role", "aws:iam/user:User", "aws-native:iam:Role", "aws-native:iam:User"):
        return
    value = resource.props.get("permissionsBoundary")
    if not value:
        yield Finding("has no permissions boundary", "permissionsBoundary")
    elif _gives_all(text(value)):
        yield Finding(f"has a boundary that bounds nothing: `{text(value)}`", "permissionsBoundary")


RULES = (
    Rule(
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
    ),
    Rule(
        "wildcard-permissions",
        FAMILY,
        "mandatory",
        "high",
        "No wildcard reaches calls that change permissions",
        "with such a call an attacker opens the resource to another account, or himself to more resources",
        "list the calls that the code makes; leave policies, ACLs and grants to administrators",
        (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
        wildcard_permissions,
    ),
    Rule(
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
    ),
    Rule(
        "wildcard-type",
        FAMILY,
        "advisory",
        "low",
        "All resources of a type, or the metadata of all, are more than most programs need",
        "an attacker who reads what there is knows where to go next; all of a type includes other programs' resources",
        "name the resources, or a prefix of their names",
        (NIST["AC-6"],),
        wildcard_type,
    ),
    Rule(
        "inverted-allow",
        FAMILY,
        "mandatory",
        "critical",
        "Nothing is allowed by what is left out",
        "NotAction, NotResource and NotPrincipal allow everything else, what AWS adds later included",
        "list with Action, Resource and Principal what is allowed; take back with a Deny",
        (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
        inverted,
    ),
    Rule(
        "pass-role",
        FAMILY,
        "mandatory",
        "critical",
        "iam:PassRole names its roles",
        "an attacker starts a function, job or machine with the most powerful role of the account, and acts as it",
        "give the ARNs of the roles that are passed, and `iam:PassedToService` as condition",
        (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP02"]),
        pass_role,
    ),
    Rule(
        "pass-role-service",
        FAMILY,
        "advisory",
        "medium",
        "iam:PassRole names the service",
        "the role can be handed to another service than the one it is meant for, wherever its trust allows it",
        'add the condition {"StringEquals": {"iam:PassedToService": "<service>.amazonaws.com"}}',
        (NIST["AC-6"],),
        pass_role_service,
    ),
    Rule(
        "escalation",
        FAMILY,
        "mandatory",
        "critical",
        "Nobody can give himself any permission",
        "with one such call an attacker becomes administrator: he rewrites, or assumes, a role that may do more",
        "name the roles or policies, or bind the call with `iam:PermissionsBoundary` or `iam:PolicyARN`",
        (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP05"]),
        escalation,
    ),
    Rule(
        "managed-full-access",
        FAMILY,
        "mandatory",
        "high",
        "No managed policy that gives a whole service away",
        "whoever takes over this identity owns the service, in all its resources",
        "write a policy of the calls that the code makes, on the resources it needs",
        (CIS["1.16"], NIST["AC-6"]),
        managed_policy,
    ),
    Rule(
        "permissions-boundary",
        FAMILY,
        "advisory",
        "low",
        "Roles and users have a permissions boundary",
        "what a later policy grants by mistake is not bounded by anything",
        "set permissionsBoundary to a policy that holds the most this program may ever do",
        (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP05"]),
        boundary,
    ),
    Rule(
        "unknown-action",
        FAMILY,
        "advisory",
        "low",
        "Actions exist",
        "the statement grants nothing, and what it should grant is missing or too broad elsewhere",
        "look the call up in AWS's service authorization reference",
        (),
        unknown_action,
    ),
    Rule(
        "malformed-document",
        FAMILY,
        "mandatory",
        "medium",
        "Documents are policies that AWS accepts",
        "AWS refuses it half-way through the update, and nobody can tell what it was to allow",
        "build the document from objects, not from text, and let a JSON encoder write it",
        (),
        malformed,
    ),
    Rule(
        "document-size",
        FAMILY,
        "mandatory",
        "low",
        "Documents keep AWS's limits",
        "AWS refuses it half-way through the update",
        "split the document, or one role into two",
        (),
        too_long,
    ),
    Rule(
        "unknown-document",
        FAMILY,
        "advisory",
        "low",
        "Documents that are not known yet are judged at the update",
        "the preview cannot say what it will allow",
        "nothing to do; documents built from names known beforehand are judged at the preview already",
        (),
        unknown_document,
    ),
)
