"""A change of schema: whoever still sends the former release's features is answered by it as long as it lives."""

from __future__ import annotations

import importlib
import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.former import Former, render_former
from tests.functions.samples import instances, proxy_event

OLD, NEW = ("duration", "passengers", "distance"), ("duration", "distance", "night")
BEFORE = {"duration": 12.5, "passengers": 1, "distance": 2.0}
AFTER = {"duration": 12.5, "distance": 2.0, "night": 1}
OLD_ID, NEW_ID = "20261120-0000000a", "20261121-0000000b"


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {**variables("old", OLD_ID, OLD), "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    return importlib.reload(importlib.import_module("functions.predict.handler"))


def variables(
    endpoint: str, release: str, features: tuple[str, ...], former: Former | None = None, **more: str
) -> dict[str, str]:
    """What a version is published with."""
    known = {"FORMER": render_former(former, features)} if former else {}
    return {
        "ENDPOINT_NAME": endpoint,
        "RELEASE_ID": release,
        "FEATURES": json.dumps(features),
        "METRIC_NAMESPACE": "Glidepath",
        "SERVICE": "shop-prod",
        "PREDICTION_EDGES": "[1.0]",
        "LATENCY_MS": "1000",
        **known,
        **more,
    }


def published(
    old: tuple[str, ...] = OLD, new: tuple[str, ...] = NEW, variants: dict[str, str] | None = None
) -> dict[str, str]:
    """The new release's version, which knows the old one's."""
    return variables("new", NEW_ID, new, Former(OLD_ID, "6", "old", old, variants or {}))


@dataclass
class Endpoints:
    """A sagemaker-runtime client. The model of an endpoint predicts a number of its own."""

    alive: dict[str, float] = field(default_factory=lambda: {"old": 1.5, "new": 2.5})
    failing: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    variant: str = ""

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        """The real client's method, with the service's own words for what is gone."""
        name = request["EndpointName"]
        self.asked.append((name, request["Body"].decode()))
        if name not in self.alive:
            message = f"Endpoint {name} of account 333333333333 not found."
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "InvokeEndpoint")
        if name in self.failing:
            raise ClientError({"Error": {"Code": "ModelError", "Message": "500"}}, "InvokeEndpoint")
        rows = request["Body"].count(b"\n") + 1
        body = io.BytesIO("\n".join([str(self.alive[name])] * rows).encode())
        return {"Body": body, "InvokedProductionVariant": self.variant}


def reported(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def counted(lines: list[dict[str, Any]], version: str, metric: str) -> float:
    """A metric's sum for one version, over what its directives really publish."""
    return sum(
        float(line[metric])
        for line in lines
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ())
        if ["Service", "Version"] in directive["Dimensions"]
        and metric in [each["Name"] for each in directive["Metrics"]]
        and line["Version"] == version
    )


def test_a_request_of_the_former_schema_is_handed_on_and_reported_as_the_former_ones(
    handler: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoints = Endpoints()
    answer = handler.Service(endpoints, published()).handle(proxy_event(instances(BEFORE)), "7")
    assert (answer["statusCode"], answer["headers"]["x-glidepath-release"]) == (200, OLD_ID)
    body = json.loads(answer["body"])
    assert (body["predictions"], body["release"]) == ([1.5], OLD_ID)
    assert endpoints.asked == [("old", "12.5,1,2")]
    lines = reported(capsys)
    assert {line["release"] for line in lines if "Requests" in line} == {OLD_ID}
    for version, requests, handed in (("6", 1, 0), ("7", 0, 1)):
        assert counted(lines, version, "Requests") == requests
        assert counted(lines, version, "HandedOn") == handed
    assert "Bin0" not in str(lines)


@pytest.mark.parametrize("alive", [{"old": 1.5, "new": 2.5}, {"new": 2.5}])
def test_a_number_beyond_float32_is_handed_to_nobody(
    handler: Any, capsys: pytest.CaptureFixture[str], alive: dict[str, float]
) -> None:
    endpoints = Endpoints(alive=alive)
    event = proxy_event(instances({**BEFORE, next(iter(BEFORE)): 1e39}))
    answer = handler.Service(endpoints, published()).handle(event, "7")
    assert (answer["statusCode"], endpoints.asked) == (400, [])
    assert "is too large" in answer["body"]
    assert sum(line.get("ModelErrors", 0) for line in reported(capsys)) == 0


def test_what_suits_the_new_schema_is_the_new_releases(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    service = handler.Service(Endpoints(), published())
    for _ in range(2):
        answer = service.handle(proxy_event(instances(AFTER)), "7")
    assert json.loads(answer["body"])["release"] == NEW_ID
    lines = reported(capsys)
    assert (counted(lines, "7", "Requests"), counted(lines, "7", "HandedOn"), counted(lines, "7", "Bin1")) == (2, 0, 1)


def test_what_is_handed_on_is_judged_as_the_former_versions(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    endpoints = Endpoints()
    service = handler.Service(endpoints, published())
    for _ in range(3):
        service.handle(proxy_event(instances(BEFORE)), "7")
    endpoints.failing.add("old")
    service.handle(proxy_event(instances(BEFORE)), "7")
    lines = reported(capsys)
    # The first one made the sandbox's connection.
    assert (counted(lines, "6", "Judged"), counted(lines, "6", "JudgedFailed")) == (3, 1)
    assert counted(lines, "7", "Judged") == 0


@pytest.mark.parametrize(
    ("old", "new", "release", "csv"),
    [
        (("a", "b"), ("b", "a"), NEW_ID, "2,1"),  # another order: JSON suits both
        (("a", "b"), ("a", "b", "c"), OLD_ID, "1,2"),  # one was added
        (("a", "b"), ("a",), OLD_ID, "1,2"),  # one was removed
        (("a", "b"), ("x", "y"), OLD_ID, "1,2"),  # all others
    ],
)
def test_every_kind_of_change(handler: Any, old: tuple[str, ...], new: tuple[str, ...], release: str, csv: str) -> None:
    endpoints = Endpoints()
    answer = handler.Service(endpoints, published(old, new)).handle(proxy_event(instances({"a": 1, "b": 2})), "7")
    assert (answer["statusCode"], json.loads(answer["body"])["release"]) == (200, release)
    assert endpoints.asked == [("old" if release == OLD_ID else "new", csv)]


def test_csv_is_told_apart_by_its_width_alone(handler: Any) -> None:
    service = handler.Service(Endpoints(), published(("a", "b"), ("a", "b", "c")))
    for body, release in (("1,2", OLD_ID), ("1,2,3", NEW_ID), ("1,2\n3,4", OLD_ID)):
        assert json.loads(service.handle(proxy_event(body, "text/csv"), "7")["body"])["release"] == release
    assert service.handle(proxy_event("1,2\n1,2,3", "text/csv"), "7")["statusCode"] == 400


@pytest.mark.parametrize("body", [instances(BEFORE, AFTER), instances({"other": 1}), instances({})])
def test_what_suits_neither_is_the_new_releases_to_refuse(handler: Any, body: str) -> None:
    endpoints = Endpoints()
    answer = handler.Service(endpoints, published()).handle(proxy_event(body), "7")
    assert (answer["statusCode"], answer["headers"]["x-glidepath-release"]) == (400, NEW_ID)
    assert "no longer serves" not in answer["body"]
    assert endpoints.asked == []


def test_a_callers_mistake_in_a_request_of_the_former_schema_is_told_as_ever(handler: Any) -> None:
    wrong = instances({**BEFORE, "passengers": "one"})
    answer = handler.Service(Endpoints(), published()).handle(proxy_event(wrong), "7")
    assert (answer["statusCode"], answer["headers"]["x-glidepath-release"]) == (400, OLD_ID)
    message = json.loads(answer["body"])["error"]["message"]
    assert message == 'instances[0].passengers must be a number, not "one".'


def test_once_the_former_endpoint_is_gone_a_refusal_names_the_difference(
    handler: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoints = Endpoints({"new": 2.5})
    service = handler.Service(endpoints, published())
    for _ in range(3):
        answer = service.handle(proxy_event(instances(BEFORE)), "7")
        assert (answer["statusCode"], answer["headers"]["x-glidepath-release"]) == (400, NEW_ID)
        error = json.loads(answer["body"])["error"]
        assert error["code"] == "invalid_features"
        assert error["message"] == (
            "instances[0] lacks night and has unknown passengers. Expected exactly: duration, distance, night. This is"
            f" a request of release {OLD_ID}, which no longer serves; release {NEW_ID} adds night and removes"
            " passengers."
        )
    assert len(endpoints.asked) == 1, "a name is not given twice: once gone, it is not asked again"
    lines = reported(capsys)
    assert {counted(lines, version, "ModelErrors") for version in ("6", "7")} == {0}
    assert (counted(lines, "7", "Requests"), counted(lines, "7", "CallerErrors")) == (3, 3)
    assert "ERROR" not in {line.get("level") for line in lines}


def test_the_former_models_failure_is_not_the_new_ones(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    endpoints = Endpoints(failing={"old"})
    answer = handler.Service(endpoints, published()).handle(proxy_event(instances(BEFORE)), "7")
    assert (answer["statusCode"], answer["headers"]["x-glidepath-release"]) == (502, OLD_ID)
    lines = reported(capsys)
    assert (counted(lines, "6", "ModelErrors"), counted(lines, "7", "ModelErrors")) == (1, 0)
    assert counted(lines, "7", "HandedOn") == 1


def test_its_own_endpoint_that_is_gone_is_a_failure_of_the_release(
    handler: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = handler.Service(Endpoints({"old": 1.5}), published()).handle(proxy_event(instances(AFTER)), "7")
    assert (answer["statusCode"], answer["headers"]["x-glidepath-release"]) == (502, NEW_ID)
    assert counted(reported(capsys), "7", "ModelErrors") == 1


def test_the_variants_of_a_former_test_are_named(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    known = {"live": OLD_ID, "b": "20261119-0000000c"}
    service = handler.Service(Endpoints(variant="b"), published(variants=known))
    answer = service.handle(proxy_event(instances(BEFORE), x_glidepath_variant="b"), "7")
    assert json.loads(answer["body"])["variant"] == "b"
    assert answer["headers"]["x-glidepath-release"] == "20261119-0000000c"
    assert [line["Variant"] for line in reported(capsys) if "Requests" in line] == ["b"]
    unknown = service.handle(proxy_event(instances(BEFORE), x_glidepath_variant="c"), "7")
    assert unknown["statusCode"] == 400
    own = service.handle(proxy_event(instances(AFTER)), "7")
    assert "variant" not in json.loads(own["body"])


def test_callers_of_the_former_release_see_no_refusal_until_its_endpoint_goes(handler: Any) -> None:
    """A shift in ten steps, with a caller of the former release at every point of it; then the old endpoint goes."""
    endpoints = Endpoints()
    before = handler.Service(endpoints, variables("old", OLD_ID, OLD))
    after = handler.Service(endpoints, published())

    def ask(share: int) -> set[tuple[int, str]]:
        """Twenty requests, of which the share goes to the new version."""
        found = set()
        for number in range(20):
            service, version = (after, "7") if number % 10 < share else (before, "6")
            answer = service.handle(proxy_event(instances(BEFORE)), version)
            found.add((answer["statusCode"], answer["headers"]["x-glidepath-release"]))
        return found

    for share in range(11):
        assert ask(share) == {(200, OLD_ID)}
    # A rollback in the middle of it, and the return to it, change nothing either.
    assert ask(0) == ask(5) == {(200, OLD_ID)}
    del endpoints.alive["old"]
    assert ask(10) == {(400, NEW_ID)}
