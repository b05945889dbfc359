"""A resource's statements as checks go through them, and the words that findings share."""

import re
from collections.abc import Iterator, Sequence

from .actions import Action
from .breadth import Breadth, Denials, allowed, exposed
from .documents import Document, Statement
from .model import Resource
from .sources import Placed, documents_of

FAMILY = "least-privilege"
# By AWS's own naming; AmazonEC2RoleforSSM reads and writes every bucket.
_GIVING = re.compile(
    r"Full_?Access|AdminAccess|Administrator|PowerUser|_FullControl|^AmazonEC2RoleforSSM$|^AWSElasticBeanstalkService$"
)
_WATCHING = frozenset({"Billing", "SupportUser", "ViewOnlyAccess"})
"""Job functions that change nothing; the others may pass roles and make what they like."""


def statements(resource: Resource) -> list[tuple[Placed, Statement, Denials]]:
    """Every readable statement that allows, with the Deny statements that hold beside it."""
    found = resource.memo.get("statements")
    if found is None:
        found = resource.memo["statements"] = list(_statements(resource))
    return found


def granting(resource: Resource) -> Iterator[tuple[Placed, Statement, Denials]]:
    """Those of its statements that give an identity something: not a resource's own policy, nor a trust policy."""
    return (each for each in statements(resource) if each[0].kind == "identity")


def _statements(resource: Resource) -> Iterator[tuple[Placed, Statement, Denials]]:
    for placed in documents_of(resource):
        if isinstance(placed.document, Document):
            denials = _denials(resource, placed)
            yield from ((placed, each, denials) for each in placed.document.statements if each.allows)


def _denials(resource: Resource, placed: Placed) -> Denials:
    """Deny statements of the same document; a role's inline policies hold together."""
    beside = [
        other for other in documents_of(resource) if other.kind == placed.kind and isinstance(other.document, Document)
    ]
    return Denials(each for other in beside for each in other.document.statements)  # type: ignore[union-attr]


def where(placed: Placed, statement: Statement) -> str:
    """The place that a message names."""
    return f"{statement.label} of {placed.path}"


def listed(values: Sequence[object], most: int = 4) -> str:
    """Some of many, for a sentence."""
    shown = ", ".join(f"`{each}`" for each in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"


def scoped_exposure(statement: Statement, denials: Denials) -> dict[Action, Breadth]:
    """How far a statement reaches with those of its actions that can be scoped."""
    return exposed(statement, denials, [each for each in allowed(statement, denials) if each.scoped])


def gives_all(arn: str) -> bool:
    """Whether a managed policy of AWS gives a whole service or account away."""
    account, _, path = arn.partition(":policy/")
    policy = path.rpartition("/")[2]
    if not account.endswith(":iam::aws"):
        return False
    return bool(_GIVING.search(policy)) or (path.startswith("job-function/") and policy not in _WATCHING)
