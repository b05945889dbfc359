"""The parts of the scene in which callers' requests drift."""

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.errors import UserError
from functions.retrain.ledger import Decision, Ledger, render_ledger
from scenarios.tour import drift_scene
from scenarios.tour.dataset import Table, another_mix
from scenarios.tour.drift_scene import brake, left_out, mixes

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_another_mix_has_the_larger_targets_but_not_the_largest() -> None:
    table = Table("t.csv", ["x", "y"], [[str(n), str(n % 20)] for n in range(20)])
    assert another_mix(table, "y").splitlines() == ["x,y", *(f"{n},{n}" for n in range(8, 19))]


def test_its_targets_are_dearer_and_written_as_before() -> None:
    table = Table("t.csv", ["x", "y"], [["a", f"{4 * n}.0" if n % 2 else str(4 * n)] for n in range(40)])
    assert another_mix(table, "y").splitlines()[1:3] == ["a,80", "a,85.00"]


@pytest.mark.parametrize("target", ["z", "x"])
def test_without_a_target_that_is_a_number_the_later_rows_are_taken(target: str) -> None:
    table = Table("t.csv", ["x", "y"], [[f"a{n}", str(n)] for n in range(20)])
    assert another_mix(table, target).splitlines() == ["x,y", *(f"a{n},{n}" for n in range(8, 20))]


def test_callers_ask_for_the_ends_of_the_feature_that_has_most_values() -> None:
    rows = [{"flag": float(n % 2), "size": float(n)} for n in range(12)]
    upper, lower = mixes(rows)
    assert [row["size"] for row in upper] == [9, 10, 11]
    assert [row["size"] for row in lower] == [0, 1, 2]


@pytest.mark.parametrize(
    ("config", "schedules", "reason"),
    [
        ({}, ["s"], ""),
        ({"glidepath:retrain": {"cooldownMinutes": 5}}, ["s"], ""),
        ({"glidepath:retrain": {"enabled": False}}, ["s"], "nothing may start by itself (glidepath:retrain.enabled)"),
        ({}, [], "production is watched by Model Monitor (glidepath:monitor.by)"),
    ],
)
def test_it_is_left_out_where_config_leaves_nothing_to_rehearse(
    config: dict[str, Any], schedules: list[str], reason: str
) -> None:
    client = SimpleNamespace(list_schedules=lambda NamePrefix: {"Schedules": schedules})  # noqa: N803
    project = SimpleNamespace(config=config, production="prod", names=SimpleNamespace(stack=lambda env: f"n-{env}"))
    tour: Any = SimpleNamespace(project=project, clients=SimpleNamespace(of=lambda *_: client))
    assert left_out(tour) == reason


def decided(minutes: int, brake_name: str, execution: str = "") -> Decision:
    return Decision(NOW + timedelta(minutes=minutes), "e", "drift", "why", brake_name, "not now", execution)


def tour_with(decisions: list[Decision]) -> Any:
    text = render_ledger(Ledger(decisions=tuple(decisions)))
    s3 = SimpleNamespace(get_object=lambda **_: {"Body": io.BytesIO(text.encode())})
    names = SimpleNamespace(artifacts_bucket="artifacts")
    return SimpleNamespace(clients=SimpleNamespace(of=lambda *_: s3), project=SimpleNamespace(names=names))


def test_the_decision_on_the_second_drift_counts() -> None:
    found = brake(tour_with([decided(-5, "", "e"), decided(1, "cooldown")]), NOW)
    assert found.brake == "cooldown"


def test_a_second_run_within_the_cooldown_is_a_fault() -> None:
    with pytest.raises(UserError, match="started run e2"):
        brake(tour_with([decided(1, "", "e2")]), NOW)


def test_no_decision_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_scene, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(UserError, match="nothing was decided"):
        brake(tour_with([]), NOW)
