"""A role as one record: who it is, who may be it, and what it may do. A new role is one more of these."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from definitions.roles.statements import Document, Statement

Subject = TypeVar("Subject")


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


def by_purpose(records: Iterable[Record[Subject]]) -> dict[str, Record[Subject]]:
    """Records by their purposes, in their order."""
    return {record.purpose: record for record in records}
