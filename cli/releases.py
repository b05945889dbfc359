"""List an environment's releases: metric, state, data, commit, and who approved."""

import json
from typing import Annotated, Any

import typer

from cli.app import new_app

app = new_app()


@app.command()
def releases(
    stack: Annotated[str, typer.Argument(help="The environment, like prod.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Every release that this environment has served, tried, or could serve; the newest first.

    A release is serving, shifting n %, former (it has served), rolled back (with the cause), or never served.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.listing import known
    from operate.project import environment, read_project

    project = read_project(ROOT)
    environment(project, stack)
    found = known(Clients(project), project, stack)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print("\n".join(line for entry in found for line in lines(entry)) or f"{stack} knows no release yet")


def lines(entry: dict[str, Any]) -> list[str]:
    """A release in words."""
    from operate.listing import metric_text
    from operate.releases import State

    state = State(entry["state"], entry["share"], entry["cause"])
    if entry["created"] is None:
        return [f"{entry['release']}  {state}", f"    its manifest {entry['manifest']} is gone"]
    metric, data, approved = entry["metric"], entry["data"], entry["approved"]
    verdict = entry["champion"]["verdict"] if entry["champion"] else "no champion yet"
    found = [
        f"{entry['release']}  {state}",
        f"    made {entry['created']} for {entry['reason']}, commit {entry['commit'][:40]}",
        f"    {metric_text(metric)}; {verdict}",
        f"    data {data['uri']} version {data['version']}, {data['rows']} rows",
    ]
    if approved:
        words = f": {approved['words']}" if approved["words"] else ""
        found.append(f"    approved {approved['at']} by {approved['by'].rpartition(':')[2] or 'unknown'}{words}")
    if entry["served"]:
        found.append(f"    served from {', '.join(entry['served'])}")
    return found
