"""The road of a release in one environment, in memory: the cloud as callers see it, the engine's state, one update.

An update makes its steps in the order that the engine gives the program (`tests/rehearsal/properties` sees it do so):
create green, publish, shift, monitor, pointer, delete blue. What the shift does next, the product's own `decide` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from operate.releases import ServingRecord
from providers.traffic_shift.decide import (
    SETTLE_SECONDS,
    Alias,
    Clear,
    Deployment,
    Done,
    Follow,
    Observation,
    Refuse,
    Start,
    Target,
    Wait,
    decide,
)

STEPS = (0.1, 0.5, 1.0)


class ShiftFailed(Exception):
    """The update ends here, as the engine's does: nothing after the shift is touched."""


@dataclass
class Running:
    """A deployment of CodeDeploy's: it goes on whoever looks."""

    id: str
    current: str
    target: str
    fails: bool
    steps: list[float] = field(default_factory=lambda: list(STEPS))
    rollback: bool = False


@dataclass
class Cloud:
    """What is really there. A version is (release, endpoint); the schedule watches (release's baseline, endpoint)."""

    versions: list[tuple[str, str]] = field(default_factory=list)
    alias: Alias | None = None
    endpoints: set[str] = field(default_factory=set)
    schedule: tuple[str, str] | None = None
    history: list[ServingRecord] = field(default_factory=list)
    running: Running | None = None
    bad: set[str] = field(default_factory=set)
    made: int = 0

    def of(self, version: str) -> tuple[str, str]:
        """Release and endpoint of a version."""
        return self.versions[int(version) - 1]

    @property
    def pointer(self) -> str | None:
        """The release that is recorded."""
        return self.history[-1].release if self.history else None

    def record(self, release: str) -> None:
        """Write the pointer; SSM keeps an entry only where the value is another one."""
        if release != self.pointer:
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=len(self.history))
            self.history.append(ServingRecord(release, f"s3://{release}", release, at))

    def advance(self) -> None:
        """CodeDeploy goes on by a step."""
        run = self.running
        if run is None or self.alias is None:
            return
        if run.rollback:
            self.alias, self.running = Alias(run.target), None
        elif run.fails and len(run.steps) < 3:
            self.running = Running(f"{run.id}-back", run.target, run.current, False, [], rollback=True)
        elif run.steps:
            share = run.steps.pop(0)
            self.alias = Alias(run.target) if share == 1.0 else Alias(run.current, {run.target: share})
        else:
            self.running = None

    def stop(self) -> None:
        """Somebody stops the deployment, with rollback."""
        run = self.running
        if run and not run.rollback:
            self.running = Running(f"{run.id}-back", run.target, run.current, False, [], rollback=True)

    def start(self, current: str, target: str) -> None:
        """A deployment between versions; a bad release's fails while it has a part of the traffic.

        As CodeDeploy does, it refuses a second one, an alias that is elsewhere, and one that shifts already.
        """
        assert self.running is None
        assert self.alias == Alias(current)
        assert current != target
        self.made += 1
        self.running = Running(f"d-{self.made}", current, target, self.of(target)[0] in self.bad)


@dataclass
class State:
    """What the engine has written down, which is behind the cloud where it was killed."""

    release: str | None = None
    endpoint: str | None = None
    version: str | None = None
    shifted: str | None = None
    watched: tuple[str, str] | None = None
    pointer: str | None = None
    replaced: list[str] = field(default_factory=list)
    """Endpoints that the end of a good update deletes."""
    pending: set[str] = field(default_factory=set)
    """What was being updated when the engine was killed."""


def refresh(cloud: Cloud, state: State) -> Iterator[None]:
    """What a command does before its update: it reads anew what a killed engine was updating."""
    if "schedule" in state.pending:
        state.watched = cloud.schedule
        yield
    if "pointer" in state.pending:
        state.pointer = cloud.pointer
        yield


def update(cloud: Cloud, state: State, release: str) -> Iterator[None]:
    """One `pulumi up` to a release. It may be killed at every yield: between an effect and its record, too."""
    state.pending.clear()  # the engine warns of them, once
    if state.release != release or state.endpoint is None:
        cloud.made += 1
        green = f"e-{cloud.made}"
        cloud.endpoints.add(green)
        yield
        if state.endpoint:
            state.replaced.append(state.endpoint)
        state.release, state.endpoint = release, green
        yield
    endpoint = str(state.endpoint)
    if not cloud.versions or cloud.versions[-1] != (release, endpoint):
        cloud.versions.append((release, endpoint))  # publishing what is published already gives the same version
        yield
    state.version = str(len(cloud.versions))
    yield
    if cloud.alias is None:
        cloud.alias = Alias(state.version)
        yield
    if state.shifted != state.version:
        yield from _shift(cloud, state.version)
        state.shifted = state.version
        yield
    if state.watched != (release, endpoint):
        state.pending.add("schedule")
        cloud.schedule = (release, endpoint)
        yield
        state.watched = (release, endpoint)
        state.pending.clear()
        yield
    if state.pointer != release:
        state.pending.add("pointer")
        cloud.record(release)
        yield
        state.pointer = release
        state.pending.clear()
        yield
    while state.replaced:
        cloud.endpoints.discard(state.replaced[0])
        yield
        state.replaced.pop(0)
        yield


def _shift(cloud: Cloud, version: str) -> Iterator[None]:
    """TrafficShift's loop over the product's decisions."""
    for look in range(100):
        assert cloud.alias is not None
        under_way: tuple[Deployment, ...] = ()
        if cloud.running:
            under_way = (Deployment(cloud.running.id, cloud.running.target, cloud.running.rollback),)
        action = decide(Observation(cloud.alias, under_way, (), SETTLE_SECONDS if look else 0.0), Target(version))
        if isinstance(action, Done):
            return
        if isinstance(action, Follow):
            yield from _follow(cloud, version)
            return
        if isinstance(action, Start):
            cloud.start(action.current, version)
        if isinstance(action, Clear):
            cloud.alias = Alias(action.version)
        if isinstance(action, Wait):
            cloud.advance()
        assert not isinstance(action, Refuse)
        yield
    raise AssertionError(f"the shift to version {version} never ends: {cloud}")


def _follow(cloud: Cloud, version: str) -> Iterator[None]:
    while cloud.running:
        cloud.advance()
        yield
    if cloud.alias != Alias(version):
        raise ShiftFailed
