"""Which hour a beat of the schedule asks for, and what everything of that hour is called."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.monitoring import CAPTURED, REPORTS, jobs

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Release:
    """What is watched. `service` is `{name}-{env}`."""

    service: str
    id: str
    endpoint: str
    variant: str

    @property
    def mark(self) -> str:
        """What tells its jobs from those of other releases."""
        return hashlib.sha256(f"{self.id} {self.endpoint} {self.variant}".encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Window:
    """One hour, from its beginning (UTC)."""

    start: datetime

    @property
    def end(self) -> datetime:
        """Where the next one begins."""
        return self.start + _HOUR

    @property
    def folder(self) -> str:
        """`2026/11/21/03`, as SageMaker calls the folders of captured requests."""
        return self.start.strftime("%Y/%m/%d/%H")

    def captured(self, release: Release) -> str:
        """Where the hour's requests are, in the capture bucket."""
        return f"{CAPTURED}/{release.endpoint}/{release.variant}/{self.folder}/"

    def reports(self, release: Release) -> str:
        """Where the hour's reports are, in the capture bucket."""
        return f"{REPORTS}/{release.endpoint}/{self.folder}/"

    def job(self, release: Release) -> str:
        """The name of the hour's job: however often it is asked for, there is one."""
        return f"{jobs(release.service)}{self.start:%Y%m%d%H}-{release.mark}"


def before(scheduled: str) -> Window:
    """The last whole hour before a beat, whatever the schedule's period. Raises ValueError for what is no time."""
    moment = datetime.fromisoformat(scheduled)
    if moment.tzinfo is None:
        raise ValueError(f"{scheduled} has no time zone")
    return Window(moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - _HOUR)


def of_job(name: str, release: Release) -> Window | None:
    """The hour that a job looks at; None for the job of another release."""
    match = re.fullmatch(re.escape(jobs(release.service)) + r"(\d{10})-" + release.mark, name)
    return Window(datetime.strptime(match[1], "%Y%m%d%H").replace(tzinfo=UTC)) if match else None
