"""Show for each role what it is granted, what it used in the rehearsal, and what it was denied."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import new_app

if TYPE_CHECKING:
    from rehearsal.environment import Rehearsal

app = new_app()


@app.command()
def roles(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    role: Annotated[str, typer.Option("--role", metavar="<text>", help="Only roles whose name holds this text.")] = "",
) -> None:
    """From the rehearsal that is up, else from the last report, with the last run of the fault matrix. Ends with 1
    where a call was denied or a grant is neither used nor explained in scenarios/unused_grants.yaml.
    """
    from cli.place import ROOT
    from operate.project import read_project
    from rehearsal.environment import Rehearsal
    from scenarios.faults.catalogue import denied_on_purpose
    from scenarios.tour.roles import faults, matrix_ledger, merged, without_purpose

    here = Rehearsal.here()
    denied = denied_on_purpose(read_project(ROOT).production)
    found = [
        entry
        for entry in merged(_entries(here), without_purpose(matrix_ledger(here.folder), denied))
        if role in str(entry["role"]).rpartition("/")[2]
    ]
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(line for entry in found for line in lines(entry)))
    if faults(found):
        raise typer.Exit(1)


def _entries(rehearsal: "Rehearsal") -> list[dict[str, Any]]:
    from rehearsal.cloud.process import lifecycle

    return _live(rehearsal) if lifecycle.running(rehearsal) else _reported(rehearsal)


def _live(rehearsal: "Rehearsal") -> list[dict[str, Any]]:
    from cli.place import ROOT, enter
    from operate.clients import Clients
    from operate.project import read_project
    from scenarios.tour.facts import role_proof

    enter(aws=False)
    project = read_project(ROOT)
    return role_proof(rehearsal, project, Clients(project))


def _reported(rehearsal: "Rehearsal") -> list[dict[str, Any]]:
    from cli.errors import UserError

    try:
        found: list[dict[str, Any]] | None = json.loads(rehearsal.report_json.read_text())["roles"]
    except FileNotFoundError:
        raise UserError("no rehearsal is up and none has left a report", "Play one with make rehearse.") from None
    if found is None:
        raise UserError("the last rehearsal failed, and its roles could not be read", "Play one with make rehearse.")
    return found


def lines(entry: dict[str, Any]) -> list[str]:
    """The lines about one role: its counts, then what is denied, unused and explained."""
    name = str(entry["role"]).rpartition("/")[2]
    head = f"{name:<36} granted {entry['granted']:>3}  used {entry['used']:>3}  unused {len(entry['unused']):>3}"
    found = [f"{head}  explained {len(entry['explained']):>3}  denied {len(entry['denied']):>3}"]
    found += [f"    denied     {text}" for text in entry["refusals"] or entry["denied"]]
    found += [f"    unused     {text}" for text in entry["unused"]]
    return found + [f"    explained  {text}: {reason}" for text, reason in entry["explained"].items()]
