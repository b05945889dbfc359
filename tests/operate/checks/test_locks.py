"""A package that somebody asked for and did not lock is named before a build lacks it."""

from pathlib import Path

import pytest

from operate.checks import locks

ROOT = Path(__file__).resolve().parents[3]


def project(folder: Path, asked: str, locked: str | None) -> Path:
    (folder / "requirements.txt").write_text(asked)
    if locked is not None:
        (folder / "requirements.lock").write_text(locked)
    return folder


def test_our_own_locks_are_fresh() -> None:
    found = locks.check(ROOT)
    assert found.findings == ()
    assert int(found.summary.split()[0]) > 10


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("pandas==2.2.0  # a reason\n", "requirements.lock: lacks pandas, which requirements.txt asks for"),
        ("Boto3>=2\n", "requirements.lock: has Boto3 1.44.5, but requirements.txt asks for >=2: run `make locks`"),
        ("./wheels/own.whl\n", "asks for './wheels/own.whl', which has no name and version to lock"),
    ],
)
def test_what_the_lock_does_not_hold_is_named(tmp_path: Path, asked: str, told: str) -> None:
    found = locks.check(project(tmp_path, asked, "boto3==1.44.5 \\\n    --hash=sha256:00\n"))
    (finding,) = found.findings
    assert told in str(finding)


def test_what_it_holds_is_fine_however_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("typing_extensions\n")
    asked = "-c constraints.txt\n# all\nBOTO3[crt]>=1.40,<2\n--requirement more.txt\n"
    held = "boto3==1.44.5 \\\n    --hash=sha256:00\ntyping-extensions==4.1 ; python_version < '3.12'\n"
    assert locks.check(project(tmp_path, asked, held)).ok


def test_a_lock_that_is_missing_is_named(tmp_path: Path) -> None:
    (finding,) = locks.check(project(tmp_path, "boto3\n", None)).findings
    assert str(finding).startswith("requirements.lock: is missing")


def test_a_project_without_requirements_has_nothing_to_lock(tmp_path: Path) -> None:
    assert locks.check(tmp_path).ok
