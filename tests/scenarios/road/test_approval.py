"""An approval holds for the plan it was given for; a change that a policy refuses goes nowhere.

The tests leave the road as they found it. What they do not prove: how long a person takes to approve.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from operate.plans import split
from preview.plan import UNKNOWN
from scenarios.faults.program import copy_program
from tests.scenarios.road.conftest import ROOT, Road

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]
WIDE = 'allow("Wide", ["s3:*"], ["*"])'


@dataclass(frozen=True)
class Approved:
    """A release that production does not serve, and its plan."""

    release: str
    sha256: str
    plan: str
    plan_sha256: str
    evidence: str

    @property
    def arguments(self) -> list[str]:
        """What the deploy action is given."""
        approved = ["--manifest-sha256", self.sha256, "--plan", self.plan, "--plan-sha256", self.plan_sha256]
        return ["deploy", "--stack", "prod", "--release", self.release, *approved]


def command(road: Road, root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`python -m cli …` from a checkout, as a build of the pipeline calls it."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=root,
        env=road.rehearsal.environ(road.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def make_plan(road: Road, root: Path) -> Approved:
    execution = road.report["runs"][0]["execution"]
    run = f"s3://{road.project.names.artifacts_bucket}/runs/{execution}"
    release, plan = f"{run}/release/manifest.json", f"{run}/plan/prod.json"
    bucket, key = split(release)
    body = road.clients.of("delivery", "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    sha256 = hashlib.sha256(body).hexdigest()
    wanted = ["--release", release, "--manifest-sha256", sha256, "--store", plan]
    done = command(road, root, "plan", "--stack", "prod", *wanted)
    assert done.returncode == 0, done.stderr
    outcome = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return Approved(release, sha256, plan, outcome["PLAN_SHA256"], outcome["EVIDENCE"])


@pytest.fixture(scope="module")
def approved(road: Road) -> Approved:
    return make_plan(road, ROOT)


@pytest.fixture(scope="module")
def copy(road: Road) -> Path:
    """The program in another folder, where it may be changed."""
    return copy_program(ROOT, road.rehearsal.folder / "approval")


def test_the_plan_is_the_same_from_another_folder(road: Road, approved: Approved, copy: Path) -> None:
    assert make_plan(road, copy) == approved


def test_only_what_aws_invents_is_unknown_when_a_release_is_approved(road: Road) -> None:
    """The number of a version, the id of an API, and what is named after these. Of each it is said what brings it."""
    s3, bucket = road.clients.of("delivery", "s3"), road.project.names.artifacts_bucket
    told: dict[str, set[str]] = {}
    # The bad release is deployed by hand, without a plan.
    for run in (run for run in road.report["runs"] if run["reason"] != "manual"):
        key = f"runs/{run['execution']}/plan/prod.json"
        # The oldest: tests of this file plan the first run once more.
        versions = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
        oldest = min(versions, key=lambda version: version["LastModified"])["VersionId"]
        plan = json.loads(s3.get_object(Bucket=bucket, Key=key, VersionId=oldest)["Body"].read())
        for step in plan["steps"]:
            for value in unknowns(step["inputs"]):
                told.setdefault(step["urn"].split("$")[-1], set()).add(value.removeprefix(f"{UNKNOWN} of "))
    version, api = {"serve-predict (Function)"}, {"serve (RestApi)"}
    alarms = ("evidence", "function-errors", "latency", "model-errors", "prediction-shift", "silence")
    told.pop("aws:cloudwatch/dashboard:Dashboard::glidepath-prod-monitor")  # shows all of it
    assert told == {
        **{f"aws:cloudwatch/metricAlarm:MetricAlarm::health-{alarm}": version for alarm in alarms},
        "aws:lambda/alias:Alias::serve": version,
        "pulumi-python:dynamic/glidepath:TrafficShift::shift": version,
        "aws:lambda/function:Function::glidepath-prod-probe": {"serve (Stage), serve-predict (Function)"},
        "aws:lambda/permission:Permission::serve": api,
        "aws:apigateway/deployment:Deployment::serve": api,
        "aws:apigateway/methodSettings:MethodSettings::serve": api,
        "aws:apigateway/stage:Stage::serve": {*api, "serve (Deployment)"},
    }


def unknowns(value: Any) -> Iterator[str]:
    """What is unknown in the inputs of a plan's step."""
    if isinstance(value, str) and UNKNOWN in value:
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from unknowns(item)
    elif isinstance(value, list):
        for item in value:
            yield from unknowns(item)


def test_the_approver_reads_metrics_changes_and_cost(road: Road, approved: Approved) -> None:
    first = road.report["runs"][0]
    assert approved.evidence.startswith(f"Release {first['release']} (commit) for prod: rmse ")
    assert "threshold 10" in approved.evidence
    assert "Cost: " in approved.evidence
    assert len(approved.evidence) <= 750


def test_the_mail_of_the_last_run_held_it_all(road: Road) -> None:
    import urllib.request

    url = f"{road.rehearsal.endpoint}/_rehearsal/outbox"
    request = urllib.request.Request(url, headers=road.rehearsal.headers())
    with urllib.request.urlopen(request, timeout=60) as response:
        outbox = json.dumps(json.load(response))
    last = road.report["runs"][1]
    assert f"Release {last['release']} (data) for prod: rmse " in outbox
    hashes = "[0-9a-f]{64}"
    assert re.search(f"Approved are \\(sha256\\) source {hashes}, manifest {hashes}, plan {hashes}\\.", outbox)


def test_the_builds_previews_lie_under_the_commit(road: Road) -> None:
    s3 = road.clients.of("delivery", "s3")
    listed = s3.list_objects_v2(Bucket=road.project.names.artifacts_bucket, Prefix="previews/")["Contents"]
    names = {entry["Key"].split("/", 2)[2] for entry in listed}
    assert {f"{stack}.{kind}" for stack in ("dev", "prod") for kind in ("md", "json")} <= names


def test_a_config_that_changed_after_the_approval_is_refused(road: Road, approved: Approved, copy: Path) -> None:
    before = road.production()
    config = copy / "Pulumi.prod.yaml"
    text = config.read_text()
    document = yaml.safe_load(text)
    document["config"]["glidepath:alarms"]["latencyMs"] = 2000
    config.write_text(yaml.safe_dump(document))
    try:
        done = command(road, copy, *approved.arguments)
    finally:
        config.write_text(text)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("glidepath: ")]
    assert line.startswith("glidepath: the plan for prod is not the one that was approved: ")
    assert "(Function): environment.variables.LATENCY_MS was 1000" in line
    assert "(Function): environment.variables.REPLAY.latencyMs was 1000 when approved and is 2000" in line
    assert "nothing was changed; run the pipeline again and approve what it plans now" in done.stderr
    assert road.production() == before


def test_a_stored_plan_that_was_changed_is_refused(road: Road, approved: Approved) -> None:
    s3 = road.clients.of("delivery", "s3")
    bucket, key = split(approved.plan)
    original = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    changed = original.replace(b'"op":"replace"', b'"op":"same"', 1)
    assert changed != original
    s3.put_object(Bucket=bucket, Key=key, Body=changed)
    try:
        done = command(road, ROOT, *approved.arguments)
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=original)
    assert done.returncode == 1
    assert f"but {approved.plan_sha256} was approved" in done.stderr


def test_another_manifest_than_the_approved_one_is_refused(road: Road, approved: Approved) -> None:
    other = [argument.replace(approved.sha256, "0" * 64) for argument in approved.arguments]
    before = road.production()
    done = command(road, ROOT, *other)
    assert done.returncode == 1
    assert "was approved: the manifest was changed" in done.stderr
    assert road.production() == before


def test_a_wider_role_is_refused_in_the_build_and_by_the_deployment_alike(
    road: Road, approved: Approved, copy: Path
) -> None:
    roles = copy / "definitions" / "roles" / "environment.py"
    text = roles.read_text()
    predict = "return [_invoke_endpoint(at), "
    assert predict in text
    roles.write_text(text.replace(predict, f"{predict}{WIDE}, "))
    where = ["--bucket", road.project.names.artifacts_bucket, "--commit", "wider"]
    try:
        built = command(road, copy, "evidence", "--stack", "dev", "--stack", "prod", *where)
        deployed = command(road, copy, *approved.arguments)
    finally:
        roles.write_text(text)
    assert built.returncode == 3
    assert "policies refuse this change of dev" in built.stderr
    assert deployed.returncode == 1
    findings = {line.strip().partition("[")[2] for line in built.stderr.splitlines() if "s3:*" in line}
    assert findings
    for finding in findings:
        assert finding in deployed.stderr
