"""Programs, dynamic resources and policy packs under the real engine, in the rehearsal's environment.

Where the engine brings its own language host these tests run that one.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rehearsal.engine import ensure_engine
from rehearsal.engine.host import ProjectError, interpreter
from rehearsal.environment import Rehearsal
from tests.processes import left_after_waiting

PROGRAM = """
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Doubler(ResourceProvider):
    def create(self, props):
        return CreateResult("the-id", {**props, "doubled": props["n"] * 2})

class Double(Resource):
    doubled: pulumi.Output[int]
    def __init__(self, name, n):
        super().__init__(Doubler(), name, {"n": n, "doubled": None})

config = pulumi.Config()
print("hello from the program")
pulumi.export("doubled", Double("double", config.require_int("n")).doubled)
pulumi.export("secret", config.get_secret("token"))
"""

PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def not_thirteen(args, report):
    if args.props.get("n") == 13:
        report("thirteen brings bad luck")

rule = ResourceValidationPolicy("luck", "No bad luck.", not_thirteen, EnforcementLevel.MANDATORY)
PolicyPack("tiny", [rule])
"""

SLEEPER = """
import os, subprocess, time
print("sleeping", flush=True)
child = subprocess.Popen(["sleep", "600"])
open("pids", "w").write(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""


@dataclass
class Project:
    """A Pulumi project in a folder of its own, with state of its own."""

    folder: Path
    env: dict[str, str] = field(repr=False)

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        """Run a command that must succeed, or must fail; returns all its output."""
        command = ["pulumi", *arguments, "--non-interactive"]
        result = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120)
        output = result.stdout + result.stderr
        assert (result.returncode != 0) == fails, output
        return output

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    rehearsal = Rehearsal(folder=tmp_path_factory.mktemp("rehearsal"))
    engine = ensure_engine(rehearsal)
    assert engine.path.is_file()
    rehearsal.keep_state_here()  # with it comes the passphrase; each project has a folder of its own
    return rehearsal.environ()


@pytest.fixture
def project(environment: dict[str, str], tmp_path: Path) -> Project:
    (tmp_path / "state").mkdir()
    project = Project(tmp_path, {**environment, "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri()})
    project.write("Pulumi.yaml", "name: tiny\nruntime: python\n")
    project.write("__main__.py", PROGRAM)
    project.pulumi("stack", "init", "dev")
    return project


@pytest.mark.engine
def test_program_with_a_dynamic_resource(project: Project) -> None:
    project.pulumi("config", "set", "n", "21")
    project.pulumi("config", "set", "--secret", "token", "hidden")
    output = project.pulumi("up", "--yes", "--skip-preview")
    assert "hello from the program" in output
    assert "warning" not in output.lower()
    assert json.loads(project.pulumi("stack", "output", "--json")) == {"doubled": 42, "secret": "[secret]"}
    assert "hidden" not in project.pulumi("stack", "export")
    project.pulumi("destroy", "--yes", "--skip-preview")


@pytest.mark.engine
def test_policy_pack_passes_and_stops(project: Project) -> None:
    project.write("pack/PulumiPolicy.yaml", "runtime: python\n")
    project.write("pack/__main__.py", PACK)
    project.pulumi("config", "set", "n", "12")
    project.pulumi("preview", "--policy-pack", "pack")
    project.pulumi("config", "set", "n", "13")
    output = project.pulumi("preview", "--policy-pack", "pack", fails=True)
    assert "thirteen brings bad luck" in output


@pytest.mark.engine
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("raise ValueError('the canary is out of range')", "the canary is out of range"),
        ("import pulumi\nraise pulumi.RunError('one clear line')", "one clear line"),
        ("import sys\nprint('before the end')\nsys.exit(3)", "exited with non-zero exit code: 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    ],
)
def test_a_failing_program_fails_and_says_why(project: Project, program: str, expected: str) -> None:
    if expected == "SIGKILL" and not _own_host(project):
        expected = "signal: killed"
    project.write("__main__.py", program)
    assert expected in project.pulumi("preview", fails=True)


@pytest.mark.engine
def test_about_names_the_interpreter(project: Project) -> None:
    about = json.loads(project.pulumi("about", "--json"))
    assert about["runtime"]["language"] == "python"
    dependencies = {d["name"].lower().replace("_", "-") for d in about["dependencies"]}
    assert "pulumi-aws" in dependencies


@pytest.mark.engine
def test_a_required_provider_is_known_beforehand(project: Project) -> None:
    assert "aws" in project.pulumi("about"), "the SDK installed here needs the AWS provider"


@pytest.mark.engine
def test_a_missing_virtualenv_is_a_clear_error(project: Project) -> None:
    project.write("Pulumi.yaml", "name: tiny\nruntime:\n  name: python\n  options:\n    virtualenv: nowhere\n")
    assert "nowhere" in project.pulumi("preview", fails=True)


@pytest.mark.engine
def test_interrupt_leaves_no_process(project: Project) -> None:
    project.write("__main__.py", SLEEPER)
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    child = subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    pids = [child.pid, *_started(project.folder / "pids")]
    os.killpg(child.pid, signal.SIGINT)
    time.sleep(0.5)
    os.killpg(child.pid, signal.SIGINT)
    assert child.wait(60) != 0
    assert left_after_waiting(pids) == []


@pytest.mark.engine
def test_a_killed_engine_leaves_no_program(project: Project) -> None:
    if not _own_host(project):
        pytest.skip("the engine's own host decides that")
    project.write("__main__.py", SLEEPER)
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    child = subprocess.Popen(
        command, cwd=project.folder, env=project.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    pids = _started(project.folder / "pids")
    child.kill()
    child.wait()
    assert left_after_waiting(pids) == []


@pytest.fixture
def places(tmp_path: Path) -> Path:
    for file in ("path/python3", "path/other", "project/venv/bin/python"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).symlink_to(sys.executable)
    return tmp_path


def test_interpreter_is_python3_on_path(places: Path) -> None:
    env = {"PATH": str(places / "path")}
    assert interpreter({}, places / "project", env) == str(places / "path/python3")


def test_interpreter_can_be_named_by_variable(places: Path) -> None:
    env = {"PATH": str(places / "path"), "PULUMI_PYTHON_CMD": "other"}
    assert interpreter({}, places / "project", env) == str(places / "path/other")


def test_interpreter_of_the_projects_virtualenv(places: Path) -> None:
    found = interpreter({"virtualenv": "venv"}, places / "project", {"PATH": str(places / "path")})
    assert found == str(places / "project/venv/bin/python")


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({"virtualenv": "gone"}, "path", "'gone', but .* does not exist"),
        ({"toolchain": "poetry"}, "path", "toolchain 'poetry' is not supported"),
        ({}, "project", "python3 is not on PATH"),
    ],
)
def test_no_interpreter(places: Path, options: dict[str, object], path: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        interpreter(options, places / "project", {"PATH": str(places / path)})


def _own_host(project: Project) -> bool:
    host = shutil.which("pulumi-language-python", path=project.env["PATH"])
    assert host is not None
    return b"host.py" in Path(host).read_bytes()[:1000]


def _started(file: Path) -> list[int]:
    _await(lambda: file.exists() and len(file.read_text().split()) == 2, "the program did not start")
    return [int(pid) for pid in file.read_text().split()]


def _await(condition: Callable[[], bool], message: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.05)
