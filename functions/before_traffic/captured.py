"""Callers' requests as the serving release's capture holds them: the newest, spread over the bins of its answers.

Whoever may ask decides what is captured. So a line that is no record is counted and left out; a request counts once,
and an answer that comes over and over stands for five requests at most; of a request with several rows one is taken.
No hour gives more than an eighth of the bytes that may be read: a flood of requests hides those of other hours from
nobody.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.float32 import holds
from contracts.monitoring import GOLDEN_IDS, PROBES, REPLAY_IDS
from functions.shared.capture import CaptureError, folders, parse_line

SAME_ANSWER = 5
"""Requests that are taken of all to which the former model gave the very same answer."""
_PIECE = 4 * 1024 * 1024
"""Bytes that are read of a file at most: its end, which is its newest part. It must fit into the hook's memory."""
_HOURS = 8
"""Parts of the bytes: one hour may use up one."""
_OURS = (GOLDEN_IDS, PROBES, REPLAY_IDS)


@dataclass(frozen=True)
class Request:
    """One row that was asked, in the order of the features, and what the serving release answered. An empty cell is
    None.

    `told` is all that it said of the row, where that is more: of several classes the probabilities, of which `answer`
    is the place of the largest.
    """

    row: tuple[float | None, ...]
    answer: float
    told: tuple[float, ...] = ()

    @property
    def whole(self) -> tuple[float, ...]:
        """All of the answer."""
        return self.told or (self.answer,)


@dataclass(frozen=True)
class Wanted:
    """How many requests, of how many features, in which bins; and how many bytes may be read for them.

    `classes`: how many probabilities are answered to a row, of which the place of the largest counts; 1 where the
    answer is a number.
    """

    requests: int
    width: int
    edges: Sequence[float]
    most_bytes: int
    classes: int = 1


@dataclass(frozen=True)
class Sample:
    """What was found. `requests` go from bin to bin in turn, so that any part of them from the start is spread too.

    `bad` lines are no records with as many numbers as features; `read` are bytes.
    """

    requests: list[Request]
    bad: int
    read: int


def newest(s3: Any, bucket: str, folder: str, wanted: Wanted, stopped: Callable[[], bool], seed: str) -> Sample:
    """The sample of a variant's capture (`capture/<endpoint>/<variant>/`). `s3` is a boto3 S3 client.

    Ends with what there is once `stopped` says so. `seed` decides which row of several is taken: nobody who asks
    knows it.
    """
    picker, chance = Picker(wanted.requests, wanted.edges), random.Random(seed)  # noqa: S311  # no secret
    bad = read = 0
    for key, size, part in _parts(s3, bucket, folder, wanted.most_bytes):
        if stopped() or picker.full:
            break
        for line in _tail(s3, bucket, key, size, part):
            try:
                request = _request(line, wanted, chance)
            except (CaptureError, ValueError):
                bad += 1
                continue
            if request:
                picker.add(request)
        read += part
    return Sample(picker.spread(), bad, read)


class Picker:
    """Fills the bins. What a bin has beyond its share is kept for bins that callers ask too seldom for."""

    def __init__(self, requests: int, edges: Sequence[float]) -> None:
        self._requests, self._edges = requests, edges
        self._bins: list[list[Request]] = [[] for _ in range(len(edges) + 1)]
        self._share = math.ceil(requests / len(self._bins))
        self._seen: set[tuple[float | None, ...]] = set()
        self._answers: Counter[tuple[float, ...]] = Counter()

    @property
    def full(self) -> bool:
        """Whether every bin has its share."""
        return all(len(each) >= self._share for each in self._bins)

    def add(self, request: Request) -> None:
        """Take it, unless there are enough like it."""
        if request.row in self._seen or self._answers[request.whole] >= SAME_ANSWER:
            return
        place = self._bins[bisect_right(self._edges, request.answer)]
        if len(place) < self._requests:
            self._seen.add(request.row)
            self._answers[request.whole] += 1
            place.append(request)

    def spread(self) -> list[Request]:
        """As many as are wanted, one of each bin after the other."""
        turns = [(turn, bin_, each) for bin_, found in enumerate(self._bins) for turn, each in enumerate(found)]
        turns.sort(key=lambda item: item[:2])
        return [request for _, _, request in turns[: self._requests]]


def _request(line: str, wanted: Wanted, chance: random.Random) -> Request | None:
    """A caller's row with its answer; None for a request of our own, and for an empty line.

    Raises CaptureError or ValueError where it is none.
    """
    captured = parse_line(line)
    if captured is None or captured.inference_id.startswith(_OURS):
        return None
    if captured.input is None or captured.output is None:
        raise CaptureError("one side of the exchange is missing")
    rows = captured.input.strip("\r\n").split("\n")
    answers = captured.output.strip().replace("\n", ",").split(",")
    if len(rows) * wanted.classes != len(answers):
        raise CaptureError("not as many answers as rows")
    chosen = chance.randrange(len(rows))
    row = tuple(_number(cell) if cell else None for cell in rows[chosen].rstrip("\r").split(","))
    if len(row) != wanted.width:
        raise CaptureError("not as many numbers as features")
    told = tuple(_number(answer) for answer in answers[chosen * wanted.classes : (chosen + 1) * wanted.classes])
    return Request(row, told[0] if len(told) == 1 else float(told.index(max(told))), told)


def _number(cell: str) -> float:
    """What a caller may send: a finite number of 32 bits."""
    value = float(cell)
    if not holds(value):
        raise CaptureError("not a number that a model can compute with")
    return value


def _parts(s3: Any, bucket: str, folder: str, most: int) -> Iterator[tuple[str, int, int]]:
    """Files, newest first: key, size, and how many of the last bytes are to be read, so that `most` are in all."""
    hourly = most // _HOURS + 1
    for hour in _hours(s3, bucket, folder):
        of_hour = min(most, hourly)
        for key, size in _files(s3, bucket, hour):
            part = min(size, of_hour, _PIECE)
            if part == 0:
                break
            yield key, size, part
            of_hour -= part
            most -= part
        if most == 0:
            return


def _hours(s3: Any, bucket: str, folder: str, depth: int = 4) -> Iterator[str]:
    """The folders of hours (`yyyy/mm/dd/hh/`), newest first. S3 lists in the order of names alone."""
    if depth == 0:
        yield folder
        return
    for each in sorted(folders(s3, bucket, folder), reverse=True):
        yield from _hours(s3, bucket, each, depth - 1)


def _files(s3: Any, bucket: str, hour: str) -> list[tuple[str, int]]:
    """Keys and sizes of an hour's files, newest first: SageMaker names them by minute and second."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=hour)
    found = [(entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", ()) if entry["Size"]]
    return sorted(found, reverse=True)


def _tail(s3: Any, bucket: str, key: str, size: int, part: int) -> list[str]:
    """The lines that begin within the last bytes of a file, newest first.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Range)
    """
    span = f"bytes={size - part}-{size - 1}"
    body: bytes = s3.get_object(Bucket=bucket, Key=key, Range=span)["Body"].read()
    lines = body.decode("utf-8", "replace").split("\n")
    return (lines[1:] if part < size else lines)[::-1]
