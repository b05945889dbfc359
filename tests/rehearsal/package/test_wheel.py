"""The rehearsal as a package of its own: a wheel in an environment, and both examples from outside of the checkout.

It does not prove that the declared dependencies are enough: the environment sees those of the project, so that no
network is needed.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from rehearsal.environment import Rehearsal

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "rehearsal" / "examples"


class Installed:
    """A virtual environment with the wheel in it, and a folder outside of the checkout to run from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # pip builds in the tree that it is given; the checkout stays as it is.
        source = folder / "source"
        shutil.copytree(ROOT / "rehearsal", source, ignore=shutil.ignore_patterns("__pycache__"))
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        offline = ["--no-deps", "--no-index"]
        _done([*pip, "wheel", *offline, "--no-build-isolation", "-w", str(folder / "dist"), str(source)], folder)
        (self.wheel,) = (folder / "dist").glob("*.whl")
        _done([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], folder)
        self.python = folder / "venv" / "bin" / "python"
        site = Path(_done([str(self.python), "-c", "import site; print(site.getsitepackages()[0])"], folder).strip())
        _done([*pip, "install", *offline, "--target", str(site), str(self.wheel)], folder)
        project = next(path for path in map(Path, sys.path) if path.name == "site-packages")
        (site / "project.pth").write_text(f"{project}\n")
        self.work = folder / "work"
        self.work.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        # The variables of a rehearsal around this test would lead to that one; PYTHONPATH to the checkout.
        self.env = {
            k: v for k, v in os.environ.items() if not k.startswith(("GLIDEPATH_", "PYTHON", "AWS_", "PULUMI_"))
        }
        self.env |= {"GLIDEPATH_PORT": str(self.port), "GLIDEPATH_SECONDS_PER_MINUTE": "0.2"}

    def run(self, *args: str, folder: Path | None = None) -> str:
        """`python -m rehearsal …` from outside of the checkout."""
        env = self.env | {"GLIDEPATH_FOLDER": str(self.work / ".rehearsal")} if folder else self.env
        return _done([str(self.python), "-m", "rehearsal", *args], folder or self.work, env)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="AKIA000000000000",
            aws_secret_access_key=Rehearsal(folder=self.work / ".rehearsal").secret(),
        )


def _done(command: list[str], cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    made = Installed(tmp_path_factory.mktemp("package"))
    made.run("up")
    yield made
    made.run("down")


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(installed: Installed) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "rehearsal"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    apart = ("rehearsal/examples/", "rehearsal/pyproject.toml", "rehearsal/README.md", "rehearsal/LICENSE")
    wanted = {name for name in tracked if not name.startswith(apart) and (ROOT / name).exists()}
    assert {"rehearsal/engine/go.sum", "rehearsal/engine/host.py"} <= wanted
    assert wanted <= names
    assert all(name.startswith(("rehearsal/", "glidepath_rehearsal-")) for name in names)


def test_it_is_the_installed_package_that_runs_and_it_writes_where_it_is_used(installed: Installed) -> None:
    code = "import rehearsal.cloud.process.running, rehearsal.provider.server; print(rehearsal.__file__)"
    assert str(installed.folder) in _done([str(installed.python), "-c", code], installed.work, installed.env)
    assert (installed.work / ".rehearsal" / "cloud" / "gateway.log").is_file()
    assert installed.run("status") == f"the cloud is up at http://127.0.0.1:{installed.port}\n"


@pytest.mark.parametrize(
    ("args", "code", "line"),
    [
        (["exec", "--", "no-such-command"], 127, "rehearsal: no-such-command: command not found"),
        (["exec"], 2, "rehearsal: exec: no command given"),
        (["up", "--account", "dev"], 2, "rehearsal: --account 'dev' is not PROFILE=ID"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(installed: Installed, args: list[str], code: int, line: str) -> None:
    command = [str(installed.python), "-m", "rehearsal", *args]
    done = subprocess.run(command, cwd=installed.work, env=installed.env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[0]) == (code, line)


def test_the_boto3_example_runs_and_its_role_is_enforced(installed: Installed) -> None:
    program = shutil.copy(EXAMPLES / "boto3_queue" / "program.py", installed.work)
    answer = json.loads(installed.run("exec", "--", str(installed.python), str(program)))
    assert answer["words"] == 3
    assert "AccessDenied" in answer["closed"]


@pytest.mark.engine
def test_the_pulumi_example_runs_on_the_real_engine_and_its_alarm_fires(installed: Installed) -> None:
    folder = installed.work / "pulumi_alarm"
    shutil.copytree(EXAMPLES / "pulumi_alarm", folder)

    def pulumi(*args: str) -> str:
        return installed.run("exec", "--", "pulumi", *args, "--non-interactive", folder=folder)

    pulumi("stack", "init", "dev")
    pulumi("up", "--yes", "--skip-preview")
    outputs = json.loads(pulumi("stack", "output", "--json"))
    plan = json.loads(pulumi("preview", "--json"))
    assert set(plan["changeSummary"]) == {"same"}
    answer = installed.client("lambda").invoke(FunctionName=outputs["function"], Payload=b'{"divisor": 0}')
    assert json.load(answer["Payload"])["errorType"] == "ZeroDivisionError"
    deadline = time.monotonic() + 60
    messages: list[dict[str, Any]] = []
    while not messages and time.monotonic() < deadline:
        found = installed.client("sqs").receive_message(QueueUrl=outputs["queue"], WaitTimeSeconds=1)
        messages = found.get("Messages", [])
    assert messages, "the alarm has reached nobody"
    assert '\\"NewStateValue\\": \\"ALARM\\"' in messages[0]["Body"].replace('\\":\\"', '\\": \\"')
    pulumi("destroy", "--yes", "--skip-preview")


@pytest.mark.engine
def test_an_unknown_resource_type_is_refused_by_name(installed: Installed) -> None:
    folder = installed.work / "unknown"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: unknown\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    program = (
        'import pulumi_aws as aws\naws.dynamodb.Table("t", attributes=[{"name": "a", "type": "S"}], hash_key="a")\n'
    )
    (folder / "__main__.py").write_text(program)
    installed.run("exec", "--", "pulumi", "stack", "init", "dev", "--non-interactive", folder=folder)
    command = [str(installed.python), "-m", "rehearsal", "exec", "--", "pulumi", "up", "--yes", "--non-interactive"]
    env = installed.env | {"GLIDEPATH_FOLDER": str(installed.work / ".rehearsal")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "aws:dynamodb/table:Table" in done.stdout + done.stderr
