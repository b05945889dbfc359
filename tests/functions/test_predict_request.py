"""Reading callers' requests."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.float32 import LARGEST
from functions.predict.request import CallerError, read_inference_id, read_request
from functions.predict.schema import Schema
from tests.functions.samples import FEATURES, instances, proxy_event

GOOD = {"duration_minutes": 12.5, "passengers": 1, "distance": 2.1}
FINITE = st.floats(min_value=-LARGEST, max_value=LARGEST)


def refused(event: dict[str, Any]) -> CallerError:
    with pytest.raises(CallerError) as caught:
        read_request(event, Schema(FEATURES))
    return caught.value


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", " application/json;x"])
def test_json_in_any_member_order(content_type: str) -> None:
    event = proxy_event(instances(dict(reversed(GOOD.items())), GOOD), content_type)
    assert read_request(event, Schema(FEATURES)) == ("12.5,1,2.1\n12.5,1,2.1", 2)


@pytest.mark.parametrize("body", ["12.5,1,2.1", "12.5,1,2.1\n", "\ufeff12.5, 1 ,2.1\r\n"])
def test_csv(body: str) -> None:
    assert read_request(proxy_event(body, "text/csv; charset=UTF-8"), Schema(FEATURES)) == ("12.5,1,2.1", 1)


def test_base64_body() -> None:
    event = {**proxy_event(base64.b64encode(instances(GOOD).encode()).decode()), "isBase64Encoded": True}
    assert read_request(event, Schema(FEATURES)).rows == 1


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (None, "empty_body", "Send at least one row with: duration_minutes, passengers, distance."),
        ("  ", "empty_body", "empty"),
        ('{"instances": [', "invalid_json", "line 1, column 16"),
        ("[" * 100_000, "invalid_json", "nested too deeply"),
        ("1" * 5000, "invalid_json", "number too long"),
        ("[]", "invalid_request", '{"instances": [...]}'),
        ('{"instances": [], "x": 1}', "invalid_request", "one member"),
        (instances(), "invalid_request", "at least one object"),
        ('{"instances": {}}', "invalid_request", "must be a list"),
        (instances([1, 2, 3]), "invalid_request", "instances[0] must be an object"),
        (instances(GOOD, {}), "invalid_features", "instances[1] lacks duration_minutes, passengers, distance."),
        (instances({**GOOD, "fare": 1}), "invalid_features", "instances[0] has unknown fare. Expected exactly"),
        (instances({**GOOD, "distance": "2"}), "invalid_value", 'instances[0].distance must be a number, not "2".'),
        (instances({**GOOD, "distance": None}), "invalid_value", "must be a number, not null"),
        (instances({**GOOD, "distance": True}), "invalid_value", "must be a number, not true"),
        (instances({**GOOD, "distance": float("nan")}), "invalid_value", "contains NaN"),
        (instances({**GOOD, "distance": float("-inf")}), "invalid_value", "contains -Infinity"),
        (instances({**GOOD, "distance": 10**400}), "invalid_value", "too large"),
        # Numbers that float32, which the container computes with, cannot hold; the first is rounded to infinity.
        (instances({**GOOD, "distance": 3.4028235677973366e38}), "invalid_value", "instances[0].distance is too large"),
        (instances({**GOOD, "distance": 1e39}), "invalid_value", "too large: at most 3.4028234663852886e+38"),
        (instances({**GOOD, "distance": -1e300}), "invalid_value", "too large: at most 3.4028234663852886e+38"),
        ('{"instances": [{"distance": 1e999, "passengers": 1, "duration_minutes": 1}]}', "invalid_value", "too large"),
        ('{"instances": [{"distance": 1, "distance": 2}]}', "invalid_json", "same member twice"),
    ],
)
def test_refuses_json(body: str | None, code: str, message: str) -> None:
    error = refused(proxy_event(body))
    assert (error.status, error.code) == (400, code)
    assert message in error.message


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("1,2", "invalid_features", "Line 1 has 2 values, not 3."),
        ("1,2,3\n\n1,2,3", "invalid_features", "Line 2 has 1 values"),
        ("duration_minutes,passengers,distance", "invalid_value", "Line 1: duration_minutes must be a finite number"),
        ("1,2,nan", "invalid_value", 'distance must be a finite number, not "nan"'),
        ("1,2,inf", "invalid_value", "finite"),
        ("1,2,", "invalid_value", 'not ""'),
        ("1,2,1_000", "invalid_value", "1_000"),
        ("1,2,3.4028235677973366e38", "invalid_value", "Line 1: distance is too large: at most 3.4028234663852886e+38"),
        ("1,2,3\n-1e39,2,3", "invalid_value", "Line 2: duration_minutes is too large"),
        ("1,2,٣", "invalid_value", "finite"),
    ],
)
def test_refuses_csv(body: str, code: str, message: str) -> None:
    error = refused(proxy_event(body, "text/csv"))
    assert (error.status, error.code) == (400, code)
    assert message in error.message


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/jsonp", "csv"])
def test_refuses_other_content(content_type: str | None) -> None:
    error = refused(proxy_event(instances(GOOD), content_type))
    assert (error.status, error.code) == (415, "unsupported_media_type")


def test_refuses_too_many_rows() -> None:
    assert read_request(proxy_event("\n".join(["1,2,3"] * 1000), "text/csv"), Schema(FEATURES)).rows == 1000
    assert refused(proxy_event("\n".join(["1,2,3"] * 1001), "text/csv")).status == 413
    assert refused(proxy_event(instances(*[GOOD] * 1001))).status == 413


@pytest.mark.parametrize("body", ["###", base64.b64encode(b"\xff\xfe").decode(), "ünicode"])
def test_refuses_what_is_not_text(body: str) -> None:
    assert refused({**proxy_event(body), "isBase64Encoded": True}).code == "invalid_encoding"


def test_an_event_without_headers() -> None:
    assert refused({"headers": None, "body": None}).status == 415


@pytest.mark.parametrize("given_id", ["a", "test-1-2", "golden", "A.b:c_d-" + "x" * 56])
def test_keeps_the_callers_id(given_id: str) -> None:
    assert read_inference_id({"headers": {"X-Glidepath-Inference-Id": given_id}}) == given_id


@pytest.mark.parametrize("given_id", ["", "-a", "a b", "x" * 65, "a\n", "é"])
def test_refuses_a_bad_id(given_id: str) -> None:
    with pytest.raises(CallerError) as caught:
        read_inference_id({"headers": {"x-glidepath-inference-id": given_id}})
    assert caught.value.code == "invalid_inference_id"


@pytest.mark.parametrize("own", ["golden-", "replay-"])
def test_some_ids_are_the_hooks_own(own: str) -> None:
    given = f"{own}d-1-2"
    event = {"headers": {"x-glidepath-inference-id": given}, "requestContext": {"stage": "before-traffic"}}
    assert read_inference_id(event) == given
    with pytest.raises(CallerError, match=f"must not begin with {own}: choose another id, or leave it out"):
        read_inference_id({**event, "requestContext": {"apiId": "a1", "stage": "before-traffic"}})


def test_makes_ids_of_its_own() -> None:
    made = {read_inference_id({}) for _ in range(100)}
    assert len(made) == 100
    assert all(read_inference_id({"headers": {"x-glidepath-inference-id": item}}) == item for item in made)


@given(st.lists(st.tuples(FINITE, FINITE, FINITE), min_size=1, max_size=5))
def test_numbers_arrive_exactly(rows: list[tuple[float, float, float]]) -> None:
    as_json = proxy_event(instances(*[dict(zip(FEATURES, row, strict=True)) for row in rows]))
    as_csv = proxy_event("\n".join(",".join(map(repr, row)) for row in rows), "text/csv")
    for event in (as_json, as_csv):
        sent = [tuple(map(float, line.split(","))) for line in read_request(event, Schema(FEATURES)).csv.split("\n")]
        assert sent == rows


@given(st.text(), st.sampled_from(["application/json", "text/csv"]))
def test_any_text_is_read_or_refused(body: str, content_type: str) -> None:
    try:
        request = read_request(proxy_event(body, content_type), Schema(FEATURES))
    except CallerError as error:
        assert 400 <= error.status < 500  # noqa: PT017
        json.dumps(error.message)
    else:
        assert request.rows >= 1
