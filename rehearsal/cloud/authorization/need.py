"""One permission that a call requires."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.cloud.policy_language.template import Context


def one(value: object) -> tuple[str, ...]:
    """A condition key's single value."""
    if isinstance(value, bool):
        return ("true" if value else "false",)
    return (str(value),)


def many(values: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Condition keys with a value each; those without one are left out."""
    return {key.lower(): one(value) for key, value in values.items() if value is not None}


@dataclass(frozen=True)
class Need:
    """`account` owns the resource; empty where the caller's own is meant. `context` has condition keys of this need
    alone, in lower case.
    """

    action: str
    resource: str
    account: str = ""
    context: Context = field(default_factory=dict)

    @property
    def service(self) -> str:
        return self.action.partition(":")[0].lower()
