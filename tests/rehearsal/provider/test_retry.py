"""An update that fails once, on the real engine: what the same update again makes of it, and what repairs it."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from operate import updates
from rehearsal.cloud.process.running import RunningCloud

ACCOUNT = "111122223344"
PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

release = pulumi.Config().require("release")
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
         "Action": "sts:AssumeRole"}]}
role = aws.iam.Role("role", assume_role_policy=json.dumps(trust))
function = aws.lambda_.Function("predict", role=role.arn, runtime="python3.12", handler="index.handler", publish=True,
    environment={"variables": {"RELEASE_ID": release}},
    code=pulumi.AssetArchive({"index.py": pulumi.StringAsset("def handler(event, context): return 1")}))
body = {"openapi": "3.0.1", "info": {"title": release, "version": "1"}, "paths": {f"/{release}": {"get": {
    "responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": {"type": "mock"}}}}}
api = aws.apigateway.RestApi("api", body=json.dumps(body))
pulumi.export("function", function.name)
pulumi.export("version", function.version)
pulumi.export("api", api.id)
"""


class Toy:
    """A project folder with a release in its config, and the engine in it."""

    def __init__(self, folder: Path, cloud: RunningCloud, program: str = PROGRAM) -> None:
        self.folder, self._cloud = folder, cloud
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text("name: toy\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n  toy:release: r1\n")
        (folder / "__main__.py").write_text(program)
        self.run("stack", "init", "dev")

    def run(self, *arguments: str, fails: bool = False) -> str:
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120)
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, release: str, fails: bool = False) -> str:
        self.run("config", "set", "release", release)
        return self.run("up", "--yes", "--skip-preview", fails=fails)

    def breaks(self, service: str, operation: str) -> None:
        """The next such call fails."""
        error = {"code": "AccessDeniedException", "message": "not today", "status": 403}
        fault = {"service": service, "operation": operation, "error": error, "times": 1}
        url = f"http://127.0.0.1:{self._cloud.port}/_rehearsal/faults"
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(fault).encode(), method="POST"), timeout=10)

    def published(self) -> str:
        """The release of the version that the stack gives to those that shift traffic."""
        found = json.loads(self.run("stack", "output", "--json"))
        client = self._cloud.cloud.client("lambda", ACCOUNT, "eu-west-1")
        config = client.get_function_configuration(FunctionName=found["function"], Qualifier=found["version"])
        return str(config["Environment"]["Variables"]["RELEASE_ID"])

    def paths(self) -> set[str]:
        found = json.loads(self.run("stack", "output", "--json"))
        client = self._cloud.cloud.client("apigateway", ACCOUNT, "eu-west-1")
        items: list[dict[str, Any]] = client.get_resources(restApiId=found["api"])["items"]
        return {item["path"] for item in items} - {"/"}


@pytest.fixture
def toy(
    own_environ: Callable[[str], dict[str, str]],
    tmp_path: Path,
    running_cloud: RunningCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Toy]:
    for name, value in own_environ(ACCOUNT).items():
        monkeypatch.setenv(name, value)
    yield Toy(tmp_path / "toy", running_cloud)
    running_cloud.cloud.faults.clear()


@pytest.mark.engine
def test_an_update_that_failed_is_made_again_only_after_a_look_at_it(toy: Toy) -> None:
    toy.up("r1")
    toy.breaks("lambda", "PublishVersion")
    assert "not today" in toy.up("r2", fails=True)
    toy.up("r2")
    assert toy.published() == "r1"  # The engine said success (pulumi/pulumi-aws#6062).

    for release, service, operation in (("r3", "lambda", "PublishVersion"), ("r4", "apigateway", "PutRestApi")):
        toy.breaks(service, operation)
        assert "not today" in toy.up(release, fails=True)
        updates.refresh_interrupted("dev", toy.folder)
        toy.up(release)
        assert (toy.published(), toy.paths()) == (release, {f"/{release}"})
