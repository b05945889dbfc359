"""Ask a deployed model for predictions, over its own URL."""

import sys
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import UserError

app = new_app()
TYPES = {"json": "application/json", "csv": "text/csv"}


@app.command()
def invoke(
    body: Annotated[
        str, typer.Argument(help="JSON like '{\"instances\": [{…}]}' or CSV rows; - reads standard input.")
    ] = "-",
    stack: Annotated[str, typer.Option(help="The environment to ask; default: production.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="The body is CSV: one row a line, features in order.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Send one signed request to POST /predict and print the answer.

    Ends with 0 where predictions came back, else with 1.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.caller import Caller
    from operate.clients import Clients
    from operate.engine import outputs
    from operate.project import environment, read_project

    project = read_project(ROOT)
    stack = environment(project, stack or project.production)
    url = outputs(stack, ROOT, secrets=True).get("apiUrl")
    if not url:
        raise UserError(f"{stack} serves no release yet", "take one there through the pipeline first")
    text = sys.stdin.read() if body == "-" else body
    answer = Caller(url, project.names.region, Clients(project).credentials(stack)).post(
        text.encode(), TYPES["csv" if csv else "json"]
    )
    print(answer.data.decode(errors="replace"))
    if answer.status != 200:
        raise UserError(f"{stack} answered {answer.status}")
