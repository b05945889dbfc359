"""Make the bucket and the key for Pulumi's state in the tooling account, once."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import new_app

if TYPE_CHECKING:
    from operate.bootstrap import Place

app = new_app()


@app.command()
def bootstrap(
    bucket: Annotated[
        str, typer.Option(help="Name of the state bucket; default: <name>-state-<account>-<region>.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the next steps for a program.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Make an encrypted, versioned, private bucket and a KMS key, and print what to do next.

    Kept out of the stacks, since no stack can hold the place of its own state. Safe to repeat.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.bootstrap import ensure, place
    from operate.clients import Clients
    from operate.project import read_project

    project = read_project(ROOT)
    where = place(project, bucket)
    ensure(Clients(project), where)
    print(json.dumps(as_data(where), indent=2) if as_json else next_steps(where))


def as_data(where: "Place") -> dict[str, object]:
    """The next steps for a program: shell commands in their order, and the setting of the delivery stack."""
    return {"bucket": where.bucket, "commands": where.commands, "state": dict(where.setting)}


def next_steps(where: "Place") -> str:
    """The lines that a person runs next, and the config that the pipeline's builds need."""
    lines = [
        "state bucket and key are ready; next:",
        *(f"  {command}" for command in where.commands),
        "then tell the pipeline's builds where the state is: in Pulumi.delivery.yaml, instead of the line there,",
        f"  glidepath:state: {{backend: '{where.backend}'}}",
        "and commit that with the lines that pulumi has added to the stack files. The key unlocks the state: no secret",
        "is needed.",
    ]
    return "\n".join(lines)
