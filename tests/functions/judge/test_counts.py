"""Which windows are counted: each rule, and what would happen without it."""

from functions.judge import evidence
from functions.judge.counts import Bins, Counts, Reading, Reported, Tally, Window, close, look
from tests.functions.judge.support import METRICS, readings, windows

FAILED = METRICS[0]
START = 1_000_000.0
QUIET = Reported(50)


def _tally() -> Tally:
    return Tally(METRICS, START, START)


def _looks(tally: Tally, until: float, seen: list[Window], read: list[Reading], every: float = 60) -> Tally:
    """Looks every so many seconds, up to and including `until`."""
    now = tally.looked + every
    while now <= until:
        tally = look(tally, now, seen, [each for each in read if each.at <= now])
        now += every
    return tally


def test_windows_in_which_weights_moved_are_left_out() -> None:
    seen = windows(START, 120, QUIET, QUIET)
    # The alias is read at odd moments: its move at 60 s lies between two readings that do not agree.
    read = [Reading(START + 7 * number, 0.1 if 7 * number < 60 else 0.2) for number in range(30)]
    tally = _looks(_tally(), START + 360, seen, read)
    moved = [start - START for start, reason in tally.left if reason == "weights moved"]
    assert moved == [50, 60]
    assert [block.weight for block in tally.blocks] == [0.1] * 5 + [0.2] * 5


def test_a_minute_that_goes_from_a_tenth_to_everything_would_give_186() -> None:
    # 300 requests: 30 s at 10 %, in which nothing fails, and 30 s at 100 %, in which ten requests fail, as they would
    # have done in the old version. Its realised share is 55 %.
    minute = Counts(135, 0, 165, 10)
    e = 2.718281828 ** evidence.largest([minute])
    assert 100 < e < 400
    assert round(2.718281828 ** evidence.largest([Counts(450, 0, 550, 10)])) == round(e)

    first = windows(START, 30, Reported(45), Reported(5))
    second = windows(START + 30, 30, Reported(), Reported(50, {FAILED: 3}))
    read = readings(START, [0.1, 1.0], seconds=30)
    tally = close(_looks(_tally(), START + 360, first + second, read))
    assert evidence.largest(tally.counts(FAILED)) == 0
    assert ("one version only") in {reason for _, reason in tally.left}


def test_a_shift_of_one_minute_steps_has_no_clock_minute_without_a_move() -> None:
    # Why windows are ten seconds long: a reading of the weights before and after any 60 s would never agree.
    read = readings(START + 25, [step / 10 for step in range(1, 10)])
    for minute in range(1, 9):
        before = [each.weight for each in read if each.at <= START + 60 * minute]
        after = [each.weight for each in read if each.at >= START + 60 * minute + 60]
        assert not before or not after or before[-1] != after[0]
    seen = windows(START, 600, QUIET, QUIET)
    tally = _looks(_tally(), START + 900, seen, read)
    counted = sum(block.requests for block in tally.blocks)
    assert counted >= 9 * 4 * 100


def test_a_window_is_counted_when_it_is_three_minutes_old_and_never_revised() -> None:
    read = readings(START, [0.5], seconds=600)
    early = look(_tally(), START + 60, windows(START, 60, QUIET, QUIET), read)
    assert early.blocks == ()
    early = look(early, START + 120, windows(START, 60, QUIET, QUIET), read)
    assert early.blocks == ()
    first = look(early, START + 190, windows(START, 60, QUIET, QUIET), read)
    assert first.counts(FAILED) == (Counts(50, 0, 50, 0),)

    late = windows(START, 60, QUIET, Reported(90, {FAILED: 40}))
    again = look(first, START + 199, late, read)
    assert again.counts(FAILED) == first.counts(FAILED)


def test_revised_counts_would_be_evidence_out_of_nothing() -> None:
    # The old version's ten failures are reported late. Counted at once and not revised they would speak against the
    # new version; so would they if only what is found worse were looked at again.
    at_once, complete = Counts(100, 0, 100, 10), Counts(110, 10, 100, 10)
    assert evidence.largest([at_once]) > evidence.threshold(2)
    assert evidence.largest([complete]) < 1


def test_first_calls_of_new_sandboxes_would_be_evidence_out_of_nothing() -> None:
    # Six of twenty are the first of their sandbox, and slow. The predict function leaves them out
    # (tests/functions/test_predict_handler.py).
    assert evidence.largest([Counts(20, 0, 20, 6)] * 6) > evidence.threshold(2)
    assert evidence.largest([Counts(20, 0, 14, 0)] * 6) < 1.01


def test_there_are_never_more_events_than_requests() -> None:
    assert Reported(2, {FAILED: 3}).counted(FAILED) == (2, 2)


def test_a_judge_that_missed_two_minutes_makes_it_inconclusive() -> None:
    tally = look(_tally(), START + 60, [], [])
    assert look(tally, START + 180, [], []).broken == ""
    broken = look(tally, START + 181, [], []).broken
    assert broken == "the judge did not look for 121 s, and 120 s are allowed"
    assert look(look(tally, START + 181, [], []), START + 240, [], []).broken == broken


def test_weights_that_nobody_read_are_no_weights() -> None:
    seen = windows(START, 60, QUIET, QUIET)
    tally = _looks(_tally(), START + 240, seen, [])
    assert tally.blocks == ()
    assert {reason for _, reason in tally.left} == {"weights not read"}


def test_few_requests_are_added_up_to_blocks_of_one_weight() -> None:
    one = Reported(1)
    tally = _looks(_tally(), START + 420, windows(START, 240, one, one), readings(START, [0.1, 0.2], seconds=120))
    # The last window before the move is not counted: it was read as moved at its end.
    assert [block.requests for block in tally.blocks] == [20, 2, 20]
    assert [block.weight for block in tally.blocks] == [0.1, 0.1, 0.2]
    assert [block.requests for block in close(tally).blocks] == [20, 2, 20, 4]
    assert close(tally).by_weight(FAILED) == (Counts(11, 0, 11, 0), Counts(12, 0, 12, 0))


def test_no_request_is_counted_twice_or_lost() -> None:
    seen = windows(START, 600, Reported(7), Reported(3))
    read = readings(START, [0.3], seconds=700)
    often = close(_looks(_tally(), START + 900, seen, read, every=10))
    seldom = close(_looks(_tally(), START + 900, seen, read, every=60))
    assert often.counts(FAILED) == seldom.counts(FAILED)
    assert sum(block.requests for block in often.blocks) == 10 * len(seen)


def test_bins_of_predictions_are_added_up_where_there_were_any() -> None:
    answered, silent = Reported(2, bins=(1.5, 0.5)), Reported(2, {FAILED: 2})
    seen = windows(START, 20, answered, silent) + windows(START + 20, 20, answered, answered)
    tally = close(_looks(_tally(), START + 240, seen, readings(START, [0.5])))
    assert [block.bins for block in tally.blocks] == [Bins((6.0, 2.0), (3.0, 1.0))]


def test_where_moving_weights_are_kept_the_larger_one_is_the_least_share() -> None:
    # A minute from 10 % to 90 % at its middle, and both versions fail in its second half alone.
    minute = [Window(START, Reported(150, {"crashed": 2}), Reported(150, {"crashed": 14}))]
    tally = Tally(("crashed",), START, START, seconds=60, moving=True)
    tally = close(_looks(tally, START + 300, minute, readings(START, [0.1, 0.9], seconds=30)))
    assert tally.counts("crashed") == (Counts(150, 2, 150, 14, 0.9),)
    assert evidence.largest(tally.counts("crashed")) < 1
    assert evidence.largest([Counts(150, 2, 150, 14)]) > 2, "what would happen at the realised share"
    ended = Tally(("crashed",), START, START, seconds=60, moving=True)
    ended = close(_looks(ended, START + 300, minute, readings(START, [0.9, 1.0], seconds=30)))
    assert ended.blocks == ()
