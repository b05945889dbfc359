"""The system test itself: that it passes a good service, and fails every way in which one can be bad."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.release import parse_release
from functions.shared.api import Answer, CallError
from functions.shared.capture import CaptureSearch
from functions.shared.golden import parse_golden
from functions.system_test import __main__ as command
from functions.system_test import checks, report
from functions.system_test.checks import CheckError, Subject
from tests.functions import samples

RELEASE = parse_release(json.dumps(samples.manifest()))
GOLDEN = parse_golden(json.dumps(samples.golden()))


class FakeApi:
    """The real predict function behind a client that signs nothing; `change` spoils its answers."""

    def __init__(self, service: Any, change: dict[str, Any] | None = None) -> None:
        self.sent: list[tuple[bytes, dict[str, str]]] = []
        self._service = service
        self._change = change or {}

    def post(self, body: bytes, headers: Mapping[str, str], signed: bool = True) -> Answer:
        self.sent.append((body, dict(headers)))
        if not signed:
            return Answer(403, {}, '{"message":"Missing Authentication Token"}', 1.0)
        event = {"headers": dict(headers), "body": body.decode(), "isBase64Encoded": False}
        found = self._service.handle(event, "1")
        answer = Answer(found["statusCode"], found["headers"], found["body"], 5.0)
        return dataclasses.replace(answer, **self._change)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Any:
    environment = {
        "ENDPOINT_NAME": "e", "RELEASE_ID": RELEASE.id, "FEATURES": json.dumps(samples.FEATURES),
        "METRIC_NAMESPACE": "Glidepath", "SERVICE": "s", "LATENCY_MS": "1000", "AWS_DEFAULT_REGION": "eu-west-1",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    handler = importlib.reload(importlib.import_module("functions.predict.handler"))
    return handler.Service(samples.FakeModel(), environment)


def subject(service: Any, **change: Any) -> Subject:
    return Subject(FakeApi(service, change), RELEASE, GOLDEN, "test-1")


def test_a_good_service_passes(service: Any) -> None:
    good = subject(service)
    assert "3 records predicted" in checks.golden_records(good)
    assert "3 rows predicted" in checks.golden_csv(good)
    assert "15 bad requests refused" in checks.bad_input(good)
    assert "refused" in checks.unsigned(good)
    assert "p99 5 ms of 10 requests" in checks.latency(good, 10, 5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 502, "body": '{"error": {"message": "m"}}'}, "status 502"),
        ({"body": "{}"}, "inference_id is None"),
        ({"headers": {}}, "header x-glidepath-release is None"),
        ({"headers": {"x-glidepath-release": "old", "x-glidepath-inference-id": "x"}}, "is 'old', not"),
    ],
)
def test_golden_records_fail_when_the_answer_is_wrong(service: Any, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(CheckError) as caught:
        checks.golden_records(subject(service, **change))
    assert "3 of 3 golden records failed: record 0: " in str(caught.value)
    assert reason in str(caught.value)


def test_golden_records_fail_when_values_differ(service: Any) -> None:
    golden = dataclasses.replace(
        GOLDEN, records=tuple(dataclasses.replace(item, prediction=item.prediction + 1) for item in GOLDEN.records)
    )
    wrong = dataclasses.replace(subject(service), golden=golden)
    for check in (checks.golden_records, checks.golden_csv):
        with pytest.raises(CheckError, match=r"3 of 3 .* the evaluated model gave 14\.75"):
            check(wrong)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"predictions": [1]}', '{"predictions": [1, 2, 3]}'])
def test_csv_fails_when_the_answer_is_wrong(service: Any, body: str) -> None:
    with pytest.raises(CheckError):
        checks.golden_csv(subject(service, body=body))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 200}, "15 of 15 bad requests failed: empty body: status 200, not 400"),
        ({"status": 500}, "status 500, not 400"),
        ({"body": "{}"}, "without a message"),
        ({"body": '{"message": null}'}, "without a message"),
    ],
)
def test_bad_input_fails_when_it_is_accepted(service: Any, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(CheckError, match=reason):
        checks.bad_input(subject(service, **change))


def test_bad_input_accepts_the_gateways_own_message(service: Any) -> None:
    cases = checks.bad_requests(GOLDEN.records[0], RELEASE)
    assert len({name for name, *_ in cases}) == len(cases)
    assert {expected for *_, expected in cases} == {400, 413, 415}
    answer = Answer(400, {}, '{"message": "Invalid request body"}', 1.0)
    assert checks._message(answer) == "Invalid request body"


def test_an_open_api_fails(service: Any) -> None:
    class Open(FakeApi):
        def post(self, body: bytes, headers: Mapping[str, str], signed: bool = True) -> Answer:
            return super().post(body, headers)

    with pytest.raises(CheckError, match="an unsigned request was answered with status 200"):
        checks.unsigned(dataclasses.replace(subject(service), api=Open(service)))


def test_latency_fails_over_its_budget_and_on_errors(service: Any) -> None:
    with pytest.raises(CheckError, match="p99 of 10 requests is 5 ms, more than the budget of 4 ms"):
        checks.latency(subject(service), 10, 4)
    with pytest.raises(CheckError, match="request 0 got status 504"):
        checks.latency(subject(service, status=504), 10, 100)


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([3, 1, 2], 0.5, 2), ([1], 0.99, 1), (list(range(1, 101)), 0.99, 99)]
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert checks.percentile(values, share) == expected


def test_the_same_requests_must_be_captured(service: Any, s3: Any) -> None:
    tested = subject(service)
    search = CaptureSearch(s3, "capture", "capture", None, datetime.now(UTC))
    with pytest.raises(CheckError, match="3 of 3 requests are missing or differ in s3://capture/capture after 0 s"):
        checks.captured(tested, search, 0, lambda _: None)
    lines = [
        json.dumps({
            "captureData": {
                "endpointInput": {"data": ",".join(map(repr, record.features.values())), "encoding": "CSV"},
                "endpointOutput": {"data": repr(record.prediction), "encoding": "CSV"},
            },
            "eventMetadata": {"inferenceId": f"test-1-{index}"},
        })
        for index, record in enumerate(GOLDEN.records)
    ]  # fmt: skip
    key = f"capture/e-1/v/{datetime.now(UTC):%Y/%m/%d/%H}/a.jsonl"
    s3.put_object(Bucket="capture", Key=key, Body="\n".join(lines).encode())
    assert "3 requests found" in checks.captured(tested, search, 0, lambda _: None)


def test_the_report_goes_on_after_a_failure() -> None:
    def fail() -> str:
        raise CheckError("<wrong>")

    def unreachable() -> str:
        raise CallError("does not answer")

    said: list[str] = []
    outcomes = report.run({"a": fail, "b": lambda: "fine", "c": unreachable}, said.append)
    assert [outcome.passed for outcome in outcomes] == [False, True, False]
    assert said[0].startswith("FAILED  a: <wrong>")
    suite = ElementTree.fromstring(report.junit(outcomes))
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert suite.findall("testcase/failure")[0].get("message") == "<wrong>"


# The command --------------------------------------------------------------------------------------------------------


@pytest.fixture
def environment(s3: Any, service: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A release in S3, and an API that answers without capturing."""
    golden = json.dumps(samples.golden()).encode()
    document = {**samples.manifest(), "golden": "s3://artifacts/golden.json"}
    document["hashes"]["golden"] = hashlib.sha256(golden).hexdigest()
    text = json.dumps(document)
    s3.put_object(Bucket="artifacts", Key="golden.json", Body=golden)
    s3.put_object(Bucket="artifacts", Key="manifest.json", Body=text.encode())
    monkeypatch.setattr(command, "ApiClient", lambda *_: FakeApi(service))
    return {
        "API_URL": "https://api", "RELEASE": "s3://artifacts/manifest.json", "CAPTURE_BUCKET": "capture",
        "AWS_REGION": "eu-west-1", "MANIFEST_SHA256": hashlib.sha256(text.encode()).hexdigest(),
        "TESTER_ROLE_ARN": "arn:aws:iam::123456789012:role/glidepath-dev-tester", "CAPTURE_WAIT": "0",
    }  # fmt: skip


def test_exits_with_one_clear_line(
    environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junit = tmp_path / "result.xml"
    assert command.main(["--requests", "5", "--junit", str(junit)], environment) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("system test failed: capture: 3 of 3 requests are missing")
    assert captured.err.count("\n") == 1
    assert captured.out.count("ok    ") == 6
    assert ElementTree.parse(junit).getroot().get("failures") == "1"


def test_exits_with_zero_when_all_is_well(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checks, "captured", lambda *_: "captured")
    assert command.main(["--requests", "5"], environment) == 0
    assert capsys.readouterr().out.endswith("system test passed: 7 checks\n")


def test_believes_no_other_golden_records(
    environment: dict[str, str], s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put_object(Bucket="artifacts", Key="golden.json", Body=json.dumps(samples.golden(1)).encode())
    assert command.main([], environment) == 1
    found = capsys.readouterr().err
    assert found.startswith("system test could not run: s3://artifacts/golden.json has SHA-256 ")
    assert "but the release's manifest vouches for" in found
    assert found.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"API_URL": ""}, "--api-url missing"),
        ({"RELEASE": "nowhere"}, "'nowhere' is not an S3 URI"),
        ({"RELEASE": "s3://artifacts/none.json"}, "NoSuchKey"),
        ({"MANIFEST_SHA256": "00"}, "it is not the one that was deployed"),
    ],
)
def test_says_why_it_cannot_run(
    environment: dict[str, str], change: dict[str, str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([], {**environment, **change}) == 1
    found = capsys.readouterr().err
    assert found.startswith("system test could not run: ")
    assert reason in found
    assert found.count("\n") == 1
