"""Schedule expressions in a time zone: `rate(…)`, `cron(…)` and `at(…)`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rehearsal.cloud.services.events import cron

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


@dataclass(frozen=True)
class Times:
    """When a schedule is due: once, or again and again."""

    zone: ZoneInfo
    once: datetime | None
    beat: cron.Rate | cron.Cron | None

    def after(self, moment: datetime, created: datetime) -> datetime | None:
        """The next time after a moment, in UTC; None where there is none."""
        if self.once is not None:
            return self.once if self.once > moment else None
        if isinstance(self.beat, cron.Rate):
            # A rate counts from when the schedule was made.
            beats = max(0, int((moment - created).total_seconds() // self.beat.seconds)) + 1
            return datetime.fromtimestamp(created.timestamp() + beats * self.beat.seconds, UTC)
        assert self.beat is not None
        found = self.beat.after(moment.astimezone(self.zone))
        return found.astimezone(UTC) if found else None


def parse(expression: str, zone: str) -> Times:
    """Raises ValueError for what the scheduler would refuse."""
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"Invalid Schedule Expression Timezone {zone}.") from None
    if match := _AT.fullmatch(expression):
        return Times(known, datetime.fromisoformat(match[1]).replace(tzinfo=known).astimezone(UTC), None)
    try:
        return Times(known, None, cron.parse(expression))
    except ValueError as error:
        raise ValueError(f"Invalid Schedule Expression {expression}. {error}") from None
