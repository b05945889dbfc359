"""Small programs of another team, under the pack, in the real engine."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud.process.running import RunningCloud

PACK = Path(__file__).resolve().parents[3] / "policies"
REGION = "eu-west-1"
_HEAD = "import json\nimport pulumi\nimport pulumi_aws as aws\n"


class Program:
    """A project folder, its stack, and the engine with the pack."""

    def __init__(self, env: dict[str, str], folder: Path, account: str, running: RunningCloud) -> None:
        self.env, self.folder, self.account, self._running = env, folder, account, running
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n")
        self.stack = ""

    def write(self, source: str, stack: str = "dev") -> None:
        """The program, and the stack it is for."""
        (self.folder / "__main__.py").write_text(_HEAD + source)
        if stack != self.stack:
            (self.folder / f"Pulumi.{stack}.yaml").write_text(f"config:\n  aws:region: {REGION}\n")
            self._pulumi("stack", "init", stack)
            self.stack = stack

    def declare(self, resources: list[dict[str, Any]]) -> None:
        """Make it a program of another language, which `declared.py` runs."""
        host = self.folder / "bin" / "pulumi-language-declared"
        host.parent.mkdir()
        host.write_text(f"#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name('declared.py')}\n")
        host.chmod(0o755)
        self.env["PATH"] = f"{host.parent}{os.pathsep}{self.env['PATH']}"
        (self.folder / "Pulumi.yaml").write_text("name: theirs\nruntime: declared\n")
        (self.folder / "resources.json").write_text(json.dumps(resources))
        self.write("")

    def run(self, command: str, config: dict[str, Any] | None = None) -> tuple[int, str]:
        """Exit code, and all that a person reads."""
        pack = ["--policy-pack", str(PACK)]
        if config is not None:
            (self.folder / "policies.json").write_text(json.dumps(config))
            pack += ["--policy-pack-config", str(self.folder / "policies.json")]
        done = self._pulumi(command, "--stack", self.stack, *pack, *(("--yes",) if command == "up" else ()))
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    def resources(self) -> list[str]:
        """Types in the stack's state, those of AWS."""
        state = json.loads(self._pulumi("stack", "export").stdout)
        found = [each["type"] for each in state["deployment"].get("resources") or ()]
        return [each for each in found if each.startswith("aws:")]

    def client(self, service: str) -> Any:
        """The account, seen past the engine."""
        return self._running.cloud.client(service, self.account, REGION)

    def _pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = shutil.which("pulumi", path=self.env["PATH"])
        assert path
        return subprocess.run(
            [path, *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )


@pytest.fixture
def program(
    running_cloud: RunningCloud, own_environ: Callable[[str], dict[str, str]], tmp_path: Path, account: str
) -> Program:
    return Program(own_environ(account), tmp_path / "program", account, running_cloud)
