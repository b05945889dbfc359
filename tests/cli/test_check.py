"""`./glidepath check` as Build and a person run it: in a checkout of its own."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.scenarios.own.project import Own, make

# Loaded by nothing that only the rehearsal or the tests need: Build installs requirements-build.txt.
HEAVY = ("moto", "xgboost", "hypothesis", "waitress", "rehearsal.cloud", "scenarios", "tests")


def glidepath(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=200
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one environment, which is not called prod."""
    root = tmp_path_factory.mktemp("own")
    make(root, Own(environments=("customers",), accounts=("000000000001", "000000000002")))
    return root


def test_an_own_project_passes(checkout: Path) -> None:
    done = glidepath(checkout, "check", "--data", "flats.csv", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    results = {result["check"]: result for result in json.loads(done.stdout)}
    assert list(results) == ["config", "features", "policies", "packages", "tests"]
    assert results["config"]["summary"] == "delivery, customers"
    assert results["policies"]["summary"].startswith("2 stacks, ")
    assert all(result["ok"] for result in results.values())
    # It splits by its own columns, which is its own affair: it is told, and no more.
    assert [name for name, result in results.items() if result["notes"]] == ["features"]
    assert "splits without input.draw" in results["features"]["notes"][0]


def test_it_needs_no_more_than_build_installs(checkout: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from operate import checks; checks.run(Path.cwd());"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def urn(kind: str) -> str:
    return f"urn:pulumi:customers::glidepath::glidepath:shift:Shift${kind}::shift"


def test_an_exemption_is_looked_at_like_the_pipeline_does(checkout: Path) -> None:
    """One that is of no use here may be of use for what only the engine adds: a note. One that names no rule fails."""
    path = checkout / "Pulumi.customers.yaml"
    former = path.read_text()
    until = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)).date().isoformat()
    entry = {
        "rule": "all-at-once",
        "resource": urn("aws:codedeploy/deploymentGroup:DeploymentGroup"),
        "reason": "a pilot",
        "until": until,
    }
    both = [entry, {**entry, "resource": urn("pulumi-python:dynamic/glidepath:TrafficShift")}]
    document = yaml.safe_load(former)
    document["config"]["glidepath:deployment"] = {"kind": "all-at-once"}
    found = []
    try:
        for more in ([], [{**entry, "resource": "other"}], [{**entry, "rule": "at-once"}]):
            document["config"]["glidepath:policies"] = {"exemptions": [*both, *more]}
            path.write_text(yaml.safe_dump(document))
            done = glidepath(checkout, "check", "--json")
            found.append(next(each for each in json.loads(done.stdout) if each["check"] == "policies"))
    finally:
        path.write_text(former)
    good, unused, unknown = found
    assert (good["findings"], good["notes"]) == ([], [])
    assert unused["findings"] == []
    assert [note.partition("exempts")[0] for note in unused["notes"]] == [
        "stack customers, the stack: [exemption] all-at-once of other "
    ]
    (fault,) = unknown["findings"]
    assert fault["where"] == "Pulumi.customers.yaml"
    assert fault["message"].startswith("glidepath:policies.exemptions[2].rule: 'at-once' is no rule of the policy pack")


def test_what_a_policy_refuses_is_one_line_and_ends_with_one(checkout: Path) -> None:
    path = checkout / "Pulumi.customers.yaml"
    former = path.read_text()
    document = yaml.safe_load(former)
    document["config"]["glidepath:deployment"] = {"kind": "all-at-once"}
    path.write_text(yaml.safe_dump(document))
    try:
        done = glidepath(checkout, "check")
    finally:
        path.write_text(former)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert any(line.startswith("policies  NOT OK") for line in lines)
    assert any(line.startswith("  stack customers, shift: [all-at-once]") for line in lines)
    assert "Traceback" not in done.stdout + done.stderr
