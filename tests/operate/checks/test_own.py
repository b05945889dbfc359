"""The project's own tests are run where there are some."""

from pathlib import Path

from operate.checks import lines, own


def test_without_tests_there_is_nothing_to_run(tmp_path: Path) -> None:
    result = own.check(tmp_path)
    assert result.ok
    assert lines(result) == ["tests     ok  none in tests/project"]


def test_a_failing_test_fails_the_check_and_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / own.FOLDER
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text("def test_good():\n    pass\n\n\ndef test_bad():\n    assert 1 == 2\n")
    result = own.check(tmp_path)
    assert not result.ok
    assert "1 failed, 1 passed" in str(result.findings[0])
    assert "test_bad" in str(result.findings[0])
    (folder / "test_it.py").write_text("def test_good():\n    pass\n")
    assert own.check(tmp_path).summary.startswith("tests/project: 1 passed")
