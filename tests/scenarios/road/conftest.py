"""One whole rehearsal, kept up for the tests of this folder: the real engine, end to end."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from operate.clients import Clients
from operate.project import Project, read_project
from rehearsal.environment import Rehearsal
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Road:
    """A rehearsal that has taken two releases to production and is still up."""

    rehearsal: Rehearsal
    project: Project
    clients: Clients
    report: dict[str, Any]
    output: str
    environ: dict[str, str]

    def glidepath(self, *arguments: str, timeout: float = 600, **changes: str) -> subprocess.CompletedProcess[str]:
        """`./glidepath …` in this rehearsal."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env=self.environ | changes,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`pulumi …` inside the rehearsal's environment. What `--config` says, pulumi saves: here in a copy."""
        if "--config" in arguments:
            name = f"Pulumi.{arguments[arguments.index('--stack') + 1]}.yaml"
            copy = shutil.copyfile(self.rehearsal.project / name, self.rehearsal.folder / name)
            arguments = (*arguments, "--config-file", str(copy))
        return self.glidepath("exec", "--", "pulumi", "--non-interactive", "--color", "never", *arguments)

    def production(self) -> dict[str, Any]:
        """What `./glidepath status` says of production."""
        shown = self.glidepath("status", "--json")
        assert shown.returncode == 0, shown.stderr
        found: dict[str, Any] = next(e for e in json.loads(shown.stdout)["environments"] if e["stack"] == "prod")
        return found


# Of this folder alone: tests that come after it must not find its environment.
@pytest.fixture(scope="package")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder = tmp_path_factory.mktemp("road")
    place = {"GLIDEPATH_FOLDER": str(folder), "GLIDEPATH_PORT": str(free_port())}
    environ = {**os.environ, **place}
    command = [sys.executable, "-m", "cli", "rehearse", "--keep"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        rehearsal = Rehearsal.here(environ)
        # The administrator's clients of this process read the rehearsal's profiles.
        with pytest.MonkeyPatch.context() as patch:
            for name, value in rehearsal.environ(environ).items():
                patch.setenv(name, value)
            project = read_project(ROOT)
            report = json.loads(rehearsal.report_json.read_text())
            yield Road(rehearsal, project, Clients(project), report, done.stdout, environ)
    finally:
        subprocess.run([sys.executable, "-m", "cli", "down"], cwd=ROOT, env=environ, check=False, capture_output=True)
