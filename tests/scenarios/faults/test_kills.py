"""What a person and another program read of the kills. The kills themselves: tests/scenarios/faults/test_matrix.py."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from cli.errors import UserError
from cli.kills import kills
from scenarios.faults.kills import Kill, announce, write
from scenarios.faults.table import show_kills
from scenarios.tour.display import Display

GOOD = Kill(1, "sagemaker", "CreateModel", "m-1", ("model m-1",), 50, 0, (), 61.24)
BAD = Kill(2, "ssm", "PutParameter", "/p", (), 50, 1, ("1 live requests failed",), 60.0)


def test_each_kill_stands_in_its_row_and_the_sum_below() -> None:
    out = io.StringIO()
    show_kills([GOOD, BAD], Console(file=out, highlight=False))
    heading, good, bad, problem, end = out.getvalue().splitlines()
    assert heading.split() == ["after", "change", "swept", "requests", "failed", "converges"]
    assert good.split() == ["1", "sagemaker", "CreateModel", "m-1", "model", "m-1", "50", "0", "yes"]
    assert bad.split() == ["2", "ssm", "PutParameter", "/p", "-", "50", "1", "NO"]
    assert problem == "after change 2: 1 live requests failed"
    assert end == "1 of 2 kills converge with one more run"


def test_progress_is_a_line_for_each() -> None:
    out = io.StringIO()
    announce(Display(Console(file=out, highlight=False, soft_wrap=True)), GOOD, "1 of 40")
    assert "1 of 40: killed after change 1, sagemaker CreateModel m-1: converges (61 s, 1 swept)" in out.getvalue()


def test_the_report_says_all_of_it(tmp_path: Path) -> None:
    write(tmp_path / "new" / "kills.json", [BAD])
    (row,) = json.loads((tmp_path / "new" / "kills.json").read_text())
    assert row == {
        "number": 2, "service": "ssm", "operation": "PutParameter", "subject": "/p", "swept": [], "requests": 50,
        "failed": 1, "problems": ["1 live requests failed"], "seconds": 60.0, "converged": False,
    }  # fmt: skip


def test_a_change_that_is_none_is_refused_before_anything_is_made() -> None:
    with pytest.raises(UserError, match="changes are counted from 1"):
        kills([0])
