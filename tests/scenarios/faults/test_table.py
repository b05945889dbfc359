"""What a person reads of the matrix."""

import io

from rich.console import Console

from scenarios.faults.fault import Expected, Fault
from scenarios.faults.judge import Row
from scenarios.faults.outcome import Outcome
from scenarios.faults.table import show

OUTCOME = Outcome("DeployProd", "alarm [model-errors] went off", "20261121-00000000", 321, 4)
FAULT = Fault("model-nan", "NaN", lambda _: OUTCOME, Expected("DeployProd", ""))


def shown(*rows: Row, terminal: bool = False) -> str:
    out = io.StringIO()
    show(rows, Console(file=out, force_terminal=terminal, highlight=False))
    return out.getvalue()


def test_every_figure_stands_in_its_row_without_colour() -> None:
    text = shown(Row(FAULT, OUTCOME, 16.7, ()))
    heading, row, end = (line.split() for line in text.splitlines())
    assert " ".join(heading) == "fault stopped by error serving requests failed at most as expected"
    assert " ".join(row) == "model-nan DeployProd alarm [model-errors] went off 20261121-00000000 321 4 16.7 yes"
    assert " ".join(end) == "1 faults, all as expected"
    assert "\x1b" not in text


def test_what_is_not_as_expected_is_reported_below() -> None:
    lines = shown(Row(FAULT, OUTCOME, None, ("4 live requests failed, at most 0.0 may",))).splitlines()
    assert lines[1].split()[-4:] == ["321", "4", "0", "NO"]
    assert lines[2:] == ["model-nan: 4 live requests failed, at most 0.0 may", "1 faults, 1 not as expected"]


def test_a_terminal_has_colours() -> None:
    assert "\x1b[" in shown(Row(FAULT, OUTCOME, None, ()), terminal=True)
