"""No test gives the whole process another time: the threads of its gateway would live by it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


def patches(source: str) -> Iterator[int]:
    """Lines that set an attribute of the module `time`, by its name or by a text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("setattr", "patch", "object"):
            target = ast.unparse(node.args[0]).strip("\"'") if node.args else ""
            if target == "time" or target.startswith("time."):
                yield node.lineno


@pytest.mark.parametrize(
    "line",
    ['monkeypatch.setattr("time.time", f)', "monkeypatch.setattr(time, 'sleep', f)", "mock.patch('time.sleep')"],
)
def test_it_is_noticed(line: str) -> None:
    assert [*patches(line)] == [1]
    assert [*patches("monkeypatch.setattr(rollback, 'time', f); monkeypatch.setattr(timeouts, 'a', 1)")] == []


def test_no_test_does() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}
    assert len(sources) > 250
    assert [f"{path.relative_to(TESTS)}:{line}" for path, text in sources.items() for line in patches(text)] == []
