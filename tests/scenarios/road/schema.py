"""A release with other features, and callers of both schemas around its shift."""

import hashlib
import json
import secrets
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.s3 import parse_s3_uri
from operate.caller import Answer, Caller
from scenarios.tour import evidence
from scenarios.vouching import publish
from tests.scenarios.road.conftest import Road


def renamed(road: Road, manifest: dict[str, Any]) -> tuple[dict[str, Any], str, dict[str, str]]:
    """The serving release with its first feature called otherwise: a copy of its model, so an endpoint of its own."""
    s3 = road.clients.of("delivery", "s3")
    names = {name: name for name in manifest["features"]}
    names[manifest["features"][0]] = f"{manifest['features'][0]}_v2"
    golden = json.loads(evidence.read_object(s3, manifest["golden"]))
    for record in golden["records"]:
        record["features"] = {names[name]: value for name, value in record["features"].items()}
    records = json.dumps(golden).encode()
    mark = secrets.token_hex(4)
    folder = f"s3://{road.project.names.artifacts_bucket}/runs/by-hand-{mark}/release"
    body = evidence.read_object(s3, manifest["model"]["artifact"])
    for uri, content in ((f"{folder}/model.tar.gz", body), (f"{folder}/golden.json", records)):
        bucket, key = parse_s3_uri(uri)
        s3.put_object(Bucket=bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256", IfNoneMatch="*")
    copy = {
        **manifest,
        "model": {**manifest["model"], "artifact": f"{folder}/model.tar.gz"},
        "id": f"{manifest['id'].partition('-')[0]}-{mark}",
        "reason": "manual",
        "features": list(names.values()),
        "golden": f"{folder}/golden.json",
        "hashes": {**manifest["hashes"], "golden": hashlib.sha256(records).hexdigest()},
    }
    publish(road.clients, road.project, f"{folder}/manifest.json", json.dumps(copy).encode())
    return copy, f"{folder}/manifest.json", names


@dataclass
class Callers:
    """One caller of each schema, every half second; what they met while the alias was not yet at its end."""

    road: Road
    instances: Mapping[str, Mapping[str, Any]]
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


Command = Callable[..., "subprocess.CompletedProcess[str]"]


def watched(road: Road, instances: Mapping[str, Mapping[str, Any]], run: Command, *command: str) -> Callers:
    """A command (`run` runs it), with callers of both schemas around it."""
    callers = Callers(road, instances)
    thread = threading.Thread(target=callers.run)
    thread.start()
    try:
        done = run(*command)
    finally:
        callers.stopped.set()
        thread.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert callers.alias()[0] != callers.before[0]
    return callers
