"""Remove endpoints, configurations and models that releases have left behind and nobody serves."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import confirm, new_app
from cli.errors import FAILED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from operate.leftovers import Leftover

app = new_app()


@app.command()
def sweep(
    stack: Annotated[str, typer.Argument(help="The environment, like prod.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; without --yes only what would be done.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """What has the stack's name and tags, but stands in no state, and is named by no version that answers or is shifted
    to: what an update left that failed or was killed at a creation.

    Shows what would be removed first. Removes nothing while an update holds the stack, and no endpoint at which
    SageMaker is still at work. Uses your own credentials for the environment's account, as no role may list endpoints.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.project import environment, read_project
    from operate.sweep import Swept, find, remove

    project = read_project(ROOT)
    environment(project, stack)
    clients = Clients(project)
    planned = find(clients, project, stack)
    swept = Swept(())
    if not as_json:
        print("\n".join(lines(stack, planned)))
    if planned and (yes or not as_json):
        if not yes:
            confirm(f"Remove them from {stack}?")
        swept = remove(clients, project, stack, planned, (lambda _: None) if as_json else _say)
    kept = [{**each.as_dict(), "reason": reason} for each, reason in swept.kept]
    if as_json:
        removed = [each.as_dict() for each in swept.removed]
        found = [each.as_dict() for each in planned]
        print(json.dumps({"stack": stack, "found": found, "removed": removed, "kept": kept}, indent=2))
    else:
        for each, reason in swept.kept:
            print(f"{each.thing.kind} {each.thing.name} stays: {reason}")
    if kept:
        raise typer.Exit(FAILED)


def lines(stack: str, planned: "Sequence[Leftover]") -> list[str]:
    """What would be removed, for a person."""
    if not planned:
        return [f"nothing is left over in {stack}"]
    return [f"{stack}: no state holds these, and nobody serves them", *(f"  {describe(each)}" for each in planned)]


def describe(found: "Leftover") -> str:
    """One thing that is left over."""
    as_json = found.as_dict()
    status = f", {found.status}" if found.status else ""
    begun = "; an update that is under way, or was killed, began to make it" if found.creating else ""
    return f"{found.thing.kind:<15} {found.thing.name}, made {as_json['created']}{status}{begun}"


def _say(line: str) -> None:
    print(line, flush=True)
