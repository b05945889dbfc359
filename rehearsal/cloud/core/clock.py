"""AWS's time. A minute ends when its real seconds are over *and* what belongs into it is done.

On a busy machine everything takes longer, alarms and requests as well as the program under test. A clock that ran on
regardless would end a shift of traffic before enough requests were made to judge it. So one thread, the governor,
ends each minute: it first waits for whoever must be done in it (`before_minute_ends`), then has the minute judged
(`after_minute`), and only then does time go on.
"""

import bisect
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_MINUTE = 60
# How far a minute that has not been ended may come, in AWS seconds.
_NEARLY = _MINUTE - 1e-3
# The shortest real sleep of somebody who waits for a minute that is held, and the longest: time may be hastened.
_LEAST_WAIT, _LONGEST_WAIT = 0.005, 0.25
# By how many real seconds the machine's own clock may be corrected, or by a minute of AWS's where that is longer.
_CORRECTED = 1.0


class Clock:
    """Durations are scaled, time stamps are not: what a function or a client stamps is real time.

    `aws_now` is the one exception: a calendar that runs at the scaled speed, for cron expressions, for the times that
    Step Functions tells an execution, and for who asks for metrics by those.
    Without `govern` running, minutes end by themselves.
    """

    def __init__(self, seconds_per_minute: float = 1.0) -> None:
        if seconds_per_minute <= 0:
            raise ValueError(f"seconds per minute is {seconds_per_minute}, and must be above 0")
        self.seconds_per_minute = seconds_per_minute
        self._epoch = datetime.now(UTC)
        self._stopped = threading.Event()
        self._governed = False
        self.failure = ""
        """What ended the governor, if anything did but the cloud's end: from then on nothing is judged."""
        # The minute that runs, and when it began in monotonic time: replaced together, so no lock is needed.
        self._minute = (0, time.monotonic())
        # When each minute began, in real time, and from when on `seconds` counted it: until then the one before was
        # judged.
        self._begun = [time.time()]
        self._counted = [self._begun[0]]
        # Until when, in monotonic time, the minute is held at the most.
        self._holds: list[float] = []
        self._held_until = 0.0
        # Until when, in AWS seconds, minutes need no real time of their own.
        self._hastened = 0.0
        self._before: list[Callable[[], None]] = []
        self._after: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """Real time, UTC."""
        return datetime.now(UTC)

    def scaled(self, aws_seconds: float) -> float:
        """How many real seconds `aws_seconds` last at least."""
        return aws_seconds / _MINUTE * self.seconds_per_minute

    def seconds(self) -> float:
        """AWS seconds since the cloud came up."""
        number, begun = self._minute
        passed = (time.monotonic() - begun) / self.seconds_per_minute * _MINUTE
        return number * _MINUTE + (min(passed, _NEARLY) if self._governed else passed)

    def seconds_at(self, stamp: float) -> float:
        """The AWS seconds at a real time (seconds since 1970); negative before the cloud came up.

        What `seconds` said then: who compares both must not find something stamped before a moment after it. So what
        came while a minute was held lies at its very end, and what came while the last one was judged at its start.
        """
        begun = self._begun
        number = bisect.bisect_right(begun, stamp) - 1
        if number < 0:
            return (stamp - begun[0]) / self.seconds_per_minute * _MINUTE
        if number >= len(self._counted):
            return number * _MINUTE
        passed = max(stamp - self._counted[number], 0.0) / self.seconds_per_minute * _MINUTE
        late = number + 1 < len(begun) or (stamp <= time.time() and self._governed)
        return number * _MINUTE + (min(passed, _NEARLY) if late else passed)

    def real_at(self, aws_seconds: float) -> float:
        """When the minute began in which these AWS seconds lie, in real time (seconds since 1970)."""
        number = math.floor(aws_seconds / _MINUTE)
        if number < 0:
            return self._begun[0] + number * self.seconds_per_minute
        return self._begun[min(number, len(self._begun) - 1)]

    def sleep(self, aws_seconds: float) -> None:
        """Sleep for so many AWS seconds; returns at once when the cloud shuts down."""
        until = self.seconds() + aws_seconds
        while (left := until - self.seconds()) > 0 and self.pause(
            min(max(self.scaled(left), _LEAST_WAIT), _LONGEST_WAIT)
        ):
            pass

    def pause(self, real_seconds: float) -> bool:
        """Sleep real seconds. False once the cloud shuts down: `while clock.pause(1): …`."""
        return not self._stopped.wait(real_seconds)

    def aws_now(self) -> datetime:
        """The calendar time that has passed in AWS's terms since the cloud came up."""
        return self.calendar(self.seconds())

    def calendar(self, aws_seconds: float) -> datetime:
        """What AWS's calendar says at these AWS seconds."""
        return self._epoch + timedelta(seconds=aws_seconds)

    def seconds_on(self, moment: datetime) -> float:
        """The AWS seconds at a moment of AWS's calendar."""
        return (moment - self._epoch).total_seconds()

    def continue_at(self, moment: datetime) -> None:
        """Have it be `moment` now in AWS's terms."""
        self._epoch = moment - timedelta(seconds=self.seconds())

    # --- how minutes end ---------------------------------------------------------------------------------------------

    def before_minute_ends(self, wait: Callable[[], None]) -> None:
        """`wait` is called at the end of each minute, which lasts until it returns. It must heed `stopped`."""
        self._before.append(wait)

    def after_minute(self, judge: Callable[[], None]) -> None:
        """`judge` is called with each minute that has ended; the next one goes on when it returns."""
        self._after.append(judge)

    def hasten(self, aws_seconds: float) -> None:
        """For so many AWS seconds, minutes last only as long as what belongs into them: nobody waits for an hour."""
        self._hastened = self.seconds() + aws_seconds

    def hold(self, longest: float) -> None:
        """No minute ends for so many real seconds from now, or until the cloud shuts down; 0 lets it end."""
        self._held_until = time.monotonic() + longest

    @contextmanager
    def held(self, longest: float) -> Iterator[None]:
        """No minute ends within the block, for at most `longest` real seconds: on AWS it would take a few seconds."""
        until = time.monotonic() + longest
        self._holds.append(until)
        try:
            yield
        finally:
            self._holds.remove(until)

    def govern(self) -> None:
        """End minutes until the cloud shuts down. One thread does this; what the callbacks raise ends it: `failure`."""
        self._governed = True
        try:
            while self._end_of_minute():
                for wait in self._before:
                    wait()
                # What is stamped from here on belongs to the next minute.
                self._begun.append(self._stamp())
                for judge in self._after:
                    judge()
                begins, real = time.monotonic(), time.time()
                self._minute = (self._minute[0] + 1, begins)
                self._counted.append(real)
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._governed = False

    def _stamp(self) -> float:
        """The real time, after the last minute's. Raises RuntimeError where this machine's clock was set back.

        All that is stamped until it has caught up would lie in minutes that were judged: no alarm would see it.
        """
        now, last = time.time(), self._begun[-1]
        if last - now > max(_CORRECTED, self.seconds_per_minute):
            raise RuntimeError(f"this machine's clock was set back by {last - now:.0f} s; start the cloud again")
        return max(now, last + 1e-6)

    def _end_of_minute(self) -> bool:
        """Wait for the real seconds of the minute that runs. False once the cloud shuts down."""
        going = True
        while going and (left := self._least_length() - (time.monotonic() - self._minute[1])) > 0:
            going = self.pause(min(left, _LONGEST_WAIT))
        while going and any(until > time.monotonic() for until in [*self._holds, self._held_until]):
            going = self.pause(_LEAST_WAIT)
        return going

    def _least_length(self) -> float:
        """Real seconds that the minute that runs lasts at least."""
        return _LEAST_WAIT if self._minute[0] * _MINUTE < self._hastened else self.seconds_per_minute

    @property
    def ended(self) -> float:
        """AWS seconds at which the minute that was ended last ended."""
        return (len(self._begun) - 1) * _MINUTE

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """Wake every sleeper; the cloud is going down."""
        self._stopped.set()
