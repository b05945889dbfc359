"""`./glidepath preview` with the real engine: a first deployment, a change of the foundation, wrong use.

A stack of the real program is brought up as far as an administrator does: no release is needed for that.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from operate.project import read_project
from rehearsal.cloud.process import lifecycle
from rehearsal.engine import ensure_engine
from rehearsal.environment import Rehearsal
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
GRANT = "    return [_invoke_endpoint(at), _logs(at, PREDICT), trace()"
KNOWN = "  choose one of: delivery, dev, prod"
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class World:
    """A cloud, and a copy of the program that tests may change, as a git checkout."""

    rehearsal: Rehearsal
    root: Path
    environ: dict[str, str]

    def preview(self, *arguments: str, stack: str = "dev") -> subprocess.CompletedProcess[str]:
        """`./glidepath preview` of the copy."""
        return self._run(sys.executable, "-m", "cli", "preview", "--stack", stack, *arguments)

    def pulumi(self, *arguments: str) -> None:
        """`pulumi …` that must succeed."""
        done = self._run("pulumi", "--non-interactive", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def git(self, *arguments: str) -> None:
        """`git …` as somebody."""
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        done = self._run("git", *identity, *arguments)
        assert done.returncode == 0, done.stderr

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the copy."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, root = tmp_path_factory.mktemp("preview"), tmp_path_factory.mktemp("copy") / "program"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", ".venv", ".*cache", ".rehearsal", "__pycache__"))
    rehearsal = Rehearsal(folder=folder, port=free_port())
    ensure_engine(rehearsal)
    rehearsal.keep_state_here()
    project = read_project(ROOT)
    profiles = {project.names.stack(stack): account for stack, account in project.names.accounts.items()}
    rehearsal.write_credentials({**profiles, "default": project.names.accounts["delivery"]}, project.names.region)
    found = World(rehearsal, root, {**os.environ, **rehearsal.environ()})
    found.git("init", "-q", "-b", "main")
    found.git("add", "--all")
    found.git("commit", "-q", "-m", "first")
    lifecycle.start(rehearsal)
    try:
        found.pulumi("stack", "init", "dev", "--no-select")
        yield found
    finally:
        lifecycle.stop(rehearsal)


def state(world: World) -> dict[str, bytes]:
    """The backend, byte by byte."""
    return {str(path): path.read_bytes() for path in world.rehearsal.state.rglob("*") if path.is_file()}


def test_a_first_deployment_then_a_change_of_the_foundation(world: World) -> None:
    before = state(world)
    first = world.preview("--format", "markdown")
    assert first.returncode == 2, first.stdout + first.stderr
    assert "## Preview of `dev`" in first.stdout
    assert "created" in first.stdout
    assert "role `glidepath-dev-deployer` is now trusted by account `111111111111`" in first.stdout
    assert "it depends on key `foundation`" in first.stdout
    assert world.preview("--format", "markdown").stdout == first.stdout
    assert state(world) == before

    world.pulumi("up", "--stack", "dev", "--yes", "--skip-preview")
    before = state(world)
    none = world.preview("--base", "main")
    assert (none.returncode, none.stderr) == (0, "")
    assert none.stdout.startswith("Nothing changes in `dev`, compared with `main`.")

    granted = 'allow("More", ["s3:GetObject"], [at.names.bucket_arn(at.capture, "capture/*")])'
    world.edit("definitions/roles/environment.py", GRANT, f"{GRANT}, {granted}")
    wider = world.preview("--base", "main")
    assert wider.returncode == 2, wider.stdout + wider.stderr
    assert wider.stdout.splitlines()[0] == (
        "! role `glidepath-dev-predict` can now `s3:GetObject` on"
        " `arn:aws:s3:::glidepath-dev-capture-222222222222-eu-west-1/capture/*`"
    )
    world.edit("definitions/roles/environment.py", '["s3:GetObject"], [at.names.bucket', '["s3:*"], [at.names.bucket')
    refused = world.preview("--base", "main", "--format", "text")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "mandatory, new: role policy `foundation-predict`: [wildcard-action]" in refused.stdout
    assert state(world) == before
    world.git("checkout", "-q", ".")


def test_a_destroy_and_a_program_that_raises(world: World) -> None:
    gone = world.preview("--destroy")
    assert gone.returncode in (0, 2), gone.stderr
    assert "Destroying `dev` deletes" in gone.stdout
    world.edit("__main__.py", "settings = load()", 'raise ValueError("no such thing")')
    broken = world.preview()
    world.git("checkout", "-q", ".")
    assert broken.returncode == 1
    assert broken.stderr == (
        "glidepath: the preview of dev failed: ValueError: no such thing\n"
        "  pulumi preview --stack dev shows all of it\n"
    )
    assert broken.stdout == ""


@pytest.mark.parametrize(
    ("stack", "arguments", "message"),
    [
        ("prod", (), "stack prod has no state yet\n  make it once with: pulumi stack init prod\n"),
        (
            "nosuch",
            (),
            (
                "there is no stack 'nosuch': no Pulumi.nosuch.yaml stands beside Pulumi.yaml\n"
                "  choose one of: delivery, dev, prod\n"
            ),
        ),
        (
            "dev",
            ("--base", "nosuch"),
            "there is no commit 'nosuch' in this checkout\n  fetch it, or name another\n",
        ),
    ],
)
def test_wrong_use_is_one_clear_line(world: World, stack: str, arguments: tuple[str, ...], message: str) -> None:
    done = world.preview(*arguments, stack=stack)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"glidepath: {message}")
