"""When does a target tracking policy change a capacity, and to what: pure logic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

OUT_PERIODS = 3
"""So many minutes above the target scale out."""
IN_PERIODS = 15
"""So many minutes clearly below it scale in."""
_IN_SHARE = 0.9


@dataclass(frozen=True)
class Tracking:
    """A policy and the limits of its target. Cooldowns in AWS seconds."""

    target: float
    minimum: int
    maximum: int
    out_cooldown: float = 300
    in_cooldown: float = 300
    may_scale_out: bool = True
    may_scale_in: bool = True


@dataclass(frozen=True)
class Change:
    """A capacity to set; `alarm` is the half of the policy that asks for it."""

    capacity: int
    alarm: str


def decide(
    tracking: Tracking, current: int, points: Sequence[float | None], since_out: float, since_in: float
) -> Change | None:
    """What to change now, if anything.

    `points` are the metric's values of the last `IN_PERIODS` minutes, oldest first, None where there was none;
    `since_out` and `since_in` the AWS seconds since the last change in each direction.
    """
    high = _known(points[-OUT_PERIODS:], OUT_PERIODS)
    if high and min(high) > tracking.target:
        wanted = min(tracking.maximum, max(current, math.ceil(current * high[-1] / tracking.target)))
        ready = tracking.may_scale_out and since_out >= tracking.out_cooldown
        return Change(wanted, "AlarmHigh") if wanted > current and ready else None
    # Without requests there are no points: as on AWS, an idle variant keeps its instances.
    low = _known(points[-IN_PERIODS:], IN_PERIODS)
    if low and max(low) < tracking.target * _IN_SHARE:
        wanted = max(tracking.minimum, math.ceil(current * max(low) / tracking.target))
        ready = tracking.may_scale_in and min(since_in, since_out) >= tracking.in_cooldown
        return Change(wanted, "AlarmLow") if wanted < current and ready else None
    return None


def _known(points: Sequence[float | None], count: int) -> list[float]:
    known = [point for point in points if point is not None]
    return known if len(known) == count else []
