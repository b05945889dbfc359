"""A role as one record: who it is, who may be it, and what it may do. A new role is one more of these."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from definitions.roles.statements import Document, Statement

Subject = TypeVar("Subject")
SHIFT = "shift"
"""Part of an environment's roles: those that work while traffic moves."""
PARTS = ("", SHIFT)
"""Of an environment's roles, by their boundaries."""


@dataclass(frozen=True)
class Record(Generic[Subject]):
    """One role of a stack. `Subject` is the stack as its statements see it, known only once its key is made."""

    purpose: str
    """What it is for; the end of its name."""
    name: str
    """Name in IAM."""
    description: str
    """Whom it serves."""
    trust: Document
    """Who may assume it: one principal."""
    statements: Callable[[Subject], list[Statement]]
    """What it may do."""
    bounded: bool = False
    """Whether it has the stack's permissions boundary."""
    part: str = ""
    """Which of the stack's boundaries: a managed policy is too short for what all of its roles need."""
    attached: Callable[[Subject], list[Statement]] | None = None
    """The part of `statements` that stands in a managed policy, where a role has one.

    IAM lets the inline policies of a role have 10,240 characters in all, white space apart, and a managed one 6,144.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """

    def inline(self, at: Subject) -> list[Statement]:
        """The statements of the role's own policy."""
        apart = self.attached(at) if self.attached else []
        return [statement for statement in self.statements(at) if statement not in apart]


def by_purpose(records: Iterable[Record[Subject]]) -> dict[str, Record[Subject]]:
    """Records by their purposes, in their order."""
    return {record.purpose: record for record in records}
