"""What the API answers of a model of classes: as before, and label and probabilities where they are named."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from contracts.former import Former, parse_former, render_former
from functions.predict.model import ModelError, labels, parse_answer
from tests.functions.samples import FakeModel, instances, proxy_event
from tests.functions.test_predict_handler import ENVIRONMENT, GOOD, lines, warm

SEX, SPECIES = ["female", "male"], ["Adelie", "Chinstrap", "Gentoo"]
TWO_ROWS, THREE = b"0.25\n0.75\n", b"0.1,0.2,0.7\n0.5,0.25,0.25\n"


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {**ENVIRONMENT, "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    return importlib.reload(importlib.import_module("functions.predict.handler"))


def told(handler: Any, body: bytes, rows: int = 2, **more: str) -> dict[str, Any]:
    service = handler.Service(FakeModel(body), {**ENVIRONMENT, **more})
    answer: dict[str, Any] = service.handle(proxy_event(instances(*[GOOD] * rows)), "7")
    return {**json.loads(answer["body"]), "status": answer["statusCode"]}


def test_callers_of_a_probability_get_what_they_got(handler: Any) -> None:
    answer = told(handler, TWO_ROWS)
    assert answer["predictions"] == [0.25, 0.75]
    assert not {"labels", "probabilities"} & answer.keys()


def test_two_named_classes_are_answered_beside_it(handler: Any) -> None:
    answer = told(handler, TWO_ROWS, CLASSES=json.dumps(SEX))
    assert answer["predictions"] == [0.25, 0.75]
    assert answer["labels"] == ["female", "male"]
    assert answer["probabilities"] == [[0.75, 0.25], [0.25, 0.75]]


def test_several_classes_are_answered_by_name_place_and_probability(handler: Any) -> None:
    answer = told(handler, THREE, CLASSES=json.dumps(SPECIES))
    assert answer["predictions"] == [2, 0]
    assert answer["labels"] == ["Gentoo", "Adelie"]
    assert answer["probabilities"] == [[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]


def test_what_is_counted_of_several_classes_is_the_place(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {**ENVIRONMENT, "CLASSES": json.dumps(SPECIES), "PREDICTION_EDGES": "[0.5, 1.5]"}
    model = FakeModel(b"0.1,0.2,0.7\n")
    service = warm(handler, model, environment)
    capsys.readouterr()
    model.answer = THREE
    service.handle(proxy_event(instances(GOOD, GOOD)), "7")
    (metrics,) = lines(capsys)
    assert metrics["Predictions"] == [2, 0]
    assert [metrics[f"Bin{number}"] for number in range(3)] == [0.5, 0, 0.5]


@pytest.mark.parametrize("separator", [b"\n", b","])
def test_rows_are_told_apart_whatever_separates_them(separator: bytes) -> None:
    """The container's versions write a line a row, or all on one."""
    body = separator.join([b"0.1,0.2,0.7", b"0.5,0.25,0.25"])
    assert parse_answer(body, 2, SPECIES).predictions == [2, 0]


@pytest.mark.parametrize("body", [b"0.1,0.9\n", b"0.1,0.2,0.3,0.4", b"0.1,0.2,nan", b"0.1,0.2,x", b""])
def test_an_answer_of_another_width_is_the_models_failure(body: bytes) -> None:
    with pytest.raises(ModelError):
        parse_answer(body, 1, SPECIES)


def test_half_is_the_first_class_as_in_the_container() -> None:
    assert labels(parse_answer(b"0.5\n0.500001", 2, SEX), SEX) == SEX


def test_a_former_release_is_read_by_its_own_classes(handler: Any) -> None:
    former = Former("20261120-0000000a", "6", "old", ("miles",), {}, tuple(SPECIES))
    text = render_former(former, json.loads(ENVIRONMENT["FEATURES"]))
    assert parse_former(text, json.loads(ENVIRONMENT["FEATURES"])) == former
    service = handler.Service(FakeModel(b"0.1,0.2,0.7\n"), {**ENVIRONMENT, "FORMER": text})
    answer = json.loads(service.handle(proxy_event(instances({"miles": 1})), "7")["body"])
    assert (answer["release"], answer["labels"]) == ("20261120-0000000a", ["Gentoo"])
