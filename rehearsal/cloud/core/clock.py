"""The scaled clock: one AWS minute lasts `seconds_per_minute` real seconds."""

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Durations are scaled, time stamps are not: what a function or a client stamps is real time.

    `aws_now` is the one exception: a calendar that runs at the scaled speed, for cron expressions.
    """

    def __init__(self, seconds_per_minute: float = 1.0) -> None:
        if seconds_per_minute <= 0:
            raise ValueError(f"seconds per minute is {seconds_per_minute}, and must be above 0")
        self.seconds_per_minute = seconds_per_minute
        self._started = time.monotonic()
        self._epoch = datetime.now(UTC)
        self._stopped = threading.Event()

    def now(self) -> datetime:
        """Real time, UTC."""
        return datetime.now(UTC)

    def scaled(self, aws_seconds: float) -> float:
        """How many real seconds `aws_seconds` last."""
        return aws_seconds / 60 * self.seconds_per_minute

    def sleep(self, aws_seconds: float) -> None:
        """Sleep for so many AWS seconds; returns at once when the cloud shuts down."""
        self._stopped.wait(self.scaled(aws_seconds))

    def pause(self, real_seconds: float) -> bool:
        """Sleep real seconds. False once the cloud shuts down: `while clock.pause(1): …`."""
        return not self._stopped.wait(real_seconds)

    def aws_now(self) -> datetime:
        """The calendar time that has passed in AWS's terms since the cloud came up."""
        elapsed = (time.monotonic() - self._started) * 60 / self.seconds_per_minute
        return self._epoch + timedelta(seconds=elapsed)

    def continue_at(self, moment: datetime) -> None:
        """Have it be `moment` now in AWS's terms."""
        self._started, self._epoch = time.monotonic(), moment

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """Wake every sleeper; the cloud is going down."""
        self._stopped.set()
