"""Take the buckets and the key that a destroyed stack has kept into its state again."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import confirm, new_app

if TYPE_CHECKING:
    from operate.adopt import Plan

app = new_app()


@app.command()
def adopt(
    stack: Annotated[str, typer.Argument(help="The stack that comes up again, like prod.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; without --yes only what would be done.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """`pulumi destroy` keeps the buckets, with what they hold, and the key that encrypts it; the next `pulumi up` would
    make them anew, and be refused (BucketAlreadyOwnedByYou). This takes them into the stack's state instead.

    Shows what it found first, and changes nothing at AWS. Run it before `pulumi up`, or after one that was refused.
    Uses your own credentials for the stack's account.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.adopt import adopt as take
    from operate.adopt import find
    from operate.clients import Clients
    from operate.project import known_stack, read_project

    project = read_project(ROOT)
    known_stack(project, stack)
    clients = Clients(project)
    plan = find(lambda service: clients.of(stack, service), stack, ROOT)
    if not as_json:
        print("\n".join(lines(stack, plan)))
    adopted = bool(plan.kept) and (yes or not as_json)
    if adopted:
        if not yes:
            confirm(f"Take them into the state of {stack}?")
        take(plan, stack, ROOT)
    if as_json:
        print(json.dumps(as_dict(stack, plan, adopted), indent=2))
    elif adopted:
        print("\n".join(afterwards(stack, plan, project.names.stack(stack))))


def lines(stack: str, plan: "Plan") -> list[str]:
    """What was found, for a person."""
    if not plan.kept:
        return [f"{stack} has kept nothing that its next update would create"]
    return [
        f"{stack}: these are there, and its next update would create them",
        *(f"  {each.kind.rpartition(':')[2]:<40} {each.id}" for each in plan.kept),
    ]


def afterwards(stack: str, plan: "Plan", profile: str) -> list[str]:
    """What is to be done next, for a person."""
    said = [f"they are in the state of {stack} now; go on with: pulumi up -s {stack}"]
    for key in plan.keys:
        said += [
            f"key {key.made}, which the refused update made, is used by nothing once that is done; to delete it:",
            f"  aws kms schedule-key-deletion --key-id {key.made} --pending-window-in-days 7 --profile {profile}",
        ]
    return said


def as_dict(stack: str, plan: "Plan", adopted: bool) -> dict[str, object]:
    """What was found, for a machine."""
    return {
        "stack": stack,
        "adopted": adopted,
        "kept": [each.as_dict() for each in plan.kept],
        "replacedKeys": [{"made": key.made, "kept": key.kept} for key in plan.keys],
    }
