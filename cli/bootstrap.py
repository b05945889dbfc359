"""Make the bucket and the key for Pulumi's state in the tooling account, once."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import new_app
from contracts.names import DELIVERY

if TYPE_CHECKING:
    from operate.project import Project

app = new_app()


@app.command()
def bootstrap(
    bucket: Annotated[
        str, typer.Option(help="Name of the state bucket; default: <name>-state-<account>-<region>.")
    ] = "",
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Make an encrypted, versioned, private bucket and a KMS key, and print what to do next.

    Kept out of the stacks, since no stack can hold the place of its own state. Safe to repeat.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.bootstrap import ensure_bucket, ensure_key
    from operate.clients import Clients
    from operate.project import read_project

    project = read_project(ROOT)
    clients = Clients(project)
    bucket = bucket or f"{project.names.name}-state-{project.names.delivery_account}-{project.names.region}"
    key = ensure_key(clients, f"alias/{project.names.name}-state")
    ensure_bucket(clients, project, bucket, key)
    print(next_steps(project, bucket))


def next_steps(project: "Project", bucket: str) -> str:
    """The lines that a person runs next."""
    profile = project.names.stack(DELIVERY)
    secrets = f"awskms:///alias/{project.names.name}-state?region={project.names.region}&profile={profile}"
    inits = [f"pulumi stack init {stack} --secrets-provider '{secrets}'" for stack in project.names.stacks]
    login = f"pulumi login 's3://{bucket}?region={project.names.region}&profile={profile}&awssdk=v2'"
    return "\n".join(["state bucket and key are ready; next:", f"  {login}", *(f"  {line}" for line in inits)])
