"""Make the winner of an A/B test (or a shadow) the release."""

import hashlib
import json
from dataclasses import replace
from typing import Annotated

import typer

from cli.app import confirm, new_app
from cli.errors import UserError

app = new_app()


@app.command()
def promote(
    stack: Annotated[str, typer.Argument(help="Environment, like dev or prod.")],
    variant: Annotated[str, typer.Argument(help="Name of the variant, as the stack's config names it.")],
    hours: Annotated[float, typer.Option(help="How far back the figures go.", min=0.1, max=336)] = 24,
    show: Annotated[bool, typer.Option("--show", help="Only show how the variants do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Only show, as JSON for other programs.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Without asking, where no difference can be told yet.")
    ] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also one that is worse, or that no shift can see.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Show how each variant does, then deploy the variant's manifest as the release, by the same shift.

    It is compared with the release's own variant since both serve. One that is worse is refused without --anyway; where
    the requests so far rule no loss of the tolerance out, you are asked (docs/variants.md).

    Its endpoint no longer has the variant beside the release; in the end it prints which lines of the stack's
    config to take out.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.comparison import compare, document, lines
    from operate.deploy import deploy_release
    from operate.power import look
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
    if as_json:
        print(json.dumps(document(found), indent=2))
        return
    print(f"{stack}, endpoint {found.endpoint}, last {hours:g} hours:\n{found.table}\n", flush=True)
    print("\n".join(lines(found)), flush=True)
    if show:
        return
    _let(found.answer, variant, yes, anyway)
    manifests = found.manifests
    print(f"promoting {variant}: release {json.loads(manifests[variant])['id']}", flush=True)
    sha256 = hashlib.sha256(manifests[variant].encode()).hexdigest()
    foreseen = look(ROOT, stack)
    if anyway and foreseen:
        foreseen = replace(foreseen, fix="")
    deploy_release(stack, known[variant].manifest, sha256, without=variant, foreseen=lambda: foreseen)
    print(f"{variant} is the release of {stack} now. {take_out(path, known[variant])}")
    print("Until then the config names the release as its own challenger, and every update is refused.")


def _let(answer: str, variant: str, yes: bool, anyway: bool) -> None:
    """Ask where no difference can be told yet. Raises UserError for a variant that is worse, and where it is a no."""
    if anyway:
        return
    if answer == "worse":
        raise UserError(f"{variant} is worse than the release, so nothing was changed", "--anyway makes it the release")
    if answer == "not yet" and not yes:
        confirm(f"Make {variant} the release, though a loss is not ruled out?")
