"""Managed policies: AWS's own that give too much away, and those that are there to bound and must not be attached."""

from collections.abc import Iterator, Sequence

from .model import Context, Finding, Resource, Rule, items, text
from .references import CIS, NIST, WELL_ARCHITECTED
from .statements import FAMILY, gives_all

_ATTACHED = ("policyArn", "managedPolicyArn", "policyArns", "managedPolicyArns", "managedPolicies")
_OWNERS = ("aws:iam/", "aws-native:iam:", "aws:ssoadmin/", "aws-native:sso:", "aws:identitystore/")
_POLICIES = ("aws:iam/policy:Policy", "aws-native:iam:ManagedPolicy")
_WORD = "boundary"


def is_boundary(resource: Resource) -> bool:
    """Whether a managed policy calls itself a boundary: it grants nothing as long as nobody attaches it."""
    names = (resource.props.get("name"), resource.props.get("managedPolicyName"), resource.name)
    return resource.type in _POLICIES and any(_WORD in text(each).lower() for each in names)


def _attached(resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.type.startswith(_OWNERS):
        for name in _ATTACHED:
            yield from ((name, each) for each in items(resource.props.get(name)) if isinstance(each, str))


def managed_policy(resource: Resource, context: Context) -> Iterator[Finding]:
    """AWS's managed policies that give a whole service or account away."""
    for name, arn in _attached(resource):
        if gives_all(arn):
            yield Finding(f"attaches AWS's managed policy `{arn.rpartition('/')[2]}`", name)


MANAGED_POLICY = Rule(
    "managed-full-access",
    FAMILY,
    "mandatory",
    "high",
    "No managed policy that gives a whole service away",
    "whoever takes over this identity owns the service, in all its resources",
    "write a policy of the calls that the code makes, on the resources it needs",
    (CIS["1.16"], NIST["AC-6"]),
    managed_policy,
)


def attached(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """Policies judged as boundaries that something attaches."""
    bounds = [each for each in resources if is_boundary(each)]
    for resource in resources:
        for name, arn in _attached(resource):
            if _WORD in arn.lower():
                yield Finding(f"{resource.name} attaches `{arn}`, which is judged as a boundary", name, resource.urn)
        if resource.type.startswith(_OWNERS) and "ttach" in resource.type:
            for bound in (each for each in bounds if each.urn in resource.depends):
                yield Finding(f"{resource.name} attaches {bound.name}, which is judged as a boundary", urn=resource.urn)


ATTACHED = Rule(
    "boundary-attached",
    FAMILY,
    "mandatory",
    "high",
    "A boundary bounds, and is not attached",
    "what calls itself a boundary may reach all of a type, since it grants nothing: attached it grants all of that",
    "set it as permissionsBoundary only, and attach a policy of its own",
    (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP05"]),
    stack_check=attached,
)


RULES = (MANAGED_POLICY, ATTACHED)
