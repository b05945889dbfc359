"""What is taken of a capture: nobody who may ask decides by himself what a release is tried on."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from typing import Any

import pytest

from functions.before_traffic.captured import SAME_ANSWER, Sample, Wanted, newest
from tests.functions.before_traffic.support import FOLDER, SERVING, line, lines, put, rows

HOUR = "2026/11/21/03"


def found(s3: Any, requests: int = 100, most_bytes: int = 1 << 25, stopped: Any = lambda: False) -> Sample:
    return newest(s3, "capture", FOLDER, Wanted(requests, 3, SERVING.edges, most_bytes), stopped, "d-1")


def test_the_sample_is_spread_over_the_bins_from_its_first_requests_on(s3: Any) -> None:
    put(s3, HOUR, lines(2000))
    sample = found(s3)
    assert (len(sample.requests), sample.bad) == (100, 0)
    for part in (sample.requests, sample.requests[:50]):
        places = Counter(bisect_right(SERVING.edges, request.answer) for request in part)
        assert set(places.values()) == {len(part) // 5}
    assert sample.requests[0].answer == pytest.approx(sum(value or 0.0 for value in sample.requests[0].row))


def test_the_newest_come_first(s3: Any) -> None:
    put(s3, "2025/12/31/23", lines(200, 90_000))
    put(s3, HOUR, lines(200, 10_000), "10-00-000-a.jsonl")
    put(s3, HOUR, lines(200, 20_000), "59-00-000-b.jsonl")
    assert {request.row for request in found(s3).requests} <= set(rows(200, 20_000))
    many = {request.row for request in found(s3, 500).requests}
    assert set(rows(200, 20_000)) <= many
    # Of one file, too, its end is newer.
    assert set(rows(200, 10_000)[-20:]) <= many


def test_bins_that_callers_seldom_ask_for_leave_their_share_to_others(s3: Any) -> None:
    few = [each for each, row in zip(lines(400), rows(400), strict=True) if sum(row) < 12][:90]
    put(s3, HOUR, few)
    assert len(found(s3, 80).requests) == 80


def test_a_million_identical_requests_count_once(s3: Any) -> None:
    flood = [line("1.0,1.0,1.0", "3.0")] * 30_000
    put(s3, HOUR, flood)
    put(s3, "2026/11/21/02", lines(300))
    sample = found(s3, 100, 8 << 20)
    assert sum(request.row == (1.0, 1.0, 1.0) for request in sample.requests) <= 1
    assert len(sample.requests) == 100
    # An hour gives no more than its part, however much it holds.
    assert sample.read <= (1 << 20) + 1 + len("\n".join(lines(300)))


def test_an_answer_that_comes_over_and_over_stands_for_a_few(s3: Any) -> None:
    put(s3, HOUR, [line(f"1.0,1.0,{1 + number / 1e6!r}", "3.0") for number in range(5000)])
    assert len(found(s3).requests) == SAME_ANSWER


def test_lines_that_are_no_requests_are_counted_and_left_out(s3: Any) -> None:
    odd = [
        "{", "[]", "null", "9" * 5000, "[" * 99_999,
        json.dumps({"captureData": {}, "eventMetadata": {"inferenceId": "x"}}),
        line("1,2", "3"), line("1,2,3,4", "3"), line("1,2,x", "3"), line("", "3"), line("1,2,3", ""),
        line("1,2,3", "nan"), line("1,2,nan", "3"), line("1,2,inf", "3"), line("1,2,1e39", "3"), line("1,2,3", "1e999"),
        line("1,2,3", "error"), line("1,2,3\n4,5,6", "3"), line("1,2,3", "3,4"),
    ]  # fmt: skip
    put(s3, HOUR, [*odd, *lines(10), "", "  "])
    sample = found(s3)
    assert (len(sample.requests), sample.bad) == (10, len(odd))
    put(s3, HOUR, odd)
    assert found(s3) == Sample([], len(odd), sample.read - len("\n".join(["", *lines(10), "", "  "])))


@pytest.mark.parametrize("cell", ["3.4028234663852886e+38", "5e-324", "-0.0", "1e-45", "-3.4e38"])
def test_odd_numbers_that_callers_may_send_are_requests(s3: Any, cell: str) -> None:
    put(s3, HOUR, [line(f"1.0,2.0,{cell}", "3")])
    (request,) = found(s3).requests
    assert request.row == (1.0, 2.0, float(cell))


@pytest.mark.parametrize("own", ["golden-d-9-1", "probe-1", "replay-d-9-1"])
def test_what_we_asked_ourselves_is_not_taken_for_a_callers(s3: Any, own: str) -> None:
    put(s3, HOUR, [line("1,2,3", "6", own), line("1,2,4", "7", "golden"), json.dumps({"eventMetadata": {}})])
    sample = found(s3)
    assert [request.answer for request in sample.requests] == [7.0]
    assert sample.bad == 0


def test_of_many_rows_one_is_taken_and_none_can_be_foreseen(s3: Any) -> None:
    many = "\n".join(f"1.0,1.0,{number}.0" for number in range(1000))
    for between in ",\n":
        put(s3, HOUR, [line(many, between.join(str(number + 2) for number in range(1000)))])
        (request,) = found(s3).requests
        assert request.answer == sum(value or 0.0 for value in request.row)
        wanted = Wanted(10, 3, (), 1 << 20)
        others = [newest(s3, "capture", FOLDER, wanted, lambda: False, seed).requests for seed in "abc"]
        assert len({request.row for (request,) in others} | {request.row}) > 1


def test_a_huge_file_is_read_from_its_end_and_within_its_bytes(s3: Any) -> None:
    put(s3, HOUR, [*["x" * 999] * 12_000, *lines(40)])
    sample = found(s3, most_bytes=4 << 20)
    assert sample.read == (4 << 20) // 8 + 1
    assert len(sample.requests) == 40
    # What the bytes cut in two is no bad line.
    assert sample.bad == (sample.read - len("\n".join(lines(40))) - 1) // 1000
    one = found(s3, most_bytes=100)
    assert one.requests == []
    assert one.read <= 100


def test_nothing_is_read_once_the_time_is_over(s3: Any) -> None:
    for number in range(4):
        put(s3, HOUR, lines(10, number * 1000), f"0{number}-00-000-a.jsonl")
    turns = iter([False, False, True])
    assert len(found(s3, stopped=lambda: next(turns)).requests) == 20


def test_an_empty_capture_and_other_endpoints_give_nothing(s3: Any) -> None:
    put(s3, HOUR, lines(10), folder="capture/fares-prod-1/shadow/")
    put(s3, HOUR, lines(10), folder="capture/fares-prod-12/live/")
    put(s3, HOUR, [])
    assert found(s3) == Sample([], 0, 0)


def test_of_several_classes_the_most_probable_one_is_the_answer(s3: Any) -> None:
    told = ["0.1,0.2,0.7", "0.6,0.2,0.2\n0.1,0.8,0.1", "0.1,0.9", "0.1,0.2,nan"]
    asked = ["1.0,1.0,1.0", "2.0,2.0,2.0\n2.0,2.0,2.0", "3.0,3.0,3.0", "4.0,4.0,4.0"]
    put(s3, HOUR, [line(*each) for each in zip(asked, told, strict=True)])
    sample = newest(s3, "capture", FOLDER, Wanted(100, 3, [0.5, 1.5], 1 << 25, 3), lambda: False, "d-1")
    answers = {request.row[0]: request.answer for request in sample.requests}
    assert answers[1.0] == 2.0
    assert answers[2.0] in (0.0, 1.0)
    assert (len(answers), sample.bad) == (2, 2)


def test_the_same_class_over_and_over_is_not_the_same_answer(s3: Any) -> None:
    """Three classes are three answers; their probabilities tell requests apart, and a repeated one still counts few."""
    many = [line(f"{number}.0,1.0,1.0", f"0.{number:03},0.1,0.7") for number in range(1, 61)]
    same = [line(f"{number}.5,1.0,1.0", "0.2,0.1,0.7") for number in range(60)]
    put(s3, HOUR, [*many, *same])
    sample = newest(s3, "capture", FOLDER, Wanted(200, 3, [0.5, 1.5], 1 << 25, 3), lambda: False, "d-1")
    assert {request.answer for request in sample.requests} == {2.0}
    assert sum(request.told == (0.2, 0.1, 0.7) for request in sample.requests) == SAME_ANSWER
    assert len(sample.requests) == 60 + SAME_ANSWER
