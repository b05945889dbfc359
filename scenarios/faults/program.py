"""The scratch copy of the program that a matrix delivers: as it stands, but with a build that tests next to nothing."""

import shutil
from pathlib import Path

import yaml

from scenarios.tour.source import tracked_files

# The real test command takes minutes, and has its own place: `make test`, and the tour's Build stage.
CHEAP_TEST = "python -c 'import settings'"


def copy_program(checkout: Path, scratch: Path) -> Path:
    """A fresh copy of the checkout's files at `scratch`; what is broken in it stays in it."""
    shutil.rmtree(scratch, ignore_errors=True)
    for path in tracked_files(checkout):
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(checkout / path, target)
    _cheapen(scratch / "Pulumi.delivery.yaml")
    return scratch


def _cheapen(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["config"].setdefault("glidepath:build", {})["testCommand"] = CHEAP_TEST
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
