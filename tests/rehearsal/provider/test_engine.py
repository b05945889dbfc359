"""A small program on the real engine: up, up again, preview with unknowns, refresh, drift, destroy."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud.process.running import RunningCloud

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
         "Action": "sts:AssumeRole"}]}
bucket = aws.s3.Bucket("data", force_destroy=True)
aws.s3.BucketVersioning("data", bucket=bucket.id, versioning_configuration={"status": "Enabled"})
aws.s3.BucketObjectv2("text", bucket=bucket.id, key="a.json", content=config.require("text"),
                      content_type="application/json")
role = aws.iam.Role("role", assume_role_policy=json.dumps(trust))
aws.ssm.Parameter("secret", type="SecureString", value=config.require_secret("password"))
function = aws.lambda_.Function("predict", role=role.arn, runtime="python3.12", handler="index.handler", publish=True,
    code=pulumi.AssetArchive({"index.py": pulumi.StringAsset(f"def handler(e, c): return {config.require('text')!r}")}))
aws.lambda_.Alias("live", name="live", function_name=function.name, function_version=function.version)
pulumi.export("version", function.version)
pulumi.export("bucket", bucket.bucket)
pulumi.export("function", function.name)
"""
STACK = """config:
  aws:region: eu-west-1
  aws:defaultTags:
    tags: {team: models}
  toy:text: one
  toy:password: hush-hush
"""


class Toy:
    """A project folder and the engine in it."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.env = env
        self.folder = folder
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text("name: toy\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text(STACK)
        (folder / "__main__.py").write_text(PROGRAM)
        self.run("stack", "init", "dev")

    def run(self, *args: str) -> str:
        command = ["pulumi", *args, "--non-interactive"]
        path = shutil.which("pulumi", path=self.env["PATH"])
        assert path
        done = subprocess.run(
            [path, *command[1:]], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def changes(self, *args: str) -> dict[str, int]:
        """How many resources of each operation a preview plans."""
        plan = json.loads(self.run("preview", "--json", *args))
        return dict(plan["changeSummary"])

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.run("stack", "output", "--json")))


@pytest.fixture
def toy(own_environ: Callable[[str], dict[str, str]], tmp_path: Path) -> Toy:
    return Toy(own_environ("111122223333"), tmp_path / "toy")


@pytest.mark.engine
def test_a_program_lives(toy: Toy, running_cloud: RunningCloud) -> None:
    toy.run("up", "--yes", "--skip-preview")
    first = toy.outputs()
    assert first["version"] == "1"
    assert toy.changes() == {"same": 8}
    toy.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    state = toy.run("stack", "export")
    assert "hush-hush" not in state
    assert '"team": "models"' in state

    toy.run("config", "set", "text", "two")
    assert toy.changes() == {"same": 5, "update": 3}  # object, function, and the alias by its unknown version
    toy.run("up", "--yes", "--skip-preview")
    assert toy.outputs()["version"] == "2"

    function = running_cloud.cloud.client("lambda", "111122223333", "eu-west-1")
    function.update_function_configuration(FunctionName=first["function"], Timeout=77)
    toy.run("refresh", "--yes", "--skip-preview")
    toy.run("up", "--yes", "--skip-preview")
    config = function.get_function_configuration(FunctionName=first["function"])
    assert config["Timeout"] == 3

    toy.run("destroy", "--yes", "--skip-preview")
    buckets = running_cloud.cloud.client("s3", "111122223333", "eu-west-1").list_buckets()["Buckets"]
    assert first["bucket"] not in [bucket["Name"] for bucket in buckets]
