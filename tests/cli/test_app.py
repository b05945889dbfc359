"""What all commands have in common."""

import pytest
import typer

from cli.app import confirm
from contracts.errors import UserError


def test_nothing_is_done_without_a_terminal_or_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(UserError, match="nothing was changed: there is no terminal to ask on"):
        confirm("Do it?")


@pytest.mark.parametrize("answer", [True, False])
def test_a_no_changes_nothing(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    def reply(question: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(typer, "confirm", reply)
    if answer:
        confirm("Do it?")
    else:
        with pytest.raises(UserError, match=r"^nothing was changed$"):
            confirm("Do it?")
    assert asked == ["Do it?"]
