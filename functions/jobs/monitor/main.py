"""Processing job: how do the past hour's requests and answers differ from the release's baseline?

Runs in the built-in XGBoost image, of which it uses Python, numpy and boto3 (docs/adr/0012).

Arguments:
    --service, --release, --endpoint   whose hour it is
    --start, --end                     the hour, as 2026-11-21T03:00:00Z
    --least N                          fewer records than this are not judged
    --classes N                        how many probabilities are answered to a row, where it is not one number
    --limit X                          from this distance on a column has drifted
    --statistics-sha256, --constraints-sha256   what the baseline's documents must have; unchecked where left out
    --capture, --baseline, --output    folders; /opt/ml/processing/{capture,baseline,output} unless given

Reads captured records (`*.jsonl`), and statistics.json and constraints.json of the baseline. Writes into the output
folder statistics.json, constraints.json and constraint_violations.json in Model Monitor's formats, and summary.json and
summary.txt. Publishes metrics in the namespace `Glidepath/Monitor`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from functions.jobs.monitor.capture import Captured, read
from functions.jobs.monitor.constraints import constraints
from functions.jobs.monitor.metrics import metrics, publish
from functions.jobs.monitor.statistics import statistics
from functions.jobs.monitor.summary import Asked, Seen, document
from functions.jobs.monitor.table import most_probable
from functions.jobs.monitor.violations import distances, violations

FOLDER = "/opt/ml/processing"


class AnalysisError(Exception):
    """Nothing can be said of this hour; the message says why."""


def main(argv: Sequence[str]) -> None:
    """Analyze, write and publish."""
    options = parse(argv)
    asked = Asked(
        options.service, options.release, options.endpoint, options.start, options.end, options.least, options.limit
    )
    vouched = {"statistics.json": options.statistics_sha256, "constraints.json": options.constraints_sha256}
    seen = analyze(asked, options.capture, options.baseline, options.output, vouched, options.classes)
    import boto3  # after the work: a test of the analysis needs no AWS

    publish(boto3.client("cloudwatch"), metrics(asked, seen))


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Command line → options."""
    parser = argparse.ArgumentParser(prog="monitor", description="Compare an hour of requests with a baseline.")
    for name in ("service", "release", "endpoint", "start", "end"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--least", required=True, type=int)
    parser.add_argument("--limit", required=True, type=float)
    parser.add_argument("--classes", default=1, type=int)
    for name in ("statistics", "constraints"):
        parser.add_argument(f"--{name}-sha256", default="")
    parser.add_argument("--capture", default=f"{FOLDER}/capture")
    parser.add_argument("--baseline", default=f"{FOLDER}/baseline")
    parser.add_argument("--output", default=f"{FOLDER}/output")
    return parser.parse_args(argv)


def analyze(
    asked: Asked,
    capture: str,
    baseline: str,
    output: str,
    vouched: Mapping[str, str] | None = None,
    classes: int = 1,
) -> Seen:
    """Compare and write the reports. `vouched` is name → SHA-256 that a document of the baseline must have.

    Of several `classes` the baseline has the place of the most probable one, and so is captured what was answered.
    """
    hashes = vouched or {}
    before, wanted = (
        _baseline(baseline, name, hashes.get(name, "")) for name in ("statistics.json", "constraints.json")
    )
    names = [feature["name"] for feature in wanted["features"]]
    captured = read(capture, len(names) - 1 + classes)
    if captured.table.width == len(names) - 1 + classes:
        captured.table = most_probable(captured.table, classes)
    if captured.bad and not captured.table.rows:
        raise AnalysisError(f"not one of {captured.bad} captured lines can be used: {'; '.join(captured.reasons)}")
    found = statistics(names, captured.table)
    seen = _judge(asked, captured, before, wanted, found)
    os.makedirs(output, exist_ok=True)
    summary = document(asked, seen)
    _write(output, "statistics.json", found)
    _write(output, "constraints.json", constraints(found))
    _write(output, "constraint_violations.json", {"violations": list(seen.violations)})
    _write(output, "summary.json", summary)
    Path(output, "summary.txt").write_text(f"{summary['sentence']}\n", encoding="utf-8")
    print(summary["sentence"], flush=True)
    return seen


def _judge(
    asked: Asked, captured: Captured, before: dict[str, Any], wanted: dict[str, Any], found: dict[str, Any]
) -> Seen:
    rows = captured.table.rows
    if rows < asked.least:
        return Seen(rows, judged=False, bad=captured.bad, reasons=captured.reasons)
    measured = distances(before, found, wanted)
    broken = violations(wanted, found, captured.table, measured)
    return Seen(rows, True, captured.bad, captured.reasons, measured, broken)


def _baseline(folder: str, name: str, sha256: str) -> dict[str, Any]:
    """A document of the baseline, wherever below its folder it was put."""
    paths = sorted(Path(folder).rglob(name))
    if not paths:
        raise AnalysisError(f"the release's baseline is gone: there is no {name}")
    body = paths[0].read_bytes()
    found = hashlib.sha256(body).hexdigest()
    if sha256 and found != sha256:
        raise AnalysisError(
            f"the release's baseline was changed: {name} has SHA-256 {found}, but the manifest vouches for {sha256}"
        )
    try:
        content: dict[str, Any] = json.loads(body.decode("utf-8"))
    except ValueError:
        raise AnalysisError(f"the release's baseline is damaged: {name} is not valid JSON") from None
    return content


def _write(folder: str, name: str, content: dict[str, Any]) -> None:
    Path(folder, name).write_text(json.dumps(content, indent=2, allow_nan=False), encoding="utf-8")
