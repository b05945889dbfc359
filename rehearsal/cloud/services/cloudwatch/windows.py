"""Which time a request for metrics means, and from where on.

Two calendars are about. What functions, clients and services stamp is real time; AWS's own calendar (`Clock.aws_now`)
runs some 60 times faster, and by it Step Functions tells an execution what time it is. Who works by the one asks for
metrics by it. Which one is meant can be told where it matters: what begins ahead of real time has no real sample yet,
and periods below a minute are asked of what has just happened, not of what is to come.
"""

import math
import time
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError
from rehearsal.cloud.core.clock import Clock
from rehearsal.cloud.services.cloudwatch.series import Span

_MINUTE = 60
# How far a client's own clock may be ahead, in real seconds.
_SKEW = 5.0


def asked(clock: Clock, params: dict[str, Any], width: float, shortest: float) -> Span:
    """The span of a request, for queries of the period `width`; `shortest` is the shortest period of all its queries.

    By real time, unless it begins ahead of it, or ends ahead of it and asks for periods below a minute: then by AWS's
    calendar. Raises AwsError (ValidationError).
    """
    start, end = seconds(params["StartTime"]), seconds(params["EndTime"])
    if start >= end:
        raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    now = time.time()
    ahead = start > now + _SKEW or (end > now + _SKEW and shortest < _MINUTE)
    start = rounded(start, width)
    if not ahead:
        return Span(start, end, now=now)
    begins = clock.seconds_on(datetime.fromtimestamp(start, UTC))
    since, epoch = clock.real_at(begins), clock.calendar(0).timestamp()
    return Span(start, end, 0.0, lambda stamp: epoch + clock.seconds_at(stamp), since, clock.aws_now().timestamp())


def rounded(start: float, width: float) -> float:
    """AWS rounds the start down: to the minute, or to the period where that is shorter.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html, StartTime. What is
    older than 15 days, and rounded to five minutes there, a rehearsal does not have.
    """
    step = min(width, _MINUTE)
    return math.floor(start / step) * step


def seconds(moment: datetime) -> float:
    """Since 1970; a moment without a zone is in UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
