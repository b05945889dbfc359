"""A checkout as a user makes it their own: other data, names, accounts, region, environments and traffic.

`python -m tests.scenarios.own.project FOLDER` makes one by hand. The flats are made up.
"""

import csv
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from scenarios.tour.source import tracked_files

ROOT = Path(__file__).resolve().parents[3]
SQL = Path(__file__).with_name("features.sql")
COLUMNS: dict[str, Any] = {
    "flat": "string",
    "district": "string",
    "size_m2": "number",
    "rooms": "number",
    "built": {"type": "integer", "nullable": True, "maxNullShare": 0.2},
    "balcony": "string",
    "rent_eur": "number",
}
DISTRICTS = ("Old Town", "Harbour", "Hill", "Garden City", "North")
FEATURES = [
    "area",
    "rooms",
    {"name": "age", "nullable": True},
    {"name": "balcony", "categories": ["no", "yes"], "encoding": "ordinal"},
    {"name": "district", "categories": list(DISTRICTS)},
]
UNKNOWN = 0.08
"""Share of the flats of which nobody knows when they were built."""
DATASET = {
    "columns": COLUMNS,
    "target": "rent_eur",
    "features": FEATURES,
    "slices": [{"feature": "age", "quantiles": 2}, {"feature": "area", "quantiles": 3}],
    "metric": {"name": "mae", "threshold": 250},
}
HYPERPARAMETERS = {
    "objective": "reg:squarederror",
    "num_round": 60,
    "early_stopping_rounds": 10,
    "eval_metric": "rmse",
    "max_depth": 4,
    "eta": 0.2,
    "min_child_weight": 5,
    "subsample": 0.8,
}

# What `pulumi stack init --secrets-provider` writes. No key of the rehearsal could open it, and none is asked to.
SECRETS = {
    "secretsprovider": "awskms://alias/flat-rents-pulumi?region=ap-southeast-2",
    "encryptedkey": "AQICAHhSx0WxyTrPkRNQ4yXKTuqq0zWYTkTIa9cKzQ==",
}


@dataclass(frozen=True)
class Own:
    """What a user chooses. Account ids are given in the order delivery, then `environments`."""

    name: str = "flat-rents"
    region: str = "ap-southeast-2"
    environments: tuple[str, ...] = ("dev", "staging", "prod")
    accounts: tuple[str, ...] = ("011000000011", "000000000022", "033000000033", "004400000044")
    production: dict[str, Any] = field(
        default_factory=lambda: {"deployment": {"kind": "canary", "percentage": 20, "minutes": 5}}
    )
    """Keys of `glidepath:` that production's config has beside the rest."""

    @property
    def by_stack(self) -> dict[str, str]:
        """Stack → account id."""
        return dict(zip(("delivery", *self.environments), self.accounts, strict=False))


def make(target: Path, own: Own | None = None, rows: int = 1500) -> Path:
    """Copies the checkout to `target` and makes it the user's own; returns the path of the user's data."""
    own = own or Own()
    for path in tracked_files(ROOT):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)
    documents = {stack: _read(target / f"Pulumi.{stack}.yaml") for stack in ("delivery", "dev", "prod")}
    for stack in ("dev", "prod"):
        (target / f"Pulumi.{stack}.yaml").unlink()
    for stack in own.by_stack:
        kind = "delivery" if stack == "delivery" else "prod" if stack == own.environments[-1] else "dev"
        _write(target / f"Pulumi.{stack}.yaml", _configured(documents[kind], stack, own))
    shutil.copyfile(SQL, target / "functions" / "jobs" / "features" / "features.sql")
    data = target / "flats.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[*COLUMNS, "remark"], *flats(rows)])
    return data


def _configured(document: dict[str, Any], stack: str, own: Own) -> dict[str, Any]:
    account = own.by_stack[stack]
    config = {
        **document["config"],
        "aws:region": own.region,
        "aws:profile": f"{own.name}-{stack}",
        "aws:allowedAccountIds": [account],
        "aws:defaultTags": {"tags": {"project": own.name, "stack": stack}},
        "glidepath:name": own.name,
        "glidepath:accounts": own.by_stack,
        "glidepath:environments": list(own.environments),
    }
    if stack == "delivery":
        config |= {"glidepath:dataset": DATASET, "glidepath:hyperparameters": HYPERPARAMETERS}
        config |= {"glidepath:test": {"command": "python -m tests.scenarios.own.acceptance"}}
    if stack == own.environments[-1]:
        config |= {f"glidepath:{key}": value for key, value in own.production.items()}
    return {**document, "config": config, **SECRETS}


def flats(rows: int, seed: int = 7) -> list[list[str]]:
    """Rows in the order of COLUMNS, and a remark that no column declares."""
    chance = random.Random(seed)
    return [_flat(chance, number) for number in range(rows)]


def _flat(chance: random.Random, number: int) -> list[str]:
    district = chance.choice(DISTRICTS)
    area = round(min(240.0, max(18.0, chance.lognormvariate(4.2, 0.4))), 1)
    rooms = max(1.0, round(area / 27 * 2) / 2)
    built, balcony = chance.randint(1890, 2025), chance.choice(("yes", "no"))
    rent = 180 + area * (17 if district in ("Old Town", "Harbour") else 12) + (60 if balcony == "yes" else 0)
    rent += (built - 1950) * 1.5 + chance.gauss(0, 90)
    remark = chance.choice(("", "quiet, bright", "to be renovated"))
    year = "" if chance.random() < UNKNOWN else str(built)
    return [f"F{number:05}", district, str(area), f"{rooms:g}", year, balcony, f"{max(150.0, rent):.0f}", remark]


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """FOLDER [ENVIRONMENT…]"""
    own = Own(environments=tuple(arguments[1:])) if arguments[1:] else Own()
    print(make(Path(arguments[0]), own))


if __name__ == "__main__":
    main(sys.argv[1:])
