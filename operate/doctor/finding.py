"""What a check has to say: what, why, and what to do."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from contracts.errors import UserError

T = TypeVar("T")
FINE, NOTE, UNCHECKED, PROBLEM = "fine", "note", "not checked", "problem"
"""How it stands. A note is worth knowing and stops nothing; what is not checked could not be read."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `where` names a stack, an account's stacks, or this machine."""

    check: str
    where: str
    status: str
    what: str
    why: str = ""
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The form for other programs."""
        return asdict(self)


@dataclass(frozen=True)
class Unread:
    """What AWS, or this machine, did not tell, and the reason it gave; `code` is AWS's own, where it gave one."""

    reason: str
    code: str = ""

    def finding(self, check: str, where: str, subject: str) -> Finding:
        """That `subject` was not checked, and why."""
        fix = "allow it for the profile, or look by yourself" if "Denied" in self.code else "see the reason"
        return Finding(check, where, UNCHECKED, f"{subject}: not checked", self.reason, fix)


def attempt(ask: Callable[[], T]) -> "T | Unread":
    """The answer, or why there is none: nothing that cannot be read ends the examination."""
    try:
        return ask()
    except ClientError as error:
        return Unread(str(error), str(error.response.get("Error", {}).get("Code", "")))
    except UserError as error:
        return Unread(error.message)
    except (BotoCoreError, OSError) as error:
        return Unread(" ".join(str(error).split()))


def console(service: str, region: str, path: str = "") -> str:
    """Where a person does it: an address of AWS's console."""
    return f"https://{region}.console.aws.amazon.com/{service}/home?region={region}{path}"
