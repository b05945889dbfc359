"""A part of the matrix for real: a handful of faults in one world, and the proof that the matrix can fail."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud.process import lifecycle
from rehearsal.environment import Rehearsal
from scenarios.faults import kills, world
from scenarios.faults.calls import CALLS, keys
from scenarios.tour.display import Display
from scenarios.tour.source import tracked_files

ROOT = Path(__file__).resolve().parents[3]
HANDFUL = ("model-raises", "model-nan", "before-hook-crashes", "lambda-cold-failure", "deployment-stopped")
# Before the endpoint is asked for, and when nearly all but the shift is done, or what stands near it.
KILLS = ("3", "24")
# The first test waits for a world: a minute on a quiet machine, more on a busy one.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]


@dataclass(frozen=True)
class Played:
    """`./glidepath faults` from a checkout, in a folder of its own."""

    environ: dict[str, str]

    @property
    def rehearsal(self) -> Rehearsal:
        """The matrix's own cloud."""
        return world.place(Rehearsal.here(self.environ))

    def faults(self, checkout: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.command(checkout, "faults", *arguments)

    def command(self, checkout: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=checkout,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=1400,
            check=False,
        )

    def report(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((Rehearsal.here(self.environ).folder / "faults.json").read_text())
        return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("faults") / "rehearsal"
    found = Played({**os.environ, "GLIDEPATH_FOLDER": str(folder), "GLIDEPATH_PORT": str(port)})
    yield found
    lifecycle.stop(found.rehearsal)


def test_a_handful_of_faults_ends_as_expected(played: Played) -> None:
    done = played.faults(ROOT, *HANDFUL, "--keep")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 faults, all as expected" in done.stdout
    assert "\x1b" not in done.stdout
    rows = played.report()
    assert sorted(row["fault"] for row in rows) == sorted(HANDFUL)
    assert {tuple(row) for row in rows} == {("fault", "stage", "error", "serving", "requests", "failed", "ok")}
    assert all(row["ok"] and row["stage"] == "DeployProd" and row["requests"] > 20 for row in rows)
    # One release served through all of it.
    assert len({row["serving"] for row in rows}) == 1
    failed = {row["fault"]: row["failed"] for row in rows}
    # The canary did get traffic: a failure that nobody was answered with would prove nothing.
    assert failed.pop("model-raises") > 0
    assert set(failed.values()) == {0}
    assert lifecycle.running(played.rehearsal)


def test_a_call_that_fails_once_is_made_by_the_next_run(played: Played) -> None:
    """In the world of the test above; PublishVersion is the one that an update without changes would leave out."""
    done = played.faults(ROOT, "once-lambda-publish-version-predict", "--keep")
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = played.report()
    assert row["stage"] == "-"
    assert "PublishVersion" in row["error"]
    assert row["failed"] == 0


def test_an_engine_that_is_killed_converges_with_one_more_run(played: Played) -> None:
    """In the same world. Every kill there is: `make kills`."""
    done = played.command(ROOT, "kills", *KILLS, "--keep", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert [kill["number"] for kill in found] == [int(number) for number in KILLS]
    assert all(kill["converged"] and kill["requests"] > 20 and not kill["failed"] for kill in found)
    assert f"{len(KILLS)} of {len(KILLS)}: killed after change {KILLS[-1]}" in done.stderr


def test_the_list_of_calls_is_what_an_update_makes(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same world: no row is missing, and none is about a call that is not made any more."""
    for name, value in played.rehearsal.environ(played.environ).items():
        monkeypatch.setenv(name, value)
    opened = world.resume(played.rehearsal, Display())
    assert opened is not None
    made = keys(kills.changes(opened), opened.project.names, opened.project.production)
    assert made == {call.key for call in CALLS}


def test_the_matrix_fails_where_the_handler_reports_no_metrics(played: Played, tmp_path: Path) -> None:
    """In the same world: a failing canary that its own alarm does not see."""
    mutant = tmp_path / "mutant"
    for path in tracked_files(ROOT):
        target = mutant / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)
    metrics = mutant / "functions/predict/metrics.py"
    metrics.write_text(metrics.read_text() + "\n\ndef _write(*_: object) -> None:\n    return\n")
    done = played.faults(mutant, "model-raises")
    assert done.returncode == 1, done.stdout + done.stderr
    (row,) = played.report()
    assert row["fault"] == "model-raises"
    assert row["ok"] is False
    assert "NOT as expected" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    # Without --keep nothing stays up.
    assert lifecycle.status(played.rehearsal) is None


def test_an_unknown_fault_is_one_clear_line(played: Played) -> None:
    done = played.faults(ROOT, "model-nann")
    assert done.returncode == 2
    assert done.stderr.startswith("glidepath: there is no fault 'model-nann'. Did you mean model-nan")
    assert done.stderr.count("\n") == 1
