import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import operate.doctor
from cli import doctor, place
from cli.main import main
from operate.doctor import Finding

FINE = Finding("state", "delivery", "fine", "state in bucket b")
NOTE = Finding("mail", "dev", "note", "nobody is told", "no address", "name some")
PROBLEM = Finding("quotas", "prod", "problem", "too few", "twice", "aws service-quotas …")


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    found: list[Finding] = []

    def examine(root: Path, *_: Any) -> Iterator[Finding]:
        yield from found

    monkeypatch.setattr(operate.doctor, "examine", examine)
    monkeypatch.setattr(place, "enter", lambda aws: None)
    return found


def test_a_note_fails_nothing_and_a_problem_does(examined: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    examined += [FINE, NOTE]
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 fine, 1 note"
    examined.append(PROBLEM)
    assert main(["doctor", "--aws"]) == 1
    text = capsys.readouterr().out
    assert "fix: aws service-quotas …" in text
    assert "\033" not in text


def test_json_is_for_programs_and_quiet_leaves_out_what_is_fine(
    examined: list[Finding], capsys: pytest.CaptureFixture[str]
) -> None:
    examined += [FINE, PROBLEM]
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[1] == PROBLEM.as_dict()
    assert main(["doctor", "--quiet"]) == 1
    assert "state in bucket b" not in capsys.readouterr().out


def test_a_wrong_command_line_touches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--nonsense"]) == 2
    assert "--nonsense" in capsys.readouterr().err


def test_colour_is_for_terminals() -> None:
    assert doctor.lines(FINE, colour=True)[0].startswith("\033[")
    assert doctor.lines(FINE)[0].startswith("fine ")
