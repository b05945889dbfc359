"""What a check has to say."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: `where` names a file, a stack or a resource."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True)
class Result:
    """The outcome of one check. `summary` says what was looked at, `notes` what is worth knowing, and fails nothing."""

    check: str
    summary: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """The form for other programs."""
        return {**asdict(self), "ok": self.ok}
