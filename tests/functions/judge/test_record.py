"""The record of a deployment is read as it was written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from functions.judge.bins import Pair
from functions.judge.counts import Bins, Block, Counts, Reading, Tally
from functions.judge.record import CRASHED, FAILED, SLOW, Bake, Point, Record, Said, begin, parse, render

NUMBERS = st.integers(0, 10_000).map(float)
COUNTS = st.builds(Counts, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.floats(0, 1))
BINS = st.builds(Bins, st.tuples(NUMBERS, NUMBERS) | st.just(()), st.tuples(NUMBERS, NUMBERS) | st.just(()))


def blocks(*names: str) -> st.SearchStrategy[Block]:
    return st.builds(Block, st.floats(0, 1), st.fixed_dictionaries(dict.fromkeys(names, COUNTS)), BINS)


def tallies(*names: str) -> st.SearchStrategy[Tally]:
    lots = st.lists(blocks(*names), max_size=3).map(tuple)
    left = st.lists(st.tuples(NUMBERS, st.sampled_from(["weights moved", "one version only"])), max_size=2).map(tuple)
    last = st.none() | blocks(*names)
    broken = st.text(max_size=5)
    return st.builds(Tally, st.just(names), NUMBERS, NUMBERS, st.just(10), st.booleans(), lots, last, left, broken)


PAIR = Pair(((1, 2), (3, 4)))
SAID = st.none() | st.builds(Said, st.sampled_from(["pass", "fail"]), st.text(max_size=9))
LOOKS = st.fixed_dictionaries(
    dict.fromkeys((FAILED, SLOW), st.lists(st.tuples(NUMBERS, NUMBERS), max_size=2).map(tuple))
)
BAKES = st.none() | st.builds(Bake, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.just({FAILED: 0.1, SLOW: 1.0}), LOOKS)
RECORDS = st.builds(
    Record, st.text(), st.text(), st.text(), st.text(), st.text(), NUMBERS, st.booleans(),
    tallies(FAILED, SLOW), tallies(CRASHED), st.just({FAILED: 0.01}), st.none() | st.just(PAIR), st.text(),
    st.lists(st.builds(Reading, NUMBERS, st.floats(0, 1)), max_size=3).map(tuple),
    st.lists(st.builds(Point, NUMBERS, st.floats(0, 1), st.just({FAILED: 0.5})), max_size=2).map(tuple),
    st.none() | NUMBERS, SAID, BAKES, SAID, st.none() | NUMBERS, st.booleans(), st.text(),
)  # fmt: skip


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert parse(render(record)) == record


def test_what_is_counted_begins_on_whole_windows_and_minutes() -> None:
    record = begin("d", "new", "old", ("7", "8"), 1003.2, True, None, "", {})
    assert (record.requests.until, record.crashes.until) == (1010, 1020)
    assert (record.requests.seconds, record.crashes.seconds) == (10, 60)
    assert record.crashes.moving
    assert not record.requests.moving
