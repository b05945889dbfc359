"""Kill the engine after each change of a release's update, and check that one more run converges."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import FAILED, USAGE, UserError

app = new_app()


@app.command()
def kills(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[NUMBER]...", help="Only after these changes; the first is 1.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    data: Annotated[Path | None, typer.Option(help="Another CSV file, with the dataset's columns.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the cloud up; the next run begins in it.")] = False,
) -> None:
    """In the world of the fault matrix: SIGKILL for the command, its engine and its providers, after one change of a
    release's update after the other, under live traffic; and the same command again, which must converge.

    Writes .rehearsal/kills.json. Ends with 1 where one did not converge, or a live request failed. docs/faults.md.
    """
    if any(number < 1 for number in numbers or []):
        raise UserError("changes are counted from 1", "./glidepath kills without a number kills after each", USAGE)
    from rich.console import Console

    from rehearsal.environment import Rehearsal
    from scenarios.faults import kills as scenario
    from scenarios.faults import matrix, table, world
    from scenarios.tour.display import Display

    here = Rehearsal.here()
    display = Display(Console(stderr=as_json, highlight=False, soft_wrap=True))
    found: list[scenario.Kill] = []
    with matrix.opened(here, display, keep, data) as opened:
        chosen = list(numbers or range(1, len(scenario.changes(opened)) + 1))
        for kill in scenario.play(opened, chosen):
            found.append(kill)
            scenario.write(here.folder / scenario.REPORT, found)
            scenario.announce(display, kill, f"{len(found)} of {len(chosen)}")
    if as_json:
        print(json.dumps([kill.as_dict() for kill in found], indent=2))
    else:
        table.show_kills(found)
        display.say(f"report: {here.folder / scenario.REPORT}")
        if keep:
            place = world.place(here)
            ending = f"GLIDEPATH_FOLDER={place.folder} GLIDEPATH_PORT={place.port} ./glidepath down"
            display.say(f"the cloud stays up: {ending}")
    if not all(kill.converged for kill in found):
        raise typer.Exit(FAILED)
