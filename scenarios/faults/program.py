"""The copy of the program that a matrix delivers: as it stands, but for what would hide faults or take minutes."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from contracts.names import ENVIRONMENTS
from scenarios.tour.source import tracked_files
from scenarios.workplace import stack_files

# The real test command has its own place: the tour's Build stage.
CHEAP_TEST = "python -c 'import settings'"
GRADUAL = {"kind": "linear", "percentage": 10, "minutes": 1}
"""How production shifts traffic in a matrix where its config has it all at once: no alarm could stop anything then."""


def copy_program(checkout: Path, scratch: Path) -> Path:
    """A fresh copy of the checkout's files at `scratch`; what is broken in it stays in it."""
    own = stack_files(checkout, scratch)
    shutil.rmtree(scratch, ignore_errors=True)
    for path in tracked_files(checkout):
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(checkout / path, target)
    for name, text in own.items():
        (scratch / name).write_text(text, encoding="utf-8")
    _adapt(scratch)
    return scratch


def _adapt(root: Path) -> None:
    delivery = _read(root / "Pulumi.delivery.yaml")
    delivery["config"].setdefault("glidepath:build", {})["testCommand"] = CHEAP_TEST
    _write(root / "Pulumi.delivery.yaml", delivery)
    production = (delivery["config"].get("glidepath:environments") or ENVIRONMENTS)[-1]
    path = root / f"Pulumi.{production}.yaml"
    document = _read(path)
    if (document["config"].get("glidepath:deployment") or {}).get("kind") == "all-at-once":
        document["config"]["glidepath:deployment"] = GRADUAL
        _write(path, document)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
