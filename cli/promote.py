"""Make the winner of an A/B test (or a shadow) the release."""

import hashlib
import json
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import UserError

app = new_app()


@app.command()
def promote(
    stack: Annotated[str, typer.Argument(help="Environment, like dev or prod.")],
    variant: Annotated[str, typer.Argument(help="Name of the variant, as the stack's config names it.")],
    hours: Annotated[float, typer.Option(help="How far back the figures go.", min=0.1, max=336)] = 24,
    show: Annotated[bool, typer.Option("--show", help="Only show how the variants do.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Show how each variant does, then deploy the variant's manifest as the release, by the same shift.

    Its endpoint no longer has the variant beside the release; in the end it prints which lines of the stack's
    config to take out.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.comparison import compare
    from operate.deploy import deploy_release
    from operate.power import look, warn
    from operate.project import environment, read_project
    from operate.variants import configured, take_out

    project = read_project(ROOT)
    environment(project, stack)
    path = ROOT / f"Pulumi.{stack}.yaml"
    known = configured(path)
    if variant not in known:
        names = ", ".join(known) or "none"
        raise UserError(f"{path.name} names no variant {variant!r}", f"those that it names: {names}")
    found = compare(Clients(project), project, stack, known, hours, variant)
    print(f"{stack}, endpoint {found.endpoint}, last {hours:g} hours:\n{found.table}", flush=True)
    manifests = found.manifests
    if show:
        return
    print(f"promoting {variant}: release {json.loads(manifests[variant])['id']}", flush=True)
    sha256 = hashlib.sha256(manifests[variant].encode()).hexdigest()
    warn(look(ROOT, stack))
    deploy_release(stack, known[variant].manifest, sha256, without=variant)
    print(f"{variant} is the release of {stack} now. {take_out(path, known[variant])}")
    print("Until then the config names the release as its own challenger, and every update is refused.")
