"""The brakes, whatever events come in whatever order. Pure: what AWS does meanwhile is made up."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.retrain.asked import Asked, parse_event
from functions.retrain.brakes import Limits, Situation, Window, brake
from functions.retrain.ledger import Run
from tests.functions.retrain import support
from tests.functions.retrain.support import NOW

LIMITS = Limits(True, ("prod",), timedelta(hours=24), 3, timedelta(days=30))
ASKED = Asked("e9", "drift", "prod", "why")


def began(hours_ago: float, event: str = "e0") -> Run:
    at = NOW - timedelta(hours=hours_ago)
    return Run(at, event, "drift", "why", "collected/a.csv", "v1", "s3://d/collected/a.csv", ("p1",), event, "run-1")


CALM = Situation(NOW, ASKED, [], "", Window("w", ("p1",)))


@pytest.mark.parametrize(
    ("limits", "seen", "name", "words"),
    [
        (replace(LIMITS, enabled=False), CALM, "disabled", "glidepath:retrain.enabled"),
        (LIMITS, replace(CALM, asked=replace(ASKED, env="dev")), "environment", "only drift in prod counts"),
        (LIMITS, replace(CALM, asked=replace(ASKED, env="")), "environment", "only drift in prod counts"),
        (LIMITS, replace(CALM, runs=[began(999, "e9")]), "repeated", "event e9 has started its run already"),
        (LIMITS, replace(CALM, going="run-7"), "running", "run run-7 of the pipeline has not ended"),
        (
            LIMITS,
            replace(CALM, runs=[began(23.5)]),
            "cooldown",
            "began at 2026-11-20 12:30 UTC: not before 2026-11-21 12:30 UTC",
        ),
        (
            LIMITS,
            replace(CALM, runs=[began(800), began(700), began(600), began(500)]),
            "budget",
            "3 of 3 runs in 30 days began: not before 2026-11-22 08:00 UTC",
        ),
        (LIMITS, replace(CALM, window=None, no_window="there is no .csv"), "no-data", "there is no .csv"),
        (LIMITS, replace(CALM, window=Window("w", ("p1",), True)), "same-data", "a model of w came to the gate before"),
    ],
)
def test_each_brake_says_why(limits: Limits, seen: Situation, name: str, words: str) -> None:
    found = brake(limits, seen)
    assert found is not None
    assert found.name == name
    assert words in found.reason


@pytest.mark.parametrize(
    "seen", [CALM, replace(CALM, runs=[began(24)]), replace(CALM, asked=Asked("e9", "schedule", "", "the schedule"))]
)
def test_nothing_holds_where_nothing_has_to(seen: Situation) -> None:
    assert brake(LIMITS, seen) is None


@dataclass
class World:
    """Events come, data come, runs end; whatever may begin begins."""

    limits: Limits
    now: int = 0
    data: int = 1
    going: str = ""
    trained: set[int] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)
    used: list[int] = field(default_factory=list)

    def ask(self, event: str, reason: str) -> None:
        window = Window(f"w{self.data}", (f"p{self.data}",), self.data in self.trained)
        moment = NOW + timedelta(minutes=self.now)
        asked = Asked(event, reason, "prod", "why")
        if brake(self.limits, Situation(moment, asked, self.runs, self.going, window)):
            return
        assert not self.going
        # A run that failed before the gate may begin once more on the same rows.
        assert self.data not in self.trained
        self.going = f"run-{len(self.runs)}"
        self.runs.append(replace(began(0, event), at=moment, execution=self.going))
        self.used.append(self.data)

    def end(self, reached_the_gate: bool) -> None:
        if self.going and reached_the_gate:
            self.trained.add(self.used[-1])
        self.going = ""


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 8), st.sampled_from(["drift", "schedule"])),
        st.tuples(st.just("wait"), st.integers(1, 3000)),
        st.tuples(st.just("data")),
        st.tuples(st.just("end"), st.booleans()),
    ),
    max_size=80,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.integers(0, 2000), st.integers(1, 4), st.integers(1, 5))
def test_whatever_comes_the_brakes_hold(steps: list[tuple], cooldown: int, runs: int, days: int) -> None:  # type: ignore[type-arg]
    """Never two at a time, within the cooldown, over the budget, twice for one event, or on rows that were judged."""
    limits = Limits(True, ("prod",), timedelta(minutes=cooldown), runs, timedelta(days=days))
    world = World(limits)
    for kind, *arguments in steps:
        if kind == "ask":
            world.ask(f"e{arguments[0]}", arguments[1])
        elif kind == "wait":
            world.now += arguments[0]
        elif kind == "data":
            world.data += 1
        else:
            world.end(arguments[0])
    begun = [run.at for run in world.runs]
    assert all(later - earlier >= limits.cooldown for earlier, later in itertools.pairwise(begun))
    for moment in begun:
        assert sum(moment - limits.period < other <= moment for other in begun) <= limits.runs
    assert len({run.event for run in world.runs}) == len(world.runs)


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (support.alarm(), Asked("e1", "drift", "prod", "distance has drifted in prod: alarm"
                                " glidepath-prod-drift-distance")),
        (support.alarm(env="other"), Asked("e1", "drift", "", "glidepath-other-drift-distance has drifted in ?: alarm"
                                           " glidepath-other-drift-distance")),
        (support.drift(), Asked("e1", "drift", "prod", "distance, passengers drifted in prod from 2026-11-21T11:00:00Z"
                                " on, as s3://capture/monitor/e/1.json says")),
        (support.schedule(), Asked("e1", "schedule", "", "the schedule, at 2026-11-21T12:00:00Z")),
    ],
)  # fmt: skip
def test_every_event_in_our_words(event: dict[str, object], asked: Asked) -> None:
    assert parse_event(event, "glidepath", ["dev", "prod"]) == asked


@pytest.mark.parametrize("event", [support.alarm(value="OK"), {"source": "aws.s3", "id": "1"}, {}])
def test_an_event_that_asks_for_nothing_is_an_error(event: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="asks for nothing here"):
        parse_event(event, "glidepath", ["dev", "prod"])
