"""A whole deployment, look by look: what the judge says of it, and when."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from functions.judge.bins import Pair
from functions.judge.looking import Seen, failing, look, suffices, weights
from functions.judge.record import CRASHED, FAILED, SLOW
from tests.functions.judge.world import START, World, record, watch

PAIR = Pair(((180, 20), (20, 180)))


def same(random_: random.Random, _is_new: bool) -> int:
    return random_.randrange(2)


def test_a_healthy_release_passes_when_the_last_window_is_three_minutes_old() -> None:
    world = World(old={FAILED: 0.001}, new={FAILED: 0.001}, bins=same)
    looks = watch(world, record(pair=PAIR))
    last = looks[-1]
    assert last.verdict is not None
    assert last.verdict.outcome == "pass", last.verdict.sentence
    spoken = next(each for each in looks if each.verdict)
    assert world.ended + 180 <= spoken.requests.looked <= world.ended + 180 + 60 + 10
    assert last.over == "the deployment has succeeded"
    assert all(suffices(each) < 1 for each in looks)


@pytest.mark.parametrize("event", [FAILED, SLOW, CRASHED])
def test_a_bad_release_is_found_while_traffic_moves(event: str) -> None:
    world = World(old={event: 0.001}, new={event: 0.2})
    looks = watch(world, record())
    found = next(each for each in looks if suffices(each) >= 1)
    assert found.requests.looked < world.ended
    assert found.path[-1].evidence[event] >= 1
    assert looks[-1].verdict is not None
    assert looks[-1].verdict.outcome == "fail"
    assert event in looks[-1].verdict.sentence


def test_other_predictions_than_the_evaluation_says_are_found() -> None:
    def constant(random_: random.Random, is_new: bool) -> int:
        return 0 if is_new else random_.randrange(2)

    looks = watch(World(bins=constant), record(pair=PAIR))
    assert looks[-1].verdict is not None
    assert looks[-1].verdict.outcome == "fail"
    assert "predictions" in looks[-1].verdict.sentence


def test_little_traffic_is_inconclusive_and_what_is_not_judged_is_said() -> None:
    looks = watch(World(requests=0.1), record(unpaired="the evaluation compared with no champion"))
    assert looks[-1].verdict is not None
    assert looks[-1].verdict.outcome == "inconclusive"
    assert "predictions are not judged: the evaluation compared with no champion" in looks[-1].verdict.sentence


def test_a_judge_that_looked_away_cannot_pass() -> None:
    world = World(bins=same)
    looks = watch(world, record(pair=PAIR), every=10)
    before = next(each for each in looks if each.requests.looked >= START + 200)
    later = before.requests.looked + 150
    known = look(before, Seen(later, world.weight(later), "InProgress"), world, 0)
    now = later
    while known.verdict is None:
        now += 10
        known = look(known, Seen(now, world.weight(now), world.status(now)), world, 0)
    assert known.verdict.outcome == "inconclusive"
    assert "did not look for 150 s" in known.verdict.sentence


def test_a_deployment_that_was_stopped_is_looked_at_no_more() -> None:
    world = World(new={FAILED: 0.5})
    known = watch(world, record(), until=330)[-1]
    ended = look(known, Seen(known.requests.looked + 10, 0.0, "Stopped"), world, 0)
    assert ended.over.startswith("CodeDeploy ended the deployment (Stopped)")
    assert ended.verdict is not None
    assert ended.verdict.outcome == "fail"


def test_the_record_is_bounded_by_windows_and_keeps_few_readings() -> None:
    last = watch(World(), record())[-1]
    assert len(last.requests.blocks) <= 6 * 9
    assert len(last.readings) < 40


# --- the bake --------------------------------------------------------------------------------------------------------


def test_a_release_that_holds_is_let_go_after_its_minutes() -> None:
    world = World(new={FAILED: 0.001})
    looks = watch(world, record(), bake_minutes=10)
    last = looks[-1]
    assert last.baked is not None
    assert last.baked.outcome == "pass", last.baked.sentence
    assert "10 minutes at full traffic" in last.over
    assert last.bake is not None
    assert last.bake.counted >= last.bake.until
    succeeded = world.ended + world.succeeds_after
    assert last.bake.until == pytest.approx(succeeded + 600, abs=10)


@pytest.mark.parametrize("event", [FAILED, SLOW, CRASHED])
def test_a_release_that_turns_bad_at_full_traffic_fails_its_bake(event: str) -> None:
    looks = watch(World(later={event: 0.2}), record(), bake_minutes=30)
    last = looks[-1]
    assert last.verdict is not None
    assert last.verdict.outcome != "fail"
    assert last.baked is not None
    assert last.baked.outcome == "fail"
    assert {FAILED: "failed", SLOW: "were slow", CRASHED: "crashed"}[event] in last.baked.sentence
    assert not last.over, "traffic is still to be taken back"
    assert suffices(last) >= 1


def test_versions_with_different_requests_are_not_compared() -> None:
    apart = replace(record(pair=PAIR), apart="they take different requests")
    looks = watch(World(new={FAILED: 0.5}, bins=same), apart)
    last = looks[-1]
    assert last.verdict is not None
    assert (last.verdict.outcome, last.verdict.sentence) == (
        "inconclusive",
        "Inconclusive: they take different requests.",
    )
    assert all(suffices(each) == 0 for each in looks)


def test_why_the_evidence_suffices_is_known_while_traffic_moves() -> None:
    looks = watch(World(new={FAILED: 0.3}), record())
    first = next(each for each in looks if failing(each))
    assert first.verdict is None
    assert failing(first).startswith("Failed: failed: ")
    assert not any(failing(each) for each in watch(World(), record()))


def test_a_judge_that_begins_late_cannot_pass() -> None:
    """The execution began with the shift, and its first looks failed."""
    world = World(bins=same)
    known, now = record(pair=PAIR), START + 270
    while known.verdict is None:
        known = look(known, Seen(now, world.weight(now), world.status(now)), world, 0)
        now += 10
    assert known.verdict.outcome == "inconclusive"
    assert "did not look for 270 s" in known.verdict.sentence


def test_looks_that_are_far_apart_by_plan_are_not_missed() -> None:
    world = World(requests=5, steps=(0.5,) * 60)
    known = replace(record(), missed=250)
    last = watch(world, known, every=100, until=6000)[-1]
    assert last.verdict is not None
    assert last.verdict.outcome == "pass", last.verdict.sentence


def test_all_at_once_is_judged_by_its_bake_alone() -> None:
    looks = watch(World(steps=(), later={FAILED: 0.3}), record(judged=False), bake_minutes=20)
    assert looks[-1].verdict is None
    assert looks[-1].baked is not None
    assert looks[-1].baked.outcome == "fail"


def test_a_bake_ends_where_somebody_takes_traffic_away() -> None:
    world = World()
    known = watch(world, record(), bake_minutes=30, until=1000)[-1]
    assert known.bake is not None
    ended = look(known, Seen(START + 1010, 0.0, "Succeeded"), world, 30)
    assert ended.over == "traffic has been taken from the new version, by another than the judge"
    assert ended.baked is None


def test_a_version_without_a_week_has_no_bound_and_cannot_fail_its_bake() -> None:
    known = replace(record(), bounds={FAILED: 1.0, SLOW: 1.0, CRASHED: 1.0})
    looks = watch(World(later={FAILED: 0.2}), known, bake_minutes=5)
    assert looks[-1].baked is not None
    assert looks[-1].baked.outcome == "pass"


# --- the alias -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alias", "share"),
    [
        ({"FunctionVersion": "8"}, 1.0),
        ({"FunctionVersion": "7"}, 0.0),
        ({"FunctionVersion": "7", "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.3}}}, 0.3),
        ({"FunctionVersion": "7", "RoutingConfig": {}}, 0.0),
        ({"FunctionVersion": "7", "RoutingConfig": {"AdditionalVersionWeights": {"6": 0.3}}}, 0.0),
    ],
)
def test_the_new_versions_share(alias: dict[str, object], share: float) -> None:
    assert weights(alias, "8") == share
