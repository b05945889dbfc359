"""A capture, a version that answers, and a clock, for the tests of the replay."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.release import Release, parse_release
from functions.before_traffic.callers import Limits, Time
from functions.before_traffic.serving import Serving
from functions.shared.hook import Deployment
from tests.functions import samples

NEW, OLD = "20261121-1a2b3c4d", "20261101-0a0b0c0d"
DEPLOYMENT = Deployment("d-ABC123", datetime(2026, 11, 21, 3, 59, tzinfo=UTC), "8", "7")
FOLDER = "capture/fares-prod-1/live/"
SERVING = Serving(OLD, "fares-prod-1", tuple(samples.FEATURES), (8.0, 12.0, 16.0, 20.0))
LIMITS = Limits(500, 180.0, 32 * 1024 * 1024, 1000.0)

Model = Callable[[Sequence[float]], Any]


def release(**changes: Any) -> Release:
    """The new release; its evaluation has compared it with the one that serves."""
    return parse_release(json.dumps({**samples.manifest(), **changes}))


def line(row: str, answer: str, inference_id: str = "caller-1") -> str:
    """A line of a capture file."""
    sides = {
        "endpointInput": {"mode": "INPUT", "data": row, "encoding": "CSV"},
        "endpointOutput": {"mode": "OUTPUT", "data": answer, "encoding": "CSV"},
    }
    return json.dumps({"captureData": sides, "eventMetadata": {"inferenceId": inference_id}, "eventVersion": "0"})


def rows(count: int, first: int = 0) -> list[tuple[float, float, float]]:
    """Requests that all differ, spread over the bins of `SERVING`: the old model answers their sum, 3 to 27."""
    return [(1.0 + (number * 7 % 240) / 10, 1.0, 1.0 + (number + first) / 1e5) for number in range(count)]


def lines(count: int, first: int = 0) -> list[str]:
    """Those requests as they were captured."""
    return [line(",".join(map(repr, row)), repr(sum(row))) for row in rows(count, first)]


def put(s3: Any, hour: str, content: Sequence[str], name: str = "00-00-000-a.jsonl", folder: str = FOLDER) -> None:
    """A file of an hour (`2026/11/21/03`)."""
    s3.put_object(Bucket="capture", Key=f"{folder}{hour}/{name}", Body="\n".join(content).encode())


class Clock:
    """Seconds that pass only where a test says so; `spent` is what each call of the function takes."""

    def __init__(self, spent: float = 0.01, left: float = 800.0) -> None:
        self.seconds, self.spent, self._left = 0.0, spent, left

    def time(self) -> Time:
        """As the replay reads it."""
        return Time(lambda: self.seconds, lambda: self._left - self.seconds)


class Functions:
    """A Lambda client whose version answers what `model` says of a row (in the old features' order), or raises it."""

    def __init__(self, model: Model, clock: Clock | None = None, who: str = NEW) -> None:
        self.asked: list[tuple[str, dict[str, float]]] = []
        self.qualifiers: set[str] = set()
        self._model, self._clock, self._who = model, clock or Clock(), who

    def invoke(self, **request: Any) -> dict[str, Any]:
        """The real client's method."""
        event = json.loads(request["Payload"])
        (features,) = json.loads(event["body"])["instances"]
        self.asked.append((event["headers"]["x-glidepath-inference-id"], features))
        self.qualifiers.add(request["Qualifier"])
        self._clock.seconds += self._clock.spent
        found = self._model(list(features.values()))
        if isinstance(found, Exception):
            raise found
        if isinstance(found, int):
            return payload({"statusCode": found, "body": json.dumps({"error": {"code": "model_error"}})})
        return payload({"statusCode": 200, "body": json.dumps({"predictions": [found], "release": self._who})})


def payload(document: Any) -> dict[str, Any]:
    """What Lambda hands over."""
    return {"Payload": io.BytesIO(json.dumps(document).encode())}
