"""Finding inferences in SageMaker's data capture: `<prefix>/<endpoint>/<variant>/yyyy/mm/dd/hh/….jsonl`."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from functions.shared.golden import Golden

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
_DIGITS = 1e-6
"""Of a feature's value, which is sent with all its digits: less than float32 keeps of it is no difference."""


class CaptureError(ValueError):
    """A line of a capture file that is no record."""


@dataclass(frozen=True)
class Captured:
    """Input and output of one inference, as text; None where the capture does not hold that side."""

    inference_id: str
    input: str | None
    output: str | None


@dataclass
class CaptureSearch:
    """The capture of one endpoint (None: of all) since a moment; every file is read once, however often one looks.

    `s3` is a boto3 S3 client. Only the folders from the hour of `since` on are listed, and only those of `variant`
    where one is named: a shadow's capture holds the same inference ids with other answers. The first record of an id is
    the one that counts: SageMaker names the files of an hour by minute and second, so it is the earliest.
    """

    s3: Any
    bucket: str
    prefix: str
    endpoint: str | None
    since: datetime
    variant: str | None = None
    found: dict[str, Captured] = field(default_factory=dict)
    skipped: int = 0
    _read: set[str] = field(default_factory=set)

    @property
    def place(self) -> str:
        """Whose capture it is, in words."""
        variant = f", variant {self.variant}" if self.variant else ""
        return f"endpoint {self.endpoint}{variant}" if self.endpoint else f"all endpoints{variant}"

    @property
    def unread(self) -> str:
        """How many lines could not be read, in words; empty where all could."""
        return f" ({self.skipped} lines of it could not be read)" if self.skipped else ""

    def look(self) -> None:
        """Read the files that are new since the last look into `found`."""
        for variant in self._variants():
            # From an hour on, not up to one: whose clock names the folders is not ours.
            for key in self._keys(variant, f"{variant}{self.since.astimezone(UTC):%Y/%m/%d/%H}/"):
                self._read_file(key)

    def _variants(self) -> Iterator[str]:
        root = f"{self.prefix.strip('/')}/"
        endpoints = [f"{root}{self.endpoint}/"] if self.endpoint else folders(self.s3, self.bucket, root)
        for endpoint in endpoints:
            yield from [f"{endpoint}{self.variant}/"] if self.variant else folders(self.s3, self.bucket, endpoint)

    def _keys(self, folder: str, first: str) -> Iterator[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=folder, StartAfter=first)
        for page in pages:
            for entry in page.get("Contents", ()):
                if entry["Key"] not in self._read:
                    yield entry["Key"]

    def _read_file(self, key: str) -> None:
        text = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode("utf-8", "replace")
        for line in text.split("\n"):
            try:
                captured = parse_line(line)
            except CaptureError:
                # Whoever may ask can have something odd captured: that must not decide about a release.
                self.skipped += 1
                continue
            if captured:
                self.found.setdefault(captured.inference_id, captured)
        self._read.add(key)


def folders(s3: Any, bucket: str, folder: str) -> Iterator[str]:
    """The folders in a folder, each with a slash at its end, by name. `s3` is a boto3 S3 client."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/")
    for page in pages:
        for entry in page.get("CommonPrefixes", ()):
            yield entry["Prefix"]


def wait_for(
    search: CaptureSearch, wanted: Collection[str], enough: int, seconds: float, sleep: Callable[[float], None]
) -> bool:
    """Look until `enough` of the wanted ids are found or `seconds` have passed; whether they were found."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        search.look()
        if sum(item in search.found for item in wanted) >= enough:
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def check_capture(golden: Golden, wanted: Sequence[str], found: Mapping[str, Captured]) -> list[str]:
    """What is wrong with the capture of the golden requests, whose ids are `wanted`: one sentence per record."""
    problems = []
    for index, (record, sent) in enumerate(zip(golden.records, wanted, strict=True)):
        captured = found.get(sent)
        if captured is None:
            problems.append(f"record {index}: not in the capture")
        elif captured.input is None or captured.output is None:
            problems.append(f"record {index}: only one of input and output was captured")
        elif not _sent(list(record.features.values()), captured.input):
            problems.append(f"record {index}: captured input {captured.input!r} is not what was sent")
        elif not golden.matches(record, _numbers(captured.output)):
            expected = ", ".join(map(str, record.answer))
            problems.append(f"record {index}: captured {captured.output!r}, expected {expected}")
    return problems


def parse_line(line: str) -> Captured | None:
    """One line of a capture file; None for a line without an inference id, which cannot be one of ours.

    Raises CaptureError for a line that is no record.
    """
    if not line.strip():
        return None
    try:
        record = json.loads(line)
        found = record["eventMetadata"].get("inferenceId")
        if not found:
            return None
        data = record["captureData"]
        return Captured(str(found), _text(data.get("endpointInput")), _text(data.get("endpointOutput")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CaptureError(f"a line is no captured record ({type(error).__name__})") from None


def _text(side: dict[str, str] | None) -> str | None:
    if side is None:
        return None
    if side.get("encoding") == "BASE64":
        return base64.b64decode(side["data"]).decode("utf-8")
    return str(side["data"])


def _sent(expected: Sequence[float | None], text: str) -> bool:
    """Whether these are the features; None is an empty cell."""
    cells = text.strip("\r\n").split(",")
    return len(cells) == len(expected) and all(
        not cell if wanted is None else _is(cell, wanted) for wanted, cell in zip(expected, cells, strict=True)
    )


def _is(cell: str, wanted: float) -> bool:
    found = _numbers(cell)
    return len(found) == 1 and abs(found[0] - wanted) <= _DIGITS * abs(wanted)


def _numbers(text: str) -> list[float]:
    """The numbers of a CSV line; none where it holds anything else."""
    try:
        return [float(cell) for cell in text.strip().split(",")]
    except ValueError:
        return []
