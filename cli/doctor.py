"""Look for what would stop a first release: versions, accounts, state, quotas, and what waits for people."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import new_app
from cli.errors import FAILED

if TYPE_CHECKING:
    from operate.doctor import Finding

app = new_app()
_COLOURS = {"fine": "green", "note": "yellow", "not checked": "yellow", "problem": "red"}


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    problems: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out what is fine.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Look at your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Check everything that can be known before anything is touched; nothing is changed, asked for or paid.

    Versions of Python, the engine and the provider; the config; each stack's profile and account; where the state is
    and what opens it; quotas at twice a release's size (docs/quotas.md); instance types and images; Model Monitor; the
    connection to the repository; mail addresses that have not confirmed; API Gateway's role for logs.

    Each finding says what, why, and the command or the console's path that puts it right. Ends with 0 where nothing is
    wrong, with 1 where there is a problem; a note, and what could not be read, fails nothing. Safe to repeat.
    """
    import os
    from pathlib import Path

    from cli.place import ROOT, enter

    enter(aws)
    from operate import stack_files
    from operate.clients import Clients
    from operate.doctor import PROBLEM, examine
    from operate.project import read_project

    project = read_project(ROOT)
    folder = os.environ.get(stack_files.VARIABLE)
    command = f"./glidepath bootstrap{' --aws' if aws else ''}"
    found = []
    for finding in examine(ROOT, Clients(project), project.names, command, Path(folder) if folder else None):
        found.append(finding)
        if not as_json and not (problems and finding.status == "fine"):
            print("\n".join(lines(finding, colour=sys.stdout.isatty())), flush=True)
    if as_json:
        print(json.dumps([finding.as_dict() for finding in found], indent=2))
    else:
        print(summary(found))
    if any(finding.status == PROBLEM for finding in found):
        raise typer.Exit(FAILED)


def lines(finding: "Finding", colour: bool = False) -> list[str]:
    """A finding in words; what is fine is one line."""
    status = f"{finding.status:<11}"
    if colour:
        status = typer.style(status, fg=_COLOURS[finding.status])
    told = [f"{status} {finding.check:<14} {finding.where}: {finding.what}"]
    if finding.why:
        told.append(f"{'':<12}why: {finding.why}")
    if finding.fix:
        told.append(f"{'':<12}fix: {finding.fix}")
    return told


def summary(found: "list[Finding]") -> str:
    """How many of each kind."""
    counts = {status: sum(finding.status == status for finding in found) for status in _COLOURS}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)
