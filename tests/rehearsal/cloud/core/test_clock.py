"""AWS's minutes: they last at least as long as the clock says, and end when what belongs into them is done."""

import threading
import time

import pytest

from rehearsal.cloud.core import clock as clocks
from rehearsal.cloud.core.clock import Clock
from tests.rehearsal.cloud.core.conftest import MINUTE
from tests.times import own_time


def govern(clock: Clock) -> threading.Thread:
    thread = threading.Thread(target=clock.govern, daemon=True)
    thread.start()
    return thread


def until(condition: threading.Event) -> None:
    assert condition.wait(60), "it never happened"


def test_a_minute_of_no_length_is_refused() -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        Clock(0)


def test_time_does_not_go_on_before_everybody_is_done(clock: Clock) -> None:
    asked, done = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        done.wait(60)

    clock.before_minute_ends(wait)
    govern(clock)
    until(asked)
    time.sleep(5 * MINUTE)
    assert clock.seconds() == pytest.approx(60, abs=0.01)
    assert clock.seconds() < 60
    held = time.time()
    done.set()
    clock.sleep(120)
    assert clock.seconds() >= 120
    # What was stamped while the minute was held belongs to it.
    assert clock.seconds_at(held) < 60


def test_a_minute_can_be_held_but_not_for_ever(clock: Clock) -> None:
    ended = threading.Event()
    clock.after_minute(ended.set)
    with clock.held(60):
        govern(clock)
        assert not ended.wait(10 * MINUTE)
    until(ended)
    ended.clear()
    with clock.held(10 * MINUTE):
        until(ended)


def test_a_minute_is_judged_before_the_next_one_goes_on(clock: Clock) -> None:
    judging, judged = threading.Event(), threading.Event()
    ended: list[tuple[float, bool]] = []

    def judge() -> None:
        ended.append((clock.ended, clock.seconds() < clock.ended))
        if len(ended) == 1:
            judging.set()
            judged.wait(60)

    clock.after_minute(judge)
    govern(clock)
    until(judging)
    assert clock.seconds_at(time.time()) >= 60, "what comes while a minute is judged is of the next one"
    judged.set()
    clock.sleep(180)
    assert ended[:2] == [(60, True), (120, True)]


def test_samples_are_of_the_minute_in_which_they_were_stamped(clock: Clock) -> None:
    stamps: list[float] = []
    clock.before_minute_ends(lambda: stamps.append(time.time()))
    govern(clock)
    clock.sleep(600)
    assert len(stamps) >= 9
    assert [clock.seconds_at(stamp) // 60 for stamp in stamps[:9]] == list(range(9))
    assert clock.seconds_at(clock._begun[0] - MINUTE) == pytest.approx(-60)


def test_a_stopped_clock_wakes_its_sleepers(clock: Clock) -> None:
    thread = govern(clock)
    clock.before_minute_ends(lambda: None)
    sleeper = threading.Thread(target=clock.sleep, args=(1e9,), daemon=True)
    sleeper.start()
    clock.stop()
    sleeper.join(60)
    thread.join(60)
    assert not sleeper.is_alive()
    assert not thread.is_alive()


def test_a_stamp_lies_where_the_clock_was_then(clock: Clock) -> None:
    """In minutes that are held as well, and while one is judged."""
    seen: list[tuple[float, float, float]] = []

    def see() -> None:
        seen.append((time.time(), clock.seconds(), time.time()))

    def hold() -> None:
        time.sleep(2 * MINUTE)
        see()

    clock.before_minute_ends(hold)
    clock.after_minute(lambda: time.sleep(MINUTE))
    govern(clock)
    for _ in range(20):
        see()
        clock.sleep(17)
    wrong = [one for one in seen if not clock.seconds_at(one[0]) - 1 <= one[1] <= clock.seconds_at(one[2]) + 1]
    # A busy machine may stop the governor between the two lines by which a minute begins.
    assert len(wrong) <= 1 < len(seen), wrong
    assert any(at % 60 > 59.9 for _, at, _ in seen), "a minute that is held stands at its very end"


def test_the_calendar_and_the_seconds_tell_the_same(clock: Clock) -> None:
    moment = clock.calendar(90)
    assert clock.seconds_on(moment) == pytest.approx(90)
    assert (moment - clock.calendar(0)).total_seconds() == pytest.approx(90)
    assert abs(clock.seconds_on(clock.aws_now()) - clock.seconds()) < 60


def test_the_calendar_goes_on_where_it_was(clock: Clock) -> None:
    moment = clock.aws_now().replace(year=2031)
    clock.continue_at(moment)
    assert 0 <= (clock.aws_now() - moment).total_seconds() < 3600 / MINUTE


def test_hours_pass_without_their_minutes_being_waited_for(clock: Clock) -> None:
    ended: list[float] = []
    clock.seconds_per_minute = 3600
    clock.after_minute(lambda: ended.append(clock.ended))
    govern(clock)
    before = clock.aws_now()
    clock.hasten(3600)
    clock.sleep(3600)
    assert (clock.aws_now() - before).total_seconds() >= 3600
    # Each minute was judged all the same, and time stamps are still told apart by minute.
    assert ended[:60] == [60 * number for number in range(1, 61)]
    passed = len(ended)
    assert passed <= 61
    time.sleep(20 * MINUTE)
    assert len(ended) == passed, "time goes on as before"


def test_a_hastened_minute_still_waits_for_what_belongs_into_it(clock: Clock) -> None:
    asked, done = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        done.wait(60)

    clock.before_minute_ends(wait)
    govern(clock)
    clock.hasten(3600)
    until(asked)
    time.sleep(5 * MINUTE)
    assert clock.seconds() < 60
    done.set()
    clock.sleep(600)


def test_time_that_stopped_says_why(clock: Clock) -> None:
    def judge() -> None:
        raise RuntimeError("the alarms are broken")

    clock.after_minute(judge)
    with pytest.raises(RuntimeError):
        clock.govern()
    assert clock.failure == "RuntimeError: the alarms are broken"


def test_a_machine_whose_clock_is_set_back_is_told_so(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stamped from then on would lie in minutes that were judged, and no alarm would see it."""
    ended: list[float] = []

    def judge() -> None:
        ended.append(clock.ended)
        if len(ended) == 2:
            own_time(monkeypatch, clocks, time=lambda: time.time() - 3600)

    clock.after_minute(judge)
    with pytest.raises(RuntimeError, match="was set back by 3600 s; start the cloud again"):
        clock.govern()
    assert len(ended) == 2
    assert "set back" in clock.failure


def test_a_clock_that_is_corrected_a_little_stops_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge() -> None:
        if clock.ended > 180:
            clock.stop()

    clock.after_minute(judge)
    own_time(monkeypatch, clocks, time=lambda: time.time() - 0.5)
    clock.govern()
    assert clock.ended > 180
    assert clock.failure == ""
