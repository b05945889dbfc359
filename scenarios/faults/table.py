"""The matrix, and the kills, as a person reads them."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scenarios.faults.judge import Row
from scenarios.faults.kills import Kill

# Without a terminal there is no width to keep to: a log is read with what the reader has.
WIDTH = 200


def table(rows: Sequence[Row]) -> Table:
    """Fault, stage, error, release, requests, failed (with the bound), and whether it was as expected."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("fault", "stopped by", "error", "serving"):
        made.add_column(heading, overflow="fold", no_wrap=heading != "error")
    for heading in ("requests", "failed", "at most"):
        made.add_column(heading, justify="right", no_wrap=True)
    made.add_column("as expected", no_wrap=True)
    for row in rows:
        outcome = row.outcome
        most = "0" if row.bound is None else f"{row.bound:.1f}"
        verdict = Text("yes", style="green") if row.ok else Text("NO", style="bold red")
        cells = (row.fault.name, outcome.stage, Text(outcome.error or "-"), outcome.serving)
        made.add_row(*cells, str(outcome.requests), str(outcome.failed), most, verdict)
    return made


def show_kills(kills: Sequence[Kill], console: Console | None = None) -> None:
    """Each kill, what had to be swept, and whether one more run converged; below it all that is wrong."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading, right in (("after", True), ("change", False), ("swept", False), ("requests", True), ("failed", True)):
        made.add_column(heading, justify="right" if right else "left", overflow="fold")
    made.add_column("converges", no_wrap=True)
    for kill in kills:
        verdict = Text("yes", style="green") if kill.converged else Text("NO", style="bold red")
        cells = (str(kill.number), kill.call, ", ".join(kill.swept) or "-", str(kill.requests), str(kill.failed))
        made.add_row(*cells, verdict)
    console = _wide(console)
    console.print(made)
    for kill in kills:
        for problem in kill.problems:
            console.print(Text(f"after change {kill.number}: {problem}", style="red"), soft_wrap=True)
    console.print(f"{sum(kill.converged for kill in kills)} of {len(kills)} kills converge with one more run")


def _wide(console: Console | None) -> Console:
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    return console


def show(rows: Sequence[Row], console: Console | None = None) -> None:
    """Prints the table, and below it all that was not as expected. Colours only on a terminal."""
    console = _wide(console)
    console.print(table(rows))
    for row in rows:
        for problem in row.problems:
            console.print(Text(f"{row.fault.name}: {problem}", style="red"), soft_wrap=True)
    wrong = sum(not row.ok for row in rows)
    console.print(f"{len(rows)} faults, {wrong} not as expected" if wrong else f"{len(rows)} faults, all as expected")
