"""A release with other features on the real engine: its shift refuses nobody, and neither does the rollback.

It leaves production on the release that it found there, served by another version.
"""

import hashlib
import json
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from operate.caller import Answer, Caller
from operate.plans import write_once
from scenarios.tour import evidence
from tests.scenarios.road.conftest import Road

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]


def renamed(road: Road, manifest: dict[str, Any]) -> tuple[dict[str, Any], str, dict[str, str]]:
    """The serving release with its first feature called otherwise: the same model, another schema."""
    s3 = road.clients.of("delivery", "s3")
    names = {name: name for name in manifest["features"]}
    names[manifest["features"][0]] = f"{manifest['features'][0]}_v2"
    golden = json.loads(evidence.read_object(s3, manifest["golden"]))
    for record in golden["records"]:
        record["features"] = {names[name]: value for name, value in record["features"].items()}
    mark = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:8]
    run = f"s3://{road.project.names.artifacts_bucket}/runs/by-hand-{mark}"
    copy = {
        **manifest,
        "id": f"{manifest['id'].partition('-')[0]}-{mark}",
        "reason": "manual",
        "features": list(names.values()),
        "golden": f"{run}/evaluation/golden.json",
    }
    for uri, document in ((copy["golden"], golden), (f"{run}/release/manifest.json", copy)):
        write_once(s3, uri, json.dumps(document).encode(), "application/json")
    return copy, f"{run}/release/manifest.json", names


@dataclass
class Callers:
    """One caller of each schema, every half second; what they met while the alias was not yet at its end."""

    road: Road
    instances: dict[str, dict[str, float]]
    met: list[tuple[str, Answer, bool]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        road = self.road
        url = road.report["production"]["url"]
        production = road.project.production
        self.caller = Caller(url, road.project.names.region, road.clients.credentials(production))
        self.lambda_ = road.clients.of(production, "lambda")
        self.function = road.project.names.predict(production)
        self.before = self.alias()

    def alias(self) -> tuple[str, bool]:
        """Version, and whether others have a share."""
        found = self.lambda_.get_alias(FunctionName=self.function, Name="live")
        return found["FunctionVersion"], bool((found.get("RoutingConfig") or {}).get("AdditionalVersionWeights"))

    def run(self) -> None:
        """Ask until stopped. An answer counts as one of the shift's where the shift was not over after it."""
        while not self.stopped.wait(0.5):
            answers = [(name, self.caller.predict([instance])) for name, instance in self.instances.items()]
            version, shared = self.alias()
            moving = shared or version == self.before[0]
            self.met += [(name, answer, moving) for name, answer in answers]

    def during(self, name: str) -> list[Answer]:
        """What callers of one schema were answered before the shift was over."""
        return [answer for each, answer, moving in self.met if each == name and moving]


def watched(road: Road, instances: dict[str, dict[str, float]], *command: str) -> Callers:
    """A command, with callers of both schemas around it."""
    callers = Callers(road, instances)
    thread = threading.Thread(target=callers.run)
    thread.start()
    try:
        done = road.glidepath(*command)
    finally:
        callers.stopped.set()
        thread.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert callers.alias()[0] != callers.before[0]
    return callers


def deployment(production: str, address: str) -> tuple[str, ...]:
    """A deployment by hand acts where its shell points: here, into the rehearsal."""
    return "exec", "--", sys.executable, "-m", "cli", "deploy", "--stack", production, "--release", address


def test_a_change_of_schema_refuses_no_caller_of_the_release_that_serves(road: Road) -> None:
    production = road.project.production
    manifest = evidence.manifest_now(road.clients, road.project, production)
    changed, address, names = renamed(road, manifest)
    row = evidence.golden_instances(road.clients, manifest)[0]
    instances = {"old": row, "new": {names[name]: value for name, value in row.items()}}

    there = watched(road, instances, *deployment(production, address))
    old = there.during("old")
    assert len(old) > 10
    assert {(answer.status, answer.release) for answer in old} == {(200, manifest["id"])}
    refused = there.caller.predict([instances["old"]])
    assert refused.status == 400
    first, second = manifest["features"][0], changed["features"][0]
    assert f"release {changed['id']} adds {second} and removes {first}" in str(refused.error)
    assert there.caller.predict([instances["new"]]).release == changed["id"]
    (variables,) = [
        there.lambda_.get_function_configuration(FunctionName=there.function, Qualifier="live")["Environment"][
            "Variables"
        ]
    ]
    assert json.loads(variables["FORMER"])["release"] == manifest["id"]

    again = road.glidepath(*deployment(production, address))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "started deployment" not in again.stdout + again.stderr

    back = watched(road, instances, "rollback", production, "--to", manifest["id"], "--yes")
    assert {(answer.status, answer.release) for answer in back.during("new")} == {(200, changed["id"])}
    assert back.caller.predict([instances["old"]]).release == manifest["id"]
    assert back.caller.predict([instances["new"]]).status == 400
