"""Attacks of somebody who may call the API: he wants a good release rolled back, or a bad one let through."""

from __future__ import annotations

import importlib
import io
import json
import math
import tarfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

from contracts.dataset import parse_dataset
from contracts.fields import FieldError
from contracts.release import ReleaseError, parse_release
from definitions.health import stability_index
from functions.predict.metrics import Meter
from functions.predict.request import CallerError, read_request
from functions.predict.schema import Schema
from functions.shared.evaluation import parse_evaluation
from functions.shared.golden import parse_golden
from rehearsal.cloud.containers.xgboost_serve import ContainerError, XGBoostModel
from tests.functions.samples import FEATURES, instances, proxy_event

ENVIRONMENT = {
    "ENDPOINT_NAME": "shop-prod-1",
    "RELEASE_ID": "20261121-1a2b3c4d",
    "FEATURES": json.dumps(FEATURES),
    "METRIC_NAMESPACE": "Glidepath",
    "SERVICE": "shop-prod",
    "PREDICTION_EDGES": "[8.0, 11.5, 15.25, 22.0]",
    "LATENCY_MS": "1000",
}
GOOD = {"duration_minutes": 12.5, "passengers": 1, "distance": 2.0}
# Finite in JSON and CSV, infinite in float32; the first is the smallest such number.
BEYOND = ["3.4028235677973366e38", "-3.4028235677973366e38", "3.5e38", "1e39", "1e308", str(10**300)]


class Container:
    """A sagemaker-runtime client in front of a model in the rehearsal's container."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        rows = rng.uniform(0, 20, (200, len(FEATURES)))
        booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(rows, rows.sum(axis=1)), 5)
        content, archive = bytes(booster.save_raw("ubj")), io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            member = tarfile.TarInfo("xgboost-model")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        self.model = XGBoostModel.from_archive(archive.getvalue())

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        """As the service does: what the container refuses is a ModelError."""
        try:
            body, _ = self.model.invoke(request["Body"], request["ContentType"], request["Accept"])
        except ContainerError as error:
            found = {"Error": {"Code": "ModelError", "Message": error.message}, "OriginalStatusCode": error.status}
            raise ClientError(found, "InvokeEndpoint") from None
        return {"Body": io.BytesIO(body)}


@pytest.fixture(scope="module")
def container() -> Container:
    return Container()


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {**ENVIRONMENT, "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    return importlib.reload(importlib.import_module("functions.predict.handler"))


def in_json(number: str) -> dict[str, Any]:
    return proxy_event(instances(GOOD).replace("12.5", number))


def in_csv(number: str) -> dict[str, Any]:
    return proxy_event(f"{number},1,2.0\n12.5,1,2.0", "text/csv")


@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize("event", [in_json, in_csv])
def test_f4_a_number_beyond_float32_is_the_callers_error(
    handler: Any, container: Container, capsys: pytest.CaptureFixture[str], number: str, event: Any
) -> None:
    answer = handler.Service(container, ENVIRONMENT).handle(event(number), "7")
    assert answer["statusCode"] == 400
    message = json.loads(answer["body"])["error"]["message"]
    assert "duration_minutes is too large: at most 3.4028234663852886e+38" in message
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["ModelErrors"], line["CallerErrors"]) == (0, 1)


@pytest.mark.parametrize("number", BEYOND)
def test_f4_the_container_refuses_the_number_as_awss_does(container: Container, number: str) -> None:
    with pytest.raises(ContainerError, match="value too large") as caught:
        container.model.invoke(f"{number},1,2".encode(), "text/csv", "text/csv")
    assert caught.value.status == 415


def test_f4_what_is_let_through_the_container_answers(container: Container) -> None:
    largest = "3.4028234663852886e38"
    for event in (in_json(largest), in_csv(f"-{largest}")):
        answer, _ = container.model.invoke(read_request(event, Schema(FEATURES)).csv.encode(), "text/csv", "text/csv")
        assert answer


def test_f4_the_limit_that_is_told_is_one_that_is_taken() -> None:
    with pytest.raises(CallerError) as caught:
        read_request(in_json("1e39"), Schema(FEATURES))
    told = caught.value.message.partition("at most ")[2].split()[0]
    assert read_request(in_json(told), Schema(FEATURES)).rows == 1


EDGES, SHARES = [8.0, 11.5, 15.25, 22.0], [0.2] * 5
ONE_PER_BIN = [5.0, 10.0, 12.0, 20.0, 30.0]


def index(capsys: pytest.CaptureFixture[str], *requests: list[float]) -> float:
    """What the alarm `prediction-shift` reads after these requests, each with its predictions."""
    capsys.readouterr()
    meter = Meter("Glidepath", "shop-prod", "20261121-1a2b3c4d", "7", EDGES, 1000)
    for predictions in requests:
        meter.answered("id-1", 1.0, predictions)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    known: dict[str, Any] = {"LOG": math.log, "IF": lambda holds, one, other: one if holds else other}
    for number in range(len(SHARES)):
        known[f"bin{number}"] = sum(line.get(f"Bin{number}", 0) for line in lines)
    for name, expression in stability_index(SHARES, 100):
        known[name] = eval(expression, {"__builtins__": {}}, known)  # the same operators as in metric math
    return float(known["psi"])


def test_f12_one_request_of_many_rows_does_not_trip_the_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    one_instance, honest = [7.0] * 100, [[value] for value in ONE_PER_BIN * 40]
    assert index(capsys, one_instance) == 0
    assert index(capsys, *honest, one_instance) < 0.01
    assert index(capsys, *honest, [7.0] * 1000, [7.0] * 1000, [7.0] * 1000) < 0.01


def test_f12_replayed_rows_do_not_mask_a_bad_release(capsys: pytest.CaptureFixture[str]) -> None:
    bad, replayed = [[7.0]] * 200, [ONE_PER_BIN * 200] * 3
    assert index(capsys, *bad) > 4
    assert index(capsys, *bad, *replayed) > 2


def test_f12_ordinary_traffic_of_one_row_is_judged_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    seen = [60, 10, 20, 5, 5]
    requests = [[value] for value, count in zip(ONE_PER_BIN, seen, strict=True) for _ in range(count)]
    live = [(count + 0.5) / 102.5 for count in seen]
    wanted = sum((share - 0.2) * math.log(share / 0.2) for share in live)
    assert index(capsys, *requests) == pytest.approx(wanted)


@pytest.mark.parametrize("own", ["golden", "replay"])
def test_f23_an_id_of_the_hooks_cannot_be_chosen(handler: Any, capsys: pytest.CaptureFixture[str], own: str) -> None:
    event = proxy_event(instances(GOOD), x_glidepath_inference_id=f"{own}-d-ABC123-0")
    answer = handler.Service(None, ENVIRONMENT).handle(event, "7")
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (400, "invalid_inference_id")
    assert f"{own}-d-ABC123" not in capsys.readouterr().out


@pytest.mark.parametrize("read", [parse_release, parse_golden, parse_evaluation, parse_dataset])
def test_f24_a_number_of_thousands_of_digits_is_a_clear_error(read: Callable[[str], object]) -> None:
    with pytest.raises((FieldError, ReleaseError), match="has a whole number of more digits than can be read"):
        read(f'{{"rows": {"9" * 4301}}}')
