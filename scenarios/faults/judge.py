"""Was it as expected? Pure: from what was observed to what is wrong with it."""

import re
from dataclasses import dataclass
from typing import Any

from scenarios.faults.fault import Fault
from scenarios.faults.outcome import Outcome

_RELEASE = re.compile(r"\d{8}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Row:
    """One row of the matrix: the outcome, the bound (None: no request may fail), and all that is wrong."""

    fault: Fault
    outcome: Outcome
    bound: float | None
    problems: tuple[str, ...]
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """The entry in `faults.json`."""
        outcome = self.outcome
        return {
            "fault": self.fault.name,
            "stage": outcome.stage,
            "error": outcome.error,
            "serving": outcome.serving,
            "requests": outcome.requests,
            "failed": outcome.failed,
            "ok": self.ok,
        }


def judge(fault: Fault, outcome: Outcome, old: str, bound: float | None) -> list[str]:
    """What is not as expected, a sentence each. `old` is the release that served before."""
    expected = fault.expected
    problems = []
    if outcome.stage != expected.stage:
        problems.append(f"stage {outcome.stage} stopped it, not {expected.stage}")
    if not re.search(expected.error, outcome.error):
        problems.append(f"the error does not say {expected.error!r}")
    if not _serves(expected.serving, outcome.serving, old):
        wanted = f"the old release {old}" if expected.serving == "old" else f"one new release instead of {old}"
        problems.append(f"{outcome.serving} serves, not {wanted}")
    if not outcome.requests:
        problems.append("no live request was made, so nothing is known of callers")
    most = bound or 0.0
    if outcome.failed > most:
        problems.append(f"{outcome.failed} live requests failed, at most {most:.1f} may")
    return problems


def _serves(expected: str, serving: str, old: str) -> bool:
    if expected == "old":
        return serving == old
    return serving != old and _RELEASE.fullmatch(serving) is not None
