"""How `make bench PARTS=tests` reads a report, and shares this checkout's environment with another commit's."""

import os
from pathlib import Path

import pytest

from bench import tests as measured

REPORT = """<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="0" tests="3" time="20.5">
<testcase classname="tests.a.test_one" name="test_x[1.5-a.b]" time="4.0"/>
<testcase classname="tests.a.test_one" name="test_y" time="6.0"><failure/></testcase>
<testcase classname="tests.a.test_two" name="test_z" time="10.0"><error/></testcase>
</testsuite></testsuites>"""


def test_a_report_is_read_by_test_and_by_file(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    done = measured.read(report, 30.0)
    assert (done.wall, done.processor, done.failed, len(done.tests)) == (20.5, 30.0, 2, 3)
    assert {measured._file(name) for name in done.tests} == {"tests.a.test_one", "tests.a.test_two"}
    shares = {result.name: result.value for result in measured._shares(done)}
    assert shares["tests.a.test_one"] == pytest.approx(0.5)
    assert shares["tests.a.test_one.test_x[1.5-a.b]"] == pytest.approx(0.2)


def test_the_ratio_is_of_medians() -> None:
    assert measured.ratio([1.0, 9.0, 2.0], [4.0, 4.0, 100.0]) == 0.5


def test_an_environment_is_shared_only_by_what_needs_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, same, other = tmp_path / "here", tmp_path / "same", tmp_path / "other"
    for folder in (here, same, other):
        folder.mkdir()
        for name in measured.REQUIREMENTS:
            (folder / name).write_text("pytest\n")
    os.utime(here / "constraints.txt", (1, 1))
    (other / "requirements-dev.txt").write_text("pytest-xdist\n")
    monkeypatch.setattr(measured, "ROOT", here)
    for folder in (same, other):
        measured._share_environment(folder)
    assert (same / ".venv").is_symlink()
    assert (same / "constraints.txt").stat().st_mtime == 1
    assert not (other / ".venv").exists()
