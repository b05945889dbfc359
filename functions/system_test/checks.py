"""What the system test asserts. A check returns a sentence on success and raises CheckError on failure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.features import ONE_HOT, Feature
from contracts.names import LIVE
from contracts.release import Release
from functions.shared.api import Answer, Caller
from functions.shared.capture import CaptureSearch, check_capture, wait_for
from functions.shared.golden import Golden, Record, check_answer
from functions.shared.variants import VARIANT_HEADER

_JSON, _CSV = "application/json", "text/csv"
_ID_HEADER = "x-glidepath-inference-id"


class CheckError(Exception):
    """What is wrong, for a person."""


@dataclass(frozen=True)
class Subject:
    """What is tested: the API, the release it must serve, its golden records, this test's own id, and the variant that
    golden records are sent to: in an A/B test others answer for models of their own."""

    api: Caller
    release: Release
    golden: Golden
    scope: str
    variant: str = LIVE

    @property
    def ids(self) -> list[str]:
        """The ids of this test's golden requests. Nobody else can know them, as long as `scope` is random."""
        return [f"{self.scope}-{index}" for index in range(len(self.golden.records))]

    def headers(self, content_type: str) -> dict[str, str]:
        """Of a golden request."""
        return {"content-type": content_type, VARIANT_HEADER: self.variant}


def golden_records(subject: Subject) -> str:
    """Every golden record as JSON, alone, with an id that the capture is searched for later."""
    problems = []
    for index, record in enumerate(subject.golden.records):
        request_id = subject.ids[index]
        answer = subject.api.post(_body(record), {**subject.headers(_JSON), _ID_HEADER: request_id})
        problem = _problem(subject, record, answer, request_id)
        if problem:
            problems.append(f"record {index}: {problem}")
    _raise(problems, len(subject.golden.records), "golden records")
    return f"{len(subject.golden.records)} records predicted as evaluated, by release {subject.release.id}"


def golden_csv(subject: Subject) -> str:
    """All golden records in one CSV request: the same values in the same order."""
    records, features = subject.golden.records, subject.release.features
    lines = [",".join(_cell(record.features[feature]) for feature in features) for record in records]
    answer = subject.api.post("\n".join(lines).encode(), subject.headers(f"{_CSV}; charset=utf-8"))
    if answer.status != 200:
        raise CheckError(f"status {answer.status}: {answer.body[:300]}")
    document = answer.json()
    predictions = document.get("predictions")
    if not isinstance(predictions, list) or len(predictions) != len(records):
        raise CheckError(f"not {len(records)} predictions: {answer.body[:300]}")
    problems = [
        problem
        for place, record in enumerate(records)
        if (problem := check_answer(subject.golden, record, _row(document, place), subject.release.id))
    ]
    _raise(problems, len(records), "CSV rows")
    return f"{len(records)} rows predicted in one request"


def categories(subject: Subject) -> str:
    """Golden records as callers write them, categories by their names, get the same answers."""
    inputs = subject.release.inputs
    if not any(feature.categories for feature in inputs):
        return "no feature is a category"
    problems = []
    for index, record in enumerate(subject.golden.records):
        body = json.dumps({"instances": [as_callers_write(record, inputs)]}).encode()
        answer = subject.api.post(body, subject.headers(_JSON))
        problem = f"status {answer.status}: {answer.body[:300]}" if answer.status != 200 else None
        problem = problem or check_answer(subject.golden, record, answer.json(), subject.release.id)
        if problem:
            problems.append(f"record {index}: {problem}")
    _raise(problems, len(subject.golden.records), "records with categories by name")
    return f"{len(subject.golden.records)} records with categories by name predicted as evaluated"


def bad_input(subject: Subject) -> str:
    """Requests that are wrong, each in its own way: every one a 4xx with a message, none a server's error."""
    cases = bad_requests(subject.golden.records[0], subject.release)
    problems = []
    for name, content_type, body, expected in cases:
        answer = subject.api.post(body, {"content-type": content_type})
        if answer.status != expected:
            problems.append(f"{name}: status {answer.status}, not {expected} ({answer.body[:200]})")
        elif not _message(answer):
            problems.append(f"{name}: status {answer.status} without a message ({answer.body[:200]})")
    _raise(problems, len(cases), "bad requests")
    return f"{len(cases)} bad requests refused, each with its reason"


def unsigned(subject: Subject) -> str:
    """A request without a signature gets nothing."""
    answer = subject.api.post(_body(subject.golden.records[0]), {"content-type": _JSON}, signed=False)
    if answer.status != 403:
        raise CheckError(f"an unsigned request was answered with status {answer.status}, not 403")
    return "an unsigned request is refused"


def latency(subject: Subject, requests: int, budget_ms: float) -> str:
    """The slowest percent of the requests stays within the budget."""
    records = subject.golden.records
    taken = []
    for index in range(requests):
        answer = subject.api.post(_body(records[index % len(records)]), {"content-type": _JSON})
        if answer.status != 200:
            raise CheckError(f"request {index} got status {answer.status}: {answer.body[:300]}")
        taken.append(answer.milliseconds)
    found = percentile(taken, 0.99)
    if found > budget_ms:
        raise CheckError(f"p99 of {requests} requests is {found:.0f} ms, more than the budget of {budget_ms:.0f} ms")
    return f"p50 {percentile(taken, 0.5):.0f} ms, p99 {found:.0f} ms of {requests} requests (budget {budget_ms:.0f} ms)"


def captured(subject: Subject, search: CaptureSearch, seconds: float, sleep: Callable[[float], None]) -> str:
    """The golden requests of this very test are in the capture, with input and output."""
    wanted = subject.ids
    wait_for(search, wanted, len(wanted), seconds, sleep)
    problems = check_capture(subject.golden, wanted, search.found)
    if problems:
        place = f"s3://{search.bucket}/{search.prefix}"
        waited = f"after {seconds:.0f} s{search.unread}"
        raise CheckError(
            f"{len(problems)} of {len(wanted)} requests are missing or differ in {place} {waited}: "
            + "; ".join(problems[:3])
        )
    return f"{len(wanted)} requests found in the capture, input and output as sent and answered"


def as_callers_write(record: Record, inputs: Sequence[Feature]) -> dict[str, Any]:
    """A golden record with categories by their names in place of the columns that stand for them."""
    found: dict[str, Any] = {}
    for feature in inputs:
        values = [record.features[column] for column in feature.columns]
        if not feature.categories:
            (found[feature.name],) = values
        elif feature.encoding == ONE_HOT:
            found[feature.name] = next(
                (name for name, one in zip(feature.categories, values, strict=True) if one), None
            )
        else:
            found[feature.name] = None if values[0] is None else feature.categories[int(values[0])]
    return found


def bad_requests(record: Record, release: Release) -> list[tuple[str, str, bytes, int]]:
    """Name, content type, body and expected status of each wrong request."""
    features, good, first = release.features, record.features, release.features[0]
    nullable = {feature.name for feature in release.inputs if feature.nullable}
    needed = next((name for name in features if name not in nullable), None)
    category = next((feature.name for feature in release.inputs if feature.categories), None)
    row = [_cell(good[feature]) for feature in features]

    written = as_callers_write(record, release.inputs)

    def instances(*rows: Any) -> bytes:
        return json.dumps({"instances": rows}).encode()

    return [
        ("empty body", _JSON, b"", 400),
        ("not JSON", _JSON, b'{"instances": [', 400),
        ("no instances", _JSON, b"{}", 400),
        ("empty instances", _JSON, instances(), 400),
        ("missing feature", _JSON, instances({name: good[name] for name in features[1:]}), 400),
        ("unknown feature", _JSON, instances({**good, "unheard_of": 1}), 400),
        ("text instead of a number", _JSON, instances({**good, first: "12"}), 400),
        *([("null instead of a number", _JSON, instances({**good, needed: None}), 400)] if needed else []),
        *([("unknown category", _JSON, instances({**written, category: "unheard of"}), 400)] if category else []),
        ("not a number", _JSON, instances({**good, first: math.nan}), 400),
        ("infinite number", _CSV, ",".join(["inf", *row[1:]]).encode(), 400),
        ("too few values", _CSV, ",".join(row[1:]).encode() or b",", 400),
        ("too many values", _CSV, ",".join([*row, "1"]).encode(), 400),
        ("header line", _CSV, ",".join(features).encode(), 400),
        ("too many rows", _CSV, "\n".join([",".join(row)] * 1001).encode(), 413),
        ("wrong content type", "application/xml", b"<instances/>", 415),
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _cell(value: float | None) -> str:
    """A value in CSV; nothing where it is missing."""
    return "" if value is None else repr(value)


def _row(document: dict[str, Any], place: int) -> dict[str, Any]:
    """An answer to several rows as it would be to one of them."""
    lists = ((name, document.get(name)) for name in ("predictions", "probabilities", "labels"))
    return {**document, **{name: found[place : place + 1] for name, found in lists if isinstance(found, list)}}


def _problem(subject: Subject, record: Record, answer: Answer, request_id: str) -> str | None:
    if answer.status != 200:
        return f"status {answer.status}: {answer.body[:300]}"
    wanted = {"x-glidepath-release": subject.release.id, _ID_HEADER: request_id}
    for name, value in wanted.items():
        if answer.headers.get(name) != value:
            return f"header {name} is {answer.headers.get(name)!r}, not {value!r}"
    document = answer.json()
    if document.get("inference_id") != request_id:
        return f"inference_id is {document.get('inference_id')!r}, not {request_id!r}"
    return check_answer(subject.golden, record, document, subject.release.id)


def _body(record: Record) -> bytes:
    return json.dumps({"instances": [record.features]}).encode()


def _message(answer: Answer) -> str:
    """The function's own message, or that of API Gateway, which may refuse a request before the function sees it."""
    document = answer.json()
    error = document.get("error")
    found = error.get("message") if isinstance(error, dict) else document.get("message")
    return found if isinstance(found, str) else ""


def _raise(problems: Sequence[str], total: int, what: str) -> None:
    if problems:
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise CheckError(f"{len(problems)} of {total} {what} failed: {'; '.join(problems[:3])}{more}")
