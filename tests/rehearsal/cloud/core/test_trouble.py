"""What goes wrong on a thread of its own is told, and ends nothing else."""

import io

import pytest

from rehearsal.cloud.core.trouble import tell


def test_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell("the rule matches nothing")
    assert capsys.readouterr().err == "the rule matches nothing\n"


def test_nobody_who_listens_ends_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr("sys.stderr", gone)
    with pytest.raises(ValueError, match="closed file"):
        print("anything", file=gone)
    tell("anything")
