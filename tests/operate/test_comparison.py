"""Variants of an endpoint that serves, from what SSM, Lambda, SageMaker, S3 and CloudWatch say."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from contracts.errors import UserError
from contracts.names import Names
from functions.judge.record import FAILED, SLOW
from operate import comparison
from operate.clients import Clients
from operate.comparison import Comparison, compare, document, lines
from operate.project import Project
from operate.variants import Configured
from tests.times import own_time

OWN, OTHER = "s3://artifacts/runs/2/release/manifest.json", "s3://artifacts/runs/1/release/manifest.json"
NAMES = Names("taxi", "eu-west-1", {"delivery": "1" * 12, "prod": "2" * 12})
PROJECT = Project(Path(), NAMES, {})
KNOWN = {"challenger": Configured("challenger", OTHER, False, (6, 8))}
MINUTES = 60
NOW = 1_800_000_030.0
SINCE = NOW // 60 * 60 - (MINUTES + 5) * 60


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is NOW, however long the tests before took."""
    own_time(monkeypatch, comparison, time=lambda: NOW)


class Account:
    """Every service; `failed` requests of 20 of the challenger in each minute, and 1 of 80 of the release's own."""

    def __init__(self, failed: float) -> None:
        values = {("Invocations", "live"): 80, ("Invocations", "challenger"): 20}
        self.values = values | {("Invocation5XXErrors", "live"): 1, ("Invocation5XXErrors", "challenger"): failed}
        self.exceptions = SimpleNamespace(ParameterNotFound=KeyError)

    def of(self, *_: str) -> "Account":
        return self

    def get_parameter(self, **_: str) -> dict[str, Any]:
        return {"Parameter": {"Value": json.dumps({"manifest": OWN})}}

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        variables = {"ENDPOINT_NAME": "e-1", "METRIC_NAMESPACE": "Glidepath", "SERVICE": "s", "LATENCY_MS": "800"}
        moment = datetime.fromtimestamp(SINCE, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        return {"Version": "7", "LastModified": moment, "Environment": {"Variables": variables}}

    def describe_endpoint(self, **_: str) -> dict[str, Any]:
        variants = [
            {"VariantName": name, "CurrentWeight": weight, "CurrentInstanceCount": 1}
            for name, weight in (("live", 1.0), ("challenger", 0.25))
        ]
        return {"EndpointStatus": "InService", "ProductionVariants": variants}

    def get_object(self, **request: str) -> dict[str, Any]:
        release = request["Key"].split("/")[1]
        metrics = {"name": "rmse", "value": 5.0, "ci": [4.0, 6.0]}
        return {"Body": io.BytesIO(json.dumps({"id": f"release-{release}", "metrics": metrics}).encode())}

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        return {"MetricDataResults": [self._result(query, request) for query in request["MetricDataQueries"]]}

    def _result(self, query: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        given = query["MetricStat"]
        variant = {each["Name"]: each["Value"] for each in given["Metric"]["Dimensions"]}.get("VariantName", "")
        value = self.values.get((given["Metric"]["MetricName"], variant))
        start, end = (int(request[name].timestamp()) for name in ("StartTime", "EndTime"))
        moments = range(start, end, given["Period"]) if value is not None else ()
        return {
            "Id": query["Id"],
            "Timestamps": [datetime.fromtimestamp(at, UTC) for at in moments],
            "Values": [value for _ in moments],
            "StatusCode": "Complete",
        }


def _compared(failed: float, wanted: str = "challenger") -> Comparison:
    return compare(cast(Clients, Account(failed)), PROJECT, "prod", KNOWN, 24, wanted)


@pytest.mark.parametrize(("failed", "answer"), [(5, "worse"), (0.25, "no worse"), (0.6, "not yet")])
def test_a_variant_is_compared_with_the_releases_own_since_its_version_was_published(
    failed: float, answer: str
) -> None:
    found = _compared(failed)
    assert (found.answer, found.since) == (answer, SINCE)
    by_metric = {each.metric: each for each in found.findings}
    assert list(by_metric) == [FAILED, SLOW]
    # All minutes that are three minutes old.
    assert by_metric[FAILED].counts.new_requests == 20 * (MINUTES + 2)
    assert by_metric[FAILED].counts.old_events == by_metric[FAILED].counts.old_requests / 80


def test_the_comparison_says_since_when_and_that_one_may_look_often() -> None:
    head, failed, slow, always = lines(_compared(5))
    assert head.startswith("challenger against live since ")
    assert head.endswith(" UTC: worse")
    assert failed.startswith("  challenger: ")
    assert "requests were slow" in slow
    assert always.strip() == (
        "Look as often as you like: over all looks, equal variants are called better or worse in at most 1 % of tests."
    )


def test_machines_read_the_same() -> None:
    found = json.loads(json.dumps(document(_compared(5))))
    assert found["variants"]["challenger"]["release"] == "release-1"
    assert (found["variant"], found["against"], found["answer"]) == ("challenger", "live", "worse")
    assert found["metrics"]["failed"]["worse_ruled_out"] is None or found["metrics"]["failed"]["worse_ruled_out"] > 0.2
    assert set(found["metrics"]) == {"failed", "slow"}


def test_one_that_does_not_serve_is_named() -> None:
    with pytest.raises(UserError, match="dark does not serve in prod: endpoint e-1 has live, challenger"):
        _compared(1, "dark")
