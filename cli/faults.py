"""Break the pipeline on purpose, in every way of the fault matrix, and check the outcome."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import FAILED

app = new_app()


@app.command()
def faults(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these faults.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Name every fault, and run none.")] = False,
    data: Annotated[Path | None, typer.Option(help="Another CSV file, with the dataset's columns.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the cloud up; the next run of the matrix begins in it.")
    ] = False,
) -> None:
    """Bring up a cloud of its own with a release in production, inject one fault after the other under live traffic,
    and compare stage, error, serving release and failed requests with what must come of it.

    Writes .rehearsal/faults.json. Ends with 1 where anything was not as expected. docs/faults.md explains each fault.
    """
    from scenarios.faults.catalogue import choose

    chosen = choose(names or [])
    if show_list:
        width = max(len(fault.name) for fault in chosen)
        print("\n".join(f"{fault.name:<{width}}  {fault.title}" for fault in chosen))
        return
    from rehearsal.environment import Rehearsal
    from scenarios.faults import matrix, table, world
    from scenarios.tour.display import Display

    here, display = Rehearsal.here(), Display()
    rows = matrix.run(here, chosen, display, keep, data)
    table.show(rows)
    display.say(f"report: {here.folder / matrix.REPORT}")
    if keep:
        place = world.place(here)
        display.say(f"the cloud stays up: GLIDEPATH_FOLDER={place.folder} GLIDEPATH_PORT={place.port} ./glidepath down")
    if not all(row.ok for row in rows):
        raise typer.Exit(FAILED)
