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
    """The lines that a person runs next, and the config that the pipeline's builds need.

    The addresses name no profile: a build has none of that name, and opens state and key by its own role.
    """
    region = project.names.region
    backend = f"s3://{bucket}?region={region}&awssdk=v2"
    secrets = f"awskms:///alias/{project.names.name}-state?region={region}"
    inits = [f"pulumi stack init {stack} --secrets-provider '{secrets}'" for stack in project.names.stacks]
    state = f"glidepath:state: {{backend: '{backend}'}}"
    lines = [
        "state bucket and key are ready; next:",
        f"  export AWS_PROFILE={project.names.stack(DELIVERY)}",
        f"  pulumi login '{backend}'",
        *(f"  {line}" for line in inits),
        "then tell the pipeline's builds where the state is: in Pulumi.delivery.yaml, instead of the line there,",
        f"  {state}",
        "and commit that with the lines that pulumi has added to the stack files. The key unlocks the state: no secret",
        "is needed.",
    ]
    return "\n".join(lines)
