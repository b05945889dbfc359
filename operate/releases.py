"""What is known of an environment's releases, and what follows from it: which serve, served, failed, and why.

Pure: `operate.history` reads what stands here from an account.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.appspec import TAKEN_BACK

_ALARMS = re.compile(r"alarms: <([^>]+)>")
SERVING, SHIFTING, FORMER, ROLLED_BACK, NEVER = "serving", "shifting", "former", "rolled back", "never served"


@dataclass(frozen=True)
class ServingRecord:
    """One entry of the pointer's history: which release was recorded as serving, when, and by whom if that is known."""

    release: str
    manifest: str
    sha256: str
    at: datetime
    by: str = ""


@dataclass(frozen=True)
class Attempt:
    """A deployment of CodeDeploy's to a version of a release; `rollback` where CodeDeploy made it by itself."""

    id: str
    release: str
    status: str
    created: datetime
    code: str = ""
    cause: str = ""
    rollback: bool = False
    """Or the judge, which takes back what fails its bake."""
    description: str = ""

    @property
    def why(self) -> str:
        """What stopped it, in a few words; empty where it succeeded or goes on."""
        if not self.failed:
            return ""
        alarms = _ALARMS.search(self.cause)
        if self.code == "ALARM_ACTIVE" and alarms:
            return f"alarm {alarms[1]} went off"
        if self.code == "MANUAL_STOP":
            return "stopped by hand"
        return self.cause.rstrip(".") or f"deployment {self.id} ended {self.status}"

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return self.status not in ("Succeeded", "Failed", "Stopped")

    @property
    def failed(self) -> bool:
        """Whether it ended and did not succeed."""
        return self.status in ("Failed", "Stopped")


@dataclass(frozen=True)
class Traffic:
    """Who answers: the release of the alias's version, and the shares of other releases beside it."""

    release: str
    version: str
    endpoint: str
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """A release in an environment: one of the words above, with share (shifting) or cause (rolled back)."""

    word: str
    share: float = 0.0
    cause: str = ""

    def __str__(self) -> str:
        if self.word == SHIFTING:
            return f"{self.word} {self.share:.0%}"
        return f"{self.word}: {self.cause}" if self.cause else self.word


def stays(served: Sequence[ServingRecord]) -> list[ServingRecord]:
    """The way back: what served before what, the present one last; returns are taken out with what they undid.

    `served` is the history, oldest first. After A, B and a rollback to A, the way back is A alone: B was left for a
    reason, and another return must not lead to it.
    """
    way: list[ServingRecord] = []
    for entry in served:
        known = [index for index, stop in enumerate(way) if stop.release == entry.release]
        if known:
            del way[known[0] :]
        way.append(entry)
    return way


def former(served: Sequence[ServingRecord], present: str) -> ServingRecord | None:
    """The release that served before `present`; None where there is none."""
    way = stays(served)
    releases = [stop.release for stop in way]
    if present in releases:
        place = releases.index(present)
        return way[place - 1] if place else None
    return way[-1] if way else None


def with_bakes(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The same, newest first: what the judge took back has failed, and its return is a rollback."""
    found: list[Attempt] = []
    reason = ""
    for attempt in attempts:
        known = attempt
        if TAKEN_BACK in attempt.description and not attempt.failed:
            known = replace(attempt, rollback=True)
            reason = attempt.description.partition(TAKEN_BACK)[2]
        elif reason and not attempt.rollback:
            known = replace(attempt, status="Failed", cause=reason) if attempt.status == "Succeeded" else attempt
            reason = ""
        found.append(known)
    return found


def state_of(
    release: str, traffic: Traffic | None, served: Sequence[ServingRecord], attempts: Sequence[Attempt]
) -> State:
    """How a release stands; `attempts` newest first."""
    if traffic and release in traffic.weights:
        return State(SHIFTING, traffic.weights[release])
    if traffic and traffic.release == release:
        return State(SERVING)
    own = [attempt for attempt in attempts if attempt.release == release and not attempt.rollback]
    if own and own[0].under_way:
        return State(SHIFTING, 0.0)
    if own and own[0].failed and not _served_since(release, served, own[0].created):
        return State(ROLLED_BACK, cause=own[0].why)
    if any(entry.release == release for entry in served):
        return State(FORMER)
    return State(NEVER)


def last_failure(served: Sequence[ServingRecord], attempts: Sequence[Attempt]) -> Attempt | None:
    """The latest shift, if it failed and nothing was recorded as serving since."""
    own = [attempt for attempt in attempts if not attempt.rollback]
    if not own or not own[0].failed:
        return None
    since = [entry for entry in served if entry.at > own[0].created]
    return None if since else own[0]


def match(wanted: str, known: Iterable[str]) -> tuple[str | None, list[str]]:
    """The release that `wanted` names, whole or by a part that no other has; else (None, what comes near)."""
    known = list(known)
    if wanted in known:
        return wanted, []
    parts = [release for release in known if wanted and wanted in release]
    if len(parts) == 1:
        return parts[0], []
    return None, parts or difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)


def _served_since(release: str, served: Sequence[ServingRecord], moment: datetime) -> bool:
    return any(entry.release == release and entry.at > moment for entry in served)
