"""The traffic hooks: what they check, and that CodeDeploy always hears how it went. Long, since they share fakes."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from contracts.appspec import ALL_AT_ONCE, description, is_return
from contracts.fields import FieldError
from functions.after_traffic.check import check_golden
from functions.after_traffic.handler import handle as after_traffic
from functions.before_traffic.handler import handle as before_traffic
from functions.before_traffic.replay import replay
from functions.shared.capture import CaptureSearch, parse_line
from functions.shared.golden import parse_golden
from functions.shared.hook import Deployment, HookError, read_deployment, report, versions
from functions.shared.variants import Subject, subjects
from tests.functions import samples

EVENT = {"DeploymentId": "d-ABC123", "LifecycleEventHookExecutionId": "hook-1"}
RELEASE = "20261121-1a2b3c4d"
NOW = datetime(2026, 11, 21, 3, 59, tzinfo=UTC)


def app_spec(name: str = "predict", target: str = "2") -> str:
    properties = {"Name": name, "Alias": "live", "CurrentVersion": "1", "TargetVersion": target}
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
    return json.dumps({"version": 0.0, "Resources": [{"predict": resource}], "Hooks": []})


class FakeCodeDeploy:
    """Keeps the reported status."""

    def __init__(self, revision: dict[str, Any] | None = None, created: datetime = NOW) -> None:
        self._created = created
        self.reported: list[dict[str, str]] = []
        self._revision = revision if revision is not None else {"string": {"content": app_spec()}}

    def get_deployment(self, **request: str) -> dict[str, Any]:
        info = {
            "deploymentId": request["deploymentId"], "createTime": self._created, "revision": self._revision,
            "deploymentConfigName": "fares-prod-linear",
        }  # fmt: skip
        return {"deploymentInfo": info}

    def put_lifecycle_event_hook_execution_status(self, **request: str) -> dict[str, str]:
        self.reported.append(request)
        return {}


class FakeLambda:
    """Answers each golden record with what `answer` makes of its features."""

    def __init__(self, answer: Any) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self._answer = answer

    def get_function_configuration(self, **request: str) -> dict[str, Any]:
        assert request == {"FunctionName": "predict", "Qualifier": "1"}
        variables = {
            "RELEASE_ID": "20261101-0a0b0c0d", "ENDPOINT_NAME": "e-0", "FEATURES": json.dumps(samples.FEATURES),
        }  # fmt: skip
        return {"Environment": {"Variables": variables}}

    def invoke(self, **request: Any) -> dict[str, Any]:
        event = json.loads(request["Payload"])
        self.calls.append((request["FunctionName"], request["Qualifier"], event))
        (features,) = json.loads(event["body"])["instances"]
        answer: dict[str, Any] = self._answer(features)
        return answer


def response(document: dict[str, Any], status: int = 200) -> dict[str, Any]:
    payload = json.dumps({"statusCode": status, "body": json.dumps(document)})
    return {"Payload": io.BytesIO(payload.encode())}


def good(features: dict[str, float]) -> dict[str, Any]:
    return response({"predictions": [sum(features.values())], "release": RELEASE})


DEPLOYMENT = Deployment("d-ABC123", NOW, "2")
GOLDEN = parse_golden(json.dumps(samples.golden()))
SUBJECT = Subject("live", RELEASE, "s3://artifacts/golden.json")


def in_time() -> float:
    return 600.0


def test_a_replay_that_runs_out_of_time_says_so_while_it_can() -> None:
    client, left = FakeLambda(good), iter([90.0, 1.0, 0.0])
    with pytest.raises(HookError) as caught:
        replay(client, "predict", DEPLOYMENT, GOLDEN, SUBJECT, lambda: next(left))
    assert str(caught.value) == "Version 2 is too slow: time ran out after 2 of 3 golden records."
    assert len(client.calls) == 2


def test_replays_every_record_on_the_new_version() -> None:
    client = FakeLambda(good)
    assert (
        "version 2 answered all 3 golden records"
        in replay(client, "predict", DEPLOYMENT, GOLDEN, SUBJECT, in_time).lower()
    )
    assert [(name, version) for name, version, _ in client.calls] == [("predict", "2")] * 3
    sent = [event["headers"]["x-glidepath-inference-id"] for _, _, event in client.calls]
    assert sent == ["golden-d-ABC123-0", "golden-d-ABC123-1", "golden-d-ABC123-2"]
    assert {event["headers"]["x-glidepath-variant"] for _, _, event in client.calls} == {"live"}


def test_every_variant_of_an_ab_test_is_proven_with_its_own_records() -> None:
    others = [
        {"variant": "challenger", "release": "r-2", "golden": "s3://artifacts/2/golden.json", "sha256": "cd" * 32}
    ]
    environment = {"RELEASE_ID": RELEASE, "GOLDEN_URI": "s3://artifacts/golden.json", "VARIANT": "live"}
    assert subjects(environment) == [SUBJECT]
    own, other = subjects({**environment, "OTHER_VARIANTS": json.dumps(others)})
    assert own == SUBJECT
    assert other == Subject("challenger", "r-2", "s3://artifacts/2/golden.json", "cd" * 32, "-v1")
    client = FakeLambda(lambda it: response({"predictions": [sum(it.values())], "release": "r-2"}))
    assert replay(client, "predict", DEPLOYMENT, GOLDEN, other, in_time).endswith(
        "of release r-2 in variant challenger."
    )
    headers = client.calls[0][2]["headers"]
    assert (headers["x-glidepath-variant"], headers["x-glidepath-inference-id"]) == (
        "challenger", "golden-d-ABC123-v1-0",
    )  # fmt: skip
    with pytest.raises(HookError, match="on version 2 in variant challenger: record 0: release"):
        replay(FakeLambda(good), "predict", DEPLOYMENT, GOLDEN, other, in_time)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda it: response({"predictions": [sum(it.values()) + 1], "release": RELEASE}), "the evaluated model gave"),
        (lambda it: response({"predictions": [float("nan")], "release": RELEASE}), "predicted nan"),
        (lambda it: response({"predictions": [sum(it.values())], "release": "old"}), "release 'old' answered"),
        (lambda it: response({"predictions": [], "release": RELEASE}), "expected one prediction, got []"),
        (lambda it: response({"predictions": ["1"], "release": RELEASE}), "not a number"),
        (lambda it: response({"error": {"code": "model_error"}}, 502), "status 502"),
        (lambda it: {"Payload": io.BytesIO(b'{"errorMessage": "boom"}'), "FunctionError": "Unhandled"}, "boom"),
        (lambda it: {"Payload": io.BytesIO(b"null")}, "not a proxy response"),
        (lambda it: {"Payload": io.BytesIO(b'{"statusCode": 200, "body": "hm"}')}, "not a proxy response"),
    ],
)
def test_a_wrong_answer_stops_the_shift(answer: Any, reason: str) -> None:
    with pytest.raises(HookError) as caught:
        replay(FakeLambda(answer), "predict", DEPLOYMENT, GOLDEN, SUBJECT, in_time)
    assert "3 of 3 golden records failed on version 2: record 0: " in str(caught.value)
    assert reason in str(caught.value)


def test_reports_success_and_failure(capsys: pytest.CaptureFixture[str]) -> None:
    codedeploy = FakeCodeDeploy()
    succeeded = report(codedeploy, EVENT, lambda scope: f"fine {scope}")
    assert succeeded == {"status": "Succeeded", "reason": "fine d-ABC123"}

    def fail(_: str) -> str:
        raise HookError("the model is wrong")

    def crash(_: str) -> str:
        raise KeyError("GOLDEN_URI")

    assert report(codedeploy, EVENT, fail) == {"status": "Failed", "reason": "the model is wrong"}
    assert report(codedeploy, EVENT, crash)["reason"] == "KeyError: 'GOLDEN_URI'"
    assert [item["status"] for item in codedeploy.reported] == ["Succeeded", "Failed", "Failed"]
    assert {item["lifecycleEventHookExecutionId"] for item in codedeploy.reported} == {"hook-1"}
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in logged] == ["fine d-ABC123", "the model is wrong", "KeyError: 'GOLDEN_URI'"]
    assert "Traceback" in logged[2]["trace"]


def test_codedeploys_own_shapes() -> None:
    client = boto3.client("codedeploy", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        info = {
            "deploymentId": "d-ABC123", "createTime": NOW, "revision": {"appSpecContent": {"content": app_spec()}},
            "deploymentConfigName": ALL_AT_ONCE,
        }  # fmt: skip
        stub.add_response("get_deployment", {"deploymentInfo": info}, {"deploymentId": "d-ABC123"})
        expected = {
            "deploymentId": "d-ABC123", "lifecycleEventHookExecutionId": "hook-1", "status": "Succeeded",
        }  # fmt: skip
        stub.add_response("put_lifecycle_event_hook_execution_status", {}, expected)
        answer = report(client, EVENT, lambda scope: read_deployment(client, scope, "predict").version)
        stub.assert_no_pending_responses()
    assert answer["reason"] == "2"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("version: 0.0", "not usable"),
        ("{}", "not usable"),
        ('{"Resources": [1]}', "not usable"),
        (app_spec("other"), "names predict 0 times, not once"),
    ],
)
def test_refuses_an_unusable_app_spec(content: str, reason: str) -> None:
    with pytest.raises(HookError, match=reason):
        versions(content, "predict")


def test_a_return_is_known_by_what_its_deployment_says() -> None:
    for reason in ("", "it was slow: version 9 to 8"):
        text = description(RELEASE, "1", "2", reason)
        assert is_return(text, "1", "2") is bool(reason)
    assert len(description(RELEASE, "1", "2", "x" * 300)) == 256
    deployment = read_deployment(FakeCodeDeploy(), "d-1", "predict")
    assert (deployment.version, deployment.current, deployment.returning) == ("2", "1", False)
    assert deployment.stepwise


def test_refuses_a_deployment_without_app_spec() -> None:
    with pytest.raises(HookError, match="carries no AppSpec text"):
        read_deployment(FakeCodeDeploy({"s3Location": {}}), "d-1", "predict")


@pytest.mark.parametrize(
    "text", ["", "{}", '{"tolerance": 1, "records": []}', '{"tolerance": -1, "records": [{}]}', '{"tolerance": 1}']
)
def test_refuses_unusable_golden_records(text: str) -> None:
    with pytest.raises(FieldError):
        parse_golden(text)


# After traffic ------------------------------------------------------------------------------------------------------


def capture_line(request_id: str, row: str, prediction: str | None) -> str:
    data = {"endpointInput": {"mode": "INPUT", "data": row, "encoding": "CSV"}}
    if prediction is not None:
        data["endpointOutput"] = {"mode": "OUTPUT", "data": prediction, "encoding": "CSV"}
    metadata = {"eventId": "e", "inferenceId": request_id, "inferenceTime": "2026-11-21T03:59:30Z"}
    return json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"})


def lines(scope: str, wrong: float = 0.0) -> list[str]:
    return [
        capture_line(f"golden-{scope}-{index}", ",".join(map(repr, record.features.values())),
                     repr(record.prediction + wrong))
        for index, record in enumerate(GOLDEN.records)
    ]  # fmt: skip


def put(s3: Any, folder: str, content: list[str], name: str = "a.jsonl") -> None:
    s3.put_object(Bucket="capture", Key=f"capture/{folder}/{name}", Body="\n".join(content).encode())


def search(s3: Any, endpoint: str | None = "e-1") -> CaptureSearch:
    return CaptureSearch(s3, "capture", "capture", endpoint, datetime.now(UTC) - timedelta(hours=1))


def this_hour() -> str:
    return datetime.now(UTC).strftime("%Y/%m/%d/%H")


def check(s3: Any, percentage: int = 100, endpoint: str | None = "e-1", seconds: float = 0) -> str:
    return check_golden(search(s3, endpoint), GOLDEN, "d-1", seconds, percentage, lambda _: None)


def test_finds_the_golden_requests_in_every_variant(s3: Any) -> None:
    put(s3, f"e-1/blue/{this_hour()}", lines("d-1")[:2])
    put(s3, f"e-1/green/{this_hour()}", lines("d-1")[2:])
    assert "holds the golden requests of deployment d-1" in check(s3)
    assert check(s3, endpoint=None)


def test_what_a_shadow_answered_is_not_taken_for_the_releases_answer(s3: Any) -> None:
    put(s3, f"e-1/live/{this_hour()}", lines("d-1"))
    put(s3, f"e-1/a-shadow/{this_hour()}", lines("d-1", wrong=1))
    of_all, of_live = search(s3), search(s3)
    of_live.variant = "live"
    with pytest.raises(HookError, match=r"expected 13\.75"):
        check_golden(of_all, GOLDEN, "d-1", 0, 100, lambda _: None)
    found = check_golden(of_live, GOLDEN, "d-1", 0, 100, lambda _: None)
    assert found == "The capture of endpoint e-1, variant live holds the golden requests of deployment d-1."


def test_stale_captures_and_other_endpoints_do_not_count(s3: Any) -> None:
    put(s3, f"e-1/v/{this_hour()}", lines("d-0"))
    put(s3, "e-1/v/2020/01/01/00", lines("d-1"))
    put(s3, f"e-2/v/{this_hour()}", lines("d-1"))
    with pytest.raises(HookError, match="3 of 3 golden requests after 0 s: record 0: not in the capture"):
        check(s3)


def test_a_capture_that_differs_does_not_pass(s3: Any) -> None:
    put(s3, f"e-1/v/{this_hour()}", lines("d-1", wrong=1))
    with pytest.raises(HookError, match=r"expected 13\.75"):
        check(s3)


def test_both_sides_must_be_captured(s3: Any) -> None:
    put(s3, f"e-1/v/{this_hour()}", [capture_line(f"golden-d-1-{index}", "1,2,3", None) for index in range(3)])
    with pytest.raises(HookError, match="only one of input and output"):
        check(s3)


def test_a_sampled_capture_needs_one_request_that_is_right(s3: Any) -> None:
    put(s3, f"e-1/v/{this_hour()}", lines("d-1")[:1])
    assert check(s3, percentage=30)
    with pytest.raises(HookError, match="2 of 3"):
        check(s3, percentage=100)


def test_a_sampled_capture_without_any_fails(s3: Any) -> None:
    with pytest.raises(HookError, match="3 of 3"):
        check(s3, percentage=30)


def test_waits_for_files_that_come_late(s3: Any) -> None:
    def come(_: float) -> None:
        put(s3, f"e-1/v/{this_hour()}", lines("d-1"), "late.jsonl")

    assert check_golden(search(s3), GOLDEN, "d-1", 30, 100, come)


def test_hours_that_another_clock_has_begun_are_looked_at_too(s3: Any) -> None:
    later = (datetime.now(UTC) + timedelta(hours=3)).strftime("%Y/%m/%d/%H")
    put(s3, f"e-1/v/{later}", lines("d-1"))
    assert check(s3)


def test_the_first_record_of_an_id_counts(s3: Any) -> None:
    put(s3, f"e-1/v/{this_hour()}", lines("d-1"), "10-00-000-a.jsonl")
    put(s3, f"e-1/v/{this_hour()}", lines("d-1", wrong=1), "10-01-000-a.jsonl")
    assert check(s3)


def test_lines_that_are_no_records_are_skipped_and_counted(s3: Any) -> None:
    odd = [
        "{",
        "[]",
        "1",
        "{}",
        '{"eventMetadata": 1}',
        '{"eventMetadata": {"inferenceId": "x"}}',
        "9" * 5000,
        "[" * 99_999,
    ]
    encoded = {
        "captureData": {"endpointInput": {"data": "/w==", "encoding": "BASE64"}},
        "eventMetadata": {"inferenceId": "x"},
    }
    put(s3, f"e-1/v/{this_hour()}", [*odd, json.dumps(encoded), *lines("d-1")[:2]])
    with pytest.raises(
        HookError, match=r"1 of 3 golden requests after 0 s \(9 lines of it could not be read\): record 2"
    ):
        check(s3)


def test_reads_encoded_captures_and_skips_what_has_no_id() -> None:
    data = {"endpointInput": {"data": "MSwy", "encoding": "BASE64"}}
    line = json.dumps({"captureData": data, "eventMetadata": {"inferenceId": "x"}})
    found = parse_line(line)
    assert found is not None
    assert (found.input, found.output) == ("1,2", None)
    assert parse_line(json.dumps({"captureData": {}, "eventMetadata": {}})) is None
    assert parse_line("") is None


# Entry points -------------------------------------------------------------------------------------------------------


def test_entry_points_read_their_environment(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket="artifacts", Key="golden.json", Body=json.dumps(samples.golden()).encode())
    put(s3, f"e-1/v/{this_hour()}", lines("d-ABC123"))
    codedeploy = FakeCodeDeploy(created=datetime.now(UTC))
    clients = {"codedeploy": codedeploy, "lambda": FakeLambda(good), "s3": s3, "stepfunctions": None}
    monkeypatch.setattr(boto3, "client", lambda service, **_: clients[service])
    manifest = json.dumps(samples.manifest()).encode()
    s3.put_object(Bucket="artifacts", Key="manifest.json", Body=manifest)
    replaying = {"requests": 500, "seconds": 180, "megabytes": 32, "latencyMs": 1000, "accept": []}
    environment = {
        "FUNCTION_NAME": "predict", "RELEASE_ID": RELEASE, "GOLDEN_URI": "s3://artifacts/golden.json",
        "ENDPOINT_NAME": "e-1", "CAPTURE_BUCKET": "capture", "CAPTURE_PREFIX": "capture",
        "MANIFEST_URI": "s3://artifacts/manifest.json", "MANIFEST_SHA256": hashlib.sha256(manifest).hexdigest(),
        "REPLAY": json.dumps(replaying),
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
    put(s3, f"e-0/live/{this_hour()}", [capture_line(f"caller-{row}", f"{row},2,3", f"{row + 5}") for row in range(9)])
    before = before_traffic(EVENT, context)
    assert before["status"] == "Succeeded"
    assert "Version 2 answered all 3 golden records" in before["reason"]
    assert "Version 2 answered 9 of 9 captured requests of release 20261101-0a0b0c0d" in before["reason"]
    assert after_traffic(EVENT, context)["status"] == "Succeeded"
    text = json.dumps(samples.golden()).encode()
    monkeypatch.setenv("GOLDEN_SHA256", hashlib.sha256(text).hexdigest())
    assert before_traffic(EVENT, context)["status"] == "Succeeded"
    s3.put_object(Bucket="artifacts", Key="golden.json", Body=b" " + text)
    changed, vouched = (hashlib.sha256(body).hexdigest() for body in (b" " + text, text))
    for hook in (before_traffic, after_traffic):
        assert hook(EVENT, context)["reason"] == (
            f"s3://artifacts/golden.json has SHA-256 {changed}, but the release's manifest vouches for {vouched}: it"
            " was changed; restore its former version, or train the release anew"
        )
    monkeypatch.delenv("GOLDEN_URI")
    assert before_traffic(EVENT, context) == {"status": "Failed", "reason": "KeyError: 'GOLDEN_URI'"}
    assert [item["status"] for item in codedeploy.reported] == ["Succeeded"] * 3 + ["Failed"] * 3
