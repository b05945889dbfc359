"""A source has one hash, in a build's shell and on an approver's machine."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from contracts.errors import UserError
from definitions.buildspecs import MEASURE_SOURCE
from operate.sources import of_commit, of_folder


def measured(folder: Path, then: str = 'echo "$SOURCE_SHA256"') -> subprocess.CompletedProcess[str]:
    """What the shell of a build says, in a folder."""
    command = ["bash", "-c", f"{MEASURE_SOURCE}; {then}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Names as people have them, a link to a file and one to a folder."""
    for name in ("a.py", "b c.txt", "deep/er/ü.sql", "deep/back\\slash", "deep/line\nbreak", "-x", "empty"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name == "empty" else f"what {name} says\n")
    (tmp_path / "link").symlink_to("a.py")
    (tmp_path / "folder").symlink_to("deep")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_shell_and_command_agree(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    plain = tmp_path_factory.mktemp("build")
    subprocess.run(f"git archive HEAD | tar -x -C {plain}", shell=True, cwd=repository, check=True)
    found = measured(plain)
    assert found.returncode == 0, found.stderr
    assert len(found.stdout.strip()) == 64
    assert found.stdout.strip() == of_folder(plain) == of_commit(repository, "HEAD")


def test_what_is_not_committed_does_not_count(repository: Path) -> None:
    before = of_commit(repository, "HEAD")
    (repository / "a.py").write_text("changed")
    assert of_commit(repository, "HEAD") == before


@pytest.mark.parametrize("change", ["content", "name", "link", "more", "less"])
def test_whatever_changes_is_another_source(repository: Path, change: str) -> None:
    before = of_commit(repository, "HEAD")
    match change:
        case "content":
            (repository / "a.py").write_text("import os\n")
        case "name":
            (repository / "a.py").rename(repository / "a2.py")
        case "link":
            (repository / "link").unlink()
            (repository / "link").symlink_to("deep/er/ü.sql")
        case "more":
            (repository / "sitecustomize.py").write_text("")
        case "less":
            (repository / "empty").unlink()
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", change)
    assert of_commit(repository, "HEAD") != before


BODY = b"print('anything goes')\n"
HASH = hashlib.sha256(BODY).hexdigest()
TWINS = {
    # A link's target holds the line of a file that another source has.
    "a file in a link": ({"x": f"y\n{HASH}  ./evil.py"}, {"x": "y"}),
    "two links in one": ({"x": "y\n./z -> w"}, {"x": "y", "z": "w"}),
    "a link in its name": ({"x -> y": "z"}, {"x": "y -> z"}),
}


@pytest.mark.parametrize(("one", "other"), TWINS.values(), ids=TWINS)
def test_no_other_source_has_the_same_hash(tmp_path: Path, one: dict[str, str], other: dict[str, str]) -> None:
    """What a reviewer read as a link that leads nowhere could be exchanged for code."""
    for name, links in (("one", one), ("other", other)):
        (tmp_path / name).mkdir()
        for link, target in links.items():
            (tmp_path / name / link).symlink_to(target)
    if HASH in str(one):
        (tmp_path / "other" / "evil.py").write_bytes(BODY)
    assert of_folder(tmp_path / "one") != of_folder(tmp_path / "other")
    for name in ("one", "other"):
        assert measured(tmp_path / name).stdout.strip() == of_folder(tmp_path / name)


@pytest.mark.parametrize("stub", ["find", "sha256sum"])
def test_what_cannot_be_measured_stops_the_build(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, stub: str
) -> None:
    """A file that is not readable, say: it would be left out, and could be anything."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / stub).write_text(f'#!/bin/sh\n/usr/bin/{stub} "$@"\nexit 1\n')
    (folder / stub).chmod(0o755)
    command = ["bash", "-c", f"PATH={folder}:$PATH; {MEASURE_SOURCE} && echo measured"]
    found = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("", 1)


def test_a_source_cannot_change_what_was_measured(repository: Path) -> None:
    """The plan's variables come from a file that the source's own code writes."""
    (repository / ".plan.env").write_text("export SOURCE_SHA256=0000\n")
    found = measured(repository, 'source "$PWD/.plan.env"; echo "$SOURCE_SHA256"')
    assert found.stdout.strip() != "0000"
    assert "readonly variable" in found.stderr


def test_a_reference_that_is_not_there_is_named(repository: Path) -> None:
    with pytest.raises(UserError, match="there is no commit 'release'"):
        of_commit(repository, "release")
