"""One thing that an attacker would try."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Context = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Attempt:
    """One action on one resource. `owner`: the stack that it belongs to. `what`: its kind and name in few words."""

    action: str
    resource: str
    owner: str
    what: str
    context: Context = field(default_factory=dict, hash=False, compare=False)
    account: str = ""
    """Whose the resource is; empty where nobody's."""
