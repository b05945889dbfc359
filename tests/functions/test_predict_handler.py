"""The predict function as a whole: answers, headers, metrics, and the model's failures."""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from functions.predict.model import ModelError, parse_predictions
from tests.functions.samples import FEATURES, FakeModel, instances, proxy_event

GOOD = {"duration_minutes": 12.5, "passengers": 1, "distance": 2.0}
ENVIRONMENT = {
    "ENDPOINT_NAME": "glidepath-prod-1",
    "RELEASE_ID": "20261121-1a2b3c4d",
    "FEATURES": json.dumps(FEATURES),
    "METRIC_NAMESPACE": "Glidepath",
    "SERVICE": "glidepath-prod",
    "PREDICTION_EDGES": "[8.0, 11.5, 15.5, 22.0]",
    "LATENCY_MS": "1000",
}


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {**ENVIRONMENT, "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    return importlib.reload(importlib.import_module("functions.predict.handler"))


def ask(handler: Any, client: Any, event: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = handler.Service(client, ENVIRONMENT).handle(event, "7")
    return answer


def warm(handler: Any, client: Any, environment: dict[str, str] = ENVIRONMENT) -> Any:
    """A service that has asked its model once: by a replayed request, of which nothing is reported."""
    service = handler.Service(client, environment)
    event = proxy_event(instances(GOOD), x_glidepath_inference_id="replay-1")
    del event["requestContext"]["apiId"]
    service.handle(event, "7")
    return service


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_answers_with_predictions_release_and_id(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model = FakeModel()
    service = warm(handler, model)
    model.calls.clear()
    answer = service.handle(proxy_event(instances(GOOD), x_glidepath_inference_id="mine-1"), "7")
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {
        "predictions": [15.5], "release": "20261121-1a2b3c4d", "inference_id": "mine-1",
    }  # fmt: skip
    assert answer["headers"] == {
        "content-type": "application/json",
        "x-glidepath-release": "20261121-1a2b3c4d",
        "x-glidepath-inference-id": "mine-1",
    }
    assert model.calls == [
        {
            "EndpointName": "glidepath-prod-1",
            "ContentType": "text/csv",
            "Accept": "text/csv",
            "InferenceId": "mine-1",
            "Body": b"12.5,1,2",
        }
    ]
    (metrics,) = lines(capsys)
    assert (metrics["Service"], metrics["Version"]) == ("glidepath-prod", "7")
    assert (metrics["Requests"], metrics["ModelErrors"], metrics["CallerErrors"]) == (1, 0, 0)
    assert (metrics["Predictions"], [metrics[f"Bin{n}"] for n in range(5)]) == ([15.5], [0, 0, 0, 1, 0])
    assert (metrics["release"], metrics["inference_id"]) == ("20261121-1a2b3c4d", "mine-1")


SHARED = {**ENVIRONMENT, "VARIANTS": '{"live": "20261121-1a2b3c4d", "b": "20261120-99999999"}'}


class Endpoint(FakeModel):
    """An endpoint of which `variant` answers unless one is asked for."""

    def __init__(self, variant: str, answer: bytes | Exception | None = None) -> None:
        super().__init__(answer)
        self.variant = variant

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        answered = request.get("TargetVariant", self.variant)
        return {**super().invoke_endpoint(**request), "InvokedProductionVariant": answered}


def test_an_answer_names_the_variant_and_its_release(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    service = warm(handler, Endpoint("b"), SHARED)
    answer = service.handle(proxy_event(instances(GOOD)), "7")
    body = json.loads(answer["body"])
    assert (body["release"], body["variant"], body["predictions"]) == ("20261120-99999999", "b", [15.5])
    assert answer["headers"]["x-glidepath-release"] == "20261120-99999999"
    assert answer["headers"]["x-glidepath-variant"] == "b"
    asked = service.handle(proxy_event(instances(GOOD), x_glidepath_variant="live"), "7")
    assert json.loads(asked["body"])["release"] == "20261121-1a2b3c4d"
    assert asked["headers"]["x-glidepath-variant"] == "live"
    other, own = lines(capsys)
    sets = [directive["Dimensions"] for directive in own["_aws"]["CloudWatchMetrics"]]
    assert sets == [
        [["Service"], ["Service", "Version"], ["Service", "Version", "Variant"]],
        [["Service"], ["Service", "Version"]],
        [["Service", "Version"]],
    ]
    assert (other["Judged"], own["Judged"]) == (1, 1)
    assert (other["Variant"], other["release"], own["Variant"]) == ("b", "20261120-99999999", "live")
    # The baseline is the release's own: what another model predicts is not held against it.
    assert "Bin0" in own
    assert "Bin0" not in str(other)


def test_a_variant_that_does_not_answer_is_a_callers_mistake(handler: Any) -> None:
    model = Endpoint("b")
    event = proxy_event(instances(GOOD), x_glidepath_variant="shadow")
    answer = handler.Service(model, SHARED).handle(event, "7")
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"] == {
        "code": "unknown_variant", "message": "Header x-glidepath-variant must be one of live, b, or be left out.",
    }  # fmt: skip
    assert model.calls == []


def test_a_release_that_answers_alone_knows_no_variants(handler: Any) -> None:
    model = Endpoint("live")
    answer = ask(handler, model, proxy_event(instances(GOOD), x_glidepath_variant="anything"))
    assert "variant" not in json.loads(answer["body"])
    assert "x-glidepath-variant" not in answer["headers"]
    assert "TargetVariant" not in model.calls[0]


def test_what_a_variant_cannot_have_meant_counts_against_it(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = handler.Service(Endpoint("b", b"nan"), SHARED).handle(proxy_event(instances(GOOD)), "7")
    assert (answer["statusCode"], answer["headers"]["x-glidepath-variant"]) == (502, "b")
    log, metrics = lines(capsys)
    assert (log["release"], metrics["Variant"], metrics["ModelErrors"]) == ("20261120-99999999", "b", 1)
    # What SageMaker reports as a failure has no variant.
    failed = handler.Service(Endpoint("b", client_error("ModelError")), SHARED).handle(
        proxy_event(instances(GOOD)), "7"
    )
    assert failed["headers"]["x-glidepath-release"] == "20261121-1a2b3c4d"
    assert "Variant" not in lines(capsys)[1]


def test_a_probe_is_counted_and_judges_nothing(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    event = proxy_event(instances(GOOD), x_glidepath_inference_id="probe-1")
    assert ask(handler, FakeModel(), event)["statusCode"] == 200
    (metrics,) = lines(capsys)
    assert (metrics["Requests"], metrics["ModelErrors"], metrics["CallerErrors"]) == (1, 0, 0)
    assert not {"Latency", "Predictions", "Bin0", "Judged"} & metrics.keys()


def judged(found: list[dict[str, Any]]) -> list[tuple[int, int, int] | None]:
    """Of each line of metrics: whether its request is judged, failed, slow; None for one that is not judged."""
    names = ("Judged", "JudgedFailed", "JudgedSlow")
    return [tuple(line[name] for name in names) if "Judged" in line else None for line in found if "_aws" in line]


def test_what_is_judged(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """All but the sandbox's first question to a model, what callers did wrong, the probe's and what is replayed."""
    model = FakeModel()
    service = handler.Service(model, ENVIRONMENT)
    good = proxy_event(instances(GOOD))
    for event in (proxy_event("{}"), good, good, proxy_event("{}"), good):
        service.handle(event, "7")
    found = lines(capsys)
    assert judged(found) == [None, None, (1, 0, 0), None, (1, 0, 0)]
    assert ["Bin0" in line for line in found] == [False, False, True, False, True]
    model.answer = b"nan"
    service.handle(good, "7")
    service.handle(proxy_event(instances(GOOD), x_glidepath_inference_id="probe-1"), "7")
    assert judged(lines(capsys)) == [(1, 1, 0), None]


def test_the_first_question_of_a_sandbox_may_fail_unjudged(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    service = handler.Service(FakeModel(b"nan"), ENVIRONMENT)
    for _ in range(2):
        service.handle(proxy_event(instances(GOOD)), "7")
    found = lines(capsys)
    assert judged(found) == [None, (1, 1, 0)]
    assert [line["ModelErrors"] for line in found if "_aws" in line] == [1, 1]


def test_from_when_on_an_answer_is_slow_is_told_by_the_environment(
    handler: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    service = warm(handler, FakeModel(), {**ENVIRONMENT, "LATENCY_MS": "0"})
    service.handle(proxy_event(instances(GOOD)), "7")
    assert judged(lines(capsys)) == [(1, 0, 1)]


@pytest.mark.parametrize("model", [FakeModel(), FakeModel(b"nan")])
def test_a_replayed_request_is_in_no_metric(handler: Any, capsys: pytest.CaptureFixture[str], model: FakeModel) -> None:
    for body in (instances(GOOD), "{}"):
        event = proxy_event(body, x_glidepath_inference_id="replay-d-ABC-1")
        # As the hook invokes the function: no API has passed it on.
        del event["requestContext"]["apiId"]
        assert ask(handler, model, event)["headers"]["x-glidepath-inference-id"] == "replay-d-ABC-1"
    assert not [line for line in lines(capsys) if "_aws" in line]


def test_no_caller_stays_out_of_the_metrics_by_an_id(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    event = proxy_event(instances(GOOD), x_glidepath_inference_id="replay-d-ABC-1")
    assert ask(handler, FakeModel(), event)["statusCode"] == 400
    (metrics,) = lines(capsys)
    assert (metrics["Requests"], metrics["CallerErrors"]) == (1, 1)


def test_a_callers_mistake_is_not_the_models(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model = FakeModel()
    answer = ask(handler, model, proxy_event("{}"))
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"]["code"] == "invalid_request"
    assert answer["headers"]["x-glidepath-release"] == "20261121-1a2b3c4d"
    assert model.calls == []
    (metrics,) = lines(capsys)
    assert (metrics["Requests"], metrics["CallerErrors"], metrics["ModelErrors"]) == (1, 1, 0)


def test_a_bad_id_is_a_callers_mistake(handler: Any) -> None:
    answer = ask(handler, FakeModel(), proxy_event(instances(GOOD), x_glidepath_inference_id="a b"))
    assert answer["statusCode"] == 400
    assert "x-glidepath-inference-id" not in answer["headers"]


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret detail"}}, "InvokeEndpoint")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (client_error("ModelError"), 502, "model_error"),
        (client_error("ValidationError"), 502, "model_error"),
        (client_error("AccessDeniedException"), 502, "model_error"),
        (client_error("ThrottlingException"), 504, "model_overloaded"),
        (client_error("ServiceUnavailable"), 504, "model_overloaded"),
        (client_error("ModelNotReadyException"), 504, "model_overloaded"),
        (ReadTimeoutError(endpoint_url="https://x"), 504, "model_timeout"),
        (EndpointConnectionError(endpoint_url="https://x"), 502, "model_unreachable"),
        (b"nan", 502, "model_invalid_output"),
        (b"1.0\n2.0", 502, "model_invalid_output"),
        (b"", 502, "model_invalid_output"),
        (b"<html>", 502, "model_invalid_output"),
        (b"\xff", 502, "model_invalid_output"),
    ],
)
def test_a_models_failure_counts(
    handler: Any, capsys: pytest.CaptureFixture[str], failure: Any, status: int, code: str
) -> None:
    answer = ask(handler, FakeModel(failure), proxy_event(instances(GOOD)))
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["error"]["code"] == code
    assert "secret" not in answer["body"]
    logged, metrics = lines(capsys)
    assert logged["level"] == "ERROR"
    assert logged["message"]
    assert (metrics["Requests"], metrics["ModelErrors"], metrics["CallerErrors"]) == (1, 1, 0)


def test_many_predictions_stay_within_a_lines_limit(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    body = "\n".join(f"{number},0,0" for number in range(250))
    assert warm(handler, FakeModel()).handle(proxy_event(body, "text/csv"), "7")["statusCode"] == 200
    found = lines(capsys)
    assert [len(line["Predictions"]) for line in found] == [100, 100, 50]
    assert [number for line in found for number in line["Predictions"]] == list(range(250))
    assert sum("Latency" in line for line in found) == 1
    assert sum("Requests" in line for line in found) == 1
    assert [found[0][f"Bin{number}"] for number in range(5)] == [n / 250 for n in (8, 4, 4, 6, 228)]


def test_the_request_has_the_shape_that_sagemaker_wants(handler: Any) -> None:
    client = botocore.session.get_session().create_client(
        "sagemaker-runtime", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stub:
        import io

        stub.add_response("invoke_endpoint", {"Body": StreamingBody(io.BytesIO(b"3.25"), 4)})
        answer = ask(handler, client, proxy_event("1,2,3", "text/csv"))
    assert json.loads(answer["body"])["predictions"] == [3.25]


def test_the_entry_point_names_the_running_version(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = handler.handle(proxy_event("x", "text/csv"), SimpleNamespace(function_version="12"))
    assert answer["statusCode"] == 400
    assert lines(capsys)[0]["Version"] == "12"


def test_reads_both_forms_of_the_containers_answer() -> None:
    assert parse_predictions(b"1.5,2.5", 2) == parse_predictions(b"1.5\n2.5\n", 2) == [1.5, 2.5]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_predictions_arrive_exactly(values: list[float]) -> None:
    assert parse_predictions("\n".join(map(repr, values)).encode(), len(values)) == values


@given(st.binary(), st.integers(min_value=1, max_value=3))
def test_any_answer_is_read_or_refused(body: bytes, rows: int) -> None:
    try:
        assert len(parse_predictions(body, rows)) == rows
    except ModelError as error:
        assert error.status == 502  # noqa: PT017
