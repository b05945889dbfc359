"""The replay as a whole: what its sentence says, and whom it stops."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from functions.before_traffic.callers import Clients, Limits, read_limits, replay_callers
from functions.before_traffic.serving import Serving
from functions.shared.hook import Deployment, HookError
from tests.functions import samples
from tests.functions.before_traffic.support import (
    DEPLOYMENT,
    LIMITS,
    NEW,
    OLD,
    SERVING,
    Clock,
    Functions,
    Model,
    line,
    lines,
    put,
    release,
)

HOUR = "2026/11/21/03"


def sound(row: Sequence[float]) -> float:
    """A retrained model: a little otherwise than the sum, which the old one said."""
    return sum(row) + (0.3 if int(row[0] * 10) % 2 else -0.2)


def said(
    s3: Any,
    model: Model = sound,
    limits: Limits = LIMITS,
    serving: Serving | None = SERVING,
    clock: Clock | None = None,
    deployment: Deployment = DEPLOYMENT,
    **changes: Any,
) -> str:
    clock = clock or Clock()
    functions = Functions(model, clock, changes.get("id", NEW))
    clients = Clients(functions, s3, "predict", "capture", "capture", "live")
    return replay_callers(clients, deployment, release(**changes), serving, limits, clock.time())


def refused(*arguments: Any, **more: Any) -> str:
    with pytest.raises(HookError) as caught:
        said(*arguments, **more)
    return str(caught.value)


def test_a_sound_release_is_said_to_answer_as_it_was_evaluated(s3: Any) -> None:
    put(s3, HOUR, [*lines(1200), "{"])
    assert said(s3) == (
        f"Version 8 answered 500 of 500 captured requests of release {OLD}; half of the answers lie within 0.3 of the"
        " former ones, 0 of 500 beyond 1.5 times what nine of ten held-out rows differ by; 1 lines of the capture could"
        " not be used."
    )


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (
            lambda _: 502,
            '240 of 240 got no usable answer, 240 of them: status 502 ({"error": {"code": "model_error"}})',
        ),
        (lambda _: float("nan"), "the prediction is not a finite number: nan"),
        (lambda _: 14.0, "it answers 14 to 240 of 240, which got different answers before; where the former"),
        (lambda row: sound(row) + (9 if sum(row) > 20 else 0), "where the former answers were 20 or more, 7"),
    ],
)
def test_a_bad_model_is_stopped(s3: Any, model: Model, problem: str) -> None:
    put(s3, HOUR, lines(240))
    reason = refused(s3, model)
    assert reason.startswith(f"Version 8 fails on 240 captured requests of release {OLD}: ")
    assert problem in reason


def test_a_slow_model_is_judged_by_what_was_sent_in_time(s3: Any) -> None:
    put(s3, HOUR, lines(240))
    reason = refused(s3, clock=Clock(spent=6.0))
    assert "fails on 30 captured requests" in reason
    assert "(time ran out; 240 were chosen): 30 of 30 took longer than 1000 ms" in reason


def test_where_time_allows_too_few_it_is_said(s3: Any) -> None:
    put(s3, HOUR, lines(240))
    sentence = said(s3, clock=Clock(spent=0.5), limits=replace(LIMITS, seconds=3.0))
    assert "answered 6 of 6 captured requests" in sentence
    assert "(time ran out; 240 were chosen): too few to tell much" in sentence
    # The hook must still report.
    assert "answered 3 of 3" in said(s3, clock=Clock(spent=0.5, left=1.5))


def test_no_capture_yet_is_said_and_stops_nobody(s3: Any) -> None:
    sentence = f"No captured request was replayed: the capture of release {OLD} holds none yet"
    assert said(s3) == f"{sentence}."
    put(s3, HOUR, ["nonsense", line("1,2", "3")])
    assert said(s3) == f"{sentence}; 2 lines of the capture could not be used."


def test_a_first_release_and_a_replay_that_is_off_say_so(s3: Any) -> None:
    assert said(s3, serving=None) == "No captured request was replayed: no release of this program serves."
    assert said(s3, limits=replace(LIMITS, requests=0)) == "The replay of captured requests is off."


def test_a_return_is_held_up_by_no_replay(s3: Any) -> None:
    put(s3, HOUR, lines(240))
    sentence = "No captured request was replayed: this is a return to a release that has served."
    back = replace(DEPLOYMENT, returning=True)
    assert said(s3, lambda _: 502, deployment=back) == sentence
    assert said(s3, features=["rain"], deployment=back) == sentence


def test_new_features_are_named_and_want_to_be_accepted(s3: Any) -> None:
    put(s3, HOUR, lines(240))
    features = [*samples.FEATURES, "borough", "rain"]
    assert refused(s3, features=features, pair=None) == (
        "The new release cannot be tried on callers' requests before traffic: captured requests of release"
        f" {OLD} lack borough, rain. If golden records and the shift's alarms are enough, add borough, rain to"
        " glidepath:deployment.replay.accept and deploy again."
    )
    partly = replace(LIMITS, accepted=("rain", "tip"))
    assert "add borough to glidepath" in refused(s3, limits=partly, features=features)
    accepted = said(s3, limits=replace(LIMITS, accepted=("rain", "borough")), features=features)
    assert accepted == (
        f"No captured request was replayed: captured requests of release {OLD} lack borough, rain;"
        " glidepath:deployment.replay.accept accepts that."
    )


def test_features_that_are_gone_or_moved_hinder_no_replay(s3: Any) -> None:
    put(s3, HOUR, lines(240))
    sentence = said(s3, features=["distance", "duration_minutes"], pair=None)
    assert "answered 240 of 240" in sentence
    assert "did not measure these two models side by side (it compared with none)" in sentence


def test_another_pair_than_the_one_that_is_exchanged_judges_no_difference(s3: Any) -> None:
    put(s3, HOUR, lines(240))
    other = replace(SERVING, release="20261031-99999999")
    biased = said(s3, lambda row: sound(row) + 9, serving=other)
    assert f"(it compared with {OLD}), so that errors, time and constant answers alone are judged." in biased
    assert "it answers 3 to 240 of 240" in refused(s3, lambda _: 3.0, serving=other)


def test_the_same_release_once_more_must_give_the_same_answers(s3: Any) -> None:
    put(s3, HOUR, lines(240))
    assert "answered 240 of 240" in said(s3, sum, id=OLD)
    assert "differ" in refused(s3, sound, id=OLD)


def test_a_caller_with_a_million_requests_neither_stops_nor_hides(s3: Any) -> None:
    """His one request, on which the two models disagree, is one of those that are tried, or one of five."""
    put(s3, HOUR, [line("1.0,1.0,1.0", "3.0")] * 20_000)
    put(s3, "2026/11/21/02", lines(240))
    few_bytes = replace(LIMITS, most_bytes=8 << 20)
    assert "of release" in said(s3, lambda row: 99.0 if row[2] == 1.0 else sound(row), few_bytes)
    assert "fails on 24" in refused(s3, lambda row: sound(row) + (0.0 if row[2] == 1.0 else 9.0), few_bytes)


def test_the_limits_are_what_the_program_says() -> None:
    text = {"requests": 9, "seconds": 60, "megabytes": 2, "latencyMs": 300, "accept": ["a"]}
    assert read_limits(json.dumps(text)) == Limits(9, 60, 2 * 1024 * 1024, 300, ("a",))


CLASSES = replace(SERVING, edges=(0.5, 1.5), classes=("Adelie", "Chinstrap", "Gentoo"))
SHARES = {0: "0.8,0.1{0},0.1", 1: "0.1,0.8{0},0.1", 2: "0.1,0.1{0},0.8"}


def place(row: Sequence[float]) -> float:
    """The class that the former model gives a row."""
    return float(int(sum(row)) % 3)


@pytest.mark.parametrize(
    ("differing", "share", "problem"),
    [
        (0.0, 0.0, ""),
        # Held-out rows never differ, and a fifth of the callers' do.
        (0.0, 0.2, "where the former answers were"),
        # One held-out row differs: what few callers get otherwise is no more than that.
        (1.0, 0.2, ""),
        (0.0, 1.0, "where the former answers were"),
    ],
)
def test_several_classes_are_replayed_by_the_most_probable_one(
    s3: Any, differing: float, share: float, problem: str
) -> None:
    every = [tuple(float(cell) for cell in (number, number % 5, 1)) for number in range(300)]
    put(s3, HOUR, [
        line(",".join(map(repr, row)), SHARES[int(place(row))].format(number)) for number, row in enumerate(every)
    ])  # fmt: skip
    bins = [{"rows": 200, "quantiles": [0.0, 0.0, 0.0, differing]} for _ in range(3)]
    pair = {**samples.manifest()["pair"], "differences": {"edges": [0.5, 1.5], "bins": bins}, "table": None}

    def model(row: Sequence[float]) -> float:
        return (place(row) + 1) % 3 if row[0] % 10 < 10 * share else place(row)

    changes: dict[str, Any] = {"pair": pair, "task": "multiclass", "classes": list(CLASSES.classes)}
    if problem:
        assert problem in refused(s3, model, serving=CLASSES, **changes)
    else:
        assert "answered 300 of 300 captured requests" in said(s3, model, serving=CLASSES, **changes)
