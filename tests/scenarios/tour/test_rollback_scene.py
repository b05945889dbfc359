"""The tour's bad release: a model that is right on what is held out, and what is told of its roll-back."""

import json
import time
from typing import Any

import numpy
import pytest
import xgboost

from contracts.errors import UserError
from operate.caller import Answer
from operate.shift import Weight, shift_in
from scenarios import boosters
from scenarios.tour.evidence import artifact_predictions
from scenarios.tour.flawed import Flaw, choose
from scenarios.tour.report import render_html, shift_entry
from scenarios.tour.rollback_scene import BEYOND_EVERY, callers

FEATURES = ["minutes", "distance"]
FLAW = Flaw("minutes", 120.0, 150.0)


@pytest.fixture(scope="module")
def artifact() -> bytes:
    random = numpy.random.default_rng(1)
    rows = random.random((300, 2)) * [60, 20]
    booster = xgboost.train({"max_depth": 3}, xgboost.DMatrix(rows, rows[:, 0] + 2 * rows[:, 1]), 4)
    return boosters.pack(bytes(booster.save_raw("ubj")))


def test_the_flawed_model_differs_only_beyond_the_limit(artifact: bytes) -> None:
    rows = [{"minutes": minutes, "distance": 3.0} for minutes in (1.0, 30.0, 119.5, FLAW.limit, FLAW.beyond)]
    good = artifact_predictions(artifact, FEATURES, rows)
    bad = artifact_predictions(boosters.spoil(artifact, boosters.nan_from(0, FLAW.limit)), FEATURES, rows)
    assert bad[:3] == good[:3]
    assert numpy.isnan(bad[3:]).all()
    assert numpy.isfinite(good).all()


def test_callers_ask_known_rows_and_some_beyond_among_them() -> None:
    asked = callers([{"minutes": 5.0, "distance": 1.0}] * (2 * BEYOND_EVERY), FLAW)
    assert [instance["minutes"] for instance in asked].count(FLAW.beyond) == 2
    assert [instance["minutes"] for instance in asked].count(5.0) == 2 * BEYOND_EVERY - 2


@pytest.mark.parametrize(
    ("values", "limit", "beyond"),
    [
        ([0.0, 1.0, 1.0], 2.0, 3.0),
        ([10.0, 50.0, 90.0], 170.0, 250.0),
        ([7.0, 7.0], 8.0, 9.0),
        ([-30.0, -20.0], -10.0, 0.0),
        ([2007.0, 2009.0], 2109.45, 2209.9),
    ],
)
def test_a_flaw_lies_beyond_all_rows(values: list[float], limit: float, beyond: float) -> None:
    flaw = choose(["a"], [{"a": value} for value in values])
    assert [flaw.limit, flaw.beyond] == pytest.approx([limit, beyond])
    assert numpy.float32(max(values)) < numpy.float32(flaw.limit) < numpy.float32(flaw.beyond)


def test_a_flaw_is_in_the_feature_with_the_most_values_that_can_be_exceeded() -> None:
    rows = [{"sex": number % 2.0, "length": 0.5 * number, "id": 3e38 - number * 1e36} for number in range(20)]
    assert choose(["sex", "length", "id"], rows).feature == "length"
    assert choose(["sex", "id"], rows).feature == "sex"
    with pytest.raises(UserError, match="above 1e30"):
        choose(["id"], rows)


def rolled_back() -> dict[str, Any]:
    now = time.monotonic()
    shift = shift_in(
        [Weight(now, "1", 1.0), Weight(now + 1, "2", 0.1), Weight(now + 2, "2", 0.2), Weight(now + 3, "1", 1.0)]
    )
    answers = [Answer(now + 1.5, 0.1, 502, None, None, "model_invalid_output")]
    alarm = {"name": "prod-model-errors", "time": time.time() + 2.5, "reason": "1 datapoint was >= 1.0"}
    entry = shift_entry(shift, answers, [alarm])
    assert entry
    return entry


def test_after_a_roll_back_the_new_version_takes_nothing() -> None:
    entry = rolled_back()
    assert (entry["from"], entry["to"]) == ("1", "2")
    assert [step["weight"] for step in entry["steps"]] == [0.1, 0.2, 0.0]
    assert (entry["requests"], entry["failed"]) == (1, 1)


def test_the_alarm_is_reported_with_its_time_since_the_shift_began() -> None:
    [alarm] = rolled_back()["alarms"]
    assert alarm["name"] == "prod-model-errors"
    assert alarm["second"] == pytest.approx(1.5, abs=0.2)


def test_the_page_shows_the_alarm() -> None:
    run: dict[str, Any] = {
        "release": "r",
        "reason": "manual",
        "status": "RolledBack",
        "stages": [],
        "metrics": None,
        "shift": rolled_back(),
    }
    page = render_html(
        {
            "engine": {"pulumi": "3", "built": False},
            "seconds": 1,
            "data": {"source": "t.csv", "rows": 1},
            "runs": [run],
            "production": {"release": None, "endpoint": None, "version": None, "url": None},
            "capture": {},
            "monitor": {},
            "roles": [],
        }
    )
    assert "<b>prod-model-errors</b> after 1.5 s: 1 datapoint was &gt;= 1.0" in page
    assert "stroke-dasharray" in page
    assert json.dumps(run)
