"""Play the whole road on this machine: two releases from data to production, and a bad one that is rolled back."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app

app = new_app()


@app.command()
def rehearse(
    data: Annotated[Path | None, typer.Option(help="Another CSV file, with the dataset's columns.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the cloud up afterwards; ./glidepath down ends it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Give every approval without asking.")] = False,
) -> None:
    """Bring up every stack, take a first release to production, then a second one under live traffic,
    then a bad one that its alarm rolls back.

    Writes .rehearsal/report.json and .rehearsal/report.html. On a terminal you are asked to approve each release.
    """
    from rehearsal.environment import Rehearsal
    from scenarios.tour.conduct import Options, conduct

    conduct(Rehearsal.here(), Options(data=data, keep=keep, assume_yes=yes))
