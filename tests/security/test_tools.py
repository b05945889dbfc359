"""What checks a release is no part of it: builds fetch the tools that an administrator has pinned, or stop (F3)."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from components.tools import packed
from contracts.names import Names
from definitions import buildspecs
from definitions.tools import LOCK, Tools, pin
from operate.sources import of_folder

ROOT = Path(__file__).resolve().parents[2]
FILES = {"cli/__main__.py": "print('the pinned command')\n", "cli/more.py": "", LOCK: "pulumi==1 --hash=sha256:00\n"}
TOOLS = pin({name: text.encode() for name, text in FILES.items()})
NAMES = Names("taxi", "eu-west-1", {"delivery": "111111111111", "dev": "222222222222"})


def archive(file: Path, files: dict[str, str]) -> None:
    with zipfile.ZipFile(file, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)


class Build:
    """A build's machine: the source is its folder, `aws s3 cp` copies from a folder, pip and the engine do nothing."""

    def __init__(self, folder: Path) -> None:
        self.source, self.store = folder / "source", folder / "store"
        for made in (self.source, self.store, folder / "bin"):
            made.mkdir()
        (folder / "bin" / "aws").write_text(f'#!/bin/sh\ncp "{self.store}/$(basename "$4")" "$5"\n')
        (folder / "bin" / "aws").chmod(0o755)
        self.path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        (self.source / LOCK).write_text(FILES[LOCK])
        archive(self.store / "tools.zip", FILES)

    def run(self, tools: Tools = TOOLS, address: str = "s3://artifacts/tools.zip") -> subprocess.CompletedProcess[str]:
        """The first commands of a deployment, up to the engine's, and then the command itself."""
        spec = buildspecs.deploy("dev", "", "", tools)["phases"]
        *install, _, _ = spec["install"]["commands"]
        command = next(line for line in spec["build"]["commands"] if "deploy --stack" in line)
        lines = [*(f"{{ {line}; }} || exit 1" for line in install), command]
        return subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            cwd=self.source,
            env={"PATH": self.path, "HOME": str(self.source.parent), "TOOLS_ADDRESS": address, "RELEASE_MANIFEST": "m"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def test_the_pinned_command_runs_whatever_the_source_brings(build: Build) -> None:
    """Not only its own command: a module of the source may not take the place of Python's."""
    (build.source / "cli").mkdir()
    for name in ("cli/__main__.py", "zipfile.py", "sitecustomize.py", "json.py", "encodings.py"):
        (build.source / name).write_text("print('the command of the source')\n")
    done = build.run()
    assert (done.stdout, done.returncode) == ("the pinned command\n", 0), done.stderr


def test_a_source_does_not_choose_the_interpreter(build: Build) -> None:
    """CodeBuild's `python` is pyenv's, which asks the current folder which one is meant."""
    (build.source / "mine").write_text("#!/bin/sh\necho the interpreter of the source\n")
    (build.source / "mine").chmod(0o755)
    (build.source / ".python-version").write_text("./mine\n")
    shim = build.source.parent / "bin" / "python"
    shim.write_text(f'#!/bin/sh\nexec "$(cat .python-version 2>/dev/null || echo {sys.executable})" "$@"\n')
    shim.chmod(0o755)
    done = build.run()
    assert (done.stdout, done.returncode) == ("the pinned command\n", 0), done.stderr


@pytest.mark.parametrize("change", ["content", "more", "less"])
def test_other_tools_are_refused(build: Build, change: str) -> None:
    files = dict(FILES)
    match change:
        case "content":
            files["cli/__main__.py"] = "print('anything goes')\n"
        case "more":
            files["sitecustomize.py"] = ""
        case "less":
            del files["cli/more.py"]
    archive(build.store / "tools.zip", files)
    done = build.run()
    assert (done.stdout, done.returncode) == ("", 1)
    assert f"but the delivery stack pins {TOOLS.sha256}: nothing was changed" in done.stderr
    assert "run `pulumi up --stack delivery` again" in done.stderr


@pytest.mark.parametrize("address", ["", "s3://artifacts/gone.zip"])
def test_without_tools_nothing_is_deployed(build: Build, address: str) -> None:
    done = build.run(address=address)
    assert done.stdout == ""
    assert done.returncode != 0


@pytest.mark.parametrize("lock", [FILES[LOCK] + "evil==1 --hash=sha256:11\n", None])
def test_a_source_does_not_choose_the_libraries(build: Build, lock: str | None) -> None:
    if lock is None:
        (build.source / LOCK).unlink()
    else:
        (build.source / LOCK).write_text(lock)
    done = build.run()
    assert (done.stdout, done.returncode) == ("", 1)
    assert "requirements.lock is not the one that the delivery stack pins: an administrator must run" in done.stderr


def test_the_build_stage_refuses_other_libraries_before_anything_is_trained() -> None:
    first = buildspecs.build("pytest", NAMES, "", TOOLS)["phases"]["install"]["commands"][0]
    assert LOCK in first
    assert first in buildspecs.deploy("dev", "", "", TOOLS)["phases"]["install"]["commands"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own tools in a folder of their own."""
    folder = tmp_path_factory.mktemp("tools")
    for name in packed(ROOT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize("command", ["deploy", "plan"])
def test_the_projects_own_tools_need_nothing_else_of_it(alone: Path, tmp_path: Path, command: str) -> None:
    """They work on a project that has only its own and its stack's file, up to the engine, which is not there."""
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    given = {"deploy": ["--release", "s3://b/m"], "plan": ["--release", "s3://b/m", "--store", "s3://b/p"]}[command]
    done = subprocess.run(
        [sys.executable, "-I", str(alone / "cli" / "__main__.py"), command, "--stack", "dev", *given],
        cwd=tmp_path,
        env={"PATH": "/nowhere", "GLIDEPATH_SOURCE": str(tmp_path), "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        | {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("glidepath: "), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["deploy", "plan"])
def test_a_source_brings_no_host_for_its_program_and_the_policy_pack(alone: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.yaml").write_text(
        "name: x\nruntime: python\nplugins: {languages: [{name: python, path: ./evil}]}\n"
    )
    given = {"deploy": ["--release", "s3://b/m"], "plan": ["--release", "s3://b/m", "--store", "s3://b/p"]}[command]
    done = subprocess.run(
        [sys.executable, "-I", str(alone / "cli" / "__main__.py"), command, "--stack", "dev", *given],
        cwd=tmp_path,
        env={"PATH": "/nowhere", "GLIDEPATH_SOURCE": str(tmp_path), "AWS_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Pulumi.yaml has 'plugins', by which the engine could run" in done.stderr


def test_the_tools_work_on_the_project_with_their_own_policy_pack(alone: Path, tmp_path: Path) -> None:
    script = f"import sys; sys.path.insert(0, {str(alone)!r}); import operate; print(operate.ROOT, operate.HERE)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        env={"GLIDEPATH_SOURCE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(tmp_path), str(alone)]
    assert (alone / "policies" / "PulumiPolicy.yaml").is_file()


def test_what_the_modules_read_lies_beside_them(alone: Path) -> None:
    """The approval's evidence has prices in it."""
    path = f"import sys; sys.path.insert(0, {str(alone)!r})"
    script = f"{path}; from preview.cost import prices; print(len(prices._table()))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0


def test_a_shell_measures_the_tools_as_the_program_pins_them(alone: Path) -> None:
    files = {name: (ROOT / name).read_bytes() for name in packed(ROOT)}
    assert len(files) > 60
    for cache in list(alone.rglob("__pycache__")):
        shutil.rmtree(cache)
    assert pin(files).sha256 == of_folder(alone)
    assert not any(name.startswith(("components/", "rehearsal/", "scenarios/", "tests/")) for name in files)
