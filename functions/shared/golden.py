"""Golden records: held-out rows with the values the evaluated model gave, replayed wherever the model is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.fields import FieldError, Fields, number, parse_json
from contracts.float32 import LARGEST, holds
from contracts.monitoring import GOLDEN_IDS
from functions.shared.store import read_verified


@dataclass(frozen=True)
class Record:
    """One row and the value it must give."""

    features: dict[str, float]
    prediction: float


@dataclass(frozen=True)
class Golden:
    """The records, and how far an answer may be off: relative above 1, absolute below."""

    tolerance: float
    records: tuple[Record, ...]

    def matches(self, expected: float, actual: float) -> bool:
        """Whether `actual` is close enough; NaN never is."""
        return abs(actual - expected) <= self.tolerance * max(1.0, abs(expected))


def parse_golden(text: str) -> Golden:
    """Read golden.json; a FieldError names place and reason."""
    fields = Fields(parse_json(text, "golden records"), "golden")
    golden = Golden(fields.number("tolerance"), fields.items("records", _record))
    fields.done()
    if golden.tolerance < 0:
        raise FieldError("golden.tolerance", f"must not be negative, not {golden.tolerance}")
    if not golden.records:
        raise FieldError("golden.records", "must not be empty: without records nothing would be checked")
    return golden


def read_golden(s3: Any, uri: str, sha256: str) -> Golden:
    """The records at an address, if they are those that the manifest vouches for. `s3` is a boto3 S3 client."""
    return parse_golden(read_verified(s3, uri, sha256))


def inference_ids(golden: Golden, scope: str) -> list[str]:
    """The ids of a deployment's golden requests, one per record; `scope` is the deployment's id."""
    return [f"{GOLDEN_IDS}{scope}-{index}" for index in range(len(golden.records))]


def check_answer(golden: Golden, record: Record, answer: Mapping[str, Any], release: str) -> str | None:
    """What is wrong with the answer (`predictions`, `release`) to one record, or None."""
    if answer.get("release") != release:
        return f"release {answer.get('release')!r} answered, not {release!r}"
    predictions = answer.get("predictions")
    if not isinstance(predictions, list) or len(predictions) != 1:
        return f"expected one prediction, got {predictions!r}"
    actual = predictions[0]
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        return f"the prediction is not a number: {actual!r}"
    if not golden.matches(record.prediction, actual):
        return f"predicted {actual}, the evaluated model gave {record.prediction} (tolerance {golden.tolerance})"
    return None


def _record(value: object, path: str) -> Record:
    fields = Fields(value, path)
    raw = fields.raw("features")
    if not isinstance(raw, dict) or not raw:
        raise FieldError(f"{path}.features", "must be an object of feature names and numbers")
    features = {name: _feature(item, f"{path}.features.{name}") for name, item in raw.items()}
    record = Record(features, fields.number("prediction"))
    fields.done()
    return record


def _feature(value: object, path: str) -> float:
    result = number(value, path)
    if not holds(result):
        raise FieldError(path, f"is larger than a model can compute with ({LARGEST:.3g}): no caller may ask that")
    return result
