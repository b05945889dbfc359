"""Taxi trips in the manner of New York's, for rehearsals without a data file of their own.

Made from the tariff of 2019 and simple distributions: close enough that a model finds the same structure, and learns
with about the same error. Always the same for one seed.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

HEADER = (
    "pickup", "dropoff", "passengers", "distance", "fare", "tip", "tolls", "total", "color", "payment",
    "pickup_zone", "dropoff_zone", "pickup_borough", "dropoff_borough",
)  # fmt: skip
SEED = 2019

_START, _SECONDS = datetime(2019, 3, 1), 31 * 24 * 3600
_ZONES = {
    "Manhattan": ("Midtown Center", "Upper East Side South", "Lenox Hill West", "Penn Station/Madison Sq West",
                  "Union Sq", "East Village", "Central Harlem", "Battery Park City"),
    "Queens": ("JFK Airport", "LaGuardia Airport", "Astoria", "Jackson Heights"),
    "Brooklyn": ("Park Slope", "Williamsburg (North Side)", "Fort Greene"),
    "Bronx": ("Mott Haven/Port Morris", "Pelham Bay"),
}  # fmt: skip
_BOROUGHS, _SHARES = tuple(_ZONES), (82, 9, 7, 2)
_AIRPORT_FARE, _TOLL = 52.0, 5.76


def write_trips(path: Path, rows: int, seed: int = SEED) -> None:
    """Write `rows` trips as CSV with a header, in no order of time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(trips(rows, seed))


def trips(rows: int, seed: int = SEED) -> Iterator[list[str]]:
    """Rows in the order of HEADER. The first n of them do not depend on `rows`."""
    chance = random.Random(seed)  # noqa: S311  # made-up data, no secret
    for _ in range(rows):
        yield _trip(chance)


def _trip(chance: random.Random) -> list[str]:
    pickup = _START + timedelta(seconds=chance.randrange(_SECONDS))
    start, end = chance.choices(_BOROUGHS, _SHARES, k=2)
    start_zone, end_zone = chance.choice(_ZONES[start]), chance.choice(_ZONES[end])
    miles = _distance(chance, start_zone, end_zone, same=start == end)
    minutes = _minutes(chance, miles, pickup)
    airport = "JFK Airport" in (start_zone, end_zone) and "Manhattan" in (start, end)
    fare = _AIRPORT_FARE if airport else _fare(miles, minutes)
    tolls = _TOLL if start != end and chance.random() < 0.35 else 0.0
    before_tip = fare + tolls + _surcharges(chance, pickup, "Manhattan" in (start, end))
    card = chance.random() < 0.72
    tip = round(before_tip * chance.choice((0.0, 0.15, 0.2, 0.2, 0.2, 0.25)), 2) if card else 0.0
    dropoff = pickup + timedelta(seconds=round(minutes * 60))
    return [
        str(pickup), str(dropoff), str(chance.choices((0, 1, 2, 3, 4, 5, 6), (15, 727, 136, 38, 17, 43, 24))[0]),
        f"{miles:.2f}", f"{fare:.2f}", f"{tip:.2f}", f"{tolls:.2f}", f"{before_tip + tip:.2f}",
        "green" if start != "Manhattan" and chance.random() < 0.6 else "yellow",
        "credit card" if card else "cash", start_zone, end_zone, start, end,
    ]  # fmt: skip


def _distance(chance: random.Random, start: str, end: str, same: bool) -> float:
    if "JFK Airport" in (start, end) and start != end:
        return chance.gauss(17.5, 2.0)
    return min(35.0, max(0.1, chance.lognormvariate(math.log(1.5 if same else 5.0), 0.6)))


def _minutes(chance: random.Random, miles: float, pickup: datetime) -> float:
    """Longer trips are faster, rush hours slower; some traffic cannot be foreseen."""
    rush = 0.75 if pickup.weekday() < 5 and 8 <= pickup.hour < 19 else 1.1
    miles_per_hour = (7.0 + 5.5 * math.log1p(miles)) * rush
    return min(115.0, max(0.5, miles / miles_per_hour * 60 * chance.lognormvariate(0, 0.22)))


def _fare(miles: float, minutes: float) -> float:
    """2.50 to start, 0.50 for every fifth of a mile, or for every minute in traffic."""
    slow_minutes = max(0.0, minutes - miles / 15 * 60)
    return 2.5 + 0.5 * math.floor(miles * 5 + slow_minutes)


def _surcharges(chance: random.Random, pickup: datetime, manhattan: bool) -> float:
    evening = 1.0 if pickup.weekday() < 5 and 16 <= pickup.hour < 20 else 0.0
    night = 0.5 if pickup.hour >= 20 or pickup.hour < 6 else 0.0
    return 0.8 + evening + night + (2.5 if manhattan and chance.random() < 0.95 else 0.0)
