"""For any order of good and bad releases, kills, re-runs, stops and returns: one release serves, and all agree on it.

What the engine makes of the real program, these tests do not prove: `tests/rehearsal/properties` does, for fewer cases.
"""

from collections.abc import Iterator
from itertools import chain

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from operate.releases import former
from tests.providers.traffic_shift.release_model import Cloud, ShiftFailed, State, refresh, update

RELEASES = st.sampled_from(["a", "b", "c", "d"])
KILLS = st.none() | st.integers(min_value=1, max_value=25)


class Road(RuleBasedStateMachine):
    """One environment. `whole`: no update was killed since the last one that succeeded."""

    def __init__(self) -> None:
        super().__init__()
        self.cloud, self.state = Cloud(), State()
        self.whole = True
        self.served: set[str] = set()

    @rule(release=RELEASES, bad=st.booleans(), kill=KILLS)
    def deploy(self, release: str, bad: bool, kill: int | None) -> None:
        """The pipeline deploys a release; whether it is good shows under traffic."""
        if not self.cloud.alias:
            bad = False  # the first one takes all traffic without a shift
        (self.cloud.bad.add if bad else self.cloud.bad.discard)(release)
        self._run(release, kill)

    @rule(kill=KILLS)
    def up_without_a_name(self, kill: int | None) -> None:
        """A plain `pulumi up` keeps the release that is recorded."""
        if self.cloud.pointer:
            self._run(self.cloud.pointer, kill, command=False)

    @rule(kill=KILLS)
    def go_back(self, kill: int | None) -> None:
        """`./glidepath rollback` stops what is under way, then deploys what served before."""
        cloud = self.cloud
        if not cloud.alias or not cloud.pointer:
            return
        going = cloud.running is not None
        cloud.stop()
        self._rest()
        found = None if going else former(cloud.history, cloud.of(cloud.alias.version)[0])
        if found:
            cloud.bad.discard(found.release)
            self._run(found.release, kill)

    @rule(steps=st.integers(min_value=1, max_value=6))
    def time_passes(self, steps: int) -> None:
        """A deployment goes on by itself after its engine was killed."""
        for _ in range(steps):
            self.cloud.advance()

    @rule()
    def stop_by_hand(self) -> None:
        """Somebody stops the deployment in the console."""
        self.cloud.stop()

    def _run(self, release: str, kill: int | None, command: bool = True) -> None:
        before = refresh(self.cloud, self.state) if command else iter(())
        try:
            killed = not _until(chain(before, update(self.cloud, self.state, release)), kill)
        except ShiftFailed:
            self._note()
            return
        self.whole = not killed
        self._note()
        if not killed:
            self._agrees(release)
            assert self.state.replaced == []

    def _agrees(self, release: str) -> None:
        """Alias, endpoint, baseline, schedule and pointer are of one release, and it takes all traffic."""
        cloud = self.cloud
        assert cloud.alias is not None
        assert not cloud.alias.weights
        endpoint = cloud.of(cloud.alias.version)[1]
        assert cloud.of(cloud.alias.version) == (release, endpoint)
        assert endpoint in cloud.endpoints
        assert cloud.schedule == (release, endpoint)
        assert cloud.pointer == release

    def _rest(self) -> None:
        while self.cloud.running:
            self.cloud.advance()
        self._note()

    def _note(self) -> None:
        if self.cloud.alias and not self.cloud.alias.weights:
            self.served.add(self.cloud.of(self.cloud.alias.version)[0])

    @invariant()
    def every_caller_finds_an_endpoint(self) -> None:
        """Whatever died: no version that takes traffic has lost its endpoint."""
        if self.cloud.alias:
            for version in (self.cloud.alias.version, *self.cloud.alias.weights):
                assert self.cloud.of(version)[1] in self.cloud.endpoints

    @invariant()
    def only_what_took_all_traffic_is_recorded(self) -> None:
        """The pointer never names a release that was only tried."""
        self._note()
        assert {entry.release for entry in self.cloud.history} <= self.served

    @invariant()
    def at_rest_all_agree(self) -> None:
        """Also after a failed shift, the release that served before is served, watched and recorded."""
        if self.whole and self.cloud.pointer and not self.cloud.running:
            self._agrees(self.cloud.pointer)

    def teardown(self) -> None:
        """Whatever happened: one more update of a good release, and all is well."""
        self.cloud.bad.clear()
        self._run("z", None)


def _until(steps: Iterator[None], kill: int | None) -> bool:
    """Take the steps of an update, up to where it is killed; whether it came to its end."""
    return all(number != kill for number, _ in enumerate(steps, 1))


Road.TestCase.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
TestRoad = Road.TestCase
