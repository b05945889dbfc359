"""Production with other models beside the release: what config puts there, live traffic, and how each variant does."""

import io
import json
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import xgboost
import yaml

from operate.caller import Answer, Caller
from providers.traffic_shift.capacity import DIMENSION, NAMESPACE, SCALE_IN
from scenarios.faults.program import copy_program
from scenarios.tour import evidence
from scenarios.tour.traffic import Traffic
from tests.scenarios.road.conftest import ROOT, Road

RATE = 20.0


@dataclass
class Seen:
    """What was seen of the endpoints at each look while traffic moved: instances, and whether scale-in is suspended."""

    moving: list[dict[str, tuple[int, bool]]]


class Production:
    """Production of a road, brought up from a copy of the program whose config may name variants."""

    def __init__(self, road: Road, folder: Path) -> None:
        self.road, self.folder = road, folder
        copy_program(ROOT, folder)
        self.config = folder / f"Pulumi.{self.stack}.yaml"
        self._plain = self.config.read_text(encoding="utf-8")
        project = road.project
        self.caller = Caller(
            road.report["production"]["url"], project.names.region, road.clients.credentials(self.stack)
        )
        # What the release that drift brought is asked for is another mix: of the others, that would look like a shift.
        second = json.loads(evidence.read_object(road.clients.of("delivery", "s3"), self.manifests()[1]))
        self.rows = evidence.golden_instances(road.clients, second)
        self.endpoints = road.clients.of(self.stack, "sagemaker")

    stack = "prod"

    def manifests(self) -> tuple[str, str]:
        """Addresses of the first and of the second release."""
        first, second = (
            f"s3://{self.road.project.names.artifacts_bucket}/runs/{run['execution']}/release/manifest.json"
            for run in self.road.report["runs"][:2]
        )
        return first, second

    def release_of(self, manifest: str) -> str:
        """Id of the release at an address."""
        return str(json.loads(evidence.read_object(self.road.clients.of("delivery", "s3"), manifest))["id"])

    def configure(self, **changes: Any) -> None:
        """The committed config with changes under `glidepath:`."""
        document = yaml.safe_load(self._plain)
        document["config"] |= {f"glidepath:{key}": value for key, value in changes.items()}
        self.config.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def plain(self, key: str) -> dict[str, Any]:
        """What the committed config has under `glidepath:`."""
        found: dict[str, Any] = yaml.safe_load(self._plain)["config"].get(f"glidepath:{key}", {})
        return found

    def glidepath(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`./glidepath …` of the copy."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.folder, env=self.road.rehearsal.environ(self.road.environ), stdin=subprocess.DEVNULL,
            capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip

    def deploy(self, manifest: str) -> str:
        """Bring a release up; what was said. Fails unless that succeeds."""
        done = self.glidepath("deploy", "--stack", self.stack, "--release", manifest)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self) -> "subprocess.CompletedProcess[str]":
        """A plain update, which keeps the recorded release."""
        arguments = ("up", "--stack", self.stack, "--yes", "--skip-preview", "--expect-no-changes")
        return self.glidepath("exec", "--", "pulumi", "--non-interactive", "--color", "never", *arguments)

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        """Live requests until the block ends."""

        def call(turn: int) -> Answer:
            return self.caller.predict([self.rows[turn % len(self.rows)]])

        with Traffic(call, RATE) as traffic:
            yield traffic

    def ask(self, count: int) -> Counter[str]:
        """Release → answers, of so many requests; every one must be answered."""
        answers = [self.caller.predict([self.rows[turn % len(self.rows)]]) for turn in range(count)]
        assert all(answer.ok for answer in answers), [answer.error for answer in answers if not answer.ok][:3]
        return Counter(str(answer.release) for answer in answers)

    # --- endpoints ---------------------------------------------------------------------------------------------------

    def serving(self) -> str:
        """Name of the endpoint that serves."""
        return str(self.road.production()["endpoint"])

    def instances(self, endpoint: str) -> dict[str, int]:
        """Variant → instances."""
        described = self.endpoints.describe_endpoint(EndpointName=endpoint)
        return {item["VariantName"]: item["CurrentInstanceCount"] for item in described["ProductionVariants"]}

    def grow(self, count: int) -> str:
        """Let autoscaling bring the serving endpoint to so many instances, as at a peak that lasts. Its name."""
        endpoint = self.serving()
        self.road.clients.of(self.stack, "application-autoscaling").register_scalable_target(
            ServiceNamespace=NAMESPACE,
            ResourceId=f"endpoint/{endpoint}/variant/live",
            ScalableDimension=DIMENSION,
            MinCapacity=count,
        )
        assert eventually(lambda: self.instances(endpoint)["live"] == count, 60)
        return endpoint

    @contextmanager
    def watched(self) -> Iterator[Seen]:
        """Look at the scalable targets whenever the alias gives weight to two versions."""
        seen, ended = Seen([]), threading.Event()
        functions = self.road.clients.of(self.stack, "lambda")
        name = self.road.project.names.predict(self.stack)

        def look() -> None:
            while not ended.wait(0.3):
                alias = functions.get_alias(FunctionName=name, Name="live")
                if (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
                    seen.moving.append(self.scaling())

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            ended.set()
            thread.join()

    def scaling(self) -> dict[str, tuple[int, bool]]:
        """`endpoint/variant` → instances, and whether scale-in is suspended."""
        client = self.road.clients.of(self.stack, "application-autoscaling")
        found = {}
        for target in client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]:
            _, endpoint, _, variant = target["ResourceId"].split("/")
            found[f"{endpoint}/{variant}"] = (self.instances(endpoint)[variant], target["SuspendedState"][SCALE_IN])
        return found

    def counted(self, endpoint: str, variant: str, metric: str) -> float:
        """What SageMaker has counted for a variant."""
        dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
        points = self.road.clients.of(self.stack, "cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker", MetricName=metric, Dimensions=dimensions, Period=86400,
            StartTime=time.time() - 86400, EndTime=time.time() + 86400, Statistics=["Sum"],
        )["Datapoints"]  # fmt: skip
        return float(sum(point["Sum"] for point in points))

    def captured(self, endpoint: str, variant: str) -> int:
        """Capture files of a variant."""
        s3, bucket = self.road.clients.of(self.stack, "s3"), self.road.project.names.capture_bucket(self.stack)
        return int(s3.list_objects_v2(Bucket=bucket, Prefix=f"capture/{endpoint}/{variant}/")["KeyCount"])

    def close(self) -> None:
        """The copy goes."""
        shutil.rmtree(self.folder, ignore_errors=True)


def of_two_features(_: bytes) -> bytes:
    """A model that loads, and fails at every request: it was trained on two features, and is given all."""
    data = xgboost.DMatrix(numpy.array([[1.0, 2.0], [2.0, 1.0], [3.0, 4.0]]), numpy.array([1.0, 2.0, 3.0]))
    model = bytes(xgboost.train({"max_depth": 1}, data, 1).save_raw("ubj"))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(model)
        archive.addfile(member, io.BytesIO(model))
    return buffer.getvalue()


def eventually(ask: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not ask():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
