"""A deployment as the judge sees it: an alias that moves by steps, and two versions that report."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from functions.judge.bins import Pair
from functions.judge.counts import Reported, Window
from functions.judge.looking import Seen, look
from functions.judge.record import CRASHED, FAILED, SLOW, Record, begin, parse, render
from tests.functions.judge.support import events

START = 1_800_000_000.0
BOUNDS = {FAILED: 0.01, SLOW: 0.01, CRASHED: 0.01}


@dataclass
class World:
    """Requests a second, each version's rates by event, and when the weight of the new version changes.

    `steps`: weights of a minute each, from START + 30 s on; then all traffic is on the new version.
    """

    requests: float = 20
    old: dict[str, float] = field(default_factory=dict)
    new: dict[str, float] = field(default_factory=dict)
    later: dict[str, float] | None = None
    steps: Sequence[float] = tuple(step / 10 for step in range(1, 10))
    bins: Callable[[random.Random, bool], int] | None = None
    succeeds_after: float = 300

    def weight(self, at: float) -> float:
        """The new version's share."""
        number = int((at - START - 30) // 60)
        if at < START + 30:
            return 0.0
        return self.steps[number] if number < len(self.steps) else 1.0

    @property
    def ended(self) -> float:
        """When all traffic is on the new version."""
        return START + 30 + 60 * len(self.steps)

    def status(self, at: float) -> str:
        """Of the deployment, where nothing stops it."""
        return "Succeeded" if at >= self.ended + self.succeeds_after else "InProgress"

    def windows(self, start: float, end: float, now: float, old: str, new: str, bins: tuple[int, int]) -> list[Window]:
        """As `functions.judge.reports.Source` has them."""
        assert (old, new) == ("7", "8")
        return [
            self._window(start + 10 * number, 10, (FAILED, SLOW), bins) for number in range(int((end - start) // 10))
        ]

    def crashes(self, start: float, end: float, now: float, old: str, new: str) -> list[Window]:
        """The same by the minute."""
        return [self._window(start + 60 * number, 60, (CRASHED,), (0, 0)) for number in range(int((end - start) // 60))]

    def all_crashes(self, start: float, end: float, now: float) -> list[Window]:
        """Of whichever version has the traffic: at full traffic the new one."""
        return self.crashes(start, end, now, "7", "8")

    def _window(self, start: float, seconds: int, names: Sequence[str], bins: tuple[int, int]) -> Window:
        random_ = random.Random(f"{start} {seconds} {self.requests}")
        requests = round(self.requests * seconds)
        of_new = events(random_, requests, self.weight(start + seconds / 2))
        rates = self.later if self.later is not None and start >= self.ended else self.new
        return Window(
            start,
            self._version(random_, requests - of_new, self.old, names, bins[0], is_new=False),
            self._version(random_, of_new, rates, names, bins[1], is_new=True),
        )

    def _version(
        self,
        random_: random.Random,
        requests: int,
        rates: dict[str, float],
        names: Sequence[str],
        width: int,
        is_new: bool,
    ) -> Reported:
        counted = [0.0] * width
        for _ in range(requests if width and self.bins else 0):
            assert self.bins is not None
            counted[self.bins(random_, is_new)] += 1
        found = {name: events(random_, requests, rates.get(name, 0.0)) for name in names}
        return Reported(requests=requests, events=found, bins=tuple(counted) if any(counted) else ())


def record(judged: bool = True, pair: Pair | None = None, unpaired: str = "") -> Record:
    """At the first look."""
    return begin("d-1", "new", "old", ("7", "8"), START, judged, pair, unpaired, BOUNDS)


def watch(world: World, known: Record, bake_minutes: int = 0, every: float = 10, until: float = 3600) -> list[Record]:
    """Every look until there is nothing more to look at, each with a record that was written and read again."""
    seen = []
    now = START
    while not known.over and now < START + until:
        known = parse(render(look(known, Seen(now, world.weight(now), world.status(now)), world, bake_minutes)))
        seen.append(known)
        now += every
    return seen
