"""The road of `make bench PARTS=road`: a shift of each kind on a faster clock, its callers, and what is said of it."""

import random
import threading
import time
from typing import Any

import pytest

from bench import road
from bench.on_road import release
from bench.on_road.callers import Answer, Callers, asker
from bench.on_road.shift import Outcome, play, stopping
from bench.on_road.world import REGION, World, limits, own_package
from contracts.errors import UserError
from contracts.judging import Shift
from contracts.names import LIVE, PREDICT
from contracts.release import parse_release
from functions.judge import limits as judged
from functions.judge.judging import pair_of
from rehearsal.cloud.core.clock import Clock
from rehearsal.cloud.core.ports import Place
from rehearsal.cloud.process.running import RunningCloud

ACCOUNT = "100200300400"
GOOD = Outcome("", "pass", "Passed.", 13.0, 2500, 4, 1700, 40.0)
BAD = Outcome("evidence", "fail", "Failed.", 7.0, 900, 45, 800, 20.0)
UNCLEAR = Outcome("", "inconclusive", "Inconclusive.", 13.0, 2500, 2, 1600, 44.0)


def test_a_good_release_stays_and_a_bad_one_goes_back(running_cloud: RunningCloud) -> None:
    """One request a second, of which the bad release fails each: so few, and so fast, that the judge sees too little.

    That both are looked at by the real judge is what is tested; how it decides is for its own tests.
    """
    cloud = running_cloud.cloud
    world = World(cloud, ACCOUNT, 0.0)
    with Callers(cloud.clock, asker(cloud, Place(ACCOUNT, REGION), PREDICT, LIVE), 1.0) as callers:
        good, bad = play(world, callers, 0.0), play(world, callers, 1.0)
    assert world.serving() == "2"
    assert (good.stopped, good.failed) == ("", 0)
    assert good.said in ("pass", "inconclusive")
    assert good.sentence
    assert set(bad.stopped.split(", ")) <= {"evidence", "model-errors"}
    assert 0 < bad.failed == bad.requests < good.requests


def test_no_minute_ends_before_its_requests_were_answered() -> None:
    clock, answered, late = Clock(0.02), [0], []
    lock = threading.Lock()

    def ask(_name: str) -> Answer:
        time.sleep(0.002)
        with lock:
            answered[0] += 1
        return Answer("1", True)

    with Callers(clock, ask, 0.5, seed=7) as callers:
        # Not before it began: by this no request is due sooner than it is.
        start = clock.seconds()
        die, due = random.Random(7), [start]
        for _ in range(200):
            due.append(due[-1] + die.expovariate(0.5))

        def judge() -> None:
            late.append(sum(moment < clock.ended for moment in due[1:]) - answered[0])

        clock.after_minute(judge)
        governor = threading.Thread(target=clock.govern)
        governor.start()
        while len(late) < 4:
            time.sleep(0.01)
    clock.stop()
    governor.join()
    assert max(late[:4]) <= 0
    assert callers.seen()[Answer("1", True)] == answered[0] >= 90


def test_what_a_call_raises_is_told() -> None:
    def ask(_name: str) -> Answer:
        raise UserError("the cloud is gone")

    with Callers(Clock(0.01), ask, 5.0) as callers:
        for thread in callers._threads:
            thread.join(30)
        with pytest.raises(UserError, match="the cloud is gone"):
            callers.seen()


def test_the_judge_reads_the_pair_of_a_manifest() -> None:
    shift = Shift("d-1", release.name(2), release.name(1), "2", "3", release.EDGES, "", "", True, 10)
    pair, unpaired = pair_of(parse_release(release.manifest(2)), shift)
    assert unpaired == ""
    assert pair is not None
    assert pair.held_out == pytest.approx(release.SHARES)


def test_a_function_has_what_it_imports_and_no_more() -> None:
    assert {"bench/on_road/before.py", "functions/before_traffic/judged.py"} <= set(own_package("before"))
    assert "functions/after_traffic/verdict.py" in own_package("after")
    assert set(own_package("predict")) == {
        "bench/__init__.py", "bench/on_road/__init__.py", "bench/on_road/predict.py", "contracts/__init__.py",
        "contracts/judging.py", "contracts/monitoring.py", "functions/__init__.py", "functions/predict/__init__.py",
        "functions/predict/metrics.py",
    }  # fmt: skip


def test_alarms_have_the_limits_of_a_config_that_gives_none() -> None:
    found = limits()
    assert (found.model_errors, found.share / 100, found.times) == (judged.EVENTS, judged.SHARE, judged.TIMES)


def info(status: str, code: str = "", message: str = "") -> dict[str, Any]:
    return {"status": status, "errorInformation": {"code": code, "message": message}}


def test_what_stopped_a_deployment_is_read() -> None:
    alarms = "… have been stopped. Activated alarms: <evidence, model-errors>"
    failed = "The hook AfterAllowTraffic (after) reported that it failed"
    assert stopping({"status": "Succeeded"}) == ""
    assert stopping(info("Stopped", "ALARM_ACTIVE", alarms)) == "evidence, model-errors"
    assert stopping(info("Failed", "HOOK_EXECUTION_FAILURE", failed)) == "after"


@pytest.mark.parametrize(
    "ended",
    [
        info("Failed", "HOOK_EXECUTION_FAILURE", "The hook AfterAllowTraffic (after) did not report its status"),
        info("Failed", "HOOK_EXECUTION_FAILURE", "The hook BeforeAllowTraffic (before) reported that it failed"),
        info("Failed", "ALARM_ACTIVE", "The state of the alarms could not be read: no alarm evidence"),
        info("Stopped", "MANUAL_STOP", "The deployment was stopped by a user."),
    ],
)
def test_an_end_that_is_no_judgement_is_no_result(ended: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="no judgement"):
        stopping(ended)


def test_all_shifts_are_counted() -> None:
    said = road.summary(road.BASE, [GOOD, GOOD, UNCLEAR])
    assert "of 3: 0 went back, 2 passed, 1 were inconclusive and stayed;" in said
    assert "3.3 (2.0 to 4.0) failed requests" in said
    said = road.summary(road.BAD, [BAD, BAD])
    assert "0.1 % errors, then 5 %" in said
    assert "of 2: 2 went back, 0 passed;" in said
    assert "2 by evidence, after 7.0 (7.0 to 7.0) minutes" in said
    assert "went back by evidence after  7.0 minutes" in road.line(road.BAD, BAD)
    assert "stayed after 13.0 minutes" in road.line(road.BASE, GOOD)


def test_a_number_of_shifts_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("many", "0", "nan"):
        monkeypatch.setenv("SHIFTS", given)
        with pytest.raises(UserError, match="SHIFTS is"):
            next(road.measure())
