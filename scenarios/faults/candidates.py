"""Releases that faults work with: good ones made by the training workflow, and bad ones made from those."""

import copy
import hashlib
import json
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.errors import UserError
from contracts.s3 import parse_s3_uri
from operate.clients import Clients
from operate.project import Project
from scenarios.tour.dataset import DATA_KEY
from scenarios.tour.evidence import read_object
from scenarios.vouching import publish

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOW_SECONDS = 240.0


@dataclass(frozen=True)
class Ended:
    """An execution of the training workflow: its run, and the error it ended with (empty where it succeeded)."""

    run: str
    error: str


@dataclass(frozen=True)
class Candidate:
    """A release that could be deployed: where its manifest lies, the manifest's SHA-256, and the manifest."""

    uri: str
    sha256: str
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        """The release's id."""
        return str(self.manifest["id"])

    @property
    def features(self) -> list[str]:
        """What a request holds, in the model's order."""
        return list(self.manifest["features"])


class Candidates:
    """Makes releases. Each lies in the artifacts bucket, as the workflow would have put it."""

    def __init__(self, clients: Clients, project: Project) -> None:
        self._clients = clients
        self._project = project
        self._s3 = clients.of("delivery", "s3")

    def read(self, uri: str) -> Candidate:
        """The release whose manifest lies at this address."""
        text = read_object(self._s3, uri)
        return Candidate(uri, hashlib.sha256(text).hexdigest(), json.loads(text))

    def of_run(self, run: str) -> Candidate:
        """The release that a run of the pipeline or the workflow made."""
        return self.read(f"s3://{self._project.names.artifacts_bucket}/runs/{run}/release/manifest.json")

    def train(self, data: str) -> Candidate:
        """A release of its own from the rows of `data` (CSV text), by the training workflow alone: no run, no stage.

        Raises UserError where the workflow does not succeed.
        """
        ended = self.execute(self.upload(data))
        if ended.error:
            raise UserError(f"the training workflow failed: {ended.error}")
        return self.of_run(ended.run)

    def execute(self, version: str, sql: Callable[[str], str] | None = None) -> Ended:
        """An execution of the training workflow on one version of the data, to its end; by itself, as `train` says.

        `sql` changes the features.sql that it works with.
        """
        states = self._clients.of("delivery", "stepfunctions")
        machine = states.list_state_machines()["stateMachines"][0]["stateMachineArn"]
        run = str(uuid.uuid4())
        given = self._first_input(states, machine) | {"run": run, "data": {"key": DATA_KEY, "version": version}}
        if sql:
            given["code"] = self._changed(given["code"], sql)
        arn = states.start_execution(stateMachineArn=machine, name=run, input=json.dumps(given))["executionArn"]
        found = self._wait(states, arn)
        if found["status"] == "SUCCEEDED":
            return Ended(run, "")
        return Ended(run, ": ".join(part for part in (found.get("error"), found.get("cause")) if part))

    def spoiled(
        self,
        good: Candidate,
        label: str,
        artifact: Callable[[bytes], bytes] | None = None,
        golden: Callable[[bytes], bytes] | None = None,
        constraints: Callable[[bytes], bytes] | None = None,
    ) -> Candidate:
        """A release of its own, like `good` but with another artifact, other golden records or another baseline.

        It is written as the workflow writes one: parts with checksums, a manifest that vouches for them, its signature
        (an administrator's). So whatever stops it on the way would stop a real one.
        """
        run = str(uuid.uuid4())
        folder = f"runs/{run}"
        manifest = copy.deepcopy(good.manifest)
        day, _, _ = good.id.partition("-")
        manifest |= {"id": f"{day}-{hashlib.sha256(run.encode()).hexdigest()[:8]}", "execution": run}
        manifest["commit"] = f"{label}-{run}"[:40]
        if artifact:
            body = artifact(read_object(self._s3, good.manifest["model"]["artifact"]))
            uri = self._put(f"{folder}/release/model.tar.gz", body)
            manifest["model"] |= {"artifact": uri, "sha256": hashlib.sha256(body).hexdigest()}
        if golden:
            body = golden(read_object(self._s3, good.manifest["golden"]))
            manifest["golden"] = self._put(f"{folder}/release/golden.json", body)
            manifest["hashes"]["golden"] = hashlib.sha256(body).hexdigest()
        if constraints:
            body = constraints(read_object(self._s3, good.manifest["baseline"]["constraints"]))
            manifest["baseline"]["constraints"] = self._put(f"{folder}/release/constraints.json", body)
            manifest["hashes"]["constraints"] = hashlib.sha256(body).hexdigest()
        uri = f"s3://{self._project.names.artifacts_bucket}/{folder}/release/manifest.json"
        publish(self._clients, self._project, uri, json.dumps(manifest, indent=2).encode())
        return self.read(uri)

    def _put(self, key: str, body: bytes) -> str:
        kind = "application/json" if key.endswith(".json") else "application/gzip"
        place = {"Bucket": self._project.names.artifacts_bucket, "Key": key}
        self._s3.put_object(**place, Body=body, ContentType=kind, ChecksumAlgorithm="SHA256", IfNoneMatch="*")
        return f"s3://{self._project.names.artifacts_bucket}/{key}"

    def _first_input(self, states: Any, machine: str) -> dict[str, Any]:
        """What the pipeline's own run gave to the workflow: the code that it packaged is taken over."""
        done = states.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]
        given: dict[str, Any] = json.loads(states.describe_execution(executionArn=done[-1]["executionArn"])["input"])
        return given | {"reason": "data"}

    def _changed(self, code: str, change: Callable[[str], str]) -> str:
        """Where a copy of the packaged code lies, with another features.sql."""
        there = f"code/{uuid.uuid4()}"
        packaged = parse_s3_uri(f"{code}/")
        found = self._s3.list_objects_v2(Bucket=packaged.bucket, Prefix=packaged.key, Delimiter="/")["Contents"]
        for name in (entry["Key"].removeprefix(packaged.key) for entry in found):
            body = read_object(self._s3, f"{code}/{name}")
            self._put(f"{there}/{name}", change(body.decode()).encode() if name == "features.sql" else body)
        return f"s3://{packaged.bucket}/{there}"

    def upload(self, data: str) -> str:
        """The version of an upload of data that starts no run."""
        return self.hand_in(DATA_KEY, data.encode())

    def hand_in(self, key: str, body: bytes) -> str:
        """The version of an upload that starts no run, since the rule that listens to uploads is off meanwhile."""
        with self._deaf():
            done = self._s3.put_object(Bucket=self._project.names.data_bucket, Key=key, Body=body)
            # The event is matched against the rules when it arrives, which is not when it was sent.
            time.sleep(0.5)
        return str(done["VersionId"])

    @contextmanager
    def _deaf(self) -> "Iterator[None]":
        events = self._clients.of("delivery", "events")
        names = [rule["Name"] for rule in events.list_rules()["Rules"] if rule["State"] == "ENABLED"]
        for name in names:
            events.disable_rule(Name=name)
        try:
            yield
        finally:
            for name in names:
                events.enable_rule(Name=name)

    def _wait(self, states: Any, execution: str) -> dict[str, Any]:
        deadline = time.monotonic() + WORKFLOW_SECONDS
        while True:
            found: dict[str, Any] = states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            if time.monotonic() > deadline:
                raise UserError(f"the training workflow took longer than {WORKFLOW_SECONDS:.0f} s")
            time.sleep(0.2)
