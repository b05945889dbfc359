"""Deploy a release to an environment (used by the deploy stages of the pipeline)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import USAGE, UserError
from cli.place import s3

app = new_app()


@app.command()
def deploy(
    stack: Annotated[str, typer.Option(help="Environment, like dev or prod.")],
    release: Annotated[str, typer.Option(help="s3:// address of the release manifest.")],
    manifest_sha256: Annotated[str, typer.Option(help="SHA-256 that the manifest must have: what was approved.")] = "",
    plan: Annotated[str, typer.Option(help="s3:// address of the plan that was approved.")] = "",
    plan_sha256: Annotated[str, typer.Option(help="SHA-256 that this plan must have.")] = "",
    variables: Annotated[Path | None, typer.Option(help="File that is written for the shell with the outcome.")] = None,
) -> None:
    """Preview with the policy pack, refuse what only an administrator may change, then bring the release up.

    Where a plan was approved, only that plan runs: another one is refused with what differs.
    """
    from operate import ROOT
    from operate.deploy import deploy_release, outcome
    from operate.evidence import write_variables
    from operate.plans import load
    from operate.power import looking

    if bool(plan) != bool(plan_sha256):
        raise UserError("--plan and --plan-sha256 go together", "give both, or neither", USAGE)
    approved = load(s3(), plan, plan_sha256) if plan else None
    with looking(ROOT, stack) as ahead:
        deploy_release(stack, release, manifest_sha256, approved=approved, foreseen=ahead.result)
    found = outcome(stack)
    for name, value in found.items():
        print(f"{name}={value}")
    if variables:
        write_variables(variables, found)
