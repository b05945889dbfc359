"""What is written to get past the rules gets its verdict."""

from pathlib import Path
from typing import Any

import pytest

from tests.policies.adversary import Case, committed, main, score
from tests.policies.corpus.settings import rows
from tests.policies.harness import judge, made

CASES = committed()


@pytest.mark.parametrize("case", CASES, ids=[f"{number} {case.name}" for number, case in enumerate(CASES)])
def test_verdict(case: Case) -> None:
    assert case.verdict() == case.expected


def test_every_kind_has_two_relatives() -> None:
    kinds = [(case.family, case.name) for case in CASES]
    assert [kind for kind in kinds if kinds.count(kind) < 2] == []


def test_score_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.json"
    file.write_text(
        '[{"id": "a", "family": "f", "resource type": "aws:iam/accessKey:AccessKey", "props": {}, "expect": "fine"}]'
    )
    assert main([str(file)]) == 1
    assert "f: a: advice, fine expected (high)" in capsys.readouterr().out
    assert score([]) == {"total": [0, 0, 0, 0]}


@pytest.mark.parametrize(
    ("rule", "what", "kind", "right", "wrong"), [pytest.param(*row, id=f"{row[2]} {row[1]}") for row in rows()]
)
def test_every_row_of_the_table(rule: str, what: str, kind: str, right: dict[str, Any], wrong: dict[str, Any]) -> None:
    def found(given: dict[str, Any]) -> list[str]:
        told = [*judge(made(kind, given))[0], *judge(made(kind, given))[1]]
        return [text for text in told if text.startswith(f"[{rule}]") and what in text]

    assert found(right) == []
    assert len(found(wrong)) == 1
