"""Golden records: reading them, and which answers they take."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fields import FieldError
from functions.jobs.evaluate import evaluate as job
from functions.shared.capture import Captured, check_capture
from functions.shared.golden import Golden, Record, check_answer, parse_golden
from tests.functions import samples


def records(*predictions: float) -> Golden:
    return Golden(1e-4, tuple(Record({"x": float(place)}, value) for place, value in enumerate(predictions)))


def told(golden: Golden, answer: float) -> list[str | None]:
    """What is said of a model that gives one answer to every record."""
    return [check_answer(golden, record, {"release": "r", "predictions": [answer]}, "r") for record in golden.records]


def test_a_record_that_no_caller_may_send_is_refused() -> None:
    document = samples.golden()
    document["records"][1]["features"]["distance"] = 1e39
    with pytest.raises(FieldError, match=r"golden\.records\[1\]\.features\.distance: is larger than a model can"):
        parse_golden(json.dumps(document))


def test_records_of_different_models_are_refused() -> None:
    document = samples.golden()
    document["records"][1]["probabilities"] = [0.5, 0.25, 0.25]
    with pytest.raises(FieldError, match="must all have as many probabilities"):
        parse_golden(json.dumps(document))


@given(
    scale=st.sampled_from([1e-8, 1e-4, 1.0, 1e6]),
    shift=st.sampled_from([0.0, 1.0, 1000.0]),
    shares=st.lists(st.floats(0, 1), min_size=2, max_size=20, unique=True),
    constant=st.floats(-0.5, 1.5),
)
def test_no_constant_model_passes_in_whatever_unit(
    scale: float, shift: float, shares: list[float], constant: float
) -> None:
    golden = records(*(scale * (shift + share) for share in shares))
    if len({record.prediction for record in golden.records}) > 1:
        assert any(told(golden, scale * (shift + constant)))


def test_a_constant_that_the_former_rule_took_is_refused() -> None:
    """Targets of 1e-4: nothing lies further from anything else than the 1e-4 that were let through below 1."""
    golden = records(1.1e-4, 1.5e-4, 0.9e-4)
    assert all(told(golden, 1.2e-4))
    assert told(golden, 1.5e-4) == [
        "predicted 0.00015, the evaluated model gave 0.00011 (tolerance 1.1e-08)",
        None,
        "predicted 0.00015, the evaluated model gave 9e-05 (tolerance 9e-09)",
    ]


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=2, max_size=20))
def test_what_is_written_with_seven_digits_is_the_same_answer(predictions: list[float]) -> None:
    """As long as the answers are not one and the same as far as float32 tells, of which the evaluation makes none."""
    if job.one_value(np.array(predictions)):
        return
    golden = records(*predictions)
    assert all(golden.matches(record, [float(f"{record.prediction:.7g}")]) for record in golden.records)


@given(st.lists(st.floats(2.0**-20, 2.0**20, width=32), min_size=2, max_size=20))
def test_an_answer_that_is_off_by_a_thousandth_is_another(predictions: list[float]) -> None:
    golden = records(*predictions)
    largest = golden.records[predictions.index(max(predictions))]
    assert not golden.matches(largest, [1.001 * largest.prediction])


SEVERAL = parse_golden(
    json.dumps(
        {
            "tolerance": 1e-4,
            "records": [
                {"features": {"x": 1}, "prediction": 0, "probabilities": [0.7, 0.2, 0.1]},
                {"features": {"x": 2}, "prediction": 2, "probabilities": [0.1, 0.2, 0.7]},
            ],
        }
    )
)


@pytest.mark.parametrize(
    ("predictions", "probabilities", "problem"),
    [
        ([0], [[0.7, 0.2, 0.1]], None),
        ([0], [[0.700004, 0.2, 0.099996]], None),
        ([0], None, "expected one list of probabilities, got None"),
        ([0], [[0.7, 0.3]], "probabilities [0.7, 0.3], the evaluated model gave [0.7, 0.2, 0.1]"),
        ([0], [[0.6, 0.3, 0.1]], "probabilities [0.6, 0.3, 0.1], the evaluated model gave [0.7, 0.2, 0.1]"),
        ([0], [[0.7, 0.2, "x"]], "a probability is not a number: [0.7, 0.2, 'x']"),
        ([1], [[0.7, 0.2, 0.1]], "predicted class 1, which is not the most probable of [0.7, 0.2, 0.1]"),
    ],
)
def test_of_several_classes_the_probabilities_are_compared(
    predictions: list[float], probabilities: object, problem: str | None
) -> None:
    answer = {"release": "r", "predictions": predictions, "probabilities": probabilities}
    assert check_answer(SEVERAL, SEVERAL.records[0], answer, "r") == problem


def test_the_capture_of_several_classes_holds_their_probabilities() -> None:
    found = {"a": Captured("a", "1", "0.7,0.2,0.1\n"), "b": Captured("b", "2", "0.2,0.2,0.6")}
    assert check_capture(SEVERAL, ["a", "b"], found) == [
        "record 1: captured '0.2,0.2,0.6', expected 0.1, 0.2, 0.7",
    ]
