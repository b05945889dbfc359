"""Write down what a release would do to an environment, for approval (used by the pipeline)."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.app import new_app
from cli.deploy import refuse_foundation
from cli.errors import UserError
from cli.evidence import refuse_violations
from cli.package import write_variables
from contracts.release import Release, ReleaseError, parse_release
from operate import plans
from preview import digest, summary

app = new_app()

_ROOT = Path(__file__).resolve().parent.parent
LONGEST = 900
"""Characters of the evidence: CodePipeline puts 1000 into the mail, and the manifest's hash is beside it."""


@app.command()
def plan(
    stack: Annotated[str, typer.Option(help="Environment, like prod.")],
    release: Annotated[str, typer.Option(help="s3:// address of the release manifest.")],
    manifest_sha256: Annotated[str, typer.Option(help="SHA-256 that the manifest must have.")],
    store: Annotated[str, typer.Option(help="s3:// address that the plan is written to.")],
    variables: Annotated[Path | None, typer.Option(help="File that is written for the shell with the outcome.")] = None,
) -> None:
    """Preview a release with the policy pack, store the plan, and say what an approver needs to know.

    Changes nothing but the stored plan. Prints PLAN_SHA256, which `deploy --plan-sha256` takes, and EVIDENCE.
    """
    from operate.previews import Asked, steps
    from preview import report

    s3 = _s3()
    found = read_manifest(s3, release, manifest_sha256)
    planned = steps(Asked(_ROOT, stack, release, pack=_ROOT / "policies"))
    shown = report(planned)
    refuse_violations(shown)
    refuse_foundation(stack, planned["steps"])
    outcome = {
        "PLAN_SHA256": plans.store(s3, store, digest.normalise(planned)),
        "EVIDENCE": evidence(found, stack, summary(shown)),
    }
    for name, value in outcome.items():
        print(f"{name}={value}")
    if variables:
        write_variables(variables, outcome)


def read_manifest(s3: Any, uri: str, sha256: str) -> Release:
    """The manifest, which must be the one that was tested. Raises UserError."""
    body = plans.read(s3, uri)
    actual = hashlib.sha256(body).hexdigest()
    if actual != sha256:
        raise UserError(f"{uri} has SHA-256 {actual}, but {sha256} was tested", "run the pipeline again")
    try:
        return parse_release(body.decode())
    except ReleaseError as error:
        raise UserError(f"{uri} is no release manifest: {error}") from None


def evidence(release: Release, stack: str, summary: str) -> str:
    """What the approver reads, in one line of at most LONGEST characters: the release's metrics, then the summary."""
    text = " ".join(f"{headline(release, stack)} {summary}".split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def headline(release: Release, stack: str) -> str:
    """The release, its metric with the interval, and the champion it was compared with."""
    metrics = release.metrics
    low, high = metrics.ci
    against = release.champion.verdict.rstrip(".") if release.champion else "no champion to compare with"
    return (
        f"Release {release.id} ({release.reason}) for {stack}: {metrics.name} {metrics.value:.4g}"
        f" ({low:.4g} to {high:.4g}), threshold {metrics.threshold:g}, {metrics.rows} rows, {against}."
    )


def _s3() -> Any:
    import boto3

    # The build's own role: the profile of the stack only previews.
    return boto3.client("s3")
