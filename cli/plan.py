"""Write down what a release would do to an environment, for approval (used by the pipeline)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.place import s3

app = new_app()


@app.command()
def plan(
    stack: Annotated[str, typer.Option(help="Environment, like prod.")],
    release: Annotated[str, typer.Option(help="s3:// address of the release manifest.")],
    store: Annotated[str, typer.Option(help="s3:// address that the plan is written to.")],
    manifest_sha256: Annotated[str, typer.Option(help="SHA-256 that the manifest must have, if it was tested.")] = "",
    variables: Annotated[Path | None, typer.Option(help="File that is written for the shell with the outcome.")] = None,
) -> None:
    """Preview a release with the policy pack, store the plan, and say what an approver needs to know.

    Refuses a model that was made by other code than the source's. Changes nothing but the stored plan.
    Prints MANIFEST_SHA256 and PLAN_SHA256, which `deploy` takes, and EVIDENCE.
    """
    from contracts.s3 import S3Location
    from operate import HERE, ROOT, evidence, plans, source_files
    from operate.deploy import refuse_foundation
    from operate.power import looking, refuse, warn
    from operate.previews import Asked, steps
    from preview import digest, report, summary

    source_files.refuse_more(ROOT, stack)
    client = s3()
    found, sha256 = evidence.read_manifest(client, release, manifest_sha256)
    evidence.refuse_other_code(client, S3Location(plans.split(release).bucket, f"code/{found.commit}"))
    with looking(ROOT, stack) as ahead:
        planned = steps(Asked(ROOT, stack, release, pack=HERE / "policies", sealed=True))
        foreseen = ahead.result()
    shown = report(planned, shift=foreseen.text if foreseen else "")
    warn(foreseen)
    evidence.refuse_violations(shown)
    refuse_foundation(stack, planned["steps"])
    refuse(foreseen, planned)
    outcome = {
        "MANIFEST_SHA256": sha256,
        "PLAN_SHA256": plans.store(client, store, digest.normalise(planned)),
        "EVIDENCE": evidence.evidence(found, stack, summary(shown)),
    }
    for name, value in outcome.items():
        print(f"{name}={value}")
    if variables:
        evidence.write_variables(variables, outcome)
