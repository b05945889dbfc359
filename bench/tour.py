"""Seconds and shares of the tour's stages, from a tour of its own."""

import json
import subprocess
from pathlib import Path

from bench.measure import Result
from contracts.errors import UserError
from rehearsal.environment import Rehearsal

ROOT = Path(__file__).resolve().parent.parent


def measure() -> list[Result]:
    """Runs `./glidepath rehearse --yes`; raises UserError where it fails."""
    if subprocess.run(["./glidepath", "rehearse", "--yes"], cwd=ROOT).returncode != 0:
        raise UserError("the rehearsal failed, so its stages cannot be measured")
    report = json.loads(Rehearsal.here().report_json.read_text(encoding="utf-8"))
    total = float(report["seconds"])
    stages = [
        Result(f"run {number}, {stage['name']}", stage["seconds"], "s", f"({stage['seconds'] / total:.0%} of the tour)")
        for number, run in enumerate(report["runs"], 1)
        for stage in run["stages"]
    ]
    return [*stages, Result("the tour", total, "s", aim=120.0)]
