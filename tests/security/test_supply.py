"""What builds fetch: it is what a hash in the repository names, or the build stops (F16)."""

import base64
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.names import Names
from definitions import buildspecs
from definitions.tools import Tools
from rehearsal.engine import model

ROOT = Path(__file__).resolve().parents[2]
NAMES = Names("taxi", "eu-west-1", {"delivery": "111111111111", "dev": "222222222222"})
TOOLS = Tools("5" * 64, "6" * 64)
LOCKS = {"requirements.txt": "requirements.lock", "requirements-build.txt": "requirements-build.lock"}


def specs() -> Iterator[dict[str, Any]]:
    yield buildspecs.build("pytest", NAMES, "s3://state", TOOLS)
    yield buildspecs.plan("dev", "[profile x]\n", "s3://state", TOOLS)
    yield buildspecs.deploy("dev", "[profile x]\n", "s3://state", TOOLS, approved=True)
    yield buildspecs.system_test("dev", "tester", "[profile x]\n")


def installs(spec: dict[str, Any]) -> list[str]:
    return list(spec["phases"]["install"]["commands"])


*_, ENGINE, PACKAGES = installs(buildspecs.deploy("dev", "", "", TOOLS))


def test_no_build_runs_what_it_fetches_unseen() -> None:
    for spec in specs():
        for command in installs(spec):
            assert not re.search(r"\|\s*(ba|da)?sh\b", command)
            assert "curl" not in command or "sha256sum --check" in command
            assert "pip install" not in command or "--require-hashes" in command


def engine_archive(content: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        member = tarfile.TarInfo("pulumi/pulumi")
        member.size, member.mode = len(content), 0o755
        file.addfile(member, io.BytesIO(content.encode()))
    return buffer.getvalue()


class Machine:
    """A build's machine without an engine, whose network gives one answer."""

    def __init__(self, folder: Path, answer: bytes, kind: str = "x86_64") -> None:
        self.folder = folder
        (folder / "answer").write_bytes(answer)
        self.kind = kind

    def run(self, command: str) -> tuple[int, str]:
        fakes = f"""
        pulumi() {{ return 127; }}
        uname() {{ echo {self.kind}; }}
        curl() {{ printf '%s\\n' "$@" > '{self.folder}/asked'; cat '{self.folder}/answer' > "$3"; }}
        ln() {{ shift; printf '%s\\n' "$@" > '{self.folder}/linked'; }}
        """
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "PULUMI_VERSION": buildspecs.PULUMI_VERSION,
        }
        done = subprocess.run(
            ["bash", "-c", fakes + command], env=environ, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def engine(self) -> Path:
        return self.folder / ".pulumi" / "bin" / "pulumi"


def test_an_exchanged_engine_stops_the_build_before_it_is_unpacked(tmp_path: Path) -> None:
    machine = Machine(tmp_path, engine_archive("evil"))
    code, said = machine.run(ENGINE)
    assert code != 0
    assert "FAILED" in said
    assert not machine.engine.exists()
    assert not (tmp_path / "linked").exists()


@pytest.mark.parametrize(("kind", "machine"), [("x86_64", "x64"), ("aarch64", "arm64")])
def test_the_engine_that_the_hash_names_is_installed(tmp_path: Path, kind: str, machine: str) -> None:
    archive = engine_archive("genuine")
    command = ENGINE.replace(buildspecs.PULUMI_SHA256[machine], hashlib.sha256(archive).hexdigest())
    there = Machine(tmp_path, archive, kind)
    code, said = there.run(command)
    assert code == 0, said
    assert there.engine.read_text(encoding="utf-8") == "genuine"
    assert (tmp_path / "linked").read_text(encoding="utf-8").split() == [str(there.engine), "/usr/local/bin/"]
    address = f"https://get.pulumi.com/releases/sdk/pulumi-v{buildspecs.PULUMI_VERSION}-linux-{machine}.tar.gz"
    assert address in (tmp_path / "asked").read_text(encoding="utf-8").split()


def test_a_machine_for_which_no_engine_is_pinned_gets_none(tmp_path: Path) -> None:
    machine = Machine(tmp_path, engine_archive("genuine"), "riscv64")
    code, said = machine.run(ENGINE)
    assert code != 0
    assert "no engine is pinned for riscv64" in said
    assert not (tmp_path / "asked").exists()


def test_builds_and_rehearsal_pin_one_engine() -> None:
    assert buildspecs.PULUMI_VERSION == model.BUILD_VERSION
    pinned = {f"linux-{machine}": sha256 for machine, sha256 in buildspecs.PULUMI_SHA256.items()}
    assert pinned.items() <= model.SHA256.items()
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in model.SHA256.values())


def wheel(folder: Path) -> str:
    """Makes a package; returns its SHA-256."""
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": b"",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in files.items()
    )
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def install(folder: Path, requirement: str) -> tuple[int, str]:
    """A build's own command over a lock of one line, with a folder as the only index."""
    (folder / "requirements.lock").write_text(requirement + "\n", encoding="utf-8")
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "TOOLS": str(folder),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_TARGET": str(folder / "installed"),
    }
    done = subprocess.run(
        ["bash", "-c", PACKAGES], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def test_a_package_is_what_its_hash_says_or_the_build_stops(tmp_path: Path) -> None:
    sha256 = wheel(tmp_path)
    code, said = install(tmp_path, f"tiny==1.0 --hash=sha256:{'0' * 64}")
    assert code != 0
    assert "DO NOT MATCH" in said
    assert not (tmp_path / "installed").exists()
    code, said = install(tmp_path, "tiny==1.0")
    assert code != 0
    assert "Hashes are required" in said
    # A folder or an index of the user's own serves it as well: the lock names none.
    code, said = install(tmp_path, f"tiny==1.0 --hash=sha256:{sha256}")
    assert code == 0, said
    assert (tmp_path / "installed" / "tiny.py").exists()


def locked(name: str) -> dict[str, list[str]]:
    """Requirement without its marker → hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {words[0]: [word for word in words if word.startswith("--hash=")] for words in lines}


def asked(name: str) -> Iterator[str]:
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["-r"]:
            yield from asked(words[1])
        elif words and words[0] != "-c":
            yield words[0]


@pytest.mark.parametrize(("requirements", "lock"), LOCKS.items())
def test_the_locks_hold_what_the_requirements_ask(requirements: str, lock: str) -> None:
    found = locked(lock)
    missing = {line.lower() for line in asked(requirements)} - found.keys()
    assert not missing, f"{lock} is older than {requirements}: make locks"
    assert all(hashes for hashes in found.values())
    # Only for systems that builds do not run on.
    pinned = {line.partition(" ")[0].lower().replace("_", "-") for line in
              (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()}  # fmt: skip
    assert found.keys() - pinned == {"colorama==0.4.6"}, f"{lock} is older than constraints.txt: make locks"
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")
