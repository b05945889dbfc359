"""The handler's lines of metrics: valid in the embedded metric format, and the ones that alarms are made of."""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definitions.health import Watched, alarms
from functions.predict.metrics import Meter
from settings import Limits
from tests.functions import samples

EDGES, SHARES = samples.DISTRIBUTION["edges"], samples.DISTRIBUTION["shares"]
LIMITS = Limits(3, 3, 3, 3, 30, 2, 1000, 1000, 5, 3000, 0.25, 100, 10, 10, 1, 1)
WATCHED = Watched("glidepath-prod", "glidepath-prod-predict", "live", "7", "e", ["live"], "glidepath-prod", "live")


def meter(edges: list[float] = EDGES) -> Meter:
    return Meter("Glidepath", "glidepath-prod", "20261121-1a2b3c4d", "7", edges, 1000)


def published(line: str) -> dict[tuple[str, frozenset[tuple[str, str]]], Any]:
    """(metric, dimensions) → value, as CloudWatch reads a line; every metric named must be in it."""
    document = json.loads(line)
    found = {}
    assert set(document["_aws"]) == {"Timestamp", "CloudWatchMetrics"}
    for directive in document["_aws"]["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, document[name]) for name in names)
            for metric in directive["Metrics"]:
                assert metric["Unit"] in ("Count", "Milliseconds", "None")
                by_the_second = metric["Name"].startswith(("Bin", "Judged"))
                assert metric.get("StorageResolution") == (1 if by_the_second else None)
                found[metric["Name"], dimensions] = document[metric["Name"]]
    return found


OWN = frozenset({("Service", "glidepath-prod"), ("Version", "7")})
ALL = frozenset({("Service", "glidepath-prod")})


def test_an_answer_is_published_for_service_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    meter().answered("id-1", 12.34567, [1.0, 8.0, 30.5])
    found = published(capsys.readouterr().out)
    counts = {"Requests": 1, "ModelErrors": 0, "CallerErrors": 0, "Latency": 12.346, "Predictions": [1.0, 8.0, 30.5]}
    for dimensions in (OWN, ALL):
        assert {name: value for (name, at), value in found.items() if at == dimensions and name in counts} == counts
    assert [found[f"Bin{number}", OWN] for number in range(5)] == [1 / 3, 1 / 3, 0, 0, 1 / 3]
    assert [found[name, OWN] for name in ("Judged", "JudgedFailed", "JudgedSlow")] == [1, 0, 0]
    assert [found[name, ALL] for name in ("Judged", "JudgedFailed", "JudgedSlow")] == [1, 0, 0]
    assert not {name for name, at in found if at == ALL and name.startswith("Bin")}


@pytest.mark.parametrize(("milliseconds", "slow"), [(0.0, 0), (999.999, 0), (1000.0, 1), (12_000.0, 1)])
def test_an_answer_is_slow_from_the_limit_on(
    capsys: pytest.CaptureFixture[str], milliseconds: float, slow: int
) -> None:
    meter().answered("id-1", milliseconds, [1.0])
    found = published(capsys.readouterr().out)
    assert [found[name, OWN] for name in ("Judged", "JudgedFailed", "JudgedSlow")] == [1, 0, slow]


def test_what_is_not_judged_is_in_no_bin(capsys: pytest.CaptureFixture[str]) -> None:
    meter().answered("id-1", 5000.0, [1.0], judged=False)
    found = published(capsys.readouterr().out)
    assert {name for name, _ in found} == {"Requests", "CallerErrors", "ModelErrors", "Latency", "Predictions"}
    meter().model_error("id-1", judged=False)
    found = published(capsys.readouterr().out)
    assert {name for name, _ in found} == {"Requests", "CallerErrors", "ModelErrors"}


def test_a_request_of_one_row_counts_in_whole_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    meter().answered("id-1", 1.0, [9.0])
    assert '"Bin0":0,"Bin1":1,"Bin2":0,"Bin3":0,"Bin4":0,' in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "caller", "model"), [("caller_error", 1, 0), ("model_error", 0, 1)])
def test_a_failure_is_one_kind_only(capsys: pytest.CaptureFixture[str], kind: str, caller: int, model: int) -> None:
    getattr(meter(), kind)("id-1")
    found = published(capsys.readouterr().out)
    judged = {"Judged", "JudgedFailed", "JudgedSlow"} if model else set()
    assert {name for name, _ in found} == {"Requests", "CallerErrors", "ModelErrors", *judged}
    assert [found[name, OWN] for name in sorted(judged)] == [1, 1, 0][: len(judged)]
    assert (found["Requests", OWN], found["CallerErrors", OWN], found["ModelErrors", OWN]) == (1, caller, model)


def test_every_alarm_on_the_handlers_metrics_finds_its_metric(capsys: pytest.CaptureFixture[str]) -> None:
    """The mutation check: a metric taken out of the handler, or renamed, leaves an alarm without data."""
    meter().answered("id-1", 1.0, [1.0])
    found = published(capsys.readouterr().out)
    made = alarms(WATCHED, LIMITS, EDGES, SHARES)
    watched = [alarm.arguments for alarm in made.values()]
    metrics = [
        *watched,
        *(query["metric"] for each in watched for query in each.get("metric_queries", ()) if "metric" in query),
    ]
    own = [metric for metric in metrics if metric.get("namespace") == "Glidepath"]
    assert {metric["metric_name"] for metric in own} == {
        "ModelErrors", "Requests", "Judged", "JudgedSlow", "Bin0", "Bin1", "Bin2", "Bin3", "Bin4",
    }  # fmt: skip
    for metric in own:
        assert (metric["metric_name"], frozenset(metric["dimensions"].items())) in found


def test_without_edges_nothing_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    meter([]).answered("id-1", 1.0, [1.0])
    assert not [name for name, _ in published(capsys.readouterr().out) if name.startswith("Bin")]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    predictions=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=250),
    edges=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=8, unique=True).map(sorted),
    milliseconds=st.floats(min_value=0, max_value=30_000),
)
def test_any_answer_gives_lines_that_can_be_read(
    capsys: pytest.CaptureFixture[str], predictions: list[float], edges: list[float], milliseconds: float
) -> None:
    capsys.readouterr()
    meter(edges).answered("id-1", milliseconds, predictions)
    lines = [published(line) for line in capsys.readouterr().out.splitlines()]
    assert [value for line in lines for value in line["Predictions", OWN]] == predictions
    assert all(len(line["Predictions", OWN]) <= 100 for line in lines)
    if edges:
        bins = [bisect_right(edges, value) for value in predictions]
        counted = [lines[0][f"Bin{number}", OWN] for number in range(len(edges) + 1)]
        assert counted == [bins.count(number) / len(bins) for number in range(len(edges) + 1)]
        assert sum(counted) == pytest.approx(1)


def test_names_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    Meter('N"', 'a"b', "r\\", "7", [], 1000).caller_error("id-1")
    document = json.loads(capsys.readouterr().out)
    assert (document["Service"], document["release"]) == ('a"b', "r\\")
