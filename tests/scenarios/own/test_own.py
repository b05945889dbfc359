"""A project that is nothing like the one that comes with Glidepath plays the whole tour: nothing knows of taxis.

Other data, target, metric, name, accounts (opened only now, with leading zeros), region, environments and a canary;
a feature may be missing, and two are categories.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contracts.features import columns_of, parse_feature
from tests.scenarios.own.acceptance import FLAT
from tests.scenarios.own.project import FEATURES, Own, make
from tests.scenarios.own.tasks import CLASSES, METRICS

# The first test waits for a whole rehearsal: minutes on a quiet machine, more on a busy one.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]
STAGES = [
    "Source", "Build", "Train", "DeployDev", "TestDev", "DeployStaging", "TestStaging", "Approve", "DeployProd",
]  # fmt: skip


@dataclass(frozen=True)
class Toured:
    """A checkout whose tour has ended."""

    root: Path
    done: "subprocess.CompletedProcess[str]"
    report: dict[str, Any]
    environ: dict[str, str]

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A module of the checkout, beside its rehearsal."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=User", "-c", "user.email=user@example.com")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toured]:
    root, folder = tmp_path_factory.mktemp("own"), tmp_path_factory.mktemp("rehearsal")
    data = make(root)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "A project of our own")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = {"GLIDEPATH_FOLDER": str(folder), "GLIDEPATH_PORT": str(port)}
    # AWS has opened the accounts only now: whatever is closed to new customers is refused.
    environ = {**os.environ, **place, "GLIDEPATH_ACCOUNTS": "new"}
    command = [sys.executable, "-m", "cli"]
    try:
        done = subprocess.run(
            [*command, "rehearse", "--data", str(data), "--yes", "--keep"],
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        yield Toured(root, done, json.loads((folder / "report.json").read_text()), environ)
    finally:
        subprocess.run([*command, "down"], cwd=root, env=environ, check=False, capture_output=True)


def test_the_tour_ends_well_and_changes_no_tracked_file(toured: Toured) -> None:
    assert toured.done.returncode == 0, toured.done.stdout + toured.done.stderr
    assert git(toured.root, "status", "--porcelain") == ""


def test_two_releases_pass_every_stage_of_the_longer_road(toured: Toured) -> None:
    first, second, *_ = toured.report["runs"]
    for run, rows in ((first, 900), (second, 1500)):
        assert [(stage["name"], stage["status"]) for stage in run["stages"]] == [(name, "Succeeded") for name in STAGES]
        assert (run["metrics"]["name"], run["metrics"]["threshold"]) == ("mae", 250)
        assert run["data"]["rows"] == rows
    steps = [step["weight"] for step in second["shift"]["steps"]]
    assert (steps[0], steps[-1]) == (0.2, 1.0)
    assert second["shift"]["requests"] > 0
    assert second["shift"]["failed"] == 0


def test_the_bad_release_fails_in_a_feature_of_this_data_and_is_rolled_back(toured: Toured) -> None:
    bad = toured.report["runs"][2]
    assert (bad["status"], bad["stages"][0]["name"]) == ("RolledBack", "DeployProd")
    assert bad["shift"]["alarms"][0]["name"] == "flat-rents-prod-model-errors"
    columns = columns_of([parse_feature(feature, "features") for feature in FEATURES])
    assert any(f"fails where {column} is" in toured.done.stdout for column in columns)
    assert toured.report["production"]["release"] == toured.report["runs"][3]["release"]


def test_every_role_is_proven_and_the_monitor_has_run(toured: Toured) -> None:
    accounts = {role["role"].split(":")[4] for role in toured.report["roles"]}
    assert accounts == set(Own().accounts)
    assert [role["role"] for role in toured.report["roles"] if role["denied"] or role["unused"]] == []
    assert sum(bool(execution["violations"]) for execution in toured.report["monitor"]["executions"]) > 0


def test_drift_brought_a_release_and_a_second_one_was_held_back(toured: Toured) -> None:
    assert [run["reason"] for run in toured.report["runs"]][-1] == "drift"
    assert toured.report["drift"]["held"]["brake"] == "cooldown"


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_classes_travel_the_whole_road_by_config_and_sql_alone(toured: Toured, task: str) -> None:
    done = toured.python("tests.scenarios.own.tasks", task)
    assert done.returncode == 0, done.stdout + done.stderr
    entry = json.loads(done.stdout.splitlines()[-1])
    assert [(stage["name"], stage["status"]) for stage in entry["stages"]] == [(name, "Succeeded") for name in STAGES]
    assert entry["metrics"]["name"] == METRICS[task]["name"]
    flats = [FLAT, {**FLAT, "area": 140.0, "rooms": 5, "age": None}]
    answered = toured.python("cli", "invoke", json.dumps({"instances": flats}))
    assert answered.returncode == 0, answered.stderr
    answer = json.loads(answered.stdout)
    assert answer["release"] == entry["release"]
    assert answer["labels"][1] == "dear" != answer["labels"][0]
    assert [sum(row) for row in answer["probabilities"]] == pytest.approx([1, 1], abs=1e-5)
    assert {len(row) for row in answer["probabilities"]} == {len(CLASSES[task])}
