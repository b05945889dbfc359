"""Generated trips."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from scenarios.trips import HEADER, trips, write_trips


def test_is_the_same_for_one_seed_and_longer_files_begin_the_same() -> None:
    assert list(trips(50)) == list(trips(80))[:50]
    assert list(trips(50)) != list(trips(50, seed=1))


def test_is_a_plausible_month(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trips.csv"
    write_trips(path, 2000)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == HEADER
    assert len(rows) == 2000
    for row in rows:
        seconds = (datetime.fromisoformat(row["dropoff"]) - datetime.fromisoformat(row["pickup"])).total_seconds()
        assert 0 < seconds < 7200
        assert 0 < float(row["distance"]) < 121
        assert 0 < float(row["fare"]) <= float(row["total"]) < 200
    assert {row["passengers"] for row in rows} == set("0123456")
    total = sorted(float(row["total"]) for row in rows)
    assert 10 < total[1000] < 20
