"""Check config, features.sql, policies and your own tests, as the pipeline's Build does. Needs no cloud."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import FAILED

app = new_app()


@app.command()
def check(
    data: Annotated[Path | None, typer.Option(help="CSV file that features.sql is tried on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
) -> None:
    """Read the config of every stack, run features.sql on rows (of --data, else of tests/project/sample.csv, else made
    from the dataset's declaration), judge every stack's resources by the policy pack, compare requirements with their
    locks, and run the tests in tests/project. Ends with 1 where anything is wrong.
    """
    from cli.place import ROOT
    from operate import checks

    results = checks.run(ROOT, data)
    if as_json:
        print(json.dumps([result.as_dict() for result in results], indent=2))
    else:
        print("\n".join(line for result in results for line in checks.lines(result)))
    if not all(result.ok for result in results):
        raise typer.Exit(FAILED)
