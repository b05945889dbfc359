"""Finding, installing and building an engine, with stand-ins for `pulumi`, `go` and the network.

What these tests do not prove: that a real build succeeds (it takes minutes), nor that a real engine runs programs
(test_host.py does).
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rehearsal.engine import EngineError, download, ensure_engine
from rehearsal.engine.model import BUILD_VERSION, parse_version
from rehearsal.engine.progress import Progress
from rehearsal.environment import Rehearsal
from tests.processes import left_after_waiting

# Says a version, and records and performs a plugin's installation as the real one does.
_PULUMI = """#!/bin/sh
echo "$@" >> "{log}"
case "$1 $2" in
  "version ") echo "{version}" ;;
  "plugin install") d="$PULUMI_HOME/plugins/$3-$4-v$5"; mkdir -p "$d" && cp "$7" "$d/pulumi-$3-$4" ;;
  *) exit 64 ;;
esac
"""
# Builds a "pulumi" that is a copy of the one above, and finds an sdk module with the two scripts.
_GO = """#!/bin/sh
echo "$@" >> "{log}"
case "$1 $2" in
  "list -deps") printf 'one\\ntwo\\n' ;;
  "list -m") echo "{sdk}" ;;
  "mod download") ;;
  "build -v") echo "one" >&2; {build} ;;
esac
"""


class Machine:
    """A PATH of its own, a home and a rehearsal."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "path"
        self.path.mkdir()
        self.log = folder / "pulumi.log"
        self.go_log = folder / "go.log"
        self.sdk = folder / "sdk"
        self.cache = folder / "cache" / "glidepath" / "engine"
        self.rehearsal = Rehearsal(folder=folder / "rehearsal")
        self.env = {
            "PATH": f"{self.path}:/usr/bin:/bin",
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        for script in ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"):
            (self.sdk / script).parent.mkdir(parents=True)
            (self.sdk / script).write_text("#!/bin/sh\n")

    def script(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def pulumi(self, version: str, host: bool = True, folder: Path | None = None) -> Path:
        folder = folder or self.path
        if host:
            self.script(folder / "pulumi-language-python", "#!/bin/sh\n")
        return self.script(folder / "pulumi", _PULUMI.format(log=self.log, version=version))

    def go(self, fails: bool = False) -> None:
        made = self.pulumi(f"v{BUILD_VERSION}", host=False, folder=self.sdk.parent / "made")
        build = "echo 'no space left' >&2; exit 1" if fails else f'cp "{made}" "$6"'
        self.script(self.path / "go", _GO.format(log=self.go_log, sdk=self.sdk, build=build))

    def calls(self, log: Path, word: str) -> int:
        return log.read_text().splitlines().count(word) if log.exists() else 0


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    def offline(folder: Path, progress: Progress) -> None:
        raise EngineError("cannot be downloaded: offline")

    monkeypatch.setattr(download, "download", offline)
    found = Machine(tmp_path)
    # The children that the code starts see the same PATH.
    monkeypatch.setenv("PATH", found.env["PATH"])
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v3.259.0\n", (3, 259, 0)),
        ("3.10.2", (3, 10, 2)),
        ("v3.260.0-alpha.x1", (3, 260, 0)),
        ("v3.260.0+dirty", (3, 260, 0)),
        ("", None),
        ("pulumi 3.1.1", None),
        ("v3.1", None),
    ],
)
def test_parse_version(text: str, expected: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == expected


def test_takes_a_recent_engine_from_path(machine: Machine) -> None:
    real = machine.pulumi("v3.300.1")
    engine = ensure_engine(machine.rehearsal, env=machine.env)
    assert (engine.version, engine.built) == ("3.300.1", False)
    assert engine.path == machine.rehearsal.bin / "pulumi"
    assert engine.path.resolve() == real.resolve()
    assert (machine.rehearsal.bin / "pulumi-language-python").resolve().parent == machine.path.resolve()
    assert not machine.cache.exists()


def test_installs_the_stand_in_provider_into_its_own_home_once(machine: Machine) -> None:
    machine.pulumi("v3.300.1")
    for _ in range(3):
        ensure_engine(machine.rehearsal, env=machine.env)
    (installed,) = (machine.rehearsal.pulumi_home / "plugins").glob("resource-aws-v7.*/pulumi-resource-aws")
    assert "-m rehearsal.provider" in installed.read_text()
    lines = machine.log.read_text().splitlines()
    assert sum(line.startswith("plugin install resource aws 7.") for line in lines) == 1


def test_second_call_asks_nothing_again(machine: Machine) -> None:
    machine.pulumi("v3.300.1")
    first = ensure_engine(machine.rehearsal, env=machine.env)
    asked = machine.log.read_text()
    assert ensure_engine(machine.rehearsal, env=machine.env) == first
    assert machine.log.read_text() == asked


def test_notices_a_newer_engine_on_path(machine: Machine) -> None:
    machine.pulumi("v3.300.1")
    ensure_engine(machine.rehearsal, env=machine.env)
    machine.pulumi("v3.301.10")
    assert ensure_engine(machine.rehearsal, env=machine.env).version == "3.301.10"


def test_repairs_a_broken_bin_folder(machine: Machine) -> None:
    machine.pulumi("v3.300.1")
    ensure_engine(machine.rehearsal, env=machine.env)
    (machine.rehearsal.bin / "pulumi-language-python").unlink()
    (machine.rehearsal.bin / "engine.json").write_text("{")
    ensure_engine(machine.rehearsal, env=machine.env)
    assert os.access(machine.rehearsal.bin / "pulumi-language-python", os.X_OK)


@pytest.mark.parametrize("version", ["v3.236.9", "v2.0.0", "v1.300.0"])
def test_too_old_an_engine_is_named_and_not_used(
    machine: Machine, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old = machine.pulumi(version)
    machine.go()
    engine = ensure_engine(machine.rehearsal, env=machine.env)
    assert engine.built
    assert f"Not used: {old} is {version[1:]}, older than 3.237.0" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\necho hello\n", "no program at all"])
def test_something_else_called_pulumi_is_not_used(
    machine: Machine, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.script(machine.path / "pulumi", text)
    machine.go()
    assert ensure_engine(machine.rehearsal, env=machine.env).built
    assert f"Not used: {machine.path / 'pulumi'}" in capsys.readouterr().err


def test_builds_where_nothing_is_found_and_only_once(machine: Machine) -> None:
    machine.go()
    engine = ensure_engine(machine.rehearsal, env=machine.env)
    assert (engine.version, engine.built) == (BUILD_VERSION, True)
    assert (machine.cache / BUILD_VERSION / "pulumi").is_file()
    other = Rehearsal(folder=machine.rehearsal.folder.with_name("other"))
    assert ensure_engine(other, env=machine.env).built
    assert machine.go_log.read_text().count("build -v") == 1


def test_a_built_engine_gets_the_projects_language_host(machine: Machine) -> None:
    machine.go()
    ensure_engine(machine.rehearsal, env=machine.env)
    folder = machine.rehearsal.bin
    # A host beside the executable itself, symbolic links resolved, is the only one the engine does not warn about.
    assert not (folder / "pulumi").is_symlink()
    assert str(machine.rehearsal.python) in (folder / "pulumi-language-python").read_text()
    for name in ("pulumi-language-python-exec", "pulumi-resource-pulumi-python"):
        assert os.access(folder / name, os.X_OK)


def test_an_engine_on_path_without_a_host_gets_ours(machine: Machine) -> None:
    machine.pulumi("v3.270.0", host=False)
    machine.go()
    engine = ensure_engine(machine.rehearsal, env=machine.env)
    assert (engine.version, engine.built) == ("3.270.0", False)
    assert "host.py" in (machine.rehearsal.bin / "pulumi-language-python").read_text()
    assert "build" not in machine.go_log.read_text()


def test_its_own_bin_folder_on_path_is_no_find(machine: Machine) -> None:
    machine.pulumi("v3.300.1")
    ensure_engine(machine.rehearsal, env=machine.env)
    nested = machine.rehearsal.environ(machine.env)
    nested["XDG_CACHE_HOME"] = machine.env["XDG_CACHE_HOME"]
    asked = machine.log.read_text()
    assert ensure_engine(machine.rehearsal, env=nested).version == "3.300.1"
    assert machine.log.read_text() == asked


def test_downloads_before_it_builds(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "download", lambda folder, _: machine.pulumi(f"v{BUILD_VERSION}", folder=folder))
    machine.go()
    engine = ensure_engine(machine.rehearsal, env=machine.env)
    assert (engine.version, engine.built) == (BUILD_VERSION, False)
    assert not machine.go_log.exists()


def test_without_any_way_says_what_to_install(machine: Machine) -> None:
    with pytest.raises(EngineError) as error:
        ensure_engine(machine.rehearsal, env=machine.env)
    assert error.value.message == (
        "no usable Pulumi: none on PATH; the release cannot be downloaded: offline; "
        "a build from Go modules: Go is not on PATH"
    )
    assert "Install Pulumi 3.237 or newer" in error.value.fix
    assert error.value.code == 1


def test_a_failed_build_leaves_nothing_and_says_why(machine: Machine) -> None:
    machine.go(fails=True)
    with pytest.raises(EngineError, match="no space left"):
        ensure_engine(machine.rehearsal, env=machine.env)
    assert [file.name for file in machine.cache.iterdir()] == ["lock"]
    machine.go()
    assert ensure_engine(machine.rehearsal, env=machine.env).built


def test_a_refused_provider_is_an_error_with_the_engines_words(machine: Machine) -> None:
    machine.pulumi("v3.300.1")
    file = machine.path / "pulumi"
    file.write_text(
        file.read_text().replace('"plugin install")', '"plugin install") echo "disk full" >&2; exit 1 ;; other)')
    )
    with pytest.raises(EngineError, match="the stand-in provider cannot be installed: disk full"):
        ensure_engine(machine.rehearsal, env=machine.env)


def test_stamp_is_readable(machine: Machine) -> None:
    machine.pulumi("v3.300.1")
    ensure_engine(machine.rehearsal, env=machine.env)
    stamp = json.loads((machine.rehearsal.bin / "engine.json").read_text())
    assert stamp["version"] == "3.300.1"


def test_interrupted_build_leaves_no_process_and_no_half_engine(machine: Machine) -> None:
    machine.go()
    go = machine.path / "go"
    go.write_text(go.read_text().replace('"build -v")', f'"build -v") echo $$ > "{machine.sdk}/pid"; exec sleep 600; '))
    # The download is refused at once: nothing listens on the discard port.
    env = machine.env | {"HTTPS_PROXY": "http://127.0.0.1:9", "GLIDEPATH_FOLDER": str(machine.rehearsal.folder)}
    command = [sys.executable, "-m", "rehearsal.engine"]
    root = machine.rehearsal.root
    child = subprocess.Popen(command, env=env, cwd=root, stderr=subprocess.PIPE, text=True, start_new_session=True)
    pid_file = machine.sdk / "pid"
    while not (pid_file.exists() and pid_file.read_text().strip()):
        assert child.poll() is None, child.communicate()
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "Traceback" not in err
    assert [file.name for file in machine.cache.iterdir()] == ["lock"]
    assert left_after_waiting([int(pid_file.read_text())]) == []
