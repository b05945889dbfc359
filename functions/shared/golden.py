"""Golden records: held-out rows with the values the evaluated model gave, replayed wherever the model is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contracts.fields import FieldError, Fields, number, parse_json
from contracts.float32 import LARGEST, holds
from contracts.monitoring import GOLDEN_IDS
from functions.shared.store import read_verified

_NOISE = 1e-6
"""Of what several sums of float32 may differ by: each keeps 24 bits, 6e-8 of its size.

https://en.wikipedia.org/wiki/Single-precision_floating-point_format
"""
_APART = 0.25
"""Of what the answers differ by: below a half, two answers at its ends have nothing in common that suits both."""


@dataclass(frozen=True)
class Record:
    """One row and the value it must give; of several classes the place of the class, and the probability of each."""

    features: dict[str, float | None]
    prediction: float
    probabilities: tuple[float, ...] = ()

    @property
    def answer(self) -> tuple[float, ...]:
        """What the model's container must answer."""
        return self.probabilities or (self.prediction,)


@dataclass(frozen=True)
class Golden:
    """The records, and how far an answer may be off, as a share of it.

    Near 0 a share is nothing, and float32 still rounds as the records' largest answer is rounded: `_NOISE` of that is
    always let through. And however large the answers are beside what they differ by, less than half of that is: so no
    model that answers the same to every record is taken for one that does not, in whatever unit the target is.
    """

    tolerance: float
    records: tuple[Record, ...]

    def matches(self, record: Record, answer: Sequence[float]) -> bool:
        """Whether each number of an answer is close enough; NaN never is."""
        return len(answer) == len(record.answer) and all(
            abs(actual - expected) <= self.off(expected, place)
            for place, (expected, actual) in enumerate(zip(record.answer, answer, strict=True))
        )

    def off(self, expected: float, place: int = 0) -> float:
        """By how much the number at that place of an answer may differ from the one expected."""
        spread, largest = self._extent[place]
        allowed = max(self.tolerance * abs(expected), _NOISE * largest)
        return min(allowed, _APART * spread) if spread else allowed

    @cached_property
    def _extent(self) -> tuple[tuple[float, float], ...]:
        """Of each number of an answer what it differs by from record to record, and its largest size."""
        columns = zip(*(record.answer for record in self.records), strict=True)
        return tuple((max(column) - min(column), max(map(abs, column))) for column in columns)


def parse_golden(text: str) -> Golden:
    """Read golden.json; a FieldError names place and reason."""
    fields = Fields(parse_json(text, "golden records"), "golden")
    golden = Golden(fields.number("tolerance"), fields.items("records", _record))
    fields.done()
    if golden.tolerance < 0:
        raise FieldError("golden.tolerance", f"must not be negative, not {golden.tolerance}")
    if not golden.records:
        raise FieldError("golden.records", "must not be empty: without records nothing would be checked")
    if len({len(record.answer) for record in golden.records}) > 1:
        raise FieldError("golden.records", "must all have as many probabilities")
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
    if record.probabilities:
        return _wrong_probabilities(golden, record, answer)
    if not golden.matches(record, [actual]):
        off = golden.off(record.prediction)
        return f"predicted {actual}, the evaluated model gave {record.prediction} (tolerance {off:.3g})"
    return None


def _wrong_probabilities(golden: Golden, record: Record, answer: Mapping[str, Any]) -> str | None:
    """Of several classes the probabilities tell the model: which is the largest may be decided by the last digit."""
    found = answer.get("probabilities")
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], list):
        return f"expected one list of probabilities, got {found!r}"
    told = found[0]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in told):
        return f"a probability is not a number: {told!r}"
    if not golden.matches(record, told):
        return f"probabilities {told}, the evaluated model gave {list(record.probabilities)}"
    if told.index(max(told)) != answer["predictions"][0]:
        return f"predicted class {answer['predictions'][0]}, which is not the most probable of {told}"
    return None


def _record(value: object, path: str) -> Record:
    fields = Fields(value, path)
    raw = fields.raw("features")
    if not isinstance(raw, dict) or not raw:
        raise FieldError(f"{path}.features", "must be an object of feature names and numbers")
    features = {name: _feature(item, f"{path}.features.{name}") for name, item in raw.items()}
    probabilities = fields.items("probabilities", number) if fields.has("probabilities") else ()
    record = Record(features, fields.number("prediction"), probabilities)
    fields.done()
    return record


def _feature(value: object, path: str) -> float | None:
    if value is None:
        return None
    result = number(value, path)
    if not holds(result):
        raise FieldError(path, f"is larger than a model can compute with ({LARGEST:.3g}): no caller may ask that")
    return result
