"""The matrix as a person reads it."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scenarios.faults.judge import Row

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


def show(rows: Sequence[Row], console: Console | None = None) -> None:
    """Prints the table, and below it all that was not as expected. Colours only on a terminal."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    console.print(table(rows))
    for row in rows:
        for problem in row.problems:
            console.print(Text(f"{row.fault.name}: {problem}", style="red"), soft_wrap=True)
    wrong = sum(not row.ok for row in rows)
    console.print(f"{len(rows)} faults, {wrong} not as expected" if wrong else f"{len(rows)} faults, all as expected")
