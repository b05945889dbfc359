"""From an event of the pipeline to what became of a run's model, as pure logic.

Events of actions, and their states: https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.packages import APPROVED, REJECTED


@dataclass(frozen=True)
class Outcome:
    """What became of the model of a run, why, and when, as `contracts.packages.moment` has it."""

    run: str
    status: str
    why: str
    at: str


def outcome(event: Mapping[str, Any], deployment: str, serves: Callable[[str], bool]) -> Outcome | None:
    """What an action's change of state decides; None where it decides nothing.

    `deployment` is the action that deploys to production. `serves` tells whether production has recorded the release of
    a run: it does so once traffic has moved, and the deployment may still fail then. An approval that was rejected and
    one that expired have the same state, and it is the summary that differs: a person's words, where there are any.
    """
    detail = event["detail"]
    run, at, state = detail["execution-id"], event["time"], detail["state"]
    said = (detail.get("execution-result") or {}).get("external-execution-summary") or ""
    if detail["type"]["category"] == "Approval" and state == "FAILED":
        return Outcome(run, REJECTED, f"Not approved: {said or 'rejected without a word, or not in time'}", at)
    if detail["action"] != deployment:
        return None
    if state == "SUCCEEDED":
        return Outcome(run, APPROVED, f"{deployment} succeeded: production serves it", at)
    if state == "FAILED":
        why = f"{deployment} failed: {said or 'see the log of its build'}"
        if serves(run):
            return Outcome(run, APPROVED, f"Production serves it, although {why}", at)
        return Outcome(run, REJECTED, why, at)
    return None
